#pragma once
// The addresses of [Socket], systemd.socket(5), ListenStream= and ListenNetlink=:
//
//   /run/a.sock   a path                    1234            a port of every address
//   @name         the abstract namespace    10.0.0.1:80     [fe80::1]:80   [fe80::1]:80%eth0
//   vsock:CID:PORT, vsock::PORT             "route 1361", "kobject-uevent 1"
//
// Text alone: whether there is such an interface or family, who opens the socket finds out.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "unit/values.h"

namespace onset {

enum class AddressKind : std::uint8_t {
  Path,
  Abstract,
  AnyInet,  ///< of IPv6 where the kernel has it, else of IPv4
  Inet4,
  Inet6,
  Vsock,
};

struct SocketAddress {
  AddressKind kind = AddressKind::Path;
  std::string name;                      ///< of Path and Abstract, there without the "@"
  std::array<std::uint8_t, 16> bytes{};  ///< of Inet4 the first four; in network order
  std::uint32_t port = 0;
  std::string scope;               ///< of Inet6: an interface, by name or number
  std::uint32_t cid = UINT32_MAX;  ///< of Vsock; UINT32_MAX: any
  bool operator==(const SocketAddress&) const = default;
};

/// 108 bytes of sockaddr_un, less the NUL at either end.
inline constexpr std::size_t kSocketNameMax = 107;

Parsed<SocketAddress> parse_socket_address(std::string_view text);
/// As `systemctl list-sockets` prints it: "[::]:1234" of a port alone.
std::string to_string(const SocketAddress& address);

struct NetlinkAddress {
  int family = 0;  ///< NETLINK_…
  std::uint32_t group = 0;
  bool operator==(const NetlinkAddress&) const = default;
};

/// A family's name or number, and a group (0 if there is none).
Parsed<NetlinkAddress> parse_netlink_address(std::string_view text);
std::string to_string(const NetlinkAddress& address);

}  // namespace onset
