#pragma once
// The line of fstab(5) about the root, and what becomes of a root that is mounted read-only:
// systemd-remount-fs.service(8). Pure.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace onset {

/// The lines of fstab that are about what is mounted before PID 1 runs: "/", "/usr" and the
/// kernel's own file systems.
struct EarlyEntry {
  std::string where;
  std::string type;
  std::string options;  ///< with commas; "defaults": none
  unsigned pass = 0;    ///< 0: not checked
};
std::vector<EarlyEntry> early_entries(std::string_view fstab);

/// The others that a boot should mount, without "noauto": where, or of swap what.
std::vector<std::string> later_entries(std::string_view fstab);

/// `ro` or `rw` of the kernel's command line, the last one.
std::optional<bool> root_is_to_be_writable(std::string_view command_line);

}  // namespace onset
