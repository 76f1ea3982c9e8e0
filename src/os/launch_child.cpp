#include "os/launch_child.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "os/child_terminal.h"
#include "os/directories.h"

namespace onset {
namespace {

/// The kernel's sigaction: glibc's own would be safe here too, but refuses 32 and 33.
struct KernelSigaction {
  void (*handler)(int);
  unsigned long flags;
  void (*restorer)();
  std::uint64_t mask;
};

/// The plan under way: what every step needs.
struct Run {
  LaunchPlan& plan;
  int pipe;

  [[noreturn]] void fail(LaunchStep step, int error) const noexcept {
    plan.report.step = step;
    plan.report.error = error;
    send();
    ::_exit(describe(step).status);
  }
  void note(LaunchNote what) const noexcept {
    plan.report.notes = static_cast<std::uint8_t>(plan.report.notes | static_cast<unsigned>(what));
  }
  void send() const noexcept {
    if (pipe >= 0) (void)!::write(pipe, &plan.report, sizeof plan.report);
  }
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
  if (::write(run.plan.cgroup_procs.get(), "0", 1) < 0) run.fail(LaunchStep::Cgroup, errno);
}

/// A unix socket in the place of a file is connected to, as systemd does.
int connect_to(const char* path) noexcept {
  sockaddr_un address{};
  const std::size_t length = std::strlen(path);
  if (length >= sizeof address.sun_path) return -ENAMETOOLONG;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path, length);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) {
    return -errno;
  }
  return fd;
}

int open_stream(const Run& run, const StreamPlan& stream, bool is_input) noexcept {
  if (stream.how == StreamPlan::How::Terminal) {
    return is_input ? claim_terminal(run.plan.terminal)
                    : open_terminal(stream.path.c_str(), stream.flags);
  }
  const int fd = ::open(stream.path.c_str(), stream.flags | O_NOCTTY | O_CLOEXEC, stream.mode);
  if (fd >= 0) return fd;
  return errno == ENXIO ? connect_to(stream.path.c_str()) : -errno;
}

void set_up_stream(const Run& run, int number, LaunchStep step) noexcept {
  const StreamPlan& stream = run.plan.streams[static_cast<unsigned>(number)];
  int source = stream.fd;
  switch (stream.how) {
    case StreamPlan::How::Source:
    case StreamPlan::How::CopyOf:
      break;
    case StreamPlan::How::File:
    case StreamPlan::How::Terminal:
      source = open_stream(run, stream, number == 0);
      if (source < 0) run.fail(step, -source);
      break;
  }
  if (source == number) {  // opened into the very place: it must survive execve
    if (::fcntl(number, F_SETFD, 0) < 0) run.fail(step, errno);
    return;
  }
  if (::dup3(source, number, 0) < 0) run.fail(step, errno);
}

void set_up_streams(const Run& run) noexcept {
  prepare_terminal(run.plan.terminal);
  set_up_stream(run, 0, LaunchStep::Stdin);
  const bool on_terminal = run.plan.streams[0].how == StreamPlan::How::Terminal;
  if (on_terminal && run.plan.set_uid &&
      (::fchmod(0, 0600) != 0 || ::fchown(0, run.plan.uid, static_cast<gid_t>(-1)) != 0)) {
    run.fail(LaunchStep::Stdin, errno);
  }
  set_up_stream(run, 1, LaunchStep::Stdout);
  set_up_stream(run, 2, LaunchStep::Stderr);
}

void adjust_oom_score(const Run& run) noexcept {
  const std::string& text = run.plan.oom_score_adj;
  if (text.empty()) return;
  const int fd = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  const bool done = fd >= 0 && ::write(fd, text.data(), text.size()) >= 0;
  const int error = errno;
  if (fd >= 0) ::close(fd);
  if (done) return;
  // What the machine forbids or does not have is gone without, as under systemd in a container.
  if (error == EACCES || error == EPERM || error == EROFS || error == ENOENT) {
    run.note(LaunchNote::OomAdjust);
    return;
  }
  run.fail(LaunchStep::OomAdjust, error);
}

