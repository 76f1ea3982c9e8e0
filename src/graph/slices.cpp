#include "graph/slices.h"

namespace onset {

UnitId slice_of(const UnitGraph& graph, UnitId id) {
  const Unit& unit = graph.unit(id);
  if (unit.cgroup == nullptr || unit.cgroup->slice.empty()) return {};
  const UnitId slice = graph.find(unit.cgroup->slice);
  return slice == id ? UnitId{} : slice;
}

}  // namespace onset
