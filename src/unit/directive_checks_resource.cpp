// The kinds of values that resource-control settings have,
// systemd.resource-control(5).

#include "unit/directive_checks.h"

namespace onset {
namespace {

/// "N" or "N-M", rising.
bool is_range(std::string_view text, unsigned highest) {
  const std::size_t dash = text.find('-');
  const auto first = parse_uint<unsigned>(text.substr(0, dash));
  if (!first || *first > highest) return false;
  if (dash == std::string_view::npos) return true;
  const auto last = parse_uint<unsigned>(text.substr(dash + 1));
  return last && *last <= highest && *first <= *last;
}

bool is_ipv4(std::string_view text) {
  const auto parts = split(text, '.');
  return parts.size() == 4 && std::all_of(parts.begin(), parts.end(), [](std::string_view part) {
           const auto number = parse_uint<unsigned>(part);
           return number && *number <= 255 && (part.size() == 1 || part.front() != '0');
         });
}

/// RFC 4291: groups of up to four hex digits, one "::", an IPv4 address at the end.
bool is_ipv6(std::string_view text) {
  const std::size_t gap = text.find("::");
  if (gap != std::string_view::npos && text.find("::", gap + 1) != std::string_view::npos) {
    return false;
  }
  std::size_t groups = 0;
  const auto count = [&groups](std::string_view part) {
    if (part.empty()) return true;
    const auto fields = split(part, ':');
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (i + 1 == fields.size() && is_ipv4(fields[i])) {
        groups += 2;
      } else if (fields[i].size() <= 4 && parse_uint<unsigned>(fields[i], 16)) {
        groups += 1;
      } else {
        return false;
      }
    }
    return true;
  };
  if (gap == std::string_view::npos) return count(text) && groups == 8;
  return count(text.substr(0, gap)) && count(text.substr(gap + 2)) && groups <= 7;
}

bool is_address(std::string_view text) {
  constexpr std::string_view kNames[] = {"any", "localhost", "link-local", "multicast"};
  if (std::find(std::begin(kNames), std::end(kNames), text) != std::end(kNames)) return true;
  const std::size_t slash = text.find('/');
  const std::string_view address = text.substr(0, slash);
  const bool v4 = is_ipv4(address);
  if (!v4 && !is_ipv6(address)) return false;
  if (slash == std::string_view::npos) return true;
  const auto length = parse_uint<unsigned>(text.substr(slash + 1));
  return length && *length <= (v4 ? 32U : 128U);
}

}  // namespace

std::string check_memory(ParseContext&, std::string_view value) {
  if (value.empty() || parse_permyriad(value) || parse_size_or_infinity(value)) return {};
  return "a size in bytes (K, M, G, T), a percentage or infinity";
}

std::string check_memory_limit(ParseContext& context, std::string_view value) {
  std::string expected = check_memory(context, value);
  if (!expected.empty() || value.empty()) return expected;
  const auto bytes = parse_size_or_infinity(value);
  const auto part = parse_permyriad(value);
  const bool is_nothing = (bytes && *bytes == 0) || (part && *part == 0);
  return is_nothing ? std::string("more than 0") : std::string{};
}

std::string check_tasks(ParseContext&, std::string_view value) {
  if (value.empty() || value == "infinity") return {};
  const auto part = parse_permyriad(value);
  const auto number = parse_unsigned(value);
  if (part || (number && *number > 0)) return {};  // systemd takes 0%
  return "a number above 0, a percentage or infinity";
}

std::string check_cpu_set(ParseContext& context, std::string_view value) {
  auto text = expand_value(context, value);
  if (!text) return std::move(text).error();
  auto words = split_words(*text, WordFlags::Unquote, " \t\n\r,");
  if (!words) return std::move(words).error();
  for (const std::string& word : *words) {
    if (!is_range(word, 8191))
      return format("numbers and ranges of them, not \"{}\"", c_escape(word));
  }
  return {};
}

std::string check_cpu_affinity(ParseContext& context, std::string_view value) {
  return value == "numa" ? std::string{} : check_cpu_set(context, value);
}

std::string check_device(ParseContext& context, std::string_view value) {
  if (value.empty()) return {};
  auto words = split_words(value, WordFlags::Unquote);
  if (!words) return std::move(words).error();
  if (words->empty() || words->size() > 2) return "a device and the access to it";
  auto device = expand_value(context, (*words)[0]);
  if (!device) return std::move(device).error();
  if (!device->starts_with("/dev/") && !device->starts_with("block-") &&
      !device->starts_with("char-") && !device->starts_with("/run/systemd/inaccessible/")) {
    return "a path below /dev, block-… or char-…";
  }
  if (words->size() == 2 && (*words)[1].find_first_not_of("rwm") != std::string::npos) {
    return "an access of r, w and m";
  }
  return {};
}

std::string check_device_value(ParseContext& context, std::string_view value) {
  if (value.empty()) return {};
  auto words = split_words(value, WordFlags::Unquote);
  if (!words) return std::move(words).error();
  if (words->size() != 2) return "a path and a value";
  auto path = expand_value(context, (*words)[0], kPathMax);
  if (!path) return std::move(path).error();
  if (parse_size_or_infinity((*words)[1], 1000) || parse_span((*words)[1])) return {};
  return "a number, a size or a time behind the path";
}

std::string check_addresses(ParseContext&, std::string_view value) {
  auto words = split_words(value, WordFlags::None);
  if (!words) return std::move(words).error();
  for (const std::string& word : *words) {
    if (!is_address(word)) {
      return format(
          "IP addresses with prefix lengths, any, localhost, link-local or multicast, "
          "not \"{}\"",
          c_escape(word));
    }
  }
  return {};
}

std::string check_controllers(ParseContext&, std::string_view value) {
  constexpr std::string_view kControllers[] = {"cpu",
                                               "cpuacct",
                                               "cpuset",
                                               "io",
                                               "blkio",
                                               "memory",
                                               "devices",
                                               "pids",
                                               "bpf-firewall",
                                               "bpf-devices",
                                               "bpf-foreign",
                                               "bpf-socket-bind",
                                               "bpf-restrict-network-interfaces"};
  auto words = split_words(value, WordFlags::Unquote);
  if (!words) return std::move(words).error();
  for (const std::string& word : *words) {
    if (std::find(std::begin(kControllers), std::end(kControllers), word) ==
        std::end(kControllers)) {
      return format("cgroup controllers, not \"{}\"", c_escape(word));
    }
  }
  return {};
}

}  // namespace onset
