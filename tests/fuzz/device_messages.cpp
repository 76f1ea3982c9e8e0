// What is said of devices: a message of the kernel, one of udev, a file `uevent` of sysfs, an entry
// of udev's database. One text is given to all; what is said is plugged into the table.
// Parsers: os/uevent.cpp os/device_table.cpp

#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "fuzz/fuzz.h"
#include "os/device_table.h"
#include "os/uevent.h"
#include "unit/name.h"

using namespace onset;
using namespace onset::fuzz;

namespace {

bool is_below(const std::string& path, std::string_view folder) {
  return path.starts_with(folder) && path_is_normalized(path);
}

void expect_safe(const DeviceFacts& facts) {
  expect(facts.syspath.empty() || is_below(facts.syspath, "/sys/"), "a syspath is in sysfs");
  expect(facts.node.empty() || is_below(facts.node, "/dev/"), "a node is in /dev");
  for (const std::string& link : facts.links)
    expect(is_below(link, "/dev/"), "a link is in /dev", link);
  for (const std::string& unit : device_units(facts, facts.links)) {
    expect(unit_type_of(unit) == UnitType::Device, "a device's name is one", unit);
    const auto path = unit_unescape_path(without_suffix(unit));
    expect(path && path_is_normalized(*path), "a device's name is a path", unit);
  }
  for (const std::string& unit : wanted_units(facts))
    expect(unit_name_is_valid(unit) && !is_template(unit), "what it wants is a unit", unit);
  const std::string description = device_description(facts, "/dev/x");
  expect(std::ranges::none_of(description, is_control), "a description is one line", description);
}

void try_table(DeviceTable& table, const DeviceFacts& facts, bool is_there) {
  KnownDevice device;
  device.syspath = facts.syspath;
  device.units = device_units(facts, facts.links);
  device.wants = wanted_units(facts);
  const std::vector<std::string> units = device.units;
  if (is_there) {
    table.plug(std::move(device));
    for (const std::string& unit : units)
      expect(table.find(unit) != nullptr, "what is plugged is found", unit);
  } else {
    table.unplug(facts.syspath);
    expect(table.at(facts.syspath) == nullptr, "what is unplugged is gone");
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = text_of(data, size);
  DeviceTable table;
  for (const auto& event : {parse_kernel_uevent(text), parse_udev_message(text)}) {
    if (!event) continue;
    expect(!event->facts.syspath.empty() && !event->facts.subsystem.empty(), "it is of a device");
    expect_safe(event->facts);
    try_table(table, event->facts, event->action != Uevent::Action::Remove);
  }
  DeviceFacts of_sysfs;
  read_sysfs_uevent(text, of_sysfs);
  expect_safe(of_sysfs);
  DeviceFacts of_udev;
  of_udev.syspath = "/sys/devices/x";
  read_udev_data(text, of_udev);
  expect_safe(of_udev);
  try_table(table, of_udev, true);
  (void)udev_says_ready(of_udev);
  (void)has_units_without_tags(of_udev);
  return 0;
}
