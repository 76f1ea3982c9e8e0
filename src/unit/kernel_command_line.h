#pragma once
// The kernel's command line, /proc/cmdline: what it asks of the manager. systemd(1), KERNEL
// COMMAND LINE, and kernel-command-line(7). In names "-" and "_" are the same; the last word
// about something counts.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"
#include "unit/manager_settings.h"

namespace onset {

struct KernelArgument {
  std::string name;  ///< with "_" for "-"
  std::optional<std::string> value;
  std::string text;  ///< as it was written, without quotes
};

/// Quotes group and go, backslashes stay. An open quote ends with the line.
std::vector<KernelArgument> split_kernel_command_line(std::string_view line);

struct KernelRequest {
  std::string unit;                       ///< empty: nothing was asked for
  std::vector<ManagerOverride> settings;  ///< of [Manager], in their order
  bool quiet = false;                     ///< no status lines, where nobody asks for them
  std::string log_target;                 ///< as written, empty: not given
  bool getty_auto = true;                 ///< logins on the consoles
  bool fstab = true;                      ///< fstab(5) counts
  bool swap = true;                       ///< its swaps too
  std::string hostname;
  std::string machine_id;
  std::optional<std::uint64_t> clock_us;   ///< since 1970
  std::vector<std::string> masks;          ///< units not to be started
  std::vector<std::string> wants;          ///< units to start as well
  std::optional<std::string> debug_shell;  ///< the terminal, below /dev; empty: the usual one
  Diagnostics diagnostics;                 ///< values that can't be taken, words not honoured yet
};

/// `ro` or `rw`, the last one.
std::optional<bool> root_is_to_be_writable(std::string_view command_line);

/// `in_initrd`: words that begin with "rd." count, and of what unit to start only those do.
KernelRequest read_kernel_command_line(std::string_view line, bool in_initrd);

}  // namespace onset