/// The nearest nice level that RLIMIT_NICE allows, where the wanted one is refused.
void adjust_nice(const Run& run) noexcept {
  if (!run.plan.set_nice) return;
  if (::setpriority(PRIO_PROCESS, 0, run.plan.nice) == 0) return;
  if (errno != EACCES && errno != EPERM) run.fail(LaunchStep::Nice, errno);
  run.note(LaunchNote::Nice);
  rlimit limit{};
  if (::getrlimit(RLIMIT_NICE, &limit) != 0) return;
  const int floor = limit.rlim_cur == RLIM_INFINITY ? -20 : 20 - static_cast<int>(limit.rlim_cur);
  if (floor <= 19 && floor > run.plan.nice) (void)::setpriority(PRIO_PROCESS, 0, floor);
}

/// The limit, or the nearest that may be had: a user namespace has a CAP_SYS_RESOURCE
/// that does not count here.
int set_limit(const Run& run, const Limit& limit) noexcept {
  const auto resource = static_cast<__rlimit_resource>(limit.resource);
  rlimit value{limit.soft, limit.hard};
  if (::setrlimit(resource, &value) == 0) return 0;
  if (errno != EPERM) return errno;
  rlimit highest{};
  if (::getrlimit(resource, &highest) != 0) return errno;
  if (highest.rlim_max == RLIM_INFINITY) return EPERM;  // it is not the height that is refused
  if (value.rlim_cur > highest.rlim_max) value.rlim_cur = highest.rlim_max;
  if (value.rlim_max > highest.rlim_max) value.rlim_max = highest.rlim_max;
  if (::setrlimit(resource, &value) != 0) return errno;
  run.note(LaunchNote::Limits);
  return 0;
}

void set_limits(const Run& run) noexcept {
  for (const Limit& limit : run.plan.limits) {
    if (const int error = set_limit(run, limit); error != 0) run.fail(LaunchStep::Limits, error);
  }
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
  if (::chdir(run.plan.root.c_str()) != 0) run.fail(LaunchStep::Chroot, errno);
  if (::chroot(".") != 0) run.fail(LaunchStep::Chroot, errno);
}

void set_groups(const Run& run) noexcept {
  const LaunchPlan& plan = run.plan;
  if (plan.set_groups && ::syscall(SYS_setgroups, plan.groups.size(), plan.groups.data()) != 0) {
    run.fail(LaunchStep::Group, errno);
  }
}

void set_gid(const Run& run) noexcept {
  const LaunchPlan& plan = run.plan;
  if (plan.set_gid && ::syscall(SYS_setresgid, plan.gid, plan.gid, plan.gid) != 0) {
    run.fail(LaunchStep::Group, errno);
  }
}

void drop_bounding_set(const Run& run) noexcept {
  for (unsigned cap = 0; cap < 64; ++cap) {
    if (((run.plan.bounding_drop >> cap) & 1U) == 0) continue;
    if (::prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) != 0) run.fail(LaunchStep::Capabilities, errno);
  }
}

struct CapabilityState {
  __user_cap_data_struct data[2];
};

bool get_capabilities(CapabilityState& state) noexcept {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  return ::syscall(SYS_capget, &header, state.data) == 0;
}

bool set_capabilities(const CapabilityState& state) noexcept {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  return ::syscall(SYS_capset, &header, state.data) == 0;
}

std::uint32_t word_of(std::uint64_t set, unsigned word) noexcept {
  return static_cast<std::uint32_t>(set >> (32U * word));
}

