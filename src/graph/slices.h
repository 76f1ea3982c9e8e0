#pragma once
// Which slices a unit lies in, and how many units lie in one: systemd.slice(5).

#include <vector>

#include "graph/unit_graph.h"

namespace onset {

/// The slice that the unit lies in directly; not valid: none, or it is not loaded.
UnitId slice_of(const UnitGraph& graph, UnitId id);

/// Calls `visit` for each unit in the slice and in those below it, other slices too.
template <class Visit>
void for_each_in_slice(const UnitGraph& graph, UnitId slice, Visit visit) {
  std::vector<UnitId> slices{slice};
  while (!slices.empty()) {
    const UnitId at = slices.back();
    slices.pop_back();
    for (const Dependency& d : graph.dependencies(at)) {
      if (!d.kinds.has(DependencyKind::SliceOf)) continue;
      visit(d.other);
      if (graph.unit(d.other).type == UnitType::Slice) slices.push_back(d.other);
    }
  }
}

}  // namespace onset
