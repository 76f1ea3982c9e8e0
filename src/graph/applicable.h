#pragma once
// Which jobs a unit can have at all, by what it is.

#include "graph/job_type.h"
#include "graph/unit_graph.h"

namespace onset {

/// Units that are there as long as the manager is (systemd.special(7)): the root
/// slice and system.slice, the manager's own scope, the root mount. No job stops them.
bool is_perpetual(const Unit& unit);

/// Whether systemctl's CanReload is yes: a service with ExecReload= or
/// Type=notify-reload; any other unit that passes reloads on (PropagatesReloadTo=).
bool can_reload(const UnitGraph& graph, UnitId id);

/// Whether a unit can have a job of this type, whatever its state. The unit is
/// taken to be loaded.
bool is_applicable(const UnitGraph& graph, UnitId id, JobType type);

}  // namespace onset
