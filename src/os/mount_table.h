#pragma once
// /proc/self/mountinfo and /proc/swaps as text, proc(5), and what a machine that ends makes of
// them: what is unmounted, what stays until the kernel ends, what has to be read-only by then.
// Pure: any bytes are survived, a line that makes no sense is left out.

#include <string>
#include <string_view>
#include <vector>

namespace onset {

struct MountEntry {
  std::string path;  ///< unescaped
  std::string type;
  std::string source;
  bool read_only = false;  ///< the file system, not only this view of it
  std::string options;     ///< of the mount, then of the file system
};

/// In the order of the file, that of mounting.
std::vector<MountEntry> parse_mount_table(std::string_view mountinfo);
/// By path, one a path: of mounts on one another the last, which is the one to be seen.
std::vector<MountEntry> visible_mounts(std::vector<MountEntry> mounts);
/// Of the swaps that are on: files and devices.
std::vector<std::string> parse_swap_table(std::string_view swaps);

/// Stays mounted: the root, what the kernel's own file systems are seen in, and what a
/// shutdown still runs from.
bool stays_mounted(const MountEntry& mount);
/// Has something to lose: it is on a device, and may be written to.
bool wants_read_only(const MountEntry& mount);

}  // namespace onset
