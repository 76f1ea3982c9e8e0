#pragma once
// Loads a unit and everything that it names, and links it: names → graph.

#include <functional>
#include <string_view>

#include "graph/unit_graph.h"
#include "unit/loader.h"

namespace onset {

/// Where units come from: the loader, or a test's table.
class UnitSource {
 public:
  virtual ~UnitSource() = default;
  virtual std::unique_ptr<Unit> load(std::string_view name, Diagnostics& diagnostics) = 0;
};

/// Makes sure that `name` and its closure are in the graph; returns its id (a
/// unit that can't be loaded is in the graph too, its load_state says why).
/// Grows the graph only: existing units keep their ids. Iterative.
UnitId ensure_loaded(UnitGraph& graph, UnitSource& source, std::string_view name,
                     bool user_manager, Diagnostics& diagnostics);

}  // namespace onset