/// After the change of user: full rights back for a moment to set the secure
/// bits, then what the process shall keep, then the ambient set.
void finish_capabilities(const Run& run, bool keep) noexcept {
  const LaunchPlan& plan = run.plan;
  const bool wanted = plan.set_securebits || plan.ambient != 0 || plan.clear_inheritable;
  if (!wanted) return;
  CapabilityState state{};
  if (!get_capabilities(state)) run.fail(LaunchStep::Capabilities, errno);
  if (keep) {
    for (auto& word : state.data) word.effective = word.permitted;
    if (!set_capabilities(state)) run.fail(LaunchStep::Capabilities, errno);
  }
  // Asking for what is set already must not need a right.
  const bool differ = ::prctl(PR_GET_SECUREBITS, 0, 0, 0, 0) != plan.securebits;
  if (plan.set_securebits && differ && ::prctl(PR_SET_SECUREBITS, plan.securebits, 0, 0, 0) != 0) {
    run.fail(LaunchStep::SecureBits, errno);
  }
  for (unsigned i = 0; i < 2; ++i) {
    auto& word = state.data[i];
    const std::uint32_t ambient = word_of(plan.ambient, i);
    word.inheritable = ambient;
    if (plan.set_uid && plan.uid != 0) word.effective = word.permitted = ambient;
  }
  if (!set_capabilities(state)) run.fail(LaunchStep::Capabilities, errno);
  for (unsigned cap = 0; cap < 64; ++cap) {
    if (((plan.ambient >> cap) & 1U) == 0) continue;
    if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) != 0) {
      run.fail(LaunchStep::Capabilities, errno);
    }
  }
}

void set_credentials(const Run& run) noexcept {
  const LaunchPlan& plan = run.plan;
  set_groups(run);
  drop_bounding_set(run);
  const bool keep = plan.set_uid && plan.uid != 0 && (plan.ambient != 0 || plan.set_securebits);
  if (keep && ::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0) {
    run.fail(LaunchStep::Capabilities, errno);
  }
  set_gid(run);
  if (plan.set_uid && ::syscall(SYS_setresuid, plan.uid, plan.uid, plan.uid) != 0) {
    run.fail(LaunchStep::User, errno);
  }
  finish_capabilities(run, keep);
}

void change_directory(const Run& run) noexcept {
  const LaunchPlan& plan = run.plan;
  if (!plan.root.empty() && ::chdir("/") != 0) run.fail(LaunchStep::Chdir, errno);
  if (::chdir(plan.working_directory.c_str()) == 0) return;
  const int error = errno;
  if (!plan.working_directory_optional) run.fail(LaunchStep::Chdir, error);
  if (::chdir("/") != 0) run.fail(LaunchStep::Chdir, errno);
}

void reset_signals(const Run& run) noexcept {
  KernelSigaction action{};
  action.handler = SIG_DFL;
  for (unsigned signal = 1; signal <= 64; ++signal) {
    if (((run.plan.signals_to_default >> (signal - 1)) & 1U) == 0) continue;
    if (signal == SIGKILL || signal == SIGSTOP) continue;
    if (::syscall(SYS_rt_sigaction, signal, &action, nullptr, 8) != 0) {
      run.fail(LaunchStep::SignalMask, errno);
    }
  }
  action.handler = SIG_IGN;
  if (run.plan.ignore_sigpipe && ::syscall(SYS_rt_sigaction, SIGPIPE, &action, nullptr, 8) != 0) {
    run.fail(LaunchStep::SignalMask, errno);
  }
}

void unblock_signals(const Run& run) noexcept {
  const std::uint64_t none = 0;
  if (::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, nullptr, sizeof none) != 0) {
    run.fail(LaunchStep::SignalMask, errno);
  }
}

/// The first candidate that the kernel takes. One that is not there leads to
/// the next; EACCES is remembered, as execvp(3) does.
[[noreturn]] void execute(const Run& run) noexcept {
  int error = ENOENT;
  for (const char* path : run.plan.paths) {
    ::execve(path, run.plan.argv.data(), run.plan.envp.data());
    if (errno == EACCES || error != EACCES) error = errno;
    if (errno != ENOENT && errno != ENOTDIR && errno != EACCES) break;
  }
  run.fail(LaunchStep::Exec, error);
}

