#pragma once
// The signals that the entrypoint takes one by one with sigtimedwait(2), as the
// kernel numbers them.

#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>

namespace onset {

// The kernel's own signal set: libc's calls hide two real-time signals.
using SignalSet = std::uint64_t;
constexpr SignalSet only(int sig) {
  return SignalSet{1} << (sig - 1);
}
constexpr SignalSet kFaults = only(SIGFPE) | only(SIGILL) | only(SIGSEGV) | only(SIGBUS) |
                              only(SIGABRT) | only(SIGTRAP) | only(SIGSYS);
constexpr SignalSet kTaken = ~kFaults;

inline SignalSet set_mask(SignalSet mask) noexcept {
  SignalSet old = 0;
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, &old, sizeof mask);
  return old;
}

}  // namespace onset
