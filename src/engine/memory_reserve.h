#pragma once
// Memory that stands by, so that a change which has begun can be finished.
//
//   const MemoryReserve::Open open(reserve, bytes);   bad_alloc here: nothing has changed
//   …                                                 the change; what it needs is there
//
// While an Open lives, an allocation that finds no memory gives the reserve back to the
// heap and is tried again (std::set_new_handler). Untouched, the reserve takes address
// space but hardly any memory.

#include <cstddef>
#include <memory>
#include <new>

namespace onset {

class MemoryReserve {
 public:
  class Open {
   public:
    /// Makes sure of `bytes` first; within another Open, which has done so, it does nothing.
    Open(MemoryReserve& reserve, std::size_t bytes);
    ~Open();
    Open(const Open&) = delete;
    Open& operator=(const Open&) = delete;

   private:
    MemoryReserve& reserve_;
    MemoryReserve* outer_ = nullptr;
    std::new_handler before_ = nullptr;
  };

 private:
  static void give_back();
  void ensure(std::size_t bytes);

  std::unique_ptr<std::byte[]> block_;
  std::size_t size_ = 0;
  unsigned opened_ = 0;
};

}  // namespace onset