bool close_by_range(int keep) noexcept {
#ifdef SYS_close_range
  if (keep < 0) return ::syscall(SYS_close_range, 3U, ~0U, 0U) == 0;
  const auto kept = static_cast<unsigned>(keep);
  if (kept > 3 && ::syscall(SYS_close_range, 3U, kept - 1, 0U) != 0) return false;
  return ::syscall(SYS_close_range, kept + 1, ~0U, 0U) == 0;
#else
  (void)keep;
  return false;
#endif
}

struct DirectoryRecord {  // linux_dirent64, getdents64(2)
  std::uint64_t inode;
  std::int64_t offset;
  unsigned short length;
  unsigned char type;
  char name[1];
};

int number_in(const char* name) noexcept {
  int value = 0;
  if (*name == '\0') return -1;
  for (; *name != '\0'; ++name) {
    if (*name < '0' || *name > '9' || value > 100'000'000) return -1;
    value = value * 10 + (*name - '0');
  }
  return value;
}

/// Reads /proc/self/fd until a whole pass has closed nothing.
bool close_by_list(int keep) noexcept {
  alignas(DirectoryRecord) char buffer[2048];
  for (bool closed = true; closed;) {
    closed = false;
    const int list = ::open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (list < 0) return false;
    for (;;) {
      const long n = ::syscall(SYS_getdents64, list, buffer, sizeof buffer);
      if (n <= 0) break;
      for (long at = 0; at < n;) {
        const auto* record = reinterpret_cast<const DirectoryRecord*>(buffer + at);
        const int fd = number_in(record->name);
        if (fd > 2 && fd != keep && fd != list && ::close(fd) == 0) closed = true;
        at += record->length;
      }
    }
    ::close(list);
  }
  return true;
}

/// Without close_range(2) and /proc: up to the limit. All of onset's own are
/// close-on-exec, so that the bound leaves nothing that we know of.
bool close_by_counting(int keep) noexcept {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return false;
  const rlim_t most = 65536;
  const int end = static_cast<int>(limit.rlim_cur < most ? limit.rlim_cur : most);
  for (int fd = 3; fd < end; ++fd) {
    if (fd != keep) ::close(fd);
  }
  return true;
}

}  // namespace

bool close_all_descriptors(int keep) noexcept {
  return close_by_range(keep) || close_by_list(keep) || close_by_counting(keep);
}

void run_child(LaunchPlan& plan, BorrowedFd report_pipe) noexcept {
  const Run run{plan, report_pipe.get()};
  if (plan.failed != LaunchStep::None) run.fail(plan.failed, plan.failed_errno);

  enter_cgroup(run);
  reset_signals(run);
  // With memory of its own the child may wait, and must then hear SIGTERM. On
  // the fast path no signal may end it before execve.
  const bool own_process = report_pipe.get() >= 0;
  if (own_process) unblock_signals(run);
  if (plan.new_session && ::setsid() < 0 && errno != EPERM) run.fail(LaunchStep::SetSid, errno);
  set_up_streams(run);
  adjust_oom_score(run);
  adjust_nice(run);
  ::umask(plan.umask);
  set_limits(run);
  change_owners(run);
  change_root(run);
  set_credentials(run);
  change_directory(run);
  if (!close_all_descriptors(report_pipe.get())) run.fail(LaunchStep::Fds, errno);
  if (plan.no_new_privileges && ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    run.fail(LaunchStep::NoNewPrivileges, errno);
  }
  const auto pid = static_cast<pid_t>(::syscall(SYS_getpid));
  // From the end: two in one text must not move each other.
  for (std::size_t i = plan.pid_slots.size(); i > 0; --i) write_pid(plan.pid_slots[i - 1], pid);
  if (plan.report.notes != 0) run.send();
  if (!own_process) unblock_signals(run);
  execute(run);
}

}  // namespace onset
