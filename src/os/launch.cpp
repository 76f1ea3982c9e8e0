#include "os/launch.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <utility>

#include "os/launch_child.h"
#include "os/launch_clone.h"

namespace onset {
namespace {

/// For all launches of one turn of the loop.
constexpr Duration kTurn = std::chrono::milliseconds(250);
constexpr Duration kLeast = std::chrono::milliseconds(1);

/// How long PID 1 waits for a fast launch.
constexpr Duration patience_with(unsigned late) {
  constexpr Duration kMost = std::chrono::milliseconds(100);
  return std::max(kMost / (1 << (2 * std::min(late, 4U))), kLeast);
}
static_assert(patience_with(0) > patience_with(1) && patience_with(4) == patience_with(1000));

[[noreturn]] void child_entry(void* plan) {
  run_child(*static_cast<LaunchPlan*>(plan));
}

void put_into_cgroup(CloneArguments& arguments, const LaunchPlan& plan) {
  arguments.flags |= CLONE_INTO_CGROUP;
  arguments.cgroup = static_cast<std::uint64_t>(plan.cgroup.get());
}

SysResult open_pipe(UniqueFd& reader, UniqueFd& writer) {
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return Failure{SysError{"pipe2", errno}};
  reader = UniqueFd(ends[0]);
  writer = UniqueFd(ends[1]);
  return {};
}

}  // namespace

Launcher::Launcher(const SelfFacts& self) : turn_left_(kTurn) {
  // Too short a size: EINVAL where the call exists, ENOSYS or a filter's EPERM where not.
  clone3_ = ::syscall(SYS_clone3, nullptr, 0) < 0 && errno == EINVAL;
  clear_sighand_ = clone3_ && self.kernel_at_least(5, 5);
  into_cgroup_ = clone3_ && self.kernel_at_least(5, 7);
}

Result<StartedProcess> Launcher::start(LaunchPlan& plan, unsigned late) {
  if (plan.needs_own_process() || !prepare_fast()) return start_slow(plan);
  return start_fast(plan, std::max(kLeast, std::min(patience_with(late), turn_left_)));
}

void Launcher::new_turn() {
  turn_left_ = kTurn;
}

/// In steps, so that what was waited for is known without a clock: a launch that
/// takes less than the first one costs the turn nothing.
bool Launcher::wait_until_executed(Duration patience) {
  Duration waited{0};
  bool executed = false;
  for (Duration step = kLeast; !executed && waited < patience; step *= 2) {
    step = std::min(step, patience - waited);
    executed = stack_.wait_until_vacated(step);
    if (!executed) waited += step;
  }
  turn_left_ -= waited;
  return executed;
}

/// What a late launch takes with it is made anew for the next one.
bool Launcher::prepare_fast() {
  if (!can_clone_onto_stack() || !clear_sighand_) return false;
  if (!stack_) stack_ = ChildStack::make();
  if (!report_write_) (void)open_pipe(report_, report_write_);
  return stack_ && report_write_;
}

Result<StartedProcess> Launcher::start_fast(LaunchPlan& plan, Duration patience) {
  plan.shares_memory = true;
  plan.report_pipe = report_write_.get();
  CloneArguments arguments{};
  arguments.flags = CLONE_VM | CLONE_CHILD_CLEARTID | CLONE_CLEAR_SIGHAND;
  arguments.child_tid = reinterpret_cast<std::uint64_t>(stack_.in_use());
  arguments.exit_signal = SIGCHLD;
  arguments.stack = reinterpret_cast<std::uint64_t>(stack_.bottom());
  arguments.stack_size = stack_.size();
  if (plan.cgroup && into_cgroup_) put_into_cgroup(arguments, plan);
  stack_.occupy();
  const AllSignalsBlocked blocked;
  const long pid = clone_onto_stack(arguments, child_entry, &plan);
  if (pid < 0) {
    stack_.vacate();
    return Failure{SysError{"clone3", static_cast<int>(-pid)}};
  }
  StartedProcess started;
  started.pid = static_cast<pid_t>(pid);
  if (wait_until_executed(patience)) {
    started.exec_done = plan.report.step == LaunchStep::None;
    return started;
  }
  report_write_.reset();
  started.report = std::move(report_);
  started.stack = std::move(stack_);
  return started;
}

Result<StartedProcess> Launcher::start_slow(LaunchPlan& plan) {
  UniqueFd reader;
  UniqueFd writer;
  if (auto opened = open_pipe(reader, writer); !opened) return Failure{opened.error()};
  const long pid = clone_process(plan, writer);
  if (pid < 0) return Failure{SysError{"fork", static_cast<int>(-pid)}};
  StartedProcess started;
  started.pid = static_cast<pid_t>(pid);
  started.report = std::move(reader);
  return started;
}

/// The child never returns; its id, or a negative errno.
long Launcher::clone_process(LaunchPlan& plan, BorrowedFd writer) const {
  const AllSignalsBlocked blocked;
  long pid = 0;
  if (clear_sighand_) {
    CloneArguments arguments{};
    arguments.flags = CLONE_CLEAR_SIGHAND;
    arguments.exit_signal = SIGCHLD;
    if (plan.cgroup && into_cgroup_) put_into_cgroup(arguments, plan);
    pid = ::syscall(SYS_clone3, &arguments, sizeof arguments);
  } else {
    plan.signals_to_default = ~0ULL;
    pid = ::fork();
  }
  if (pid < 0) return -errno;
  if (pid == 0) {
    // It may live long: it must not hold open what a fast launch is heard by.
    if (report_write_) ::close(report_write_.get());
    plan.report_pipe = writer.get();
    run_child(plan);
  }
  return pid;
}

}  // namespace onset
