#pragma once
// What a child that shares PID 1's memory lives on until it executes: a stack,
// and a word that the kernel clears, with a futex wake, once it shares the memory
// no longer (set_tid_address(2)). PID 1 waits for that, but never for long.

#include <cstddef>
#include <cstdint>

#include "base/time.h"

namespace onset {

class ChildStack {
 public:
  ChildStack() = default;
  /// False in a boolean context if there was no memory.
  static ChildStack make();
  ChildStack(ChildStack&& other) noexcept;
  ChildStack& operator=(ChildStack&& other) noexcept;
  /// Leaves the memory alone if a child may still be on it.
  ~ChildStack();

  explicit operator bool() const { return memory_ != nullptr; }
  [[nodiscard]] std::byte* bottom() const;
  [[nodiscard]] std::size_t size() const;
  /// For CLONE_CHILD_CLEARTID.
  [[nodiscard]] std::uint32_t* in_use() const;

  void occupy() const;
  /// For a clone that failed.
  void vacate() const;
  /// Whether a child that was put on it may still be there.
  [[nodiscard]] bool occupied() const;
  /// Waits until the child has executed or ended. False: not within `patience`.
  /// Signals are to be blocked meanwhile.
  [[nodiscard]] bool wait_until_vacated(Duration patience) const;

 private:
  void release();
  std::byte* memory_ = nullptr;
};

}  // namespace onset
