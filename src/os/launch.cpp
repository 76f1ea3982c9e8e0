#include "os/launch.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>

#include "os/launch_child.h"

#ifndef CLONE_CLEAR_SIGHAND
#define CLONE_CLEAR_SIGHAND 0x100000000ULL
#endif
#ifndef CLONE_INTO_CGROUP
#define CLONE_INTO_CGROUP 0x200000000ULL
#endif

namespace onset {
namespace {

constexpr std::size_t kStackSize = 128 * 1024;
constexpr std::size_t kGuard = 4096;

struct CloneArguments {  // clone3(2), up to the member for the cgroup
  std::uint64_t flags;
  std::uint64_t pidfd;
  std::uint64_t child_tid;
  std::uint64_t parent_tid;
  std::uint64_t exit_signal;
  std::uint64_t stack;
  std::uint64_t stack_size;
  std::uint64_t tls;
  std::uint64_t set_tid;
  std::uint64_t set_tid_size;
  std::uint64_t cgroup;
};

/// Blocks every signal for its life: a handler that ran in the child on the
/// fast path would run on PID 1's memory.
class AllSignalsBlocked {
 public:
  AllSignalsBlocked() {
    const std::uint64_t all = ~0ULL;
    ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before_, sizeof all);
  }
  ~AllSignalsBlocked() {
    ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before_, nullptr, sizeof before_);
  }
  AllSignalsBlocked(const AllSignalsBlocked&) = delete;
  AllSignalsBlocked& operator=(const AllSignalsBlocked&) = delete;

 private:
  std::uint64_t before_ = 0;
};

[[noreturn]] void child_entry(void* plan) {
  run_child(*static_cast<LaunchPlan*>(plan), BorrowedFd());
}

/// clone3 with a stack for the child, which calls `entry` and never returns.
/// The child's id, or a negative errno. It must not be a libc wrapper: those
/// return in the child, on a stack that has nothing to return to.
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

/// Instrumented code must not run on a stack that the sanitizer does not know.
constexpr bool fast_path_possible() {
#if defined(__SANITIZE_ADDRESS__) || !(defined(__x86_64__) || defined(__aarch64__))
  return false;
#else
  return true;
#endif
}

}  // namespace

Launcher::Launcher(const SelfFacts& self) {
  // Too short a size: EINVAL where the call exists, ENOSYS or a filter's EPERM where not.
  clone3_ = ::syscall(SYS_clone3, nullptr, 0) < 0 && errno == EINVAL;
  clear_sighand_ = clone3_ && self.kernel_at_least(5, 5);
  into_cgroup_ = clone3_ && self.kernel_at_least(5, 7);
  if (!fast_path_possible() || !clear_sighand_) return;
  void* memory = ::mmap(nullptr, kStackSize + kGuard, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return;
  (void)::mprotect(memory, kGuard, PROT_NONE);
  stack_ = memory;
}

Launcher::~Launcher() {
  if (stack_ != nullptr) ::munmap(stack_, kStackSize + kGuard);
}

Result<StartedProcess> Launcher::start(LaunchPlan& plan) {
  if (stack_ == nullptr || plan.needs_own_process()) return start_slow(plan);
  return start_fast(plan);
}

Result<StartedProcess> Launcher::start_fast(LaunchPlan& plan) {
  CloneArguments arguments{};
  arguments.flags = CLONE_VM | CLONE_VFORK | CLONE_CLEAR_SIGHAND;
  arguments.exit_signal = SIGCHLD;
  arguments.stack = reinterpret_cast<std::uint64_t>(stack_) + kGuard;
  arguments.stack_size = kStackSize;
  if (plan.cgroup && into_cgroup_) {
    arguments.flags |= CLONE_INTO_CGROUP;
    arguments.cgroup = static_cast<std::uint64_t>(plan.cgroup.get());
  }
  long pid = 0;
  {
    const AllSignalsBlocked blocked;
    pid = clone_onto_stack(arguments, child_entry, &plan);
  }
  if (pid < 0) return Failure{SysError{"clone3", static_cast<int>(-pid)}};
  return StartedProcess{static_cast<pid_t>(pid), plan.report.step == LaunchStep::None, {}};
}

Result<StartedProcess> Launcher::start_slow(LaunchPlan& plan) {
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return Failure{SysError{"pipe2", errno}};
  UniqueFd reader(ends[0]);
  const UniqueFd writer(ends[1]);
  long pid = 0;
  {
    const AllSignalsBlocked blocked;
    if (clear_sighand_) {
      CloneArguments arguments{};
      arguments.flags = CLONE_CLEAR_SIGHAND;
      arguments.exit_signal = SIGCHLD;
      if (plan.cgroup && into_cgroup_) {
        arguments.flags |= CLONE_INTO_CGROUP;
        arguments.cgroup = static_cast<std::uint64_t>(plan.cgroup.get());
      }
      pid = ::syscall(SYS_clone3, &arguments, sizeof arguments);
      if (pid < 0) pid = -errno;
    } else {
      plan.signals_to_default = ~0ULL;
      pid = ::fork();
      if (pid < 0) pid = -errno;
    }
    if (pid == 0) run_child(plan, writer);
  }
  if (pid < 0) return Failure{SysError{"fork", static_cast<int>(-pid)}};
  return StartedProcess{static_cast<pid_t>(pid), false, std::move(reader)};
}

}  // namespace onset
