#include "unit/ip_address.h"

#include <algorithm>

#include "base/format.h"
#include "base/text.h"

namespace onset {
namespace {

/// Groups of hexadecimal digits, at the end perhaps an IPv4 address, in 16-bit words.
struct Groups {
  Ipv6Bytes bytes{};
  std::size_t size = 0;

  bool add(std::string_view text, bool is_last) {
    if (is_last && text.find('.') != std::string_view::npos) {
      const auto v4 = parse_ipv4(text);
      if (!v4 || size > 12) return false;
      std::copy(v4->begin(), v4->end(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
      size += 4;
      return true;
    }
    const auto word = text.size() <= 4 ? parse_uint<std::uint16_t>(text, 16) : std::nullopt;
    if (!word || size > 14) return false;
    bytes[size++] = static_cast<std::uint8_t>(*word >> 8U);
    bytes[size++] = static_cast<std::uint8_t>(*word & 0xffU);
    return true;
  }
  /// All of them; `may_end_in_v4`: it is the end of the address.
  bool add_all(std::string_view text, bool may_end_in_v4) {
    if (text.empty()) return true;
    const auto parts = split(text, ':');
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (!add(parts[i], may_end_in_v4 && i + 1 == parts.size())) return false;
    }
    return true;
  }
};

}  // namespace

std::optional<Ipv4Bytes> parse_ipv4(std::string_view text) {
  const auto parts = split(text, '.');
  if (parts.size() != 4) return std::nullopt;
  std::array<std::uint8_t, 4> bytes{};
  for (std::size_t i = 0; i < 4; ++i) {
    const auto byte = parse_uint<std::uint8_t>(parts[i]);
    if (!byte || parts[i].size() > 3 || (parts[i].size() > 1 && parts[i][0] == '0'))
      return std::nullopt;
    bytes[i] = *byte;
  }
  return bytes;
}

std::optional<Ipv6Bytes> parse_ipv6(std::string_view text) {
  Groups head;
  const std::size_t gap = text.find("::");
  if (gap == std::string_view::npos) {
    if (!head.add_all(text, true) || head.size != 16) return std::nullopt;
    return head.bytes;
  }
  Groups tail;
  const std::string_view behind = text.substr(gap + 2);
  if (!head.add_all(text.substr(0, gap), false) || behind.starts_with(':') ||
      !tail.add_all(behind, true) || head.size + tail.size > 14) {
    return std::nullopt;
  }
  std::copy_n(tail.bytes.begin(), tail.size,
              head.bytes.end() - static_cast<std::ptrdiff_t>(tail.size));
  return head.bytes;
}

std::string format_ipv6(const Ipv6Bytes& bytes) {
  const auto word = [&](std::size_t i) {
    return static_cast<unsigned>(bytes[2 * i]) * 256U + bytes[2 * i + 1];
  };
  std::size_t gap = 8;
  std::size_t length = 1;  // one zero word alone stays
  for (std::size_t i = 0; i < 8; ++i) {
    std::size_t n = 0;
    while (i + n < 8 && word(i + n) == 0) ++n;
    if (n > length) {
      gap = i;
      length = n;
    }
  }
  std::string text;
  for (std::size_t i = 0; i < 8; ++i) {
    if (i == gap) {
      text += "::";
      i += length - 1;
      continue;
    }
    if (!text.empty() && !text.ends_with(':')) text += ':';
    text += format("{:x}", word(i));
  }
  return text;
}

}  // namespace onset
