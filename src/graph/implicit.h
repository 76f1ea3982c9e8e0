#pragma once
// The dependencies that a unit has without saying so: implicit ones of its type
// and, with DefaultDependencies=yes, default ones (systemd.unit(5),
// systemd.service(5), systemd.target(5), systemd.exec(5), …).

#include <vector>

#include "graph/unit_graph.h"
#include "unit/unit.h"

namespace onset {

/// Of a unit that is loaded, marked implicit. Reads only the unit. Asked for when
/// the unit is linked, so that they are not kept for all units at once.
std::vector<NamedDependency> implicit_dependencies(const Unit& unit, bool user_manager);

/// Appends the paths that its settings name to unit.config.requires_mounts_for.
void add_implicit_mounts(Unit& unit, bool user_manager);

/// Target units with DefaultDependencies=yes are ordered after what they want or
/// require, unless either side has the opposite order or switched defaults off.
/// Works on the graph, once both ends are loaded.
void add_target_ordering(UnitGraph& graph, UnitId target);

}  // namespace onset
