#pragma once
// clone3(2) by hand: libc has no function for it, and one that returned in the
// child would return on a stack that has nothing to return to.

#include <cstdint>

#ifndef CLONE_CLEAR_SIGHAND
#define CLONE_CLEAR_SIGHAND 0x100000000ULL
#endif
#ifndef CLONE_INTO_CGROUP
#define CLONE_INTO_CGROUP 0x200000000ULL
#endif

namespace onset {

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

/// The child calls `entry(argument)` on its stack and must not return from it.
/// The child's id, or a negative errno.
long clone_onto_stack(CloneArguments& arguments, void (*entry)(void*), void* argument);

/// Instrumented code must not run on a stack that the sanitizer does not know.
constexpr bool can_clone_onto_stack() {
#if defined(__SANITIZE_ADDRESS__) || !(defined(__x86_64__) || defined(__aarch64__))
  return false;
#else
  return true;
#endif
}

/// Blocks every signal for its life: a handler that ran in a child on PID 1's
/// memory would run on PID 1's state.
class AllSignalsBlocked {
 public:
  AllSignalsBlocked();
  ~AllSignalsBlocked();
  AllSignalsBlocked(const AllSignalsBlocked&) = delete;
  AllSignalsBlocked& operator=(const AllSignalsBlocked&) = delete;

 private:
  std::uint64_t before_ = 0;
  bool blocked_ = false;
};

}  // namespace onset
