// As PID 1 every process of the namespace can be signalled at once with kill -1.
// As a subreaper only our own descendants may be: they are found as children,
// level by level, because an orphan becomes our child.
#include "init/final_phase.h"

#include <fcntl.h>
#include <linux/reboot.h>
#include <signal.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "base/format.h"
#include "base/out_of_memory.h"
#include "base/text.h"
#include "base/unique_fd.h"
#include "init/bounded_child.h"
#include "init/shutdown_programs.h"
#include "init/storage_teardown.h"
#include "loop/clock.h"
#include "os/files.h"

namespace onset {
namespace {

/// Until it is said who is waited for.
constexpr Duration kQuiet = std::chrono::seconds(1);
/// What a disk that takes nothing is given.
constexpr Duration kSyncPeriod = std::chrono::seconds(10);
constexpr int kSyncPeriods = 3;
/// Of all steps and programs, most of which have limits of their own.
constexpr Duration kStorageLimit = std::chrono::minutes(5);
constexpr std::size_t kTableMax = 65536;

/// kexec_load(2) puts it there.
bool kexec_is_loaded() {
  const UniqueFd fd(open("/sys/kernel/kexec_loaded", O_RDONLY | O_CLOEXEC));
  char c = '0';
  return fd && read(fd.get(), &c, 1) == 1 && c == '1';
}

/// Our own, from /proc; none where it can't be read. Wants no memory.
void signal_children(int signal) {
  const UniqueFd fd(open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC));
  std::array<char, 4096> buffer{};
  pid_t pid = 0;  // of which a piece may have ended in the middle
  for (ssize_t n = 0; (n = read(fd.get(), buffer.data(), buffer.size())) > 0;) {
    for (const char c : std::string_view(buffer.data(), static_cast<std::size_t>(n))) {
      if (c >= '0' && c <= '9') {
        pid = pid * 10 + (c - '0');
        continue;
      }
      if (pid > 0) (void)kill(pid, signal);
      pid = 0;
    }
  }
}

void signal_all(int signal) {
  if (getpid() == 1) {
    (void)kill(-1, signal);
    return;
  }
  signal_children(signal);
}

/// Reaps until no child is left (true) or the deadline (false). Waits on SIGCHLD.
bool reap_until(MonoTime deadline) {
  for (;;) {
    siginfo_t info{};
    if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG) < 0 && errno == ECHILD) return true;
    if (info.si_pid != 0) continue;
    if (read_clock().mono >= deadline) return false;
    await_any_child(deadline);
  }
}

/// "sleep (211), dd (214)": of a machine's processes those that have a command line.
std::string running_processes() {
  constexpr std::size_t kMost = 10;
  constexpr std::size_t kNameMax = 64;
  RealFiles files;
  std::vector<std::string> found;
  const auto listed = files.list("/proc");
  if (!listed) return {};
  for (const DirectoryItem& item : *listed) {
    if (!is_digit(item.name.front()) || item.name == "1") continue;
    const std::string folder = format("/proc/{}", item.name);
    const auto line = files.read(folder + "/cmdline", kTableMax);
    const auto name = files.read(folder + "/comm", kNameMax);
    if (!line || line->empty() || !name) continue;
    if (found.size() == kMost) {
      found.emplace_back("…");
      break;
    }
    found.push_back(format("{} ({})", trim(*name), item.name));
  }
  return join(found, ", ");
}

/// What it is about may be left unsaid, for want of memory.
void tell_waiting(Console& console, int level, std::string_view text) {
  console.line(level, "", text);
  (void)if_memory_suffices([&] {
    if (const std::string names = running_processes(); !names.empty())
      console.line(level, "", format("still running: {}", names));
  });
}

/// The sum of what is still to be written, in kB; 0: it can't be read.
unsigned long unwritten() {
  std::array<char, 4096> buffer{};
  const UniqueFd fd(open("/proc/meminfo", O_RDONLY | O_CLOEXEC));
  const ssize_t n = fd ? read(fd.get(), buffer.data(), buffer.size()) : -1;
  if (n <= 0) return 0;
  const std::string_view text(buffer.data(), static_cast<std::size_t>(n));
  unsigned long sum = 0;
  for (const std::string_view name : {"\nDirty:", "\nWriteback:"}) {
    const std::size_t at = text.find(name);
    if (at == text.npos) continue;
    unsigned long value = 0;
    for (const char c : text.substr(at + name.size())) {
      if (c == ' ' && value == 0) continue;
      if (c < '0' || c > '9') break;
      value = value * 10 + static_cast<unsigned long>(c - '0');
    }
    sum += value;
  }
  return sum;
}

