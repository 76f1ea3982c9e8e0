// Time spans. Parsing: numbers, each with a unit or the default one, are added
// up in 64 bits; the unit is the first row of the table that the text begins
// with, so longer words stand before their beginnings. Printing goes the other
// way, from the largest unit down.
#include <algorithm>
#include <array>
#include <span>

#include "base/format.h"
#include "base/text.h"
#include "unit/values.h"

namespace onset {

namespace {

struct SpanUnit {
  std::string_view word;
  std::uint64_t length = 0;
};

constexpr std::uint64_t kSecond = 1'000'000;
constexpr std::uint64_t kMinute = 60 * kSecond;
constexpr std::uint64_t kHour = 60 * kMinute;
constexpr std::uint64_t kDay = 24 * kHour;
constexpr std::uint64_t kWeek = 7 * kDay;
constexpr std::uint64_t kMonth = 2'629'800 * kSecond;
constexpr std::uint64_t kYear = 31'557'600 * kSecond;

/// In microseconds.
constexpr std::array kUnits = {
    SpanUnit{"seconds", kSecond}, SpanUnit{"second", kSecond},
    SpanUnit{"sec", kSecond},     SpanUnit{"s", kSecond},
    SpanUnit{"minutes", kMinute}, SpanUnit{"minute", kMinute},
    SpanUnit{"min", kMinute},     SpanUnit{"months", kMonth},
    SpanUnit{"month", kMonth},    SpanUnit{"M", kMonth},
    SpanUnit{"msec", 1000},       SpanUnit{"ms", 1000},
    SpanUnit{"m", kMinute},       SpanUnit{"hours", kHour},
    SpanUnit{"hour", kHour},      SpanUnit{"hr", kHour},
    SpanUnit{"h", kHour},         SpanUnit{"days", kDay},
    SpanUnit{"day", kDay},        SpanUnit{"d", kDay},
    SpanUnit{"weeks", kWeek},     SpanUnit{"week", kWeek},
    SpanUnit{"w", kWeek},         SpanUnit{"years", kYear},
    SpanUnit{"year", kYear},      SpanUnit{"y", kYear},
    SpanUnit{"usec", 1},          SpanUnit{"us", 1},
    SpanUnit{"\u03bcs", 1},       SpanUnit{"\u00b5s", 1},
};

constexpr std::uint64_t kInfinite = UINT64_MAX;

Failure<std::string> bad_span(std::string_view text) {
  return Failure{format("expected a time span such as \"5min 20s\" or \"infinity\", not \"{}\"",
                        c_escape(text))};
}
Failure<std::string> long_span(std::string_view text) {
  return Failure{format("expected a shorter time span, not \"{}\"", c_escape(text))};
}

void skip_space(std::string_view& s) {
  s.remove_prefix(std::min(s.find_first_not_of(kWhitespace), s.size()));
}

std::string_view take_digits(std::string_view& s) {
  const std::size_t end = std::min(s.find_first_not_of("0123456789"), s.size());
  const std::string_view digits = s.substr(0, end);
  s.remove_prefix(end);
  return digits;
}

/// False on overflow; the largest value is kept free for infinity.
bool add(std::uint64_t& sum, std::uint64_t more) {
  return !__builtin_add_overflow(sum, more, &sum) && sum < kInfinite;
}

/// Adds one "NUMBER[.DIGITS] [UNIT]" to the sum.
Result<void, std::string> take_term(std::string_view text, std::string_view& rest,
                                    std::uint64_t scale, std::uint64_t default_unit,
                                    std::uint64_t& sum) {
  if (rest.starts_with('-'))
    return Failure{format("expected a time span that is not negative, not \"{}\"", c_escape(text))};
  const bool plus = rest.starts_with('+');
  if (plus) rest.remove_prefix(1);
  const std::string_view whole = take_digits(rest);
  const bool fraction = rest.starts_with('.');
  if (whole.empty() && (plus || !fraction)) return bad_span(text);
  std::string_view digits;
  if (fraction) {
    rest.remove_prefix(1);
    digits = take_digits(rest);
    if (digits.empty()) return bad_span(text);
  }

  const std::string_view behind = rest;
  skip_space(rest);
  std::uint64_t unit = default_unit;
  const auto row = std::find_if(kUnits.begin(), kUnits.end(),
                                [&](const SpanUnit& u) { return rest.starts_with(u.word); });
  // The nanosecond's words begin with no other unit's and count only where asked for.
  const std::string_view nano = scale == 1 ? "" : rest.starts_with("nsec") ? "nsec" : "ns";
  if (row != kUnits.end()) {
    unit = row->length * scale;
    rest.remove_prefix(row->word.size());
  } else if (!nano.empty() && rest.starts_with(nano)) {
    unit = 1;
    rest.remove_prefix(nano.size());
  } else if (rest.size() == behind.size() && !rest.empty()) {
    return bad_span(text);
  }

  const std::uint64_t count =
      parse_uint<std::uint64_t>(whole.empty() ? "0" : whole).value_or(kInfinite);
  if (count > INT64_MAX || count >= kInfinite / unit || !add(sum, count * unit))
    return long_span(text);
  for (const char c : digits) {
    unit /= 10;
    if (!add(sum, static_cast<std::uint64_t>(c - '0') * unit)) return long_span(text);
  }
  return {};
}

/// `scale`: how many of the result's unit make a microsecond.
Parsed<std::uint64_t> parse_terms(std::string_view text, std::uint64_t scale,
                                  std::uint64_t default_unit) {
  std::string_view rest = text;
  skip_space(rest);
  if (trim(rest) == "infinity") return kInfinite;
  if (rest.empty()) return bad_span(text);
  std::uint64_t sum = 0;
  while (!rest.empty()) {
    if (auto term = take_term(text, rest, scale, default_unit, sum); !term)
      return Failure{term.error()};
    skip_space(rest);
  }
  return sum;
}

}  // namespace

Parsed<Duration> parse_span(std::string_view text, Duration default_unit) {
  const auto unit = static_cast<std::uint64_t>(std::max<Duration::rep>(default_unit.count(), 1));
  auto span = parse_terms(text, 1, unit);
  if (!span) return Failure{std::move(span).error()};
  if (*span >= static_cast<std::uint64_t>(kInfinity.count())) return kInfinity;
  return Duration(static_cast<Duration::rep>(*span));
}

Parsed<Duration> parse_span_zero_is_infinity(std::string_view text) {
  auto span = parse_span(text);
  if (span && *span == Duration(0)) return kInfinity;
  return span;
}

Parsed<std::uint64_t> parse_span_ns(std::string_view text) {
  return parse_terms(text, 1000, 1);
}

std::string format_span(Duration span, Duration accuracy) {
  constexpr std::array kNames = {
      SpanUnit{"y", kYear},   SpanUnit{"month", kMonth}, SpanUnit{"w", kWeek},
      SpanUnit{"d", kDay},    SpanUnit{"h", kHour},      SpanUnit{"min", kMinute},
      SpanUnit{"s", kSecond}, SpanUnit{"ms", 1000},      SpanUnit{"us", 1},
  };
  if (span == kInfinity) return "infinity";
  if (span <= Duration(0)) return "0";
  auto left = static_cast<std::uint64_t>(span.count());
  const auto least = static_cast<std::uint64_t>(std::max<Duration::rep>(accuracy.count(), 1));
  std::string out;
  for (const SpanUnit& unit : kNames) {
    if (left == 0 || (left < least && !out.empty())) break;
    if (left < unit.length) continue;
    if (!out.empty()) out += ' ';
    std::uint64_t fraction = left % unit.length;
    out += format("{}", left / unit.length);
    // Below a minute the rest is a decimal fraction, and the last part.
    if (left < kMinute && fraction > 0) {
      int places = 0;
      for (std::uint64_t p = unit.length; p > 1; p /= 10) ++places;
      for (std::uint64_t a = least; a > 1; a /= 10, --places) fraction /= 10;
      if (places > 0) {
        out += format(".{:0{}}", fraction, places);
        fraction = 0;
      }
    }
    out += unit.word;
    left = fraction;
  }
  return out;
}

}  // namespace onset
