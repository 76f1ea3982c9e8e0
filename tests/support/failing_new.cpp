#include "support/failing_new.h"

#include <malloc.h>

#include <cstdlib>
#include <new>
#include <utility>

namespace onset::test {
namespace {

bool is_on = false;
unsigned left_now = 0;
unsigned failures_now = 0;
unsigned failed = 0;
bool in_handler = false;
std::size_t alive_now = 0;
std::size_t given_back = 0;  ///< by the handler, and not used up yet

/// Whether this one finds no memory.
bool fails(std::size_t size) {
  if (!is_on || in_handler) return false;
  if (left_now > 0) {
    --left_now;
    return false;
  }
  if (failures_now == 0) return false;
  constexpr std::size_t kOfTheHeapItself = 16;
  if (given_back >= size + kOfTheHeapItself) {
    given_back -= size + kOfTheHeapItself;
    return false;
  }
  given_back = 0;
  ++failed;
  if (failures_now != UINT_MAX) --failures_now;
  return true;
}

void* allocate(std::size_t size) {
  while (is_on && fails(size)) {
    const std::new_handler handler = std::get_new_handler();
    if (handler == nullptr) throw std::bad_alloc();
    in_handler = true;
    handler();
    in_handler = false;
  }
  void* const memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) throw std::bad_alloc();
  ++alive_now;
  return memory;
}

void* allocate_or_null(std::size_t size) noexcept {
  try {
    return allocate(size);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

void release(void* memory) noexcept {
  if (memory != nullptr) --alive_now;
  if (in_handler) given_back += malloc_usable_size(memory);
  std::free(memory);
}

}  // namespace

FailingNew::FailingNew(unsigned left, unsigned failures) {
  is_on = true;
  left_now = left;
  failures_now = failures;
  failed = 0;
  given_back = 0;
}
FailingNew::~FailingNew() {
  is_on = false;
}
unsigned FailingNew::count() {
  return failed;
}
std::size_t FailingNew::alive() {
  return alive_now;
}

UnfailingNew::UnfailingNew() : was_on_(std::exchange(is_on, false)) {}
UnfailingNew::~UnfailingNew() {
  is_on = was_on_;
}

}  // namespace onset::test

// All forms: else a sanitizer's own would stand beside ours, not fail, and have its memory come to
// our delete.
void* operator new(std::size_t size) {
  return onset::test::allocate(size);
}
void* operator new[](std::size_t size) {
  return onset::test::allocate(size);
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return onset::test::allocate_or_null(size);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  return onset::test::allocate_or_null(size);
}
void operator delete(void* memory) noexcept {
  onset::test::release(memory);
}
void operator delete[](void* memory) noexcept {
  onset::test::release(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  onset::test::release(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
  onset::test::release(memory);
}
void operator delete(void* memory, const std::nothrow_t&) noexcept {
  onset::test::release(memory);
}
void operator delete[](void* memory, const std::nothrow_t&) noexcept {
  onset::test::release(memory);
}
