#include "os/launch_child.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <string_view>

#include "os/directories.h"
#include "os/launch_run.h"

namespace onset {
namespace {

/// The kernel's sigaction: glibc's own would be safe here too, but refuses 32 and 33.
struct KernelSigaction {
  void (*handler)(int);
  unsigned long flags;
  void (*restorer)();
  std::uint64_t mask;
};

/// In place of kPidPlace; what follows it moves up.
void write_pid(char* slot, pid_t pid) noexcept {
  char digits[16];
  int n = 0;
  for (auto left = static_cast<unsigned>(pid); n == 0 || left != 0; left /= 10) {
    digits[n++] = static_cast<char>('0' + left % 10);
  }
  const char* rest = slot + kPidPlace.size();
  while (n > 0) *slot++ = digits[--n];
  std::memmove(slot, rest, std::strlen(rest) + 1);
}

void enter_cgroup(const Run& run) noexcept {
  if (!run.plan.cgroup_procs) return;
  run.must(LaunchStep::Cgroup, raw::call(SYS_write, run.plan.cgroup_procs.get(), "0", 1));
}

/// 0 or a negative errno.
long write_oom_score(std::string_view text) noexcept {
  const long fd = raw::call(SYS_openat, AT_FDCWD, "/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return fd;
  const long written = raw::call(SYS_write, fd, text.data(), text.size());
  raw::call(SYS_close, fd);
  return written < 0 ? written : 0;
}

void adjust_oom_score(const Run& run) noexcept {
  if (run.plan.oom_score_adj.empty()) return;
  const long done = write_oom_score(run.plan.oom_score_adj);
  // What the machine forbids or does not have is gone without, as under systemd in a container.
  if (done == -EACCES || done == -EPERM || done == -EROFS || done == -ENOENT) {
    run.note(LaunchNote::OomAdjust);
    return;
  }
  run.must(LaunchStep::OomAdjust, done);
}

long get_limit(int resource, rlimit& limit) noexcept {
  return raw::call(SYS_prlimit64, 0, resource, nullptr, &limit);
}

long change_limit(int resource, const rlimit& limit) noexcept {
  return raw::call(SYS_prlimit64, 0, resource, &limit, nullptr);
}

/// The nearest nice level that RLIMIT_NICE allows, where the wanted one is refused.
void adjust_nice(const Run& run) noexcept {
  if (!run.plan.set_nice) return;
  const long done = raw::call(SYS_setpriority, PRIO_PROCESS, 0, run.plan.nice);
  if (done == 0) return;
  if (done != -EACCES && done != -EPERM) run.fail(LaunchStep::Nice, -done);
  run.note(LaunchNote::Nice);
  rlimit limit{};
  if (get_limit(RLIMIT_NICE, limit) != 0) return;
  const int floor = limit.rlim_cur == RLIM_INFINITY ? -20 : 20 - static_cast<int>(limit.rlim_cur);
  if (floor <= 19 && floor > run.plan.nice) {
    raw::call(SYS_setpriority, PRIO_PROCESS, 0, floor);
  }
}

/// The limit, or the nearest that may be had: a user namespace has a CAP_SYS_RESOURCE
/// that does not count here. 0 or a negative errno.
long set_limit(const Run& run, const Limit& limit) noexcept {
  rlimit value{limit.soft, limit.hard};
  if (const long done = change_limit(limit.resource, value); done != -EPERM) return done;
  rlimit highest{};
  if (const long done = get_limit(limit.resource, highest); done != 0) return done;
  if (highest.rlim_max == RLIM_INFINITY) return -EPERM;  // it is not the height that is refused
  if (value.rlim_cur > highest.rlim_max) value.rlim_cur = highest.rlim_max;
  if (value.rlim_max > highest.rlim_max) value.rlim_max = highest.rlim_max;
  if (const long done = change_limit(limit.resource, value); done != 0) return done;
  run.note(LaunchNote::Limits);
  return 0;
}

void set_limits(const Run& run) noexcept {
  for (const Limit& limit : run.plan.limits) run.must(LaunchStep::Limits, set_limit(run, limit));
}

void change_owners(const Run& run) noexcept {
  for (const ChownPlan& chown : run.plan.chowns) {
    const int error =
        change_tree_owner(chown.directory, run.plan.directory_owner, run.plan.directory_group);
    if (error != 0) run.fail(chown.step, error);
  }
}

void change_root(const Run& run) noexcept {
  if (run.plan.root.empty()) return;
  run.must(LaunchStep::Chroot, raw::call(SYS_chdir, run.plan.root.c_str()));
  run.must(LaunchStep::Chroot, raw::call(SYS_chroot, "."));
}

void change_directory(const Run& run) noexcept {
  const LaunchPlan& plan = run.plan;
  if (!plan.root.empty()) run.must(LaunchStep::Chdir, raw::call(SYS_chdir, "/"));
  const long done = raw::call(SYS_chdir, plan.working_directory.c_str());
  if (done == 0) return;
  if (!plan.working_directory_optional) run.fail(LaunchStep::Chdir, -done);
  run.must(LaunchStep::Chdir, raw::call(SYS_chdir, "/"));
}

void act_on_signal(const Run& run, unsigned signal, void (*handler)(int)) noexcept {
  KernelSigaction action{};
  action.handler = handler;
  run.must(LaunchStep::SignalMask,
           raw::call(SYS_rt_sigaction, signal, &action, nullptr, sizeof action.mask));
}

void reset_signals(const Run& run) noexcept {
  for (unsigned signal = 1; signal <= 64; ++signal) {
    if (((run.plan.signals_to_default >> (signal - 1)) & 1U) == 0) continue;
    if (signal == SIGKILL || signal == SIGSTOP) continue;
    act_on_signal(run, signal, SIG_DFL);
  }
  if (run.plan.ignore_sigpipe) act_on_signal(run, SIGPIPE, SIG_IGN);
}

constexpr std::uint64_t bit_of(int signal) {
  return 1ULL << static_cast<unsigned>(signal - 1);
}

/// signal(7), "Core".
constexpr std::uint64_t kDumpCore =
    bit_of(SIGQUIT) | bit_of(SIGILL) | bit_of(SIGTRAP) | bit_of(SIGABRT) | bit_of(SIGBUS) |
    bit_of(SIGFPE) | bit_of(SIGSEGV) | bit_of(SIGXCPU) | bit_of(SIGXFSZ) | bit_of(SIGSYS);

/// Kernels before 5.16 end everybody who shares the memory of a process that dumps
/// core, and that would be PID 1: such a signal, held back so far, is SIGKILL here.
void spare_others_memory() noexcept {
  std::uint64_t pending = 0;
  if (raw::call(SYS_rt_sigpending, &pending, sizeof pending) != 0) return;
  if ((pending & kDumpCore) == 0) return;
  raw::call(SYS_kill, raw::call(SYS_getpid), SIGKILL);
}

void unblock_signals(const Run& run) noexcept {
  const std::uint64_t none = 0;
  run.must(LaunchStep::SignalMask,
           raw::call(SYS_rt_sigprocmask, SIG_SETMASK, &none, nullptr, sizeof none));
}

/// The first candidate that the kernel takes. One that is not there leads to
/// the next; EACCES is remembered, as execvp(3) does.
[[noreturn]] void execute(const Run& run) noexcept {
  long error = ENOENT;
  for (const char* path : run.plan.paths) {
    const long failed = -raw::call(SYS_execve, path, run.plan.argv.data(), run.plan.envp.data());
    if (failed == EACCES || error != EACCES) error = failed;
    if (failed != ENOENT && failed != ENOTDIR && failed != EACCES) break;
  }
  run.fail(LaunchStep::Exec, error);
}

void start_session(const Run& run) noexcept {
  if (!run.plan.new_session) return;
  const long done = raw::call(SYS_setsid);
  if (done != -EPERM) run.must(LaunchStep::SetSid, done);
}

}  // namespace

void run_child(LaunchPlan& plan) noexcept {
  const Run run{plan};
  if (plan.failed != LaunchStep::None) run.fail(plan.failed, plan.failed_errno);

  enter_cgroup(run);
  reset_signals(run);
  // With memory of its own the child may wait, and must then hear SIGTERM. On
  // the fast path no signal may end it before execve.
  if (!plan.shares_memory) unblock_signals(run);
  start_session(run);
  set_up_streams(run);
  adjust_oom_score(run);
  adjust_nice(run);
  set_scheduling(run);
  raw::call(SYS_umask, plan.umask);
  set_limits(run);
  change_owners(run);
  change_root(run);
  set_credentials(run);
  const int first = pass_descriptors(run);
  if (!close_all_descriptors(first, plan.report_pipe)) run.fail(LaunchStep::Fds, EBADF);
  // Not before: by /proc/self/fd a folder that PID 1 has open leads out of the new root.
  change_directory(run);
  if (plan.no_new_privileges) {
    run.must(LaunchStep::NoNewPrivileges, raw::call(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1));
  }
  const auto pid = static_cast<pid_t>(raw::call(SYS_getpid));
  // From the end: two in one text must not move each other.
  for (std::size_t i = plan.pid_slots.size(); i > 0; --i) write_pid(plan.pid_slots[i - 1], pid);
  if (plan.report.notes != 0) run.send();
  if (plan.shares_memory) {
    spare_others_memory();
    unblock_signals(run);
  }
  execute(run);
}

}  // namespace onset
