#pragma once
// What is said of a device, by the kernel (a netlink message of group 1, a file `uevent` of
// sysfs), by udev (a message of group 2, a file of /run/udev/data), and the units that follow
// from it: systemd.device(5). Pure; none of the texts is trusted.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace onset {

struct DeviceNumber {
  unsigned major = 0;
  unsigned minor = 0;
  bool operator==(const DeviceNumber&) const = default;
};

/// What of a device makes its units. Paths are absolute, without "..".
struct DeviceFacts {
  std::string syspath;               ///< "/sys/devices/pci0000:00/…/block/sda"
  std::string subsystem;             ///< "block", "net", "tty", …
  std::string node;                  ///< "/dev/sda"; empty: it has none
  std::string interface;             ///< of a network interface, its name
  std::optional<unsigned> index;     ///< and its number
  std::string model;                 ///< what it is, for people
  std::string label;                 ///< of what is on it
  std::vector<std::string> links;    ///< to its node, below /dev
  std::vector<std::string> aliases;  ///< SYSTEMD_ALIAS=: further paths
  std::vector<std::string> wants;    ///< SYSTEMD_WANTS=, as it is written
  std::optional<DeviceNumber> number;
  bool is_tagged = false;         ///< udev has tagged it "systemd", and holds to it
  bool is_held_back = false;      ///< SYSTEMD_READY=0, or about to be renamed, or udev failed on it
  bool has_user_wants = false;    ///< SYSTEMD_USER_WANTS=
  bool has_current_tags = false;  ///< udev says which of its tags hold
};

/// A message of the kernel or of udev.
struct Uevent {
  enum class Action : std::uint8_t {
    Add,
    Remove,
    Change,
    Move,
    Other,  ///< online, offline, bind, unbind and what is yet to be invented
  };
  Action action = Action::Other;
  std::string moved_from;  ///< of Move: the syspath that it had
  DeviceFacts facts;
};

/// A datagram of the kernel: "add@/devices/…", then KEY=VALUE, each ended by NUL. None: it is
/// not whole, or says nothing of a device.
std::optional<Uevent> parse_kernel_uevent(std::string_view datagram);
/// A datagram of udev: a header with its magic, sizes and filters, then KEY=VALUE.
std::optional<Uevent> parse_udev_message(std::string_view datagram);
/// The lines of a file `uevent` in sysfs, added to what is known.
void read_sysfs_uevent(std::string_view text, DeviceFacts& facts);
/// The lines of a file of udev's database, added to what is known: "S:" a link, "E:" KEY=VALUE,
/// "G:" a tag, "Q:" one that holds.
void read_udev_data(std::string_view text, DeviceFacts& facts);

/// With udev and systemd's rules for it: whether it has units.
bool udev_says_ready(const DeviceFacts& facts);
/// Without these rules: whether it gets units before anybody asks. Disks, network interfaces,
/// terminals that are no virtual ones.
bool has_units_without_tags(const DeviceFacts& facts);
/// "/sys/subsystem/net/devices/eth0": the name of an interface that stays when its bus changes.
std::string interface_alias(std::string_view interface);
/// The names of its units, that of the syspath first; each once. What is too long for a unit's
/// name has none. `links`: those that lead to it.
std::vector<std::string> device_units(const DeviceFacts& facts,
                                      const std::vector<std::string>& links);
/// The names of the units of SYSTEMD_WANTS=: a template gets the syspath as its instance.
std::vector<std::string> wanted_units(const DeviceFacts& facts);
/// For people: "QEMU_HARDDISK data", or the path.
std::string device_description(const DeviceFacts& facts, std::string_view path);

}  // namespace onset
