#pragma once
// The dependencies that a unit has without saying so: implicit ones of its type
// and, with DefaultDependencies=yes, default ones (systemd.unit(5),
// systemd.service(5), systemd.target(5), systemd.exec(5), …).

#include "graph/unit_graph.h"
#include "unit/unit.h"

namespace onset {

/// Appends to unit.config.dependencies, marked implicit, and paths to
/// unit.config.requires_mounts_for. Reads only the unit.
void add_implicit_dependencies(Unit& unit, bool user_manager);

/// Target units with DefaultDependencies=yes are ordered after what they want or
/// require, unless either side has the opposite order or switched defaults off.
/// Works on the graph, once both ends are loaded.
void add_target_ordering(UnitGraph& graph, UnitId target);

}  // namespace onset
