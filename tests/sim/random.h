#pragma once
// Chance that is the same everywhere and every time: splitmix64. One number, the
// seed, is a world.

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>

namespace onset::sim {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15U);
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31U);
  }
  /// 0 … n - 1; 0 for n 0.
  unsigned below(unsigned n) {
    return n == 0 ? 0 : static_cast<unsigned>((next() >> 32U) * n >> 32U);
  }
  /// True `percent` times out of a hundred.
  bool chance(unsigned percent) { return below(100) < percent; }

  template <class T>
  const T& pick(std::initializer_list<T> list) {
    return list.begin()[below(static_cast<unsigned>(list.size()))];
  }
  template <class T>
  const T& pick(std::span<const T> list) {
    return list[below(static_cast<unsigned>(list.size()))];
  }

 private:
  std::uint64_t state_;
};

}  // namespace onset::sim
