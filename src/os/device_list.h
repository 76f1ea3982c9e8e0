#pragma once
// The devices that sysfs has, or udev's database, and what of the kernel's own says that one is
// not to be used yet.

#include <string>
#include <string_view>
#include <vector>

#include "os/device_table.h"
#include "os/uevent.h"

namespace onset {

/// Where they lie; a test has its own. Paths that are told are those of a machine all the same.
struct DevicePlaces {
  std::string sys = "/sys";
  std::string dev = "/dev";
  std::string udev = "/run/udev";
  std::vector<std::string> rules = {"/etc/udev/rules.d", "/run/udev/rules.d",
                                    "/usr/lib/udev/rules.d", "/lib/udev/rules.d"};
};

[[nodiscard]] bool udev_runs(const DevicePlaces& places);
/// Of the kernel alone: disks, network interfaces, terminals.
std::vector<KnownDevice> list_kernel_devices(const DevicePlaces& places);
/// What udev has looked at, and what is ready of it.
std::vector<KnownDevice> list_udev_devices(const DevicePlaces& places);
/// What has units, by what udev says. Where it has none of systemd's rules (99-systemd.rules, in
/// Debian's package systemd), so that nothing is tagged, all that has them without udev.
[[nodiscard]] bool is_ready_with_udev(const DevicePlaces& places, const DeviceFacts& facts);

/// The kernel's word alone: a disk that has nothing behind it yet (a loop, a network block
/// device, an array) is not ready, as systemd's rules for udev have it.
[[nodiscard]] bool kernel_says_ready(const DevicePlaces& places, const DeviceFacts& facts);
/// With the names that the kernel alone gives.
KnownDevice kernel_device(const DevicePlaces& places, const DeviceFacts& facts);
/// With those of udev: of links only what leads to it.
KnownDevice udev_device(const DevicePlaces& places, const DeviceFacts& facts);

/// "/sys/devices/…" as a path of `places`.
std::string in_places(const DevicePlaces& places, std::string_view path);

}  // namespace onset
