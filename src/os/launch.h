#pragma once
// Starts a process from its plan.
//
//   fast   clone3(VM | VFORK | CLEAR_SIGHAND [| INTO_CGROUP]) on a stack of its
//          own: PID 1 is suspended for the microseconds until execve, and
//          knows on return whether execve happened
//   slow   a process with its own memory, for what may wait or runs as another
//          user: PID 1 goes on at once and hears through a pipe, whose end
//          without a word means that execve happened
//
// clone3(2) is probed once: ENOSYS, or EPERM from a seccomp filter, leads to
// fork(2) and a write to cgroup.procs; no other errno does (fault P21).

#include <sys/types.h>

#include <cstddef>

#include "base/result.h"
#include "base/unique_fd.h"
#include "os/launch_plan.h"
#include "os/self.h"

namespace onset {

struct StartedProcess {
  pid_t pid = 0;
  bool exec_done = false;  ///< false with no pipe: a step failed, see plan.report
  UniqueFd report;         ///< read end; set on the slow path
};

class Launcher {
 public:
  explicit Launcher(const SelfFacts& self);
  ~Launcher();
  Launcher(const Launcher&) = delete;
  Launcher& operator=(const Launcher&) = delete;

  /// EAGAIN, ENOMEM and their like come back: the engine tries again (fault P3).
  Result<StartedProcess> start(LaunchPlan& plan);

  /// Whether a new process is born into its cgroup (clone3 with INTO_CGROUP).
  [[nodiscard]] bool into_cgroup() const { return into_cgroup_; }

 private:
  Result<StartedProcess> start_fast(LaunchPlan& plan);
  Result<StartedProcess> start_slow(LaunchPlan& plan);

  bool clone3_ = false;
  bool clear_sighand_ = false;
  bool into_cgroup_ = false;
  void* stack_ = nullptr;
};

}  // namespace onset
