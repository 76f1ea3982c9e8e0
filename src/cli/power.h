#pragma once
// The commands poweroff, reboot, halt and shutdown, as far as they are not verbs:
// their own options, halt(8) and shutdown(8), become one of the verbs.

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace onset {

struct PowerCall {
  std::string_view verb;          ///< "poweroff", "reboot", "halt"; empty: nothing to do
  std::optional<Duration> after;  ///< so much later; none: at once
  bool cancel = false;            ///< what was planned
  bool show = false;              ///< what is planned
  std::string argument;           ///< of a reboot, for the firmware
  unsigned force = 0;             ///< how often it was given
  bool no_wall = false;
  bool wall_only = false;  ///< the message, and nothing else
  std::string message;
  bool help = false;
  bool version = false;
};

bool is_power_name(std::string_view program) noexcept;
/// `arguments[0]` is the program, without folders. `now` is when it is called: a time of day is
/// the next one, in the local time zone. The error is a line for people.
Result<PowerCall, std::string> parse_power(std::span<const std::string> arguments, WallTime now);
std::string power_help(std::string_view program);

/// "telinit 6": the command that the runlevel stands for, verb in front; empty: help
/// is asked for. The error is a line for people.
bool is_telinit_name(std::string_view program) noexcept;
Result<std::vector<std::string>, std::string> parse_telinit(std::span<const std::string> arguments);
std::string telinit_help(std::string_view program);

}  // namespace onset
