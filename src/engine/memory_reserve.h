#pragma once
// Memory that stands by, so that a change which has begun can be finished.
//
//   const MemoryReserve::Open open(reserve, bytes);   bad_alloc here: nothing has changed
//   …                                                 the change; what it needs is there
//
// While an Open lives, an allocation that finds no memory gives the reserve back to the
// heap and is tried again (std::set_new_handler). Untouched, the reserve takes address
// space but hardly any memory.
//
// An Open within another begins a change of its own: the outer one may have used up what
// stood by. What is done in the course of a change that has begun says kPart: it takes of
// what stands by for that change, and does not fail for want of more.

#include <cstddef>
#include <memory>
#include <new>

namespace onset {

class MemoryReserve {
 public:
  struct Part {};
  static constexpr Part kPart{};

  class Open {
   public:
    /// Makes sure of `bytes`. bad_alloc: no less stands by than before.
    Open(MemoryReserve& reserve, std::size_t bytes);
    /// Of what stands by, whatever that is.
    Open(MemoryReserve& reserve, Part part);
    ~Open();
    Open(const Open&) = delete;
    Open& operator=(const Open&) = delete;

   private:
    void open();

    MemoryReserve& reserve_;
    MemoryReserve* outer_ = nullptr;
    std::new_handler before_ = nullptr;
  };

  /// Within an Open of it.
  [[nodiscard]] bool is_open() const { return opened_ > 0; }

 private:
  static void give_back();
  void ensure(std::size_t bytes);

  std::unique_ptr<std::byte[]> block_;
  std::size_t size_ = 0;
  unsigned opened_ = 0;
};

}  // namespace onset
