#pragma once
// What the fuzz targets share. A target is LLVMFuzzerTestOneInput (libFuzzer): any bytes, and
// no trace of one input in the next.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace onset::fuzz {

/// Holds a property; where it does not, the process ends and libFuzzer keeps the input.
inline void expect(bool holds, const char* property, std::string_view detail = {}) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n%.*s\n", property, static_cast<int>(detail.size()),
               detail.data());
  std::abort();
}

/// As expect() for two texts that must be the same.
inline void expect_same(std::string_view a, std::string_view b, const char* property) {
  if (a != b) expect(false, property, "first:  " + std::string(a) + "\nsecond: " + std::string(b));
}

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// Where an input is several texts: cut at the byte 0x1e, ASCII's record separator.
inline constexpr char kRecordEnd = '\x1e';

/// The text up to the separator, taken off the front.
inline std::string_view take(std::string_view& rest, char separator = kRecordEnd) {
  const auto end = rest.find(separator);
  const auto part = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  return part;
}

}  // namespace onset::fuzz
