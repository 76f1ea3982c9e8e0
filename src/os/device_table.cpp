#include "os/device_table.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace onset {

/// News come first: where memory runs out behind them, all is listed again, and what is told
/// again means nothing.
void DeviceTable::plug(KnownDevice device) {
  const auto known = devices_.find(device.syspath);
  const KnownDevice* before = known != devices_.end() ? &known->second : nullptr;
  for (const std::string& unit : device.units) {
    const bool is_first = unit == device.units.front();
    const auto owner = owners_.find(unit);
    const bool is_new = owner == owners_.end();
    const bool wants_more =
        is_first && !device.wants.empty() && (before == nullptr || before->wants != device.wants);
    if (is_new || wants_more) {
      news_.push_back({.unit = unit,
                       .by = DeviceSource::Plugged,
                       .is_there = true,
                       .loads = device.loads,
                       .wants = is_first ? device.wants : std::vector<std::string>{}});
    }
    if (is_new) {
      owners_.emplace(unit, device.syspath);
    } else if (owner->second != device.syspath) {
      owner->second = device.syspath;
    }
  }
  if (before != nullptr) {
    for (const std::string& unit : before->units) {
      if (std::ranges::find(device.units, unit) == device.units.end())
        drop_unit(unit, device.syspath);
    }
  }
  devices_.insert_or_assign(device.syspath, std::move(device));
}

void DeviceTable::drop_unit(const std::string& unit, std::string_view syspath) {
  const auto owner = owners_.find(unit);
  if (owner == owners_.end() || owner->second != syspath) return;
  tell({unit, DeviceSource::Plugged, false, false, {}});
  owners_.erase(owner);
}

void DeviceTable::unplug(std::string_view syspath) {
  const auto known = devices_.find(syspath);
  if (known == devices_.end()) return;
  for (const std::string& unit : known->second.units) drop_unit(unit, syspath);
  devices_.erase(known);
}

void DeviceTable::move(std::string_view from, KnownDevice device) {
  const bool has_moved = from != device.syspath;
  plug(std::move(device));
  if (has_moved) unplug(from);
}

void DeviceTable::use(std::vector<std::string> units) {
  const auto tell_all = [this](const std::vector<std::string>& of,
                               const std::vector<std::string>& not_of, bool is_there) {
    std::vector<std::string> found;
    std::ranges::set_difference(of, not_of, std::back_inserter(found));
    for (std::string& unit : found)
      tell({std::move(unit), DeviceSource::Used, is_there, is_there, {}});
  };
  tell_all(units, used_, true);
  tell_all(used_, units, false);
  used_ = std::move(units);
}

const KnownDevice* DeviceTable::find(std::string_view unit) const {
  const auto owner = owners_.find(unit);
  return owner != owners_.end() ? at(owner->second) : nullptr;
}

const KnownDevice* DeviceTable::at(std::string_view syspath) const {
  const auto known = devices_.find(syspath);
  return known != devices_.end() ? &known->second : nullptr;
}

bool DeviceTable::is_used(std::string_view unit) const {
  return std::ranges::binary_search(used_, unit);
}

}  // namespace onset
