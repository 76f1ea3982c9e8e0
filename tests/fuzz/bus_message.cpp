// D-Bus messages as a bus may send them, and those that onset sends.
// Parsers: os/bus_message.cpp

#include "os/bus_message.h"
#include "base/format.h"
#include "fuzz/fuzz.h"

using namespace onset;
using namespace onset::fuzz;

namespace {

bool is_within(std::string_view part, std::string_view whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

void try_body(const BusMessage& message) {
  BusBody body(message);
  for (const char type : message.signature.substr(0, 64)) {
    bool is_read = false;
    if (type == 's' || type == 'o') is_read = body.string().has_value();
    if (type == 'u' || type == 'i') is_read = body.u32().has_value();
    if (type == 'g') is_read = body.signature().has_value();
    if (type == 'y') is_read = body.byte().has_value();
    if (type == 't') is_read = body.align(8);
    expect(body.position() <= message.body.size(), "nothing is read beyond the end");
    if (!is_read) break;
  }
  BusBody words(message.body, message.swapped);
  while (const auto word = words.string())
    expect(is_within(*word, message.body), "a word is inside");
}

/// Stream: messages one after another.
void try_stream(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto length = bus_message_length(bytes);
    if (!length || *length == 0) return;
    expect(*length <= kBusMessageLimit, "no message is beyond the limit");
    if (*length > bytes.size()) return;
    const std::string_view whole = bytes.substr(0, *length);
    expect(bus_message_length(whole) == length, "a message has one length");
    if (const auto message = parse_bus_message(whole)) {
      for (const auto part : {message->interface, message->member, message->error_name,
                              message->sender, message->signature, message->body}) {
        expect(is_within(part, whole), "what is told stands in the message");
      }
      try_body(*message);
    }
    bytes.remove_prefix(*length);
  }
}

void try_call(std::string_view text) {
  if (text.empty() || text.find('\0') != std::string_view::npos || text.size() > 4096) return;
  const bool has_argument = text.size() % 2 == 0;
  const std::string call =
      bus_call(7, "GetNameOwner", has_argument ? std::optional(text) : std::nullopt);
  expect(bus_message_length(call) == call.size(), "a call that is made is whole");
  const auto message = parse_bus_message(call);
  expect(message && message->type == BusMessageType::Call && message->serial == 7 &&
             message->member == "GetNameOwner" && message->interface == "org.freedesktop.DBus",
         "a call that is made is read as itself");
  BusBody body(*message);
  const auto argument = body.string();
  if (has_argument) expect(argument && *argument == text, "an argument is read as itself");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes = text_of(data, size);
  try_stream(bytes);
  (void)parse_bus_message(bytes);
  (void)bus_message_length(bytes);
  try_call(bytes);
  if (bus_name_is_valid(bytes)) {
    expect(bytes.size() <= 255 && bytes.find('.') != std::string_view::npos, "a name has parts");
  }
  return 0;
}
