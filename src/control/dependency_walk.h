#pragma once
// list-dependencies: a walk over the graph from one unit, breadth first, each
// unit once, in pieces. Pure.

#include <algorithm>
#include <deque>
#include <optional>
#include <vector>

#include "graph/unit_graph.h"

namespace onset {

enum class WalkDirection : std::uint8_t { Requirements, Reverse, After, Before };

struct DependencyEdge {
  UnitId from;
  UnitId to;
  DependencyKind kind{};
};

class DependencyWalk {
 public:
  /// `all`: also below units that are not targets.
  DependencyWalk(UnitId root, WalkDirection direction, bool all);

  /// The next edges, at least `count` unless the walk ends. The graph may have
  /// grown or been reloaded since the last piece.
  std::vector<DependencyEdge> next(const UnitGraph& graph, std::size_t count);
  [[nodiscard]] bool done() const { return queue_.empty(); }
  /// Still to be walked from.
  [[nodiscard]] bool holds(UnitId id) const {
    return std::find(queue_.begin(), queue_.end(), id) != queue_.end();
  }

 private:
  std::deque<UnitId> queue_;
  std::vector<bool> seen_;
  DependencySet kinds_;
  bool all_;
};

}  // namespace onset
