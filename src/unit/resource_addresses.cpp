// Addresses and ports of systemd.resource-control(5): IPAddressAllow=,
// SocketBindAllow= and their opposites.

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>

#include "unit/resource_parsers.h"

namespace onset {
namespace {

using Bytes = std::array<std::uint8_t, 16>;

bool parse_ipv4(std::string_view text, std::uint8_t* to) {
  const auto parts = split(text, '.');
  if (parts.size() != 4) return false;
  for (const std::string_view part : parts) {
    const auto number = parse_uint<unsigned>(part);
    if (!number || *number > 255 || (part.size() > 1 && part.front() == '0')) return false;
    *to++ = static_cast<std::uint8_t>(*number);
  }
  return true;
}

/// The groups of one side of "::", an IPv4 address for the last two; their number, or none.
std::optional<std::size_t> parse_groups(std::string_view text, Bytes& to) {
  if (text.empty()) return 0;
  const auto fields = split(text, ':');
  std::size_t at = 0;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (at > 14) return std::nullopt;
    if (i + 1 == fields.size() && fields[i].find('.') != std::string_view::npos) {
      if (at > 12 || !parse_ipv4(fields[i], to.data() + at)) return std::nullopt;
      at += 4;
      continue;
    }
    const auto group = parse_uint<unsigned>(fields[i], 16);
    if (!group || fields[i].size() > 4) return std::nullopt;
    to[at++] = static_cast<std::uint8_t>(*group >> 8U);
    to[at++] = static_cast<std::uint8_t>(*group & 255U);
  }
  return at;
}

/// RFC 4291: groups of up to four hex digits, one "::", an IPv4 address at the end.
bool parse_ipv6(std::string_view text, Bytes& to) {
  const std::size_t gap = text.find("::");
  if (gap == std::string_view::npos) return parse_groups(text, to) == std::size_t{16};
  if (text.find("::", gap + 1) != std::string_view::npos) return false;
  Bytes tail{};
  const auto before = parse_groups(text.substr(0, gap), to);
  const auto after = parse_groups(text.substr(gap + 2), tail);
  if (!before || !after || *before + *after > 14) return false;
  std::copy_n(tail.begin(), *after, to.end() - static_cast<std::ptrdiff_t>(*after));
  return true;
}

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
  prefix.is_v6 = !parse_ipv4(address, prefix.bytes.data());
  if (prefix.is_v6) {
    prefix.bytes = {};
    if (!parse_ipv6(address, prefix.bytes)) return std::nullopt;
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

/// RFC 5952: the first of the longest runs of zero groups is "::".
std::string format_ipv6(const Bytes& bytes) {
  std::array<unsigned, 8> groups{};
  for (unsigned i = 0; i < 8; ++i) {
    groups[i] = static_cast<unsigned>(bytes[2 * i] << 8U) | bytes[2 * i + 1];
  }
  unsigned best = 8;
  unsigned longest = 1;
  for (unsigned i = 0; i < 8; ++i) {
    unsigned run = 0;
    while (i + run < 8 && groups[i + run] == 0) ++run;
    if (run > longest) {
      best = i;
      longest = run;
    }
  }
  std::string text;
  for (unsigned i = 0; i < 8; ++i) {
    if (i == best) {
      text += "::";
      i += longest - 1;
      continue;
    }
    if (!text.empty() && text.back() != ':') text += ':';
    text += format("{:x}", groups[i]);
  }
  return text;
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
