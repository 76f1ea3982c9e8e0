#pragma once
// Addresses of IPv4 and IPv6 as text and as bytes in the network's order.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace onset {

using Ipv4Bytes = std::array<std::uint8_t, 4>;
using Ipv6Bytes = std::array<std::uint8_t, 16>;

/// "127.0.0.1"; no number has a zero in front.
std::optional<Ipv4Bytes> parse_ipv4(std::string_view text);
/// RFC 4291, section 2.2: "::", "fe80::1", "::ffff:10.0.0.1".
std::optional<Ipv6Bytes> parse_ipv6(std::string_view text);
/// RFC 5952.
std::string format_ipv6(const Ipv6Bytes& bytes);

}  // namespace onset
