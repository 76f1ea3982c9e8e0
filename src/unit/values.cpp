// Single values: numbers, sizes, shares, switches.
#include "unit/values.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>

#include "base/format.h"
#include "base/text.h"

namespace onset {

namespace {

Failure<std::string> expected(std::string_view what, std::string_view text) {
  return Failure{format("expected {}, not \"{}\"", what, c_escape(text))};
}

/// A decimal share: "12.5" with at most `places` digits behind the dot, in
/// units of the last place. None if it is no such number or below 0.
std::optional<std::uint64_t> parse_fixed(std::string_view text, std::size_t places) {
  const std::size_t dot = std::min(text.find('.'), text.size());
  const std::string_view behind = dot == text.size() ? text.substr(dot) : text.substr(dot + 1);
  if (behind.size() > places || (dot != text.size() && behind.empty())) return std::nullopt;
  const std::optional<std::int64_t> whole = parse_number_i64(text.substr(0, dot));
  if (!whole || *whole < 0 || *whole > INT32_MAX) return std::nullopt;
  auto value = static_cast<std::uint64_t>(*whole);
  for (std::size_t i = 0; i < places; ++i) {
    const char digit = i < behind.size() ? behind[i] : '0';
    if (!is_digit(digit)) return std::nullopt;
    value = value * 10 + static_cast<std::uint64_t>(digit - '0');
  }
  if (value > INT32_MAX) return std::nullopt;
  return value;
}

struct ShareUnit {
  std::string_view sign;
  std::size_t places;
};

/// The first sign that the text ends with decides.
Parsed<unsigned> parse_share(std::string_view text, std::span<const ShareUnit> units,
                             unsigned whole, std::string_view what) {
  for (const ShareUnit& unit : units) {
    if (!text.ends_with(unit.sign)) continue;
    const auto value = parse_fixed(text.substr(0, text.size() - unit.sign.size()), unit.places);
    if (!value || *value > whole) return expected(what, text);
    return static_cast<unsigned>(*value);
  }
  return expected(what, text);
}

}  // namespace

Parsed<std::uint64_t> parse_size(std::string_view text, unsigned base) {
  constexpr std::string_view kSuffixes = "EPTGMKB";
  const auto bad = [&] { return expected("a size in bytes such as \"512M\" or \"1.5G\"", text); };
  std::uint64_t sum = 0;
  std::size_t largest = 0;  // suffixes may only fall
  std::string_view rest = text;
  do {
    rest.remove_prefix(std::min(rest.find_first_not_of(kWhitespace), rest.size()));
    if (rest.starts_with('+')) rest.remove_prefix(1);
    const std::size_t digits = std::min(rest.find_first_not_of("0123456789"), rest.size());
    const auto whole = parse_uint<std::uint64_t>(rest.substr(0, digits));
    if (!whole) return bad();
    rest.remove_prefix(digits);

    // "1." counts as well. Divided digit by digit, so that it rounds as systemd does.
    double fraction = 0;
    if (rest.starts_with('.')) {
      rest.remove_prefix(1);
      const std::size_t places = std::min(rest.find_first_not_of("0123456789"), rest.size());
      if (places > 0) {
        const auto behind = parse_uint<std::uint64_t>(rest.substr(0, places));
        if (!behind) return bad();
        fraction = static_cast<double>(*behind);
        for (std::size_t i = 0; i < places; ++i) fraction /= 10;
      }
      rest.remove_prefix(places);
    }
    rest.remove_prefix(std::min(rest.find_first_not_of(kWhitespace), rest.size()));

    // No suffix counts as the smallest, and nothing may follow that.
    std::size_t at = rest.empty() ? kSuffixes.size() : kSuffixes.find(rest[0]);
    if (at == std::string_view::npos) at = kSuffixes.size();
    if (at < largest || largest > kSuffixes.size()) return bad();
    std::uint64_t factor = 1;
    for (std::size_t i = at; i + 1 < kSuffixes.size(); ++i) factor *= base;
    largest = at + 1;
    if (at < kSuffixes.size()) rest.remove_prefix(1);

    std::uint64_t bytes = 0;
    if (*whole + (fraction > 0 ? 1 : 0) > UINT64_MAX / factor || *whole == UINT64_MAX ||
        __builtin_mul_overflow(*whole, factor, &bytes) ||
        __builtin_add_overflow(
            bytes, static_cast<std::uint64_t>(fraction * static_cast<double>(factor)), &bytes) ||
        __builtin_add_overflow(sum, bytes, &sum))
      return Failure{format("expected a smaller size, not \"{}\"", c_escape(text))};
  } while (!rest.empty());
  return sum;
}

Parsed<std::uint64_t> parse_size_or_infinity(std::string_view text, unsigned base) {
  if (text == "infinity") return UINT64_MAX;
  return parse_size(text, base);
}

Parsed<unsigned> parse_percent(std::string_view text) {
  constexpr std::array kUnits = {ShareUnit{"%", 0}};
  return parse_share(text, kUnits, 100, "a percentage 0%..100%");
}

Parsed<unsigned> parse_permille(std::string_view text) {
  constexpr std::array kUnits = {ShareUnit{"‰", 0}, ShareUnit{"%", 1}};
  return parse_share(text, kUnits, 1000, "a share such as \"12.5%\" or \"125‰\", at most 100%");
}

Parsed<unsigned> parse_permyriad(std::string_view text, bool unbounded) {
  constexpr std::array kUnits = {ShareUnit{"‱", 0}, ShareUnit{"‰", 1}, ShareUnit{"%", 2}};
  return parse_share(text, kUnits, unbounded ? INT32_MAX : 10000,
                     unbounded ? "a share such as \"12.25%\" or \"200%\""
                               : "a share such as \"12.25%\", at most 100%");
}

Parsed<bool> parse_bool(std::string_view text) {
  constexpr std::array<std::string_view, 6> kYes = {"1", "yes", "y", "true", "t", "on"};
  constexpr std::array<std::string_view, 6> kNo = {"0", "no", "n", "false", "f", "off"};
  const auto is = [&](std::string_view word) { return equals_ignoring_case(word, text); };
  if (std::any_of(kYes.begin(), kYes.end(), is)) return true;
  if (std::any_of(kNo.begin(), kNo.end(), is)) return false;
  return expected("yes or no", text);
}

Parsed<mode_t> parse_mode(std::string_view text) {
  const auto mode = parse_uint<std::uint32_t>(text, 8);
  if (!mode || *mode > 07777) return expected("an octal file mode of at most 7777", text);
  return static_cast<mode_t>(*mode);
}

Parsed<std::int64_t> parse_int(std::string_view text, std::int64_t lowest, std::int64_t highest) {
  const auto number = parse_number_i64(text);
  if (!number || *number < lowest || *number > highest)
    return expected(format("a number {}..{}", lowest, highest), text);
  return *number;
}

Parsed<unsigned> parse_count(std::string_view text) {
  if (text == "infinity") return UINT32_MAX;
  auto number = parse_unsigned(text, UINT32_MAX);
  if (!number) return Failure{std::move(number).error()};
  return static_cast<unsigned>(*number);
}

std::string format_count(unsigned count) {
  return count == UINT32_MAX ? std::string("infinity") : format("{}", count);
}

Parsed<std::uint64_t> parse_unsigned(std::string_view text, std::uint64_t highest) {
  const auto number = parse_number_u64(text);
  if (!number || *number > highest) return expected(format("a number 0..{}", highest), text);
  return *number;
}

Parsed<int> parse_nice(std::string_view text) {
  auto nice = parse_int(text, -20, 19);
  if (!nice) return Failure{std::move(nice).error()};
  return static_cast<int>(*nice);
}

Parsed<int> parse_oom_score_adjust(std::string_view text) {
  auto score = parse_int(text, -1000, 1000);
  if (!score) return Failure{std::move(score).error()};
  return static_cast<int>(*score);
}

}  // namespace onset
