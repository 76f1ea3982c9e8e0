#include "os/bus_message.h"

#include <cstring>

#include "base/text.h"

namespace onset {
namespace {

constexpr std::size_t kFixedHeader = 16;
constexpr std::string_view kBusName = "org.freedesktop.DBus";

enum Field : std::uint8_t {
  kPath = 1,
  kInterface = 2,
  kMember = 3,
  kErrorName = 4,
  kReplySerial = 5,
  kDestination = 6,
  kSender = 7,
  kSignature = 8,
};

constexpr std::size_t padded(std::size_t n, std::size_t to) {
  return (n + to - 1) / to * to;
}

void put_u32(std::string& out, std::uint32_t value) {
  for (unsigned shift = 0; shift < 32; shift += 8) out += static_cast<char>(value >> shift & 0xFFU);
}

void pad(std::string& out, std::size_t to) {
  out.resize(padded(out.size(), to));
}

void put_string(std::string& out, std::string_view text) {
  pad(out, 4);
  put_u32(out, static_cast<std::uint32_t>(text.size()));
  out += text;
  out += '\0';
}

void put_field(std::string& out, Field code, char type, std::string_view value) {
  pad(out, 8);
  out += static_cast<char>(code);
  out += '\1';
  out += type;
  out += '\0';
  if (type == 'g') {
    out += static_cast<char>(value.size());
    out += value;
    out += '\0';
  } else {
    put_string(out, value);
  }
}

std::optional<bool> byte_order(std::string_view bytes) {
  if (bytes[0] == 'l') return false;
  if (bytes[0] == 'B') return true;
  return std::nullopt;
}

/// One header field's value into its place. False: malformed.
bool take_field(BusBody& header, std::uint8_t code, std::string_view type, BusMessage& message) {
  if (type == "u") {
    const auto value = header.u32();
    if (value && code == kReplySerial) message.reply_to = *value;
    return value.has_value();
  }
  if (type != "s" && type != "o" && type != "g") return false;
  const auto value = type == "g" ? header.signature() : header.string();
  if (!value) return false;
  if (code == kInterface) message.interface = *value;
  if (code == kMember) message.member = *value;
  if (code == kErrorName) message.error_name = *value;
  if (code == kSender) message.sender = *value;
  if (code == kSignature) message.signature = *value;
  return true;
}

}  // namespace

std::optional<std::uint8_t> BusBody::byte() {
  if (at_ >= bytes_.size()) return std::nullopt;
  return static_cast<std::uint8_t>(bytes_[at_++]);
}

bool BusBody::align(std::size_t to) {
  const std::size_t next = padded(at_, to);
  if (next > bytes_.size()) return false;
  at_ = next;
  return true;
}

std::optional<std::uint32_t> BusBody::u32() {
  if (!align(4) || bytes_.size() - at_ < 4) return std::nullopt;
  std::uint32_t value = 0;
  for (unsigned i = 0; i < 4; ++i) {
    const auto byte = static_cast<std::uint8_t>(bytes_[at_ + (swapped_ ? i : 3 - i)]);
    value = value << 8U | byte;
  }
  at_ += 4;
  return value;
}

std::optional<std::string_view> BusBody::string() {
  const auto length = u32();
  // The NUL behind it counts too.
  if (!length || *length >= bytes_.size() - at_) return std::nullopt;
  const auto text = bytes_.substr(at_, *length);
  at_ += *length;
  if (bytes_[at_++] != '\0' || text.find('\0') != std::string_view::npos) return std::nullopt;
  return text;
}

std::optional<std::string_view> BusBody::signature() {
  const auto length = byte();
  if (!length || *length >= bytes_.size() - at_) return std::nullopt;
  const auto text = bytes_.substr(at_, *length);
  at_ += *length;
  if (bytes_[at_++] != '\0') return std::nullopt;
  return text;
}

std::optional<std::size_t> bus_message_length(std::string_view bytes) {
  if (bytes.empty()) return 0;
  const auto swapped = byte_order(bytes);
  if (!swapped) return std::nullopt;
  if (bytes.size() < kFixedHeader) return 0;
  BusBody header(bytes.substr(4), *swapped);
  const std::size_t body = header.u32().value_or(0);
  (void)header.u32();  // the serial
  const std::size_t fields = header.u32().value_or(0);
  if (body > kBusMessageLimit || fields > kBusMessageLimit) return std::nullopt;
  const std::size_t length = kFixedHeader + padded(fields, 8) + body;
  if (length > kBusMessageLimit) return std::nullopt;
  return length;
}

std::optional<BusMessage> parse_bus_message(std::string_view bytes) {
  const auto length = bus_message_length(bytes);
  if (!length || *length == 0 || *length != bytes.size()) return std::nullopt;
  if (bytes[3] != 1) return std::nullopt;  // the protocol's version
  BusMessage message;
  message.swapped = bytes[0] == 'B';
  const auto type = static_cast<std::uint8_t>(bytes[1]);
  if (type == 0 || type > 4) return std::nullopt;
  message.type = static_cast<BusMessageType>(type);

  BusBody fixed(bytes.substr(0, kFixedHeader).substr(4), message.swapped);
  const std::size_t body = fixed.u32().value_or(0);
  message.serial = fixed.u32().value_or(0);
  const std::size_t fields = fixed.u32().value_or(0);
  message.body = bytes.substr(bytes.size() - body);

  // Alignment counts from the start of the message, and 16 is a multiple of 8.
  BusBody header(bytes.substr(kFixedHeader, fields), message.swapped);
  while (header.position() < fields) {
    if (!header.align(8)) return std::nullopt;
    const auto code = header.byte();
    const auto kind = header.signature();
    if (!code || !kind || !take_field(header, *code, *kind, message)) return std::nullopt;
  }
  return message;
}

std::string bus_call(std::uint32_t serial, std::string_view member,
                     std::optional<std::string_view> argument) {
  std::string body;
  if (argument) put_string(body, *argument);
  std::string fields;
  put_field(fields, kPath, 'o', "/org/freedesktop/DBus");
  put_field(fields, kInterface, 's', kBusName);
  put_field(fields, kMember, 's', member);
  put_field(fields, kDestination, 's', kBusName);
  if (argument) put_field(fields, kSignature, 'g', "s");

  std::string message;
  message += 'l';
  message += static_cast<char>(BusMessageType::Call);
  message += '\2';  // NO_AUTO_START: asking must not start anything
  message += '\1';
  put_u32(message, static_cast<std::uint32_t>(body.size()));
  put_u32(message, serial);
  put_u32(message, static_cast<std::uint32_t>(fields.size()));
  message += fields;
  pad(message, 8);
  message += body;
  return message;
}

bool bus_name_is_valid(std::string_view name) {
  if (name.empty() || name.size() > 255) return false;
  unsigned parts = 0;
  for (const auto part : split(name, '.')) {
    if (part.empty() || is_digit(part.front())) return false;
    for (const char c : part) {
      if (!is_alpha(c) && !is_digit(c) && c != '_' && c != '-') return false;
    }
    ++parts;
  }
  return parts >= 2;
}

}  // namespace onset
