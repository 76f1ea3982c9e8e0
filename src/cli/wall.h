#pragma once
// What users on the machine's terminals are told before it ends, wall(1): who is
// logged in where is read from utmp(5). In a container there is none, and nobody.

#include <string>
#include <string_view>
#include <vector>

#include "cli/command.h"

namespace onset {

inline constexpr std::string_view kUtmpFile = "/run/utmp";

/// "/dev/pts/0" of each session in the bytes of utmp, each once. What can be no
/// terminal's name is left out.
std::vector<std::string> session_terminals(std::string_view utmp);

/// As it is written to a terminal in raw mode too. `verb` is poweroff, reboot, halt or
/// empty: the message alone. `message` may be empty, and is hostile.
std::string wall_text(const CliContext& context, std::string_view verb, std::string_view message);

/// To every terminal; without waiting for one that does not read.
void send_wall(const CliContext& context, std::string_view verb, std::string_view message);

}  // namespace onset