/// A disk that writes has all the time it needs, one that does not has not.
void synchronize(Console& console) {
  const pid_t pid = begin_child([] {
    sync();
    return 0;
  });
  if (pid == 0) {
    sync();
    return;
  }
  unsigned long before = unwritten();
  for (int idle = 0; idle < kSyncPeriods;) {
    if (await_child(pid, read_clock().mono + kSyncPeriod) != ChildEnd::Late) return;
    const unsigned long now = unwritten();
    idle = now < before ? 0 : idle + 1;
    before = now;
    console.line(5, "", "waiting for what is written to disks");
  }
  console.line(3, "", "disks do not take what is written, going on without it");
}

/// A child's, since it wants memory and time.
void settle_storage(Objective objective, Console& console) {
  const pid_t pid = begin_child([&] {
    tear_down_storage(console);
    run_shutdown_programs(objective, console);
    return 0;
  });
  switch (await_child(pid, read_clock().mono + kStorageLimit)) {
    case ChildEnd::Done:
      return;
    case ChildEnd::Failed:
      return console.line(3, "", "not all storage could be detached");
    case ChildEnd::Late:
      (void)kill(pid, SIGKILL);
      return console.line(3, "", "storage can't be detached in time, going on without it");
    case ChildEnd::NotMade:
      return console.line(3, "", "no process can be made to detach storage, going on without it");
  }
}

unsigned command_of(Objective objective, Console& console) {
  switch (objective) {
    case Objective::Poweroff:
      return LINUX_REBOOT_CMD_POWER_OFF;
    case Objective::Halt:
      return LINUX_REBOOT_CMD_HALT;
    case Objective::Kexec:
      if (kexec_is_loaded()) return LINUX_REBOOT_CMD_KEXEC;
      console.line(4, "", "no kernel is loaded for kexec, rebooting instead");
      return LINUX_REBOOT_CMD_RESTART;
    case Objective::Reboot:
    case Objective::Run:
    case Objective::Exit:
    case Objective::SoftReboot:
    case Objective::Reexecute:
      break;
  }
  return LINUX_REBOOT_CMD_RESTART;
}

bool only_exits(const FinalPhase& phase) {
  switch (phase.objective) {
    case Objective::Run:
    case Objective::Exit:
    case Objective::SoftReboot:
    case Objective::Reexecute:
      return true;
    case Objective::Poweroff:
    case Objective::Halt:
    case Objective::Kexec:
      return phase.container;
    case Objective::Reboot:
      return false;
  }
  return true;
}

}  // namespace

bool end_all_processes(Duration patience, Console& console) {
  const MonoTime begin = read_clock().mono;
  if (reap_until(begin)) return true;
  signal_all(SIGTERM);
  signal_all(SIGCONT);
  if (reap_until(begin + std::min(patience, kQuiet))) return true;
  if (patience > kQuiet) {
    tell_waiting(console, 5, "waiting for processes to end");
    if (reap_until(begin + patience)) return true;
  }
  console.line(4, "", "processes are left that ignore SIGTERM, killing them");
  // A subreaper sees the next generation only when the one above it is gone.
  for (int round = 0; round < 50; ++round) {
    signal_all(SIGKILL);
    if (reap_until(read_clock().mono + std::chrono::milliseconds(200))) return true;
  }
  tell_waiting(console, 3, "processes are left that can't be killed");
  return false;
}

int leave(const FinalPhase& phase, Console& console) {
  const auto step_begins = [&] {
    if (phase.watchdog != nullptr) phase.watchdog->ping(read_clock().mono);
  };
  step_begins();
  if (!phase.immediate) (void)end_all_processes(phase.patience, console);
  step_begins();
  // Only PID 1 may end a machine, or (the kernel sees to it) its own namespace.
  const bool is_first = getpid() == 1;
  if (!phase.container && !phase.immediate) {
    if (is_first && !only_exits(phase)) settle_storage(phase.objective, console);
    step_begins();
    synchronize(console);
    step_begins();
  }
  if (only_exits(phase)) return phase.exit_status;
  constexpr int kAsksForReboot = 133;  // what container managers take for it
  const int status = phase.objective == Objective::Reboot ? kAsksForReboot : phase.exit_status;
  if (!is_first) return status;
  const unsigned command = command_of(phase.objective, console);
  if (command == LINUX_REBOOT_CMD_RESTART && phase.reboot_argument.front() != '\0') {
    (void)syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_RESTART2,
                  phase.reboot_argument.data());
  }
  (void)reboot(static_cast<int>(command));
  console.line(3, "reboot", strerrordesc_np(errno));
  return status;
}

}  // namespace onset
