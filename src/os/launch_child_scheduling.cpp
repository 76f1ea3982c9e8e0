// The child's scheduling, in systemd's order. Nothing here is shared with PID 1,
// whose memory the child may still run on: all of it is a task's own.

#include <linux/ioprio.h>
#include <sched.h>
#include <sys/prctl.h>

#include "os/launch_run.h"

namespace onset {
namespace {

/// The kernel's sched_param.
struct Priority {
  int value;
};

void set_scheduler(const Run& run) noexcept {
  if (!run.plan.set_scheduler) return;
  const Priority priority{run.plan.scheduler_priority};
  run.must(LaunchStep::Scheduler,
           raw::call(SYS_sched_setscheduler, 0, run.plan.scheduler, &priority));
}

void set_affinity(const Run& run) noexcept {
  const auto& mask = run.plan.cpu_mask;
  if (mask.empty()) return;
  run.must(LaunchStep::CpuAffinity,
           raw::call(SYS_sched_setaffinity, 0, mask.size() * sizeof mask[0], mask.data()));
}

/// A kernel without NUMA has one node, and every policy is the same there.
void set_memory_policy(const Run& run) noexcept {
  const LaunchPlan& plan = run.plan;
  if (plan.numa_policy < 0) return;
  const std::size_t bits = plan.numa_mask.size() * 8 * sizeof(unsigned long);
  const long done =
      plan.numa_mask.empty()
          ? raw::call(SYS_set_mempolicy, plan.numa_policy, nullptr, 0)
          // The kernel takes the number of bits for one more than there are.
          : raw::call(SYS_set_mempolicy, plan.numa_policy, plan.numa_mask.data(), bits + 1);
  if (done != -ENOSYS) run.must(LaunchStep::NumaPolicy, done);
}

void set_io_priority(const Run& run) noexcept {
  if (!run.plan.set_io_priority) return;
  run.must(LaunchStep::IoPriority,
           raw::call(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, run.plan.io_priority));
}

void set_timer_slack(const Run& run) noexcept {
  if (!run.plan.set_timer_slack) return;
  run.must(LaunchStep::TimerSlack,
           raw::call(SYS_prctl, PR_SET_TIMERSLACK, run.plan.timer_slack_ns));
}

}  // namespace

void set_scheduling(const Run& run) noexcept {
  set_scheduler(run);
  set_affinity(run);
  set_memory_policy(run);
  set_io_priority(run);
  set_timer_slack(run);
}

}  // namespace onset
