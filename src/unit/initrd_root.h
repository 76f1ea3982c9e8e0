#pragma once
// The root that an initrd looks for: root=, rootfstype=, rootflags=, ro, rw of the kernel's
// command line, kernel-command-line(7). Pure.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace onset {

struct InitrdRoot {
  std::string device;  ///< as written: "/dev/vda1", "UUID=…", "LABEL=…"; empty: none is given
  std::string type;    ///< empty: to be found out
  unsigned long flags = 0;  ///< of mount(2), but for MS_RDONLY
  std::string options;      ///< of the file system, with commas; "x-…" are nobody's there
  bool writable = false;
  Duration timeout{};  ///< x-systemd.device-timeout= of rootflags=, or the usual one
};
InitrdRoot initrd_root(std::string_view command_line);

/// The link that udev makes for "UUID=…" and its kin; a path is itself. Empty: it is neither.
std::string device_path(std::string_view device);

/// What an ext2, ext3 or ext4 says of itself in its first superblock, of the kilobyte at 1024.
struct ExtIdentity {
  std::string uuid;
  std::string label;
};
std::optional<ExtIdentity> ext_identity(std::string_view superblock);
/// "UUID=…" or "LABEL=…" names it.
bool is_named(const ExtIdentity& identity, std::string_view device);

}  // namespace onset
