// Addresses and ports of systemd.resource-control(5): IPAddressAllow=,
// SocketBindAllow= and their opposites.

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

#include "unit/ip_address.h"
#include "unit/resource_parsers.h"

namespace onset {
namespace {

void clear_tail(AddressPrefix& prefix) {
  for (unsigned bit = prefix.length; bit < 128; ++bit) {
    prefix.bytes[bit / 8] =
        static_cast<std::uint8_t>(prefix.bytes[bit / 8] & ~(0x80U >> (bit % 8)));
  }
}

std::optional<AddressPrefix> parse_prefix(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::string_view address = text.substr(0, slash);
  AddressPrefix prefix;
  if (const auto v4 = parse_ipv4(address)) {
    std::ranges::copy(*v4, prefix.bytes.begin());
  } else if (const auto v6 = parse_ipv6(address)) {
    prefix.is_v6 = true;
    prefix.bytes = *v6;
  } else {
    return std::nullopt;
  }
  const unsigned longest = prefix.is_v6 ? 128 : 32;
  prefix.length = static_cast<std::uint8_t>(longest);
  if (slash != std::string_view::npos) {
    const auto length = parse_uint<unsigned>(text.substr(slash + 1));
    if (!length || *length > longest) return std::nullopt;
    prefix.length = static_cast<std::uint8_t>(*length);
  }
  clear_tail(prefix);
  return prefix;
}

struct NamedNetworks {
  std::string_view name;
  std::string_view v4;
  std::string_view v6;
};
constexpr NamedNetworks kNames[] = {{"any", "0.0.0.0/0", "::/0"},
                                    {"localhost", "127.0.0.0/8", "::1/128"},
                                    {"link-local", "169.254.0.0/16", "fe80::/64"},
                                    {"multicast", "224.0.0.0/4", "ff00::/8"}};

void put(std::vector<AddressPrefix>& to, const std::optional<AddressPrefix>& prefix) {
  if (prefix && std::find(to.begin(), to.end(), *prefix) == to.end()) to.push_back(*prefix);
}

bool put_word(std::vector<AddressPrefix>& to, std::string_view word) {
  for (const NamedNetworks& row : kNames) {
    if (row.name != word) continue;
    put(to, parse_prefix(row.v4));
    put(to, parse_prefix(row.v6));
    return true;
  }
  const auto prefix = parse_prefix(word);
  put(to, prefix);
  return prefix.has_value();
}

/// A port, or the two ends of a range.
bool parse_ports(std::string_view text, BindRule& rule) {
  const std::size_t dash = text.find('-');
  const auto first = parse_uint<std::uint16_t>(text.substr(0, dash));
  const auto last =
      dash == std::string_view::npos ? first : parse_uint<std::uint16_t>(text.substr(dash + 1));
  if (!first || !last || *first == 0 || *first > *last) return false;
  rule.first = *first;
  rule.last = *last;
  return true;
}

std::optional<BindRule> parse_rule(std::string_view text) {
  BindRule rule{.first = 1};
  if (text == "any") return rule;
  unsigned stage = 0;  // family, protocol, ports: each at most once, in this order
  for (const std::string_view part : split(text, ':')) {
    if (stage < 1 && (part == "ipv4" || part == "ipv6")) {
      rule.family = part == "ipv4" ? AF_INET : AF_INET6;
      stage = 1;
    } else if (stage < 2 && (part == "tcp" || part == "udp")) {
      rule.protocol = part == "tcp" ? IPPROTO_TCP : IPPROTO_UDP;
      stage = 2;
    } else if (stage < 3 && parse_ports(part, rule)) {
      stage = 3;
    } else {
      return std::nullopt;
    }
  }
  return rule;
}

}  // namespace

std::string parse_addresses(const ParseContext& context, std::string_view value,
                            std::vector<AddressPrefix>& to) {
  if (value.empty()) {
    to.clear();
    return {};
  }
  auto text = expand_value(context, value);
  if (!text) return std::move(text).error();
  std::vector<AddressPrefix> found = to;
  for (const std::string_view word : split_whitespace(*text)) {
    if (!put_word(found, word)) {
      return format(
          "IP addresses with prefix lengths, any, localhost, link-local or multicast, "
          "not \"{}\"",
          c_escape(word));
    }
  }
  to = std::move(found);
  return {};
}

std::string format_addresses(const std::vector<AddressPrefix>& list) {
  std::string text;
  for (const AddressPrefix& prefix : list) {
    if (!text.empty()) text += ' ';
    const auto& b = prefix.bytes;
    text += prefix.is_v6 ? format_ipv6(b) : format("{}.{}.{}.{}", b[0], b[1], b[2], b[3]);
    text += format("/{}", prefix.length);
  }
  return text;
}

std::string parse_bind_rule(const ParseContext& context, std::string_view value,
                            std::vector<BindRule>& to) {
  constexpr std::size_t kMaxRules = 128;
  if (value.empty()) {
    to.clear();
    return {};
  }
  auto text = expand_value(context, value);
  if (!text) return std::move(text).error();
  const auto rule = parse_rule(*text);
  if (!rule) return "any, or ipv4 or ipv6, tcp or udp, and ports, with colons between them";
  if (to.size() >= kMaxRules) return format("at most {} rules", kMaxRules);
  to.push_back(*rule);
  return {};
}

std::string format_bind_rules(const std::vector<BindRule>& list) {
  std::vector<std::string> lines;
  for (const BindRule& rule : list) {
    std::vector<std::string> parts;
    if (rule.family != 0) parts.emplace_back(rule.family == AF_INET ? "ipv4" : "ipv6");
    if (rule.protocol != 0) parts.emplace_back(rule.protocol == IPPROTO_TCP ? "tcp" : "udp");
    if (rule.first == rule.last) {
      parts.push_back(format("{}", rule.first));
    } else if (rule.first > 1 || rule.last < 65535) {
      parts.push_back(format("{}-{}", rule.first, rule.last));
    }
    lines.push_back(parts.empty() ? "any" : join(parts, ":"));
  }
  return join(lines, "\n");
}

}  // namespace onset
