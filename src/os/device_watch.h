#pragma once
// What devices there are: listed once from sysfs (where udev runs, from its database), then told
// of by netlink messages, each about one device.
//
//   list() ─→ drain() … ─→ news() ─→ the engine ─→ forget_news()
//
// Where udev runs (/run/udev/control is there), it alone says what is ready, and which links
// lead to it. Where it does not, the kernel's word is enough: disks, network interfaces and
// terminals have units, any other node has one when it is asked for. A machine whose udev starts
// later begins without: what the kernel said holds until udev says otherwise.
//
// Messages that could not be held or taken (ENOBUFS, want of memory) mean: list again.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "engine/os.h"
#include "os/device_list.h"
#include "os/device_table.h"
#include "os/mount_table.h"
#include "unit/unit.h"

namespace onset {

class DeviceWatch {
 public:
  explicit DeviceWatch(DevicePlaces places = {});

  /// Listens, then lists. Where it can't listen, what was listed is all that is ever known.
  SysResult open();
  /// To be watched for EPOLLIN; invalid where there is none.
  [[nodiscard]] BorrowedFd fd() const { return fd_; }
  /// Takes messages, a batch at most, and lists again where some were lost. bad_alloc: is_behind().
  void drain();
  /// Messages were lost: drain() lists again.
  void lost() { is_stale_ = true; }
  /// One message and who has sent it: the kernel, or a process by its user.
  void take(std::string_view datagram, unsigned group, bool from_kernel);
  /// What is mounted and swapped to: the devices of it.
  void use(const std::vector<MountEntry>& mounts, const std::vector<std::string>& swaps);

  /// Something was lost, or not told yet.
  [[nodiscard]] bool is_behind() const { return is_stale_ || !table_.news().empty(); }
  [[nodiscard]] const std::vector<DeviceNews>& news() const { return table_.news(); }
  void forget_news() { table_.forget_news(); }

  [[nodiscard]] DeviceFound found(std::string_view unit) const;
  /// "/sys/devices/…"; empty: it is not there.
  [[nodiscard]] std::string syspath(std::string_view unit) const;
  /// What a device's unit has without a file: its description, and what it is to start.
  void describe(Unit& unit) const;

 private:
  void list();
  void take_kernel_event(Uevent event);
  void take_udev_event(Uevent event);
  [[nodiscard]] std::string syspath_without_units(std::string_view unit) const;

  DevicePlaces places_;
  UniqueFd fd_;
  std::string buffer_;
  DeviceTable table_;
  bool is_stale_ = false;
};

}  // namespace onset
