#pragma once
// The commands poweroff, reboot, halt and shutdown, as far as they are not verbs:
// their own options, halt(8) and shutdown(8), become one of the verbs.

#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace onset {

struct PowerCall {
  std::string_view verb;  ///< "poweroff", "reboot", "halt"; empty: nothing to do
  bool force = false;
  bool help = false;
  bool version = false;
};

bool is_power_name(std::string_view program) noexcept;
/// `arguments[0]` is the program, without folders. The error is a line for people.
Result<PowerCall, std::string> parse_power(std::span<const std::string> arguments);
std::string power_help(std::string_view program);

}  // namespace onset
