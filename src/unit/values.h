#pragma once
// Values of settings: what a text means and what is wrong with it. An error is
// what was expected, for the user, without file and line. Values come trimmed.
// Sources: systemd.time(7), systemd.syntax(7), systemd.exec(5).

#include <sys/resource.h>
#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace onset {

template <class T>
using Parsed = Result<T, std::string>;

/// systemd.time(7), PARSING TIME SPANS: "5min 20s", "1.5h", "50", "infinity".
/// A number without unit counts `default_unit`. Never negative. What is beyond
/// Duration but within systemd's 64 bits is kInfinity; beyond those an error.
Parsed<Duration> parse_span(std::string_view text, Duration default_unit = std::chrono::seconds(1));
/// For settings where "0" means no limit (TimeoutSec= and its kin): 0 → kInfinity.
Parsed<Duration> parse_span_zero_is_infinity(std::string_view text);
/// As parse_span with "ns" and "nsec"; a bare number is nanoseconds. UINT64_MAX: infinity.
Parsed<std::uint64_t> parse_span_ns(std::string_view text);
/// "1h 30min", "2.5s", "infinity", "0": as systemd prints spans. Below a minute the
/// rest is a fraction; what is smaller than `accuracy` is cut off.
std::string format_span(Duration span, Duration accuracy = Duration(1));

/// Bytes: "10", "64K", "1.5G", "1G 500M" (falling), B K M G T P E of `base` 1024 or 1000.
Parsed<std::uint64_t> parse_size(std::string_view text, unsigned base = 1024);
/// As parse_size; "infinity" is UINT64_MAX.
Parsed<std::uint64_t> parse_size_or_infinity(std::string_view text, unsigned base = 1024);

/// "50%" → 50; 0..100.
Parsed<unsigned> parse_percent(std::string_view text);
/// "50%", "12.5%", "125‰" → parts in 1000, at most 1000.
Parsed<unsigned> parse_permille(std::string_view text);
/// "50%", "12.25%", "12.5‰", "1250‱" → parts in 10000; at most 10000 unless
/// `unbounded` (CPUQuota=).
Parsed<unsigned> parse_permyriad(std::string_view text, bool unbounded = false);

/// 1 yes y true t on, 0 no n false f off, in any case.
Parsed<bool> parse_bool(std::string_view text);
/// Octal, at most 07777.
Parsed<mode_t> parse_mode(std::string_view text);
/// A number as systemd takes it (parse_number_i64 of base/text.h) in lowest..highest.
Parsed<std::int64_t> parse_int(std::string_view text, std::int64_t lowest, std::int64_t highest);
Parsed<std::uint64_t> parse_unsigned(std::string_view text, std::uint64_t highest = UINT64_MAX);

/// How many there may be: a number, or "infinity" (UINT32_MAX).
Parsed<unsigned> parse_count(std::string_view text);
std::string format_count(unsigned count);

/// -20..19.
Parsed<int> parse_nice(std::string_view text);
/// -1000..1000.
Parsed<int> parse_oom_score_adjust(std::string_view text);

/// How the value of a Limit…= is written.
enum class LimitKind : std::uint8_t { Number, Bytes, Seconds, Microseconds, Nice };
LimitKind limit_kind(int resource) noexcept;
struct LimitValue {
  rlim_t soft = RLIM_INFINITY;
  rlim_t hard = RLIM_INFINITY;
  bool operator==(const LimitValue&) const = default;
};
/// "N", "SOFT:HARD", "infinity" for either (not for RLIMIT_NICE); `resource` is RLIMIT_….
Parsed<LimitValue> parse_limit(int resource, std::string_view text);
/// The number or "infinity", as `show` prints it.
std::string format_limit(rlim_t value);

/// Decimal digits alone, no leading zero, never 65535 or 4294967295.
Parsed<uid_t> parse_uid(std::string_view text);
/// POSIX plus systemd's own rules (systemd.io/USER_NAMES): at most 31 bytes.
bool user_name_is_strict(std::string_view name) noexcept;
/// What User= and Group= take: a number that is a valid uid, or any name that
/// could stand in passwd(5). An all-digit text that is no uid is neither.
bool user_or_id_is_valid(std::string_view name) noexcept;

bool environment_name_is_valid(std::string_view name) noexcept;
bool environment_value_is_valid(std::string_view value) noexcept;
/// NAME=VALUE, both valid.
bool environment_assignment_is_valid(std::string_view assignment) noexcept;

}  // namespace onset
