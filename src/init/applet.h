#pragma once
// Which of onset's programs a call asks for (design, section 2).

#include <string_view>

namespace onset {

enum class Applet { Entrypoint, Manager, Machine, CommandLine, Mount };

/// `argv0` is the name it is called by, `first` and `second` its arguments (empty: none).
/// PID 1 is the manager whatever its name is, unless it is given a command, or asked
/// for its help or version.
Applet applet_of(std::string_view argv0, std::string_view first, std::string_view second,
                 bool is_pid1, bool is_entrypoint);

}  // namespace onset
