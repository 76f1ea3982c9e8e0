#pragma once
// What "status" shows, from the manager's replies alone: testable as text.

#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "cli/render.h"
#include "control/json.h"

namespace onset {

struct StatusLook {
  Palette palette;
  std::size_t width = 0;  ///< 0: nothing is cut
  WallTime now;
  std::string_view program;  ///< for hints
  TimeStyle time_style = TimeStyle::Pretty;
};

/// One unit: a reply of GetUnit's "unit".
std::string unit_status_text(const Json& unit, const StatusLook& look);
/// "├─1234 /usr/sbin/nginx", one line for each process of the unit. `indent` stands
/// before.
std::string process_tree(const Json& unit, std::string_view indent, const StatusLook& look);
/// LSB's exit status of a unit: 0 running, 3 not running, 4 no such unit.
int unit_status_code(const Json& unit);

/// What every command says whose unit's files are others now than those that were
/// read.
std::string changed_on_disk(std::string_view unit, std::string_view program, bool is_user);

/// The whole: the manager's properties, and a UnitStatus of each active unit. Those
/// with processes are shown in the tree of their slices.
std::string system_status_text(const Json& manager, std::string_view host, const Json& units,
                               const StatusLook& look);

}  // namespace onset
