#pragma once
// The state machine of a device: systemd.device(5). Pure; docs/states.md has its table.
//
//   dead ──plugged──→ plugged          a start waits for it, a stop for its end: nobody but the
//    │ └──in use──→ tentative          hardware moves it
//    └──────────────────┘
//
// A device is there when the kernel, or udev where it runs, says so (Plugged). What only the
// tables of mounts and swaps name (Used) is tentative: it is about to be told of. Once it has
// been plugged and is gone, what still uses it makes it no device.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "graph/job_type.h"

namespace onset {

enum class DevicePhase : std::uint8_t { Dead, Tentative, Plugged };
inline constexpr unsigned kDevicePhases = 3;
std::string_view to_string(DevicePhase p);  // "tentative"
ActiveState active_state(DevicePhase p);

enum class DeviceSource : std::uint8_t { Plugged, Used };

struct DeviceState {
  DevicePhase phase = DevicePhase::Dead;
  bool is_plugged = false;
  bool is_used = false;
};

struct DeviceChanged {
  DeviceSource by{};
  bool is_there = false;
};

/// Decides the next state. May be told again.
DeviceState step(const DeviceState& state, DeviceChanged event);

/// What is there of a device, by the name of one of its units.
struct DeviceNews {
  std::string unit;
  DeviceSource by{};
  bool is_there = false;
  bool loads = false;              ///< it gets a unit even if nothing has named it
  std::vector<std::string> wants;  ///< SYSTEMD_WANTS=: units to start with it
};

}  // namespace onset
