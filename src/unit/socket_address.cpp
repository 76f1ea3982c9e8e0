#include "unit/socket_address.h"

#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "unit/ip_address.h"

namespace onset {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::string_view kExpected =
    "a path, @NAME, a port, ADDRESS:PORT, [ADDRESS]:PORT or vsock:CID:PORT";

/// linux/netlink.h: the index is the number, "" a number without a name here.
constexpr std::array kFamilies = {
    "route"sv,         "unused"sv,   ""sv,        "firewall"sv,       "inet-diag"sv,  "nflog"sv,
    "xfrm"sv,          "selinux"sv,  "iscsi"sv,   "audit"sv,          "fib-lookup"sv, "connector"sv,
    "netfilter"sv,     "ip6-fw"sv,   "dnrtmsg"sv, "kobject-uevent"sv, "generic"sv,    ""sv,
    "scsitransport"sv, "ecryptfs"sv, "rdma"sv};

std::optional<std::uint32_t> parse_port(std::string_view text) {
  const auto port = parse_uint<std::uint16_t>(text);
  if (!port || *port == 0) return std::nullopt;
  return *port;
}

Parsed<SocketAddress> wrong() {
  return Failure{std::string(kExpected)};
}

Parsed<SocketAddress> parse_path(std::string_view text) {
  SocketAddress address;
  if (!path_is_valid(text)) return wrong();
  address.name = path_simplify(text);
  if (address.name.size() > kSocketNameMax)
    return Failure{std::string("a socket's path of at most 107 bytes")};
  return address;
}

Parsed<SocketAddress> parse_abstract(std::string_view text) {
  SocketAddress address;
  address.kind = AddressKind::Abstract;
  address.name = text.substr(1);
  if (address.name.empty() || address.name.size() > kSocketNameMax)
    return Failure{std::string("an abstract name of 1 to 107 bytes")};
  return address;
}

/// "vsock:2:1234".
Parsed<SocketAddress> parse_vsock(std::string_view text) {
  SocketAddress address;
  address.kind = AddressKind::Vsock;
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return wrong();
  const std::string_view cid = text.substr(0, colon);
  if (!cid.empty()) {
    const auto number = parse_uint<std::uint32_t>(cid);
    if (!number) return wrong();
    address.cid = *number;
  }
  const auto port = parse_uint<std::uint32_t>(text.substr(colon + 1));
  if (!port) return wrong();
  address.port = *port;
  return address;
}

/// "[ADDRESS]:PORT", "[ADDRESS]:PORT%SCOPE".
Parsed<SocketAddress> parse_bracketed(std::string_view text) {
  SocketAddress address;
  address.kind = AddressKind::Inet6;
  const std::size_t end = text.find(']');
  if (end == std::string_view::npos) return wrong();
  const auto bytes = parse_ipv6(text.substr(1, end - 1));
  std::string_view rest = text.substr(end + 1);
  if (!bytes || !rest.starts_with(':')) return wrong();
  rest.remove_prefix(1);
  if (const std::size_t percent = rest.find('%'); percent != std::string_view::npos) {
    address.scope = rest.substr(percent + 1);
    rest = rest.substr(0, percent);
    // IFNAMSIZ, or a number.
    if (address.scope.empty() || address.scope.size() > 15) return wrong();
  }
  const auto port = parse_port(rest);
  if (!port) return wrong();
  address.bytes = *bytes;
  address.port = *port;
  return address;
}

Parsed<SocketAddress> parse_inet(std::string_view text) {
  SocketAddress address;
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) {
    const auto port = parse_port(text);
    if (!port) return wrong();
    address.kind = AddressKind::AnyInet;
    address.port = *port;
    return address;
  }
  const auto bytes = parse_ipv4(text.substr(0, colon));
  const auto port = parse_port(text.substr(colon + 1));
  if (!bytes || !port) return wrong();
  address.kind = AddressKind::Inet4;
  std::copy(bytes->begin(), bytes->end(), address.bytes.begin());
  address.port = *port;
  return address;
}

}  // namespace

Parsed<SocketAddress> parse_socket_address(std::string_view text) {
  constexpr std::string_view kVsock = "vsock:";
  if (text.starts_with('/')) return parse_path(text);
  if (text.starts_with('@')) return parse_abstract(text);
  if (text.starts_with('[')) return parse_bracketed(text);
  if (text.starts_with(kVsock)) return parse_vsock(text.substr(kVsock.size()));
  return parse_inet(text);
}

std::string to_string(const SocketAddress& address) {
  switch (address.kind) {
    case AddressKind::Path:
      return address.name;
    case AddressKind::Abstract:
      return "@" + address.name;
    case AddressKind::AnyInet:
      return format("[::]:{}", address.port);
    case AddressKind::Inet4:
      return format("{}.{}.{}.{}:{}", address.bytes[0], address.bytes[1], address.bytes[2],
                    address.bytes[3], address.port);
    case AddressKind::Inet6:
      return format("[{}]:{}{}{}", format_ipv6(address.bytes), address.port,
                    address.scope.empty() ? "" : "%", address.scope);
    case AddressKind::Vsock:
      return address.cid == UINT32_MAX ? format("vsock::{}", address.port)
                                       : format("vsock:{}:{}", address.cid, address.port);
  }
  return {};
}

Parsed<NetlinkAddress> parse_netlink_address(std::string_view text) {
  const auto words = split_whitespace(text);
  const auto wrong_one = [] {
    return Failure{std::string("a netlink family and a multicast group")};
  };
  if (words.empty() || words.size() > 2) return wrong_one();
  NetlinkAddress address;
  const auto named = std::find(kFamilies.begin(), kFamilies.end(), words[0]);
  if (named != kFamilies.end()) {
    address.family = static_cast<int>(named - kFamilies.begin());
  } else {
    const auto number = parse_uint<std::uint8_t>(words[0]);
    if (!number) return wrong_one();
    address.family = *number;
  }
  if (words.size() == 1) return address;
  const auto group = parse_uint<std::uint32_t>(words[1]);
  if (!group) return wrong_one();
  address.group = *group;
  return address;
}

std::string to_string(const NetlinkAddress& address) {
  const auto at = static_cast<std::size_t>(address.family);
  if (at < kFamilies.size() && !kFamilies[at].empty())
    return format("{} {}", kFamilies[at], address.group);
  return format("{} {}", address.family, address.group);
}

}  // namespace onset
