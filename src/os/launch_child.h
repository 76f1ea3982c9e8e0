#pragma once
// The child's side of a launch. It runs the plan in the order that the kernel
// forces and nothing else: no allocation, no look-up, no lock, no libc call
// that keeps state, because on the fast path its memory is PID 1's own.
//
//   cgroup → session → terminal → descriptors 0–2 → OOM score, nice, umask, limits
//   → owners of trees → root → groups → bounding set → gid → uid → capabilities,
//   secure bits, ambient set → working directory → close descriptors
//   → NoNewPrivileges → signals → execve
//
// A step that fails is written to plan.report and, if there is one, to the
// pipe; the process then exits with the step's status (fault E5: execve never
// happens after a failed step).

#include "base/unique_fd.h"
#include "os/launch_plan.h"

namespace onset {

/// Never returns. `report_pipe` is the write end of a close-on-exec pipe, or
/// none when the parent reads plan.report itself.
[[noreturn]] void run_child(LaunchPlan& plan, BorrowedFd report_pipe) noexcept;

/// Closes every descriptor from 3 on but `keep` (-1: none). False if that could
/// not be done for sure.
bool close_all_descriptors(int keep) noexcept;

}  // namespace onset
