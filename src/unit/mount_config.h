#pragma once
// The [Mount], [Swap] and [Automount] sections: systemd.mount(5), systemd.swap(5),
// systemd.automount(5). Immutable once loaded.

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace onset {

struct MountConfig {
  std::string what;
  std::string where;    ///< after the loader: never empty, the name says it
  std::string type;     ///< empty: mount(8) finds out
  std::string options;  ///< as in fstab(5)
  mode_t directory_mode = 0755;
  bool sloppy_options = false;
  bool lazy_unmount = false;
  bool force_unmount = false;
  bool read_write_only = false;
  std::optional<Duration> timeout;  ///< unset: the manager's default for starts
  /// The device that it waits for, "/dev/…"; empty: none. Of What=, by the loader.
  std::string device;
  /// No file has it: it was there, and its settings are those of /proc/self/mountinfo.
  bool is_found = false;
};

struct SwapConfig {
  std::string what;
  std::optional<int> priority;
  std::string options;
  std::optional<Duration> timeout;
  std::string device;     ///< as of mounts
  bool is_found = false;  ///< of /proc/swaps
};

struct AutomountConfig {
  std::string where;
  std::string extra_options;
  mode_t directory_mode = 0755;
  Duration timeout_idle{0};  ///< 0: it stays mounted
};

/// Whether the comma-joined options have this one, "name" or "name=VALUE".
bool has_mount_option(std::string_view options, std::string_view name);
/// Its value; empty of one without; none if it isn't there. The last one counts.
std::optional<std::string> mount_option(std::string_view options, std::string_view name);

/// Whether it is a bind mount: "bind" or "rbind" in the options, or as the type.
bool is_bind_mount(const MountConfig& mount);
/// Whether it wants the network: _netdev, or a type that is of the network.
bool is_network_mount(const MountConfig& mount);
/// "nofail", unless "fail" comes after it.
bool may_fail(const MountConfig& mount);
/// The path whose own mounts come first: a local source, from a unit file. Empty: none.
std::string_view mount_source_path(const MountConfig& mount);
/// The node of its device, also of "UUID=…"; empty: it has none, or is the root, which is there.
std::string mount_device(const MountConfig& mount);
/// What What= of a swap names, if that is a device.
std::string swap_device(const SwapConfig& swap);
/// A node that the kernel makes by itself. Links ("/dev/disk/by-uuid/…") are udev's.
bool is_kernel_node(std::string_view path);
/// A file system that PID 1 mounts itself, whatever unit files say: /proc, /sys, /dev, /run, …
bool is_api_mount_point(std::string_view where);
/// Mount points that no shutdown unmounts in order: "/", /usr, /etc, /run, what lies below
/// /proc, /sys and /dev, and what an initramfs has left for the end.
bool stays_mounted(std::string_view where);

}  // namespace onset
