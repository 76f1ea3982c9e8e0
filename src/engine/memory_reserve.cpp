// See memory_reserve.h. operator new asks a handler that takes no argument: whose reserve
// is open has to stand somewhere, for as long as it is.
#include "engine/memory_reserve.h"

#include <algorithm>
#include <utility>

namespace onset {
namespace {

/// Never less: what listeners and the log need for one unit is here as well.
constexpr std::size_t kLeast = std::size_t{256} * 1024;

MemoryReserve* open_reserve = nullptr;

}  // namespace

/// With nothing left to give, operator new gives up.
void MemoryReserve::give_back() {
  if (open_reserve == nullptr || open_reserve->block_ == nullptr) {
    std::set_new_handler(nullptr);
    return;
  }
  open_reserve->block_.reset();
  open_reserve->size_ = 0;
}

/// No reserve is given back for another one, nor for more of itself.
void MemoryReserve::ensure(std::size_t bytes) {
  struct HandlerAside {
    std::new_handler handler = std::set_new_handler(nullptr);
    ~HandlerAside() { std::set_new_handler(handler); }
  };
  if (size_ >= bytes && size_ > 0) return;
  const std::size_t wanted = std::max(bytes, kLeast);
  HandlerAside aside;
  block_ = std::make_unique_for_overwrite<std::byte[]>(wanted);
  size_ = wanted;
  if (opened_ > 0) aside.handler = &MemoryReserve::give_back;  // had given up: nothing was left
}

MemoryReserve::Open::Open(MemoryReserve& reserve, std::size_t bytes) : reserve_(reserve) {
  reserve_.ensure(bytes);
  open();
}

MemoryReserve::Open::Open(MemoryReserve& reserve, Part /*part*/) : reserve_(reserve) {
  open();
}

void MemoryReserve::Open::open() {
  if (++reserve_.opened_ > 1) return;
  outer_ = std::exchange(open_reserve, &reserve_);
  before_ = std::set_new_handler(&MemoryReserve::give_back);
}

MemoryReserve::Open::~Open() {
  if (--reserve_.opened_ > 0) return;
  std::set_new_handler(before_);
  open_reserve = outer_;
  if (reserve_.size_ <= kLeast) return;
  reserve_.block_.reset();  // a large transaction's
  reserve_.size_ = 0;
}

}  // namespace onset
