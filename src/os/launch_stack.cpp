#include "os/launch_stack.h"

#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <utility>

namespace onset {
namespace {

constexpr std::size_t kGuard = 4096;
constexpr std::size_t kMapping = kGuard + 128 * 1024;
constexpr std::size_t kTop = 64;  // the word's place; what is left is aligned for a call
/// A stop and continue of PID 1 itself ends a wait too: the deadline moves by that.
constexpr int kMostWaits = 4;

}  // namespace

ChildStack ChildStack::make() {
  ChildStack stack;
  void* memory = ::mmap(nullptr, kMapping, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return stack;
  (void)::mprotect(memory, kGuard, PROT_NONE);
  stack.memory_ = static_cast<std::byte*>(memory);
  return stack;
}

ChildStack::ChildStack(ChildStack&& other) noexcept
    : memory_(std::exchange(other.memory_, nullptr)) {}

ChildStack& ChildStack::operator=(ChildStack&& other) noexcept {
  if (this != &other) {
    release();
    memory_ = std::exchange(other.memory_, nullptr);
  }
  return *this;
}

ChildStack::~ChildStack() {
  release();
}

void ChildStack::release() {
  if (memory_ != nullptr && !occupied()) ::munmap(memory_, kMapping);
  memory_ = nullptr;
}

std::byte* ChildStack::bottom() const {
  return memory_ + kGuard;
}

std::size_t ChildStack::size() const {
  return kMapping - kGuard - kTop;
}

std::uint32_t* ChildStack::in_use() const {
  return reinterpret_cast<std::uint32_t*>(memory_ + kMapping - kTop);
}

void ChildStack::occupy() const {
  __atomic_store_n(in_use(), 1U, __ATOMIC_RELAXED);
}

void ChildStack::vacate() const {
  __atomic_store_n(in_use(), 0U, __ATOMIC_RELAXED);
}

bool ChildStack::occupied() const {
  return __atomic_load_n(in_use(), __ATOMIC_ACQUIRE) != 0;
}

bool ChildStack::wait_until_vacated(Duration patience) const {
  const timespec limit{patience.count() / 1000000, patience.count() % 1000000 * 1000};
  for (int waits = 0; waits < kMostWaits && occupied(); ++waits) {
    // Not the private kind: the kernel's own wake isn't either.
    if (::syscall(SYS_futex, in_use(), FUTEX_WAIT, 1U, &limit, nullptr, 0) != 0 &&
        errno == ETIMEDOUT) {
      break;
    }
  }
  return !occupied();
}

}  // namespace onset
