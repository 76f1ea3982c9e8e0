#include "base/process_text.h"

#include <algorithm>
#include <limits>

#include "base/text.h"

namespace onset {
namespace {

/// The next part up to the separator, taken off the front.
std::string_view take(std::string_view& rest, char separator) {
  const auto end = rest.find(separator);
  const auto part = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  return part;
}

/// A word as a shell would have to be given it.
std::string quoted(std::string_view word) {
  constexpr std::string_view kEscaped = "\"\\`$";
  if (!word.empty() && word.find_first_of("\"\\`$*?['()<>|&;! \t\n\r") == word.npos) {
    return std::string(word);
  }
  std::string out = "\"";
  for (const char c : word) {
    if (kEscaped.find(c) != kEscaped.npos) out += '\\';
    out += c;
  }
  return out + '"';
}

}  // namespace

std::optional<ProcessStatus> parse_process_stat(std::string_view text) {
  // "PID (COMM) STATE PPID PGRP SESSION …": COMM may hold anything, so its end is the last ")".
  const auto open = text.find('(');
  const auto close = text.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) {
    return std::nullopt;
  }
  const auto fields = split_whitespace(text.substr(close + 1));
  // Fields 14, 15, 20 and 22 of proc(5), counted from STATE.
  static constexpr std::size_t kUserTime = 11;
  static constexpr std::size_t kSystemTime = 12;
  static constexpr std::size_t kThreads = 17;
  static constexpr std::size_t kStartTime = 19;
  if (fields.size() <= kStartTime || fields[0].size() != 1) return std::nullopt;
  const auto parent = parse_pid(fields[1]);
  const auto group = parse_pid(fields[2]);
  const auto session = parse_pid(fields[3]);
  const auto started = parse_uint<std::uint64_t>(fields[kStartTime]);
  if (!parent || !group || !session || !started) return std::nullopt;
  const auto user = parse_uint<std::uint64_t>(fields[kUserTime]);
  const auto system = parse_uint<std::uint64_t>(fields[kSystemTime]);
  ProcessStatus status;
  status.state = fields[0][0];
  status.parent = *parent;
  status.group = *group;
  status.session = *session;
  status.started = *started;
  status.cpu_ticks = user.value_or(0) + system.value_or(0);
  status.threads = parse_uint<std::uint32_t>(fields[kThreads]).value_or(0);
  status.name = text.substr(open + 1, close - open - 1);
  return status;
}

std::optional<pid_t> parse_pid(std::string_view text) {
  const auto number = parse_uint<std::uint32_t>(text);
  if (!number || *number > std::uint32_t{std::numeric_limits<std::int32_t>::max()}) {
    return std::nullopt;
  }
  return static_cast<pid_t>(*number);
}

void append_pids(std::string_view text, std::vector<pid_t>& out) {
  std::size_t at = 0;
  while ((at = text.find_first_not_of(kWhitespace, at)) != std::string_view::npos) {
    const std::size_t end = std::min(text.find_first_of(kWhitespace, at), text.size());
    if (const auto pid = parse_pid(text.substr(at, end - at))) out.push_back(*pid);
    at = end;
  }
}

pid_t parse_last_pid(std::string_view loadavg) {
  // "0.00 0.01 0.05 1/113 4711"
  const std::string_view line = trim(loadavg);
  return parse_pid(line.substr(line.rfind(' ') + 1)).value_or(0);
}

std::optional<std::string_view> find_variable(std::string_view environment, std::string_view name) {
  while (!environment.empty()) {
    const std::string_view variable = take(environment, '\0');
    if (variable.size() > name.size() && variable[name.size()] == '=' &&
        variable.starts_with(name)) {
      return variable.substr(name.size() + 1);
    }
  }
  return std::nullopt;
}

std::string command_line_text(std::string_view cmdline, std::size_t limit) {
  while (cmdline.ends_with('\0')) cmdline.remove_suffix(1);
  std::string line;
  if (cmdline.find('\0') == std::string_view::npos) {
    line = cmdline.substr(0, limit);
  } else {
    for (const std::string_view word : split(cmdline.substr(0, limit), '\0')) {
      if (!line.empty()) line += ' ';
      line += quoted(word);
    }
  }
  if (line.size() > limit) line.resize(limit);
  return line;
}

std::optional<std::string_view> unified_cgroup(std::string_view text) {
  while (!text.empty()) {
    const std::string_view line = take(text, '\n');
    if (line.starts_with("0::/")) return line.substr(3);
  }
  return std::nullopt;
}

bool is_populated(std::string_view events) {
  while (!events.empty()) {
    if (take(events, '\n') == "populated 0") return false;
  }
  return true;
}

std::optional<std::uint64_t> parse_cpu_nsec(std::string_view stat) {
  const auto us = find_count(stat, "usage_usec");
  if (!us || *us > UINT64_MAX / 1000) return std::nullopt;
  return *us * 1000;
}

std::optional<std::uint64_t> find_count(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    std::string_view line = take(text, '\n');
    if (take(line, ' ') == key) return parse_uint<std::uint64_t>(line);
  }
  return std::nullopt;
}

std::optional<std::uint64_t> find_kilobytes(std::string_view text, std::string_view key) {
  constexpr std::uint64_t kKilo = 1024;
  while (!text.empty()) {
    std::string_view line = take(text, '\n');
    if (!line.starts_with(key)) continue;
    line.remove_prefix(key.size());
    const auto words = split_whitespace(line);
    if (words.empty()) return std::nullopt;
    const auto number = parse_uint<std::uint64_t>(words[0]);
    if (!number || *number > UINT64_MAX / kKilo) return std::nullopt;
    return *number * kKilo;
  }
  return std::nullopt;
}

std::optional<unsigned> parse_pressure(std::string_view text, std::string_view line,
                                       std::string_view window) {
  // "full avg10=0.00 avg60=0.00 avg300=0.00 total=0"
  constexpr unsigned kHundredths = 100;
  constexpr unsigned kWhole = 100 * kHundredths;
  for (const std::string_view row : split(text, '\n')) {
    const auto words = split_whitespace(row);
    if (words.empty() || words[0] != line) continue;
    for (std::string_view word : words) {
      if (!word.starts_with(window)) continue;
      word.remove_prefix(window.size());
      const auto percent = parse_uint<unsigned>(take(word, '.'));
      const auto rest = parse_uint<unsigned>(word);
      if (!percent || !rest || *percent > kWhole || *rest >= kHundredths) continue;
      const unsigned share = *percent * kHundredths + *rest;
      if (share <= kWhole) return share;
    }
  }
  return std::nullopt;
}

std::uint64_t sum_of_devices(std::string_view io_stat, std::string_view key) {
  std::uint64_t sum = 0;
  for (const std::string_view word : split_whitespace(io_stat)) {
    if (!word.starts_with(key) || word.size() == key.size() || word[key.size()] != '=') continue;
    sum += parse_uint<std::uint64_t>(word.substr(key.size() + 1)).value_or(0);
  }
  return sum;
}

}  // namespace onset
