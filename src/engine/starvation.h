#pragma once
// Which units starve: readings of their pressure, judged. One that has begun to starve ends it
// below half of where it began, so that it is not told again and again.

#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "unit/pressure.h"

namespace onset {

/// The shares, by Scarce; what can't be told is 0.
using PressureReading = std::array<unsigned, kAllScarce.size()>;

struct StarvationChange {
  std::string unit;
  Scarce what{};
  unsigned share = 0;
  bool begins = false;
};

class Starvation {
 public:
  /// All units that have processes now, and what they read. A unit that is no longer among them
  /// does not starve, which is no change to tell.
  std::vector<StarvationChange> judge(const std::map<std::string, PressureReading>& readings);

  [[nodiscard]] bool any() const { return !starving_.empty(); }
  /// The share that was read last; nothing if it does not starve for that.
  [[nodiscard]] std::optional<unsigned> share(std::string_view unit, Scarce what) const;

 private:
  /// By unit; 0: not for this.
  std::map<std::string, PressureReading, std::less<>> starving_;
};

}  // namespace onset
