#pragma once
// The child's side of a launch. It runs the plan in the order that the kernel
// forces and nothing else: no allocation, no look-up, no lock, no errno, because
// on the fast path its memory is PID 1's own, and PID 1 may run at the same time.
// A test holds what its rooms call to that (tests/unit/os/launch_test.cpp).
//
//   cgroup → session → terminal → descriptors 0–2 → OOM score, nice, umask, limits
//   → owners of trees → root → groups → bounding set → gid → uid → capabilities,
//   secure bits, ambient set → close descriptors → working directory
//   → NoNewPrivileges → signals → execve
//
// A step that fails is written to plan.report and, where PID 1 can't see that, to
// the pipe; the process then exits with the step's status (fault E5: execve never
// happens after a failed step).

#include "os/launch_plan.h"

namespace onset {

/// Never returns. plan.shares_memory and plan.report_pipe are set.
[[noreturn]] void run_child(LaunchPlan& plan) noexcept;

/// Closes every descriptor from `first` on but `keep` (-1: none). False if that could
/// not be done for sure.
bool close_all_descriptors(int first, int keep) noexcept;

}  // namespace onset
