#pragma once
// Time as onset counts it: microseconds, never read here, always an argument.

#include <chrono>
#include <compare>
#include <cstdint>
#include <limits>

namespace onset {

/// A span in microseconds. kInfinity is systemd's "infinity".
using Duration = std::chrono::microseconds;
inline constexpr Duration kInfinity = Duration::max();

/// A point on CLOCK_MONOTONIC.
struct MonoTime {
  std::int64_t us = 0;
  auto operator<=>(const MonoTime&) const = default;
};
inline constexpr MonoTime kNever{std::numeric_limits<std::int64_t>::max()};

/// A point on CLOCK_REALTIME, since 1970-01-01 UTC.
struct WallTime {
  std::int64_t us = 0;
  auto operator<=>(const WallTime&) const = default;
};

/// Both clocks, read together.
struct Timestamp {
  MonoTime mono;
  WallTime wall;
  [[nodiscard]] constexpr bool is_set() const noexcept { return mono.us != 0; }
};

/// Saturates: a point plus infinity is never.
constexpr MonoTime operator+(MonoTime t, Duration d) noexcept {
  if (d == kInfinity || t == kNever) return kNever;
  std::int64_t sum = 0;
  if (__builtin_add_overflow(t.us, d.count(), &sum)) return d.count() > 0 ? kNever : MonoTime{0};
  return MonoTime{sum};
}

constexpr Duration operator-(MonoTime a, MonoTime b) noexcept {
  return Duration(a.us - b.us);
}

}  // namespace onset
