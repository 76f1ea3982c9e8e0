#pragma once
// The bytes of D-Bus messages (D-Bus specification, "Marshaling" and "Message
// Format"), as far as asking the bus about names needs them. Pure: bounds are
// checked everywhere, since what comes in may be anything.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace onset {

enum class BusMessageType : std::uint8_t {
  Invalid = 0,
  Call = 1,
  Return = 2,
  Error = 3,
  Signal = 4
};

/// What of a message matters here. The views point into it.
struct BusMessage {
  BusMessageType type = BusMessageType::Invalid;
  std::uint32_t serial = 0;
  std::uint32_t reply_to = 0;
  std::string_view interface;
  std::string_view member;
  std::string_view error_name;
  std::string_view sender;
  std::string_view signature;
  std::string_view body;
  bool swapped = false;  ///< the sender's byte order is not little-endian
};

inline constexpr std::size_t kBusMessageLimit = 1U << 20U;

/// Length of the message that `bytes` begins with: 0 if that takes more bytes
/// to tell; none if this is no message, or one beyond the limit.
std::optional<std::size_t> bus_message_length(std::string_view bytes);
/// A whole message; none if it is malformed.
std::optional<BusMessage> parse_bus_message(std::string_view bytes);

/// A call to org.freedesktop.DBus with no argument or one string.
std::string bus_call(std::uint32_t serial, std::string_view member,
                     std::optional<std::string_view> argument);

/// Reads the values of a body in turn; a failed read is none, for good.
class BusBody {
 public:
  explicit BusBody(const BusMessage& message) : bytes_(message.body), swapped_(message.swapped) {}
  BusBody(std::string_view bytes, bool swapped) : bytes_(bytes), swapped_(swapped) {}

  std::optional<std::uint32_t> u32();
  std::optional<std::string_view> string();
  /// With a length of one byte: a signature.
  std::optional<std::string_view> signature();
  std::optional<std::uint8_t> byte();
  bool align(std::size_t to);
  [[nodiscard]] std::size_t position() const { return at_; }

 private:
  std::string_view bytes_;
  bool swapped_ = false;
  std::size_t at_ = 0;
};

/// [A-Za-z_-] parts with digits, two or more, at most 255 bytes: a well-known name.
bool bus_name_is_valid(std::string_view name);

}  // namespace onset
