#include "os/launch_clone.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace onset {

AllSignalsBlocked::AllSignalsBlocked() {
  const std::uint64_t all = ~0ULL;
  blocked_ = ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before_, sizeof all) == 0;
}

AllSignalsBlocked::~AllSignalsBlocked() {
  // What was not blocked has left no mask to go back to: SIGCHLD would be lost with it.
  if (blocked_) ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before_, nullptr, sizeof before_);
}

long clone_onto_stack([[maybe_unused]] CloneArguments& arguments,
                      [[maybe_unused]] void (*entry)(void*), [[maybe_unused]] void* argument) {
#if defined(__x86_64__)
  register auto r12 asm("r12") = entry;
  register auto r13 asm("r13") = argument;
  long result = SYS_clone3;
  asm volatile(
      "syscall\n\t"
      "testq %%rax, %%rax\n\t"
      "jnz 1f\n\t"
      "xorl %%ebp, %%ebp\n\t"
      "movq %%r13, %%rdi\n\t"
      "callq *%%r12\n\t"
      "hlt\n"
      "1:"
      : "+a"(result)
      : "D"(&arguments), "S"(sizeof arguments), "r"(r12), "r"(r13)
      : "rcx", "r11", "memory", "cc");
  return result;
#elif defined(__aarch64__)
  register long x0 asm("x0") = reinterpret_cast<long>(&arguments);
  register long x1 asm("x1") = sizeof arguments;
  register long x8 asm("x8") = SYS_clone3;
  register auto x19 asm("x19") = entry;
  register auto x20 asm("x20") = argument;
  asm volatile(
      "svc #0\n\t"
      "cbnz x0, 1f\n\t"
      "mov x29, xzr\n\t"
      "mov x0, x20\n\t"
      "blr x19\n\t"
      "brk #1\n"
      "1:"
      : "+r"(x0)
      : "r"(x1), "r"(x8), "r"(x19), "r"(x20)
      : "memory", "cc");
  return x0;
#else
  return -ENOSYS;
#endif
}

}  // namespace onset
