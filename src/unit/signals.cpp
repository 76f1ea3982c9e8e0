// One row a signal below the real-time ones; those are computed.
#include "unit/signals.h"

#include <algorithm>
#include <array>

#include "base/format.h"
#include "base/text.h"

namespace onset {

namespace {

/// Index: the number. Linux on every architecture but MIPS, Alpha, SPARC and PA-RISC.
constexpr std::array<std::string_view, 32> kNames = {
    "",     "HUP",  "INT",  "QUIT", "ILL",    "TRAP",   "ABRT",  "BUS",  "FPE",  "KILL", "USR1",
    "SEGV", "USR2", "PIPE", "ALRM", "TERM",   "STKFLT", "CHLD",  "CONT", "STOP", "TSTP", "TTIN",
    "TTOU", "URG",  "XCPU", "XFSZ", "VTALRM", "PROF",   "WINCH", "IO",   "PWR",  "SYS"};

Failure<std::string> unknown(std::string_view text) {
  return Failure{
      format("expected a signal name or a number 1..{}, not \"{}\"", kSigRtMax, c_escape(text))};
}

}  // namespace

Result<int, std::string> parse_signal(std::string_view text) {
  if (const std::optional<std::int64_t> number = parse_number_i64(text)) {
    if (*number < 1 || *number > kSigRtMax) return unknown(text);
    return static_cast<int>(*number);
  }
  std::string_view name = text;
  if (name.starts_with("SIG")) name.remove_prefix(3);
  if (name.empty()) return unknown(text);
  if (const auto it = std::find(kNames.begin(), kNames.end(), name); it != kNames.end())
    return static_cast<int>(it - kNames.begin());

  const bool from_min = name.starts_with("RTMIN");
  if (!from_min && !name.starts_with("RTMAX")) return unknown(text);
  name.remove_prefix(5);
  if (name.empty()) return from_min ? kSigRtMin : kSigRtMax;
  if (name.front() != (from_min ? '+' : '-')) return unknown(text);
  const std::optional<std::uint64_t> offset = parse_number_u64(name.substr(1));
  if (!offset || !is_digit(name[1]) || *offset > kSigRtMax - kSigRtMin) return unknown(text);
  const int steps = static_cast<int>(*offset);
  return from_min ? kSigRtMin + steps : kSigRtMax - steps;
}

std::string signal_name(int signal) {
  if (signal > 0 && signal < static_cast<int>(kNames.size()))
    return std::string(kNames[static_cast<std::size_t>(signal)]);
  if (signal >= kSigRtMin && signal <= kSigRtMax) return format("RTMIN+{}", signal - kSigRtMin);
  return format("{}", signal);
}

std::string signal_name_long(int signal) {
  const std::string name = signal_name(signal);
  return is_alpha(name.front()) ? "SIG" + name : name;
}

}  // namespace onset
