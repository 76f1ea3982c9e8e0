#pragma once
// Who asks for a name and a password where: systemd-getty-generator(8). Pure: what the kernel's
// consoles are is given, and whether something is behind them asked.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace onset {

/// The units that getty.target should want. `active` is the text of
/// /sys/class/tty/console/active; `is_terminal` says whether /dev/NAME is one, as a serial port
/// may be listed that the machine has not. All screens have one login together, getty@tty1.
std::vector<std::string> gettys_of_consoles(
    std::string_view active, const std::function<bool(std::string_view)>& is_terminal);

}  // namespace onset
