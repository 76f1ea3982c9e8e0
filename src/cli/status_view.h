#pragma once
// What "status" shows, from the manager's replies alone: testable as text.

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "cli/render.h"

namespace onset {

struct StatusLook {
  Palette palette;
  std::size_t width = 0;  ///< 0: nothing is cut
  WallTime now;
  std::string_view program;  ///< for hints
};

/// One unit: a reply of GetUnit's "unit".
std::string unit_status_text(const nlohmann::json& unit, const StatusLook& look);
/// LSB's exit status of a unit: 0 running, 3 not running, 4 no such unit.
int unit_status_code(const nlohmann::json& unit);

/// The whole: the manager's properties, and GetUnit's reply of each unit that
/// has processes or has failed.
std::string system_status_text(const nlohmann::json& manager, std::string_view host,
                               const std::vector<nlohmann::json>& units, std::int64_t since,
                               const StatusLook& look);

}  // namespace onset
