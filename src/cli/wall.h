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

/// "power off" of "poweroff"; others are words for people already.
std::string_view verb_phrase(std::string_view verb);

struct WallSender {
  std::string user;
  std::string host;
  WallTime now;
};
/// As it is written to a terminal in raw mode too. `sentence` says what happens; empty: the
/// message alone. `message` may be empty, and is hostile.
std::string wall_text(const WallSender& sender, std::string_view message,
                      std::string_view sentence);

/// To every terminal; without waiting for one that does not read. `verb` is poweroff, reboot,
/// halt, kexec, soft-reboot or empty: the message alone.
void send_wall(const CliContext& context, std::string_view verb, std::string_view message);

}  // namespace onset
