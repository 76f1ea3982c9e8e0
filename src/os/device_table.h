#pragma once
// The devices that are there, by the units that they have, and what of that is news. Pure.

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/device.h"

namespace onset {

struct KnownDevice {
  std::string syspath;
  std::vector<std::string> units;  ///< names, that of the syspath first
  std::vector<std::string> wants;  ///< units that the first is to start
  std::string description;         ///< empty: its path says what it is
  bool loads = true;               ///< false: its units are there once somebody names them
  bool is_kernels = false;         ///< udev has not spoken of it
};

class DeviceTable {
 public:
  /// It has come, or is another one than it was. A name that another device had is its own from
  /// now on.
  void plug(KnownDevice device);
  void unplug(std::string_view syspath);
  /// It has another place: by its units it is there all the time.
  void move(std::string_view from, KnownDevice device);
  /// What is there in all. What is not in it is gone, but for what `stays` of the rest.
  template <class Stays>
  void replace(std::vector<KnownDevice> devices, Stays stays);
  /// Units of devices that the kernel's tables of mounts and swaps name, sorted.
  void use(std::vector<std::string> units);

  /// The device that has the unit; null: none has.
  [[nodiscard]] const KnownDevice* find(std::string_view unit) const;
  [[nodiscard]] const KnownDevice* at(std::string_view syspath) const;
  [[nodiscard]] bool is_used(std::string_view unit) const;

  [[nodiscard]] const std::vector<DeviceNews>& news() const { return news_; }
  void forget_news() { news_.clear(); }
  void tell(DeviceNews news) { news_.push_back(std::move(news)); }

 private:
  void drop_unit(const std::string& unit, std::string_view syspath);

  std::map<std::string, KnownDevice, std::less<>> devices_;  ///< by syspath
  std::map<std::string, std::string, std::less<>> owners_;   ///< unit → syspath
  std::vector<std::string> used_;
  std::vector<DeviceNews> news_;
};

/// What is new comes before what is gone, so that a name that changes its device stays.
template <class Stays>
void DeviceTable::replace(std::vector<KnownDevice> devices, Stays stays) {
  std::ranges::sort(devices, {}, &KnownDevice::syspath);
  std::vector<std::string> gone;
  for (const auto& [syspath, device] : devices_) {
    const auto at = std::ranges::lower_bound(devices, syspath, {}, &KnownDevice::syspath);
    const bool is_listed = at != devices.end() && at->syspath == syspath;
    if (!is_listed && !stays(device)) gone.push_back(syspath);
  }
  for (KnownDevice& device : devices) plug(std::move(device));
  for (const std::string& syspath : gone) unplug(syspath);
}

}  // namespace onset
