#include "loop/signals.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace onset {

Result<SignalQueue> SignalQueue::create() {
  sigset_t set;
  sigfillset(&set);
  for (int fault : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS, SIGTRAP})
    sigdelset(&set, fault);
  if (sigprocmask(SIG_SETMASK, &set, nullptr) < 0) return Failure{SysError{"sigprocmask", errno}};
  UniqueFd fd(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd) return Failure{SysError{"signalfd", errno}};
  return SignalQueue(std::move(fd));
}

std::optional<SignalInfo> SignalQueue::next() {
  signalfd_siginfo info{};
  const ssize_t n = read(fd_.get(), &info, sizeof info);
  if (n != static_cast<ssize_t>(sizeof info)) return std::nullopt;
  return SignalInfo{static_cast<int>(info.ssi_signo), static_cast<pid_t>(info.ssi_pid)};
}

}  // namespace onset
