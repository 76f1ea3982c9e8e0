#pragma once
// The table of file systems, fstab(5), line by line. Pure: any bytes are survived, a line that
// makes no sense is said and left out.

#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"

namespace onset {

struct FstabEntry {
  std::string what;
  std::string where;    ///< a path without doubled slashes; of swap anything
  std::string type;     ///< "auto": to be found out
  std::string options;  ///< with commas; "defaults": none
  int pass = 0;         ///< 0: not checked
  unsigned line = 0;
};

/// `file` is what the diagnostics are about. Fields hold what can stand in a line of a unit file:
/// no control characters, no bad UTF-8.
std::vector<FstabEntry> parse_fstab(std::string_view text, std::string_view file,
                                    Diagnostics& diagnostics);

/// About what is mounted before the first unit runs, and only remounted: "/", "/usr" and the
/// kernel's own file systems.
bool is_early(const FstabEntry& entry);
/// Mounted by the initrd already, below its /sysroot: /usr, and what has x-initrd.mount.
bool is_for_initrd(const FstabEntry& entry);
/// The early ones, and nothing said about the others.
std::vector<FstabEntry> early_entries(std::string_view fstab);

}  // namespace onset
