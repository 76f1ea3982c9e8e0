#pragma once
// The rooms of the child's side of a launch among themselves; the way in is
// os/launch_child.h. Raw system calls alone (os/raw_syscall.h), but for what a
// plan has only where the process has its own memory: terminals, files to open,
// trees to change.

#include "os/launch_plan.h"
#include "os/raw_syscall.h"

namespace onset {

/// The plan under way: what every step needs.
struct Run {
  LaunchPlan& plan;

  [[noreturn]] void fail(LaunchStep step, long error) const noexcept {
    plan.report.step = step;
    plan.report.error = static_cast<std::int32_t>(error);
    send();
    raw::exit(describe(step).status);
  }
  /// For a call's result: a negative errno ends the process.
  long must(LaunchStep step, long result) const noexcept {
    if (result < 0) fail(step, -result);
    return result;
  }
  void note(LaunchNote what) const noexcept {
    plan.report.notes = static_cast<std::uint8_t>(plan.report.notes | static_cast<unsigned>(what));
  }
  /// Where PID 1 does not see the report itself.
  void send() const noexcept {
    if (plan.shares_memory) return;
    raw::call(SYS_write, plan.report_pipe, &plan.report, sizeof plan.report);
  }
};

/// Descriptors 0, 1 and 2 (launch_child_streams.cpp).
void set_up_streams(const Run& run) noexcept;
/// Policy, CPUs, memory, I/O and timers (launch_child_scheduling.cpp).
void set_scheduling(const Run& run) noexcept;
/// What the process is handed, from 3 on; the first number behind it (launch_child_descriptors).
int pass_descriptors(const Run& run) noexcept;
/// Groups, bounding set, ids, capabilities (launch_child_identity.cpp).
void set_credentials(const Run& run) noexcept;

}  // namespace onset
