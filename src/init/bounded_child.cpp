#include "init/bounded_child.h"

#include <signal.h>
#include <sys/wait.h>

#include <cerrno>

#include "loop/clock.h"

namespace onset {

void await_any_child(MonoTime until) {
  const Duration left = until - read_clock().mono;
  if (left <= Duration::zero()) return;
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  const timespec wait{left.count() / 1000000, left.count() % 1000000 * 1000};
  (void)sigtimedwait(&child, nullptr, &wait);
}

ChildEnd await_child(pid_t pid, MonoTime deadline) {
  if (pid <= 0) return ChildEnd::NotMade;
  for (;;) {
    siginfo_t info{};
    if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG) < 0 && errno == ECHILD) return ChildEnd::Failed;
    if (info.si_pid == pid) {
      return info.si_code == CLD_EXITED && info.si_status == 0 ? ChildEnd::Done : ChildEnd::Failed;
    }
    if (info.si_pid != 0) continue;
    if (read_clock().mono >= deadline) return ChildEnd::Late;
    await_any_child(deadline);
  }
}

}  // namespace onset
