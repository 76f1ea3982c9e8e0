#pragma once
// When the units of a boot came up and how long that took, as the manager tells: read over the
// control socket, shown by time, blame, critical-chain and plot, systemd-analyze(1).

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "cli/render.h"
#include "control/json.h"

namespace onset {

/// One activation: the first way up and down that the manager remembers, on CLOCK_MONOTONIC.
struct UnitTimes {
  std::string name;
  MonoTime activating{0};  ///< 0: never; likewise those below
  MonoTime activated{0};
  MonoTime deactivating{0};
  MonoTime deactivated{0};
  std::vector<std::string> after;

  /// How long it took to be up, or, of what ends by itself, to be done.
  [[nodiscard]] Duration took() const;
};

/// The boot as a whole.
struct BootPhases {
  bool has_kernel = false;  ///< it began with the kernel's: not in a container, nor for a user
  MonoTime initrd{0};       ///< 0: there was none
  MonoTime userspace{0};
  MonoTime finish{0};  ///< 0: it has not ended
  std::string architecture;
  WallTime began;  ///< of userspace

  /// Where the axis begins.
  [[nodiscard]] MonoTime origin() const { return has_kernel ? MonoTime{0} : userspace; }
};

struct BootRecord {
  BootPhases marks;
  std::vector<UnitTimes> units;  ///< those that ever left the inactive state
};

BootPhases read_phases(const Json& manager_properties);
UnitTimes read_unit_times(const Json& unit_properties);

/// "Startup finished in 2.584s (kernel) + … = 1min 9.608s", and when the target was reached.
std::string time_text(const BootPhases& marks, std::string_view target, MonoTime reached);
/// The longest first.
std::string blame_text(const BootRecord& record);
/// The tree below one unit, itself included. What came up so much earlier than the last of its
/// siblings is left out.
std::string chain_text(const BootRecord& record, const std::string& unit, Duration fuzz,
                       const Palette& palette);
/// An SVG picture without anything from elsewhere, and without scripts.
std::string plot_text(const BootRecord& record, std::string_view title);

Json times_json(const BootPhases& marks, MonoTime reached);
Json units_json(const BootRecord& record);

}  // namespace onset
