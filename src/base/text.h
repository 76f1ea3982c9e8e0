#pragma once
// Text without a locale: ASCII rules throughout, bytes above 0x7f belong to
// UTF-8 and are never letters, digits or space. Paths here are strings: nothing
// looks at a file system.

#include <charconv>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace onset {

/// What unit files count as space: " \t\n\r".
inline constexpr std::string_view kWhitespace = " \t\n\r";

constexpr bool is_space(char c) noexcept {
  return kWhitespace.find(c) != std::string_view::npos;
}
constexpr bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}
constexpr bool is_alpha(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
/// C0 controls and DEL.
constexpr bool is_control(char c) noexcept {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}
/// 0..15, or -1.
constexpr int hex_value(char c) noexcept {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string_view trim(std::string_view s) noexcept;
/// Every part, empty ones too; one part for a text without the separator.
std::vector<std::string_view> split(std::string_view s, char separator);
/// The runs of what is not whitespace.
std::vector<std::string_view> split_whitespace(std::string_view s);
bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept;
std::string join(const std::vector<std::string>& parts, std::string_view separator);

/// Digits of `base` and nothing else: no sign, no space, no prefix; none if it
/// does not fit.
template <std::unsigned_integral T>
std::optional<T> parse_uint(std::string_view s, int base = 10) noexcept {
  T value{};
  const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), value, base);
  if (error != std::errc{} || end != s.data() + s.size()) return std::nullopt;
  return value;
}

/// A number as systemd's own parsers take it: leading space, an optional sign,
/// and C's prefixes (0x, 0 for octal) as well as 0b and 0o. Nothing may follow.
/// parse_number_u64 takes no negative number but "-0".
std::optional<std::uint64_t> parse_number_u64(std::string_view s) noexcept;
std::optional<std::int64_t> parse_number_i64(std::string_view s) noexcept;

/// RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF, no NUL.
bool is_valid_utf8(std::string_view s) noexcept;
/// Length of the valid sequence that `s` begins with, 0 if it begins with none.
std::size_t utf8_length(std::string_view s) noexcept;
/// Appends U+0001..U+10FFFF; the caller has ruled out surrogates.
void append_utf8(std::string& out, char32_t c);

/// Text fit for a terminal and a log line: control characters (C0, DEL, C1),
/// the backslash and invalid UTF-8 come out as C escapes.
std::string c_escape(std::string_view s);

inline constexpr std::size_t kPathMax = 4095;  ///< bytes, without the NUL
inline constexpr std::size_t kNameMax = 255;

constexpr bool path_is_absolute(std::string_view p) noexcept {
  return p.starts_with('/');
}
/// Drops doubled and trailing slashes and "." components: "//a/./b/" → "/a/b".
/// ".." stays. What comes down to nothing is "/" or ".".
std::string path_simplify(std::string_view path);
/// Non-empty, components of at most 255 bytes, 4095 in all.
bool path_is_valid(std::string_view path) noexcept;
/// Valid, without "..", "." and doubled slashes. One trailing slash is let pass.
bool path_is_normalized(std::string_view path) noexcept;
/// One component: no slash, not "." or "..", at most 255 bytes.
bool filename_is_valid(std::string_view name) noexcept;

/// RFC 4648, with padding.
std::string encode_base64(std::string_view bytes);

}  // namespace onset
