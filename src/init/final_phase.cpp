// As PID 1 every process of the namespace can be signalled at once with kill -1.
// As a subreaper only our own descendants may be: they are found as children,
// level by level, because an orphan becomes our child.
#include "init/final_phase.h"

#include <fcntl.h>
#include <linux/reboot.h>
#include <signal.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "base/unique_fd.h"
#include "loop/clock.h"

namespace onset {
namespace {

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
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  for (;;) {
    siginfo_t info{};
    if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG) < 0 && errno == ECHILD) return true;
    if (info.si_pid != 0) continue;
    const Duration left = deadline - read_clock().mono;
    if (left <= Duration::zero()) return false;
    const timespec wait{left.count() / 1000000, left.count() % 1000000 * 1000};
    (void)sigtimedwait(&child, nullptr, &wait);
  }
}

}  // namespace

bool end_all_processes(Duration patience, Console& console) {
  if (reap_until(read_clock().mono)) return true;
  signal_all(SIGTERM);
  signal_all(SIGCONT);
  if (reap_until(read_clock().mono + patience)) return true;
  console.line(4, "", "processes are left that ignore SIGTERM, killing them");
  // A subreaper sees the next generation only when the one above it is gone.
  for (int round = 0; round < 50; ++round) {
    signal_all(SIGKILL);
    if (reap_until(read_clock().mono + std::chrono::milliseconds(200))) return true;
  }
  console.line(3, "", "processes are left that can't be killed");
  return false;
}

int leave(const FinalPhase& phase, Console& console) {
  (void)end_all_processes(phase.patience, console);
  sync();
  const bool is_first = getpid() == 1;
  unsigned magic = 0;
  switch (phase.objective) {
    case Objective::Run:
    case Objective::Exit:
    case Objective::Reexecute:
      return phase.exit_status;
    case Objective::Poweroff:
      magic = LINUX_REBOOT_CMD_POWER_OFF;
      break;
    case Objective::Reboot:
      magic = LINUX_REBOOT_CMD_RESTART;
      break;
    case Objective::Halt:
      magic = LINUX_REBOOT_CMD_HALT;
      break;
    case Objective::Kexec:
      magic = LINUX_REBOOT_CMD_KEXEC;
      break;
  }
  if (phase.container && phase.objective != Objective::Reboot) return phase.exit_status;
  // Only PID 1 may end a machine, or (the kernel sees to it) its own namespace.
  constexpr int kAsksForReboot = 133;  // what container managers take for it
  if (!is_first) return phase.objective == Objective::Reboot ? kAsksForReboot : phase.exit_status;
  (void)reboot(static_cast<int>(magic));
  console.line(3, "reboot", strerrordesc_np(errno));
  return phase.objective == Objective::Reboot ? kAsksForReboot : phase.exit_status;
}

}  // namespace onset
