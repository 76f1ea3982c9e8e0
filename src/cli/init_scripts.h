#pragma once
// enable, disable and is-enabled of init scripts: by the links of /etc/rc?.d, which update-rc.d(8)
// makes, as Debian's systemd-sysv-install has it.

#include <string>
#include <string_view>

#include "cli/command.h"
#include "unit/install.h"

namespace onset {

/// `unit` has a script in /etc/init.d.
bool has_init_script(const Command& command, std::string_view unit);
/// Of the unit's file: it is there, and is not what a generator has made of the script.
bool is_native(UnitFileState state) noexcept;

/// An S link in rcS.d or rc5.d.
bool is_script_enabled(const Command& command, std::string_view unit);
/// "enable", "disable"; says what it runs. The exit status.
int change_script(const Command& command, std::string_view unit, bool is_native);

}  // namespace onset
