#include "unit/resource_parsers.h"

#include <sys/socket.h>

#include <array>

namespace onset {
namespace {

/// The highest number of a CPU or a node that can be written.
constexpr unsigned kHighestNumber = 8191;
constexpr std::uint64_t kPermyriad = 10000;

std::uint64_t part_of(std::uint64_t whole, unsigned permyriad) {
  if (whole == 0) return kUnlimited;  // not known here
  return whole / kPermyriad * permyriad + whole % kPermyriad * permyriad / kPermyriad;
}

/// The two words of "PATH VALUE", specifiers replaced in the first.
Parsed<std::pair<std::string, std::string>> split_device(const ParseContext& context,
                                                         std::string_view value) {
  auto words = split_words(value, WordFlags::Unquote);
  if (!words) return Failure{std::move(words).error()};
  if (words->size() != 2) return Failure{std::string("a path and a value")};
  auto path = expand_value(context, (*words)[0], kPathMax);
  if (!path) return Failure{std::move(path).error()};
  if (!path_is_valid(*path)) return Failure{std::string("a valid path")};
  return std::pair(path_simplify(*path), std::move((*words)[1]));
}

void put_amount(std::vector<DeviceAmount>& to, std::string path, std::uint64_t amount) {
  std::erase_if(to, [&](const DeviceAmount& entry) { return entry.path == path; });
  to.push_back({std::move(path), amount});
}

}  // namespace

// ---- amounts ------------------------------------------------------------------

Parsed<std::uint64_t> parse_memory(const HostFacts& host, std::string_view text) {
  if (const auto part = parse_permyriad(text)) return part_of(host.memory_bytes, *part);
  if (const auto bytes = parse_size_or_infinity(text)) return *bytes;
  return Failure{std::string("a size in bytes (K, M, G, T), a percentage or infinity")};
}

Parsed<std::uint64_t> parse_memory_limit(const HostFacts& host, std::string_view text) {
  auto bytes = parse_memory(host, text);
  if (bytes && *bytes == 0) return Failure{std::string("more than 0")};
  return bytes;
}

Parsed<std::uint64_t> parse_tasks(const HostFacts& host, std::string_view text) {
  if (text == "infinity") return kUnlimited;
  if (const auto part = parse_permyriad(text)) {  // systemd takes 0%
    const std::uint64_t tasks = part_of(host.tasks_max, *part);
    return tasks == 0 && *part > 0 ? 1 : tasks;
  }
  const auto number = parse_unsigned(text);
  if (number && *number > 0) return *number;
  return Failure{std::string("a number above 0, a percentage or infinity")};
}

Parsed<std::uint32_t> parse_cpu_weight(std::string_view text) {
  if (text == "idle") return kCpuWeightIdle;
  auto weight = parse_int(text, 1, 10000);
  if (!weight) return Failure{std::move(weight).error()};
  return static_cast<std::uint32_t>(*weight);
}

std::string format_amount(std::uint64_t amount) {
  return amount == kUnlimited ? "infinity" : format("{}", amount);
}

// ---- sets of numbers ------------------------------------------------------------

void add_range(NumberSet& set, unsigned first, unsigned last) {
  NumberSet merged;
  for (const auto& range : set) {
    if (range.second + 1 < first || last + 1 < range.first) {
      merged.push_back(range);
    } else {
      first = std::min(first, range.first);
      last = std::max(last, range.second);
    }
  }
  merged.emplace_back(first, last);
  std::sort(merged.begin(), merged.end());
  set = std::move(merged);
}

std::string parse_numbers(const ParseContext& context, std::string_view value, NumberSet& to) {
  if (value.empty()) {
    to.clear();
    return {};
  }
  auto text = expand_value(context, value);
  if (!text) return std::move(text).error();
  auto words = split_words(*text, WordFlags::Unquote, " \t\n\r,");
  if (!words) return std::move(words).error();
  NumberSet found = to;
  for (const std::string& word : *words) {
    const std::size_t dash = word.find('-');
    const auto first = parse_uint<unsigned>(std::string_view(word).substr(0, dash));
    const auto last = dash == std::string::npos
                          ? first
                          : parse_uint<unsigned>(std::string_view(word).substr(dash + 1));
    if (!first || !last || *first > *last || *last > kHighestNumber) {
      return format("numbers and ranges of them, not \"{}\"", c_escape(word));
    }
    add_range(found, *first, *last);
  }
  to = std::move(found);
  return {};
}

std::string format_numbers(const NumberSet& set, std::string_view separator) {
  std::string text;
  for (const auto& [first, last] : set) {
    if (!text.empty()) text += separator;
    text += first == last ? format("{}", first) : format("{}-{}", first, last);
  }
  return text;
}

// ---- controllers ----------------------------------------------------------------

std::string_view controller_name(Controller c) {
  switch (c) {
    case Controller::Cpu:
      return "cpu";
    case Controller::Cpuset:
      return "cpuset";
    case Controller::Io:
      return "io";
    case Controller::Memory:
      return "memory";
    case Controller::Pids:
      return "pids";
  }
  return {};
}

Parsed<ControllerSet> parse_controllers(std::string_view text) {
  struct Name {
    std::string_view name;
    ControllerSet set;
  };
  static constexpr Name kNames[] = {{"cpu", set_of(Controller::Cpu)},
                                    {"cpuacct", 0},
                                    {"cpuset", set_of(Controller::Cpuset)},
                                    {"io", set_of(Controller::Io)},
                                    {"blkio", set_of(Controller::Io)},
                                    {"memory", set_of(Controller::Memory)},
                                    {"devices", 0},
                                    {"pids", set_of(Controller::Pids)},
                                    {"bpf-firewall", 0},
                                    {"bpf-devices", 0},
                                    {"bpf-foreign", 0},
                                    {"bpf-socket-bind", 0},
                                    {"bpf-restrict-network-interfaces", 0}};
  auto words = split_words(text, WordFlags::Unquote);
  if (!words) return Failure{std::move(words).error()};
  ControllerSet set = 0;
  for (const std::string& word : *words) {
    const auto* row = std::find_if(std::begin(kNames), std::end(kNames),
                                   [&](const Name& name) { return name.name == word; });
    if (row == std::end(kNames)) {
      return Failure{format("cgroup controllers, not \"{}\"", c_escape(word))};
    }
    set = static_cast<ControllerSet>(set | row->set);
  }
  return set;
}

std::string format_controllers(ControllerSet set) {
  std::string text;
  for (const Controller c : kControllers) {
    if ((set & set_of(c)) == 0) continue;
    if (!text.empty()) text += ' ';
    text += controller_name(c);
  }
  return text;
}

// ---- devices ----------------------------------------------------------------------

std::uint64_t DeviceLimits::*member_of(IoLimit limit) {
  switch (limit) {
    case IoLimit::ReadBandwidth:
      return &DeviceLimits::read_bandwidth;
    case IoLimit::WriteBandwidth:
      return &DeviceLimits::write_bandwidth;
    case IoLimit::ReadIops:
      return &DeviceLimits::read_iops;
    case IoLimit::WriteIops:
      return &DeviceLimits::write_iops;
  }
  return nullptr;
}

std::string parse_device_weight(const ParseContext& context, std::string_view value,
                                std::vector<DeviceAmount>& to, unsigned lowest, unsigned highest) {
  if (value.empty()) {
    to.clear();
    return {};
  }
  auto device = split_device(context, value);
  if (!device) return std::move(device).error();
  auto weight = parse_int(device->second, lowest, highest);
  if (!weight) return std::move(weight).error();
  put_amount(to, std::move(device->first), static_cast<std::uint64_t>(*weight));
  return {};
}

std::string parse_device_limit(const ParseContext& context, std::string_view value,
                               std::vector<DeviceLimits>& to, IoLimit which) {
  const auto member = member_of(which);
  if (value.empty()) {
    for (DeviceLimits& limits : to) limits.*member = kUnlimited;
    std::erase_if(to, [](const DeviceLimits& l) { return l == DeviceLimits{.path = l.path}; });
    return {};
  }
  auto device = split_device(context, value);
  if (!device) return std::move(device).error();
  auto amount = parse_size_or_infinity(device->second, 1000);
  if (!amount) return std::move(amount).error();
  if (*amount == 0) return "more than 0";
  auto found = std::find_if(to.begin(), to.end(),
                            [&](const DeviceLimits& l) { return l.path == device->first; });
  if (found == to.end()) found = to.insert(to.end(), DeviceLimits{.path = device->first});
  (*found).*member = *amount;
  return {};
}

std::string parse_device_latency(const ParseContext& context, std::string_view value,
                                 std::vector<DeviceAmount>& to) {
  if (value.empty()) {
    to.clear();
    return {};
  }
  auto device = split_device(context, value);
  if (!device) return std::move(device).error();
  auto span = parse_span(device->second);
  if (!span) return std::move(span).error();
  put_amount(to, std::move(device->first), static_cast<std::uint64_t>(span->count()));
  return {};
}

std::string parse_device_rule(const ParseContext& context, std::string_view value,
                              std::vector<DeviceRule>& to) {
  if (value.empty()) {
    to.clear();
    return {};
  }
  auto words = split_words(value, WordFlags::Unquote);
  if (!words) return std::move(words).error();
  if (words->empty() || words->size() > 2) return "a device and the access to it";
  auto device = expand_value(context, (*words)[0], kPathMax);
  if (!device) return std::move(device).error();
  if (!device->starts_with("/dev/") && !device->starts_with("block-") &&
      !device->starts_with("char-") && !device->starts_with("/run/systemd/inaccessible/")) {
    return "a path below /dev, block-… or char-…";
  }
  DeviceRule rule{std::move(*device)};
  if (words->size() == 2) {
    const std::string& access = (*words)[1];
    if (access.empty() || access.find_first_not_of("rwm") != std::string::npos) {
      return "an access of r, w and m";
    }
    rule.read = access.find('r') != std::string::npos;
    rule.write = access.find('w') != std::string::npos;
    rule.create = access.find('m') != std::string::npos;
  }
  to.push_back(std::move(rule));
  return {};
}

std::string format_device_amounts(const std::vector<DeviceAmount>& list) {
  std::vector<std::string> lines;
  for (const DeviceAmount& entry : list) {
    lines.push_back(format("{} {}", quote_word(entry.path), entry.amount));
  }
  return format_lines(lines);
}

std::string format_device_latencies(const std::vector<DeviceAmount>& list) {
  std::vector<std::string> lines;
  for (const DeviceAmount& entry : list) {
    const Duration span(static_cast<Duration::rep>(entry.amount));
    lines.push_back(format("{} {}", quote_word(entry.path), quote_word(format_span(span))));
  }
  return format_lines(lines);
}

std::string format_device_limits(const std::vector<DeviceLimits>& list, IoLimit which) {
  std::vector<std::string> lines;
  for (const DeviceLimits& limits : list) {
    const std::uint64_t amount = limits.*member_of(which);
    if (amount != kUnlimited) lines.push_back(format("{} {}", quote_word(limits.path), amount));
  }
  return format_lines(lines);
}

std::string format_device_rules(const std::vector<DeviceRule>& list) {
  std::vector<std::string> lines;
  for (const DeviceRule& rule : list) {
    lines.push_back(format("{} {}{}{}", quote_word(rule.device), rule.read ? "r" : "",
                           rule.write ? "w" : "", rule.create ? "m" : ""));
  }
  return format_lines(lines);
}

}  // namespace onset
