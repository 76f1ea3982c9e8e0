// Lines → fields, by one table. Numbers are decimal digits and nothing else, and
// what does not fit is clamped (time spans) or refused (pids, errno).
#include "engine/notify_message.h"

#include <array>
#include <cstdint>
#include <limits>

#include "base/format.h"
#include "base/text.h"

namespace onset {
namespace {

constexpr int kErrnoMax = 4095;

/// Microseconds; more than fits is forever.
std::optional<Duration> parse_usec(std::string_view value) {
  const auto us = parse_uint<std::uint64_t>(value);
  if (!us) return std::nullopt;
  if (*us >= static_cast<std::uint64_t>(kInfinity.count())) return kInfinity;
  return Duration(static_cast<Duration::rep>(*us));
}

bool set_main_pid(ParsedNotify& n, std::string_view value) {
  const auto pid = parse_uint<std::uint32_t>(value);
  if (!pid || *pid == 0 || *pid > std::uint32_t{std::numeric_limits<std::int32_t>::max()})
    return false;
  n.message.main_pid = static_cast<pid_t>(*pid);
  return true;
}

bool set_errno(ParsedNotify& n, std::string_view value) {
  const auto number = parse_uint<std::uint32_t>(value);
  if (!number || *number > std::uint32_t{kErrnoMax}) return false;
  n.message.error_number = static_cast<int>(*number);
  return true;
}

bool set_exit_status(ParsedNotify& n, std::string_view value) {
  const auto number = parse_uint<std::uint32_t>(value);
  if (!number || *number > 255) return false;
  n.message.exit_status = static_cast<int>(*number);
  return true;
}

bool set_monotonic(ParsedNotify& n, std::string_view value) {
  const auto us = parse_uint<std::uint64_t>(value);
  if (!us || *us >= static_cast<std::uint64_t>(kNever.us)) return false;
  n.message.monotonic = MonoTime{static_cast<std::int64_t>(*us)};
  return true;
}

bool set_watchdog(ParsedNotify& n, std::string_view value) {
  if (value == "1") {
    n.message.watchdog = true;
  } else if (value == "trigger") {
    n.message.watchdog_trigger = true;
  } else {
    return false;
  }
  return true;
}

bool set_watchdog_period(ParsedNotify& n, std::string_view value) {
  n.message.watchdog_period = parse_usec(value);
  return n.message.watchdog_period.has_value();
}

bool set_extend_timeout(ParsedNotify& n, std::string_view value) {
  n.message.extend_timeout = parse_usec(value);
  return n.message.extend_timeout.has_value();
}

/// Every control character, of C1 too, becomes a blank: a status is one line
/// and moves no cursor.
bool set_status(ParsedNotify& n, std::string_view value) {
  if (!is_valid_utf8(value)) return false;
  std::string out;
  out.reserve(value.size());
  for (std::size_t i = 0; i < value.size(); ++i) {
    const char c = value[i];
    const bool is_c1 =
        c == '\xc2' && i + 1 < value.size() && static_cast<unsigned char>(value[i + 1]) < 0xa0;
    if (is_c1) ++i;
    out.push_back(is_c1 || is_control(c) ? ' ' : c);
  }
  n.status = std::move(out);
  return true;
}

bool set_fd_name(ParsedNotify& n, std::string_view value) {
  if (value.empty() || value.size() > kNotifyFdNameMax) return false;
  for (const char c : value) {
    if (is_control(c) || c == ':' || static_cast<unsigned char>(c) >= 0x80) return false;
  }
  n.fd_name = value;
  return true;
}

struct Field {
  std::string_view name;
  bool (*set)(ParsedNotify&, std::string_view);
};

constexpr std::array<Field, 9> kFields{{
    {"MAINPID", set_main_pid},
    {"ERRNO", set_errno},
    {"EXIT_STATUS", set_exit_status},
    {"MONOTONIC_USEC", set_monotonic},
    {"WATCHDOG", set_watchdog},
    {"WATCHDOG_USEC", set_watchdog_period},
    {"EXTEND_TIMEOUT_USEC", set_extend_timeout},
    {"STATUS", set_status},
    {"FDNAME", set_fd_name},
}};

/// The fields that are a word and no more: any other value is another word.
void set_word(ParsedNotify& n, std::string_view line) {
  if (line == "READY=1") n.message.ready = true;
  if (line == "RELOADING=1") n.message.reloading = true;
  if (line == "STOPPING=1") n.message.stopping = true;
  if (line == "FDSTORE=1") n.fd_store = true;
  if (line == "FDSTOREREMOVE=1") n.fd_store_remove = true;
  if (line == "FDPOLL=0") n.fd_poll = false;
  if (line == "BARRIER=1") n.barrier = true;
}

ParsedNotify drop(std::string problem) {
  ParsedNotify n;
  n.dropped = true;
  n.problem = std::move(problem);
  return n;
}

}  // namespace

ParsedNotify parse_notify(std::string_view text) {
  if (text.size() > kNotifyMax) return drop("longer than 4096 bytes");
  while (text.ends_with('\0')) text.remove_suffix(1);
  if (text.empty()) return drop("empty");
  if (text.find('\0') != std::string_view::npos) return drop("a NUL within the text");

  ParsedNotify n;
  std::array<bool, kFields.size()> seen{};
  bool has_fd_name = false;
  unsigned lines = 0;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.empty()) continue;
    ++lines;
    set_word(n, line);
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) continue;
    for (std::size_t i = 0; i < kFields.size(); ++i) {
      if (seen[i] || line.substr(0, equals) != kFields[i].name) continue;
      seen[i] = true;
      const bool is_set = kFields[i].set(n, line.substr(equals + 1));
      if (kFields[i].name == "FDNAME") has_fd_name = is_set;
      if (!is_set && n.problem.empty()) n.problem = format("bad value of {}=", kFields[i].name);
    }
  }
  if (n.barrier && lines > 1) return drop("BARRIER=1 among other lines");
  if (n.fd_store_remove && !has_fd_name) {
    n.fd_store_remove = false;
    if (n.problem.empty()) n.problem = "FDSTOREREMOVE=1 without a valid FDNAME=";
  }
  return n;
}

}  // namespace onset
