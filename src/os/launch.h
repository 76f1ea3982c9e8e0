#pragma once
// Starts a process from its plan.
//
//   fast   clone3(VM | CLEAR_SIGHAND | CHILD_CLEARTID [| INTO_CGROUP]) on a stack
//          of its own: PID 1 waits for the microseconds until execve, and knows
//          then whether execve happened
//   slow   a process with its own memory, for what may wait or runs as another
//          user: PID 1 goes on at once and hears through a pipe, whose end
//          without a word means that execve happened
//
// A fast launch that is late (the child is stopped, or born into a frozen group,
// or the file to execute is on a server that does not answer) goes on beside
// PID 1: the child keeps its stack, its plan and its end of a pipe, which closes
// when it executes or ends. Not CLONE_VFORK: that wait has no deadline.
//
// clone3(2) is probed once: ENOSYS, or EPERM from a seccomp filter, leads to
// fork(2) and a write to cgroup.procs; no other errno does (fault P21).

#include <sys/types.h>

#include "base/result.h"
#include "base/time.h"
#include "base/unique_fd.h"
#include "os/launch_plan.h"
#include "os/launch_stack.h"
#include "os/self.h"

namespace onset {

struct StartedProcess {
  pid_t pid = 0;
  bool exec_done = false;  ///< false with no pipe: a step failed, see plan.report
  UniqueFd report;         ///< read end; set while it is not known how the launch goes
  /// Of a late child. As long as it may be on it, the plan has to stay where it
  /// is too; its report is in the plan, the pipe only says when.
  ChildStack stack;
};

class Launcher {
 public:
  explicit Launcher(const SelfFacts& self);
  Launcher(const Launcher&) = delete;
  Launcher& operator=(const Launcher&) = delete;

  /// EAGAIN, ENOMEM and their like come back: the engine tries again (fault P3).
  /// `late`: so many late children have not been heard of yet. Each makes the wait
  /// for the next one shorter, so that a thousand (a frozen slice) don't add up.
  Result<StartedProcess> start(LaunchPlan& plan, unsigned late);
  /// The loop comes round: what launches may keep it waiting begins anew.
  void new_turn();

  /// Whether a new process is born into its cgroup (clone3 with INTO_CGROUP).
  [[nodiscard]] bool into_cgroup() const { return into_cgroup_; }

 private:
  bool prepare_fast();
  Result<StartedProcess> start_fast(LaunchPlan& plan, Duration patience);
  bool wait_until_executed(Duration patience);
  Result<StartedProcess> start_slow(LaunchPlan& plan);
  long clone_process(LaunchPlan& plan, BorrowedFd writer) const;

  Duration turn_left_;
  bool clone3_ = false;
  bool clear_sighand_ = false;
  bool into_cgroup_ = false;
  ChildStack stack_;       ///< of the next fast launch
  UniqueFd report_;        ///< the pipe of the next late one: PID 1's end
  UniqueFd report_write_;  ///< and the child's
};

}  // namespace onset
