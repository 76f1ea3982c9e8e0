// Resource limits: one text or two, each read in the way of its resource.
#include "base/format.h"
#include "base/text.h"
#include "unit/values.h"

namespace onset {

namespace {

/// "+5" and "-5" are nice values, a bare number 0..40 the raw limit, which is
/// 20 minus the nice value. There is no infinity.
Parsed<rlim_t> parse_nice_limit(std::string_view text) {
  const bool positive = text.starts_with('+');
  const bool negative = text.starts_with('-');
  const auto number = parse_number_u64(positive || negative ? text.substr(1) : text);
  if (number && positive && *number <= 19) return 20 - *number;
  if (number && negative && *number <= 20) return 20 + *number;
  if (number && !positive && !negative && *number <= 40) return *number;
  return Failure{
      format("expected a nice value +19..-20 or a limit 0..40, not \"{}\"", c_escape(text))};
}

Parsed<rlim_t> parse_time_limit(std::string_view text, Duration unit, bool in_seconds) {
  auto span = parse_span(text, unit);
  if (!span) return Failure{std::move(span).error()};
  if (*span == kInfinity) return RLIM_INFINITY;
  const auto us = static_cast<rlim_t>(span->count());
  return in_seconds ? us / 1'000'000 + (us % 1'000'000 != 0 ? 1 : 0) : us;
}

Parsed<rlim_t> parse_one(int resource, std::string_view text) {
  const LimitKind kind = limit_kind(resource);
  if (text == "infinity" && kind != LimitKind::Nice) return RLIM_INFINITY;
  switch (kind) {
    case LimitKind::Number: {
      auto number = parse_unsigned(text, RLIM_INFINITY - 1);
      if (!number) return Failure{std::move(number).error()};
      return static_cast<rlim_t>(*number);
    }
    case LimitKind::Bytes: {
      auto bytes = parse_size(text);
      if (!bytes) return Failure{std::move(bytes).error()};
      if (*bytes >= RLIM_INFINITY)
        return Failure{format("expected a smaller size, not \"{}\"", c_escape(text))};
      return static_cast<rlim_t>(*bytes);
    }
    case LimitKind::Seconds:
      return parse_time_limit(text, std::chrono::seconds(1), true);
    case LimitKind::Microseconds:
      return parse_time_limit(text, Duration(1), false);
    case LimitKind::Nice:
      return parse_nice_limit(text);
  }
  return Failure{std::string("unknown resource")};
}

}  // namespace

LimitKind limit_kind(int resource) noexcept {
  switch (resource) {
    case RLIMIT_CPU:
      return LimitKind::Seconds;
    case RLIMIT_RTTIME:
      return LimitKind::Microseconds;
    case RLIMIT_NICE:
      return LimitKind::Nice;
    case RLIMIT_FSIZE:
    case RLIMIT_DATA:
    case RLIMIT_STACK:
    case RLIMIT_CORE:
    case RLIMIT_RSS:
    case RLIMIT_AS:
    case RLIMIT_MEMLOCK:
    case RLIMIT_MSGQUEUE:
      return LimitKind::Bytes;
    default:  // an int of the kernel's, not an enumeration
      return LimitKind::Number;
  }
}

Parsed<LimitValue> parse_limit(int resource, std::string_view text) {
  const std::size_t colon = text.find(':');
  auto soft = parse_one(resource, text.substr(0, colon));
  if (!soft) return Failure{std::move(soft).error()};
  if (colon == std::string_view::npos) return LimitValue{*soft, *soft};
  std::string_view rest = text.substr(colon + 1);
  // systemd overlooks one colon behind the second of two.
  if (rest.size() > 1 && rest.ends_with(':')) rest.remove_suffix(1);
  auto hard = parse_one(resource, rest);
  if (!hard) return Failure{std::move(hard).error()};
  if (*soft > *hard)
    return Failure{
        format("expected a soft limit that is not above the hard one, not \"{}\"", c_escape(text))};
  return LimitValue{*soft, *hard};
}

std::string format_limit(rlim_t value) {
  return value == RLIM_INFINITY ? "infinity" : format("{}", value);
}

}  // namespace onset
