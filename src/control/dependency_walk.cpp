#include "control/dependency_walk.h"

#include <initializer_list>

namespace onset {

namespace {

using enum DependencyKind;

DependencySet set_of(std::initializer_list<DependencyKind> kinds) {
  DependencySet set;
  for (DependencyKind k : kinds) set.add(k);
  return set;
}

/// What systemctl(1) follows under list-dependencies.
DependencySet kinds_of(WalkDirection direction) {
  switch (direction) {
    case WalkDirection::Requirements:
      return set_of({Requires, Requisite, Wants, ConsistsOf, BindsTo, Upholds});
    case WalkDirection::Reverse:
      return set_of({RequiredBy, RequisiteOf, WantedBy, PartOf, BoundBy, UpheldBy});
    case WalkDirection::After:
      return set_of({After});
    case WalkDirection::Before:
      return set_of({Before});
  }
  return {};
}

}  // namespace

DependencyWalk::DependencyWalk(UnitId root, WalkDirection direction, bool all)
    : queue_{root}, seen_(root.value + 1, false), kinds_(kinds_of(direction)), all_(all) {
  seen_[root.value] = true;
}

std::vector<DependencyEdge> DependencyWalk::next(const UnitGraph& graph, std::size_t count) {
  std::vector<DependencyEdge> edges;
  if (seen_.size() < graph.size()) seen_.resize(graph.size(), false);
  while (!queue_.empty() && edges.size() < count) {
    const UnitId from = queue_.front();
    queue_.pop_front();
    for (const Dependency& d : graph.dependencies(from)) {
      if (!d.kinds.any(kinds_)) continue;
      for (unsigned k = 0; k < kDependencyKinds; ++k) {
        const auto kind = static_cast<DependencyKind>(k);
        if (d.kinds.has(kind) && kinds_.has(kind)) edges.push_back({from, d.other, kind});
      }
      if (seen_[d.other.value]) continue;
      seen_[d.other.value] = true;
      if (all_ || graph.unit(d.other).type == UnitType::Target) queue_.push_back(d.other);
    }
  }
  return edges;
}

}  // namespace onset
