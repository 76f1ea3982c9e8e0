#include "support/failing_new.h"

#include <climits>
#include <cstdlib>
#include <new>

namespace onset::test {
namespace {

unsigned g_left = UINT_MAX;  // never fails

void* allocate(std::size_t size) {
  if (g_left == 0) throw std::bad_alloc();
  if (g_left != UINT_MAX) --g_left;
  void* const memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

FailingNew::FailingNew(unsigned left) {
  g_left = left;
}
FailingNew::~FailingNew() {
  g_left = UINT_MAX;
}

}  // namespace onset::test

void* operator new(std::size_t size) {
  return onset::test::allocate(size);
}
/// Else a sanitizer's own would stand beside ours, and its memory come to our delete.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return std::malloc(size == 0 ? 1 : size);
}
void operator delete(void* memory, const std::nothrow_t&) noexcept {
  std::free(memory);
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
