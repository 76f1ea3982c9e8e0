#pragma once
// Loads a unit and everything that it names, and links it: names → graph.

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "graph/unit_graph.h"
#include "unit/loader.h"

namespace onset {

/// Where units come from: the loader, or a test's table.
class UnitSource {
 public:
  virtual ~UnitSource() = default;
  /// Never null for a valid name: load_state says what could not be loaded. An
  /// alias gives the unit that it names: Unit::id is another name then.
  virtual std::unique_ptr<Unit> load(std::string_view name, Diagnostics& diagnostics) = 0;
  /// Whether names that had no file may have one now: the places where units lie
  /// have changed since the last load or the last call.
  virtual bool refresh() { return false; }
};

/// Makes sure that `name` and its closure are in the graph; returns its id (a
/// unit that can't be loaded is in the graph too, its load_state says why).
/// Invalid id: `name` is no name of a unit (or one of a template).
///
/// Adds only: existing units keep their ids, reserved ones (UnitGraph::reserve)
/// are filled. An alias gets the id of the unit that it names. Mount units that
/// RequiresMountsFor= looks for are added where they exist. From here on
/// dependencies are edges of the graph: Unit::config.dependencies is empty. Iterative, linear in
/// units and edges.
UnitId ensure_loaded(UnitGraph& graph, UnitSource& source, std::string_view name, bool user_manager,
                     Diagnostics& diagnostics);

/// The same for many at once. Linear in all of them together, where one call for
/// each would go over the units that all have in common every time.
void ensure_all_loaded(UnitGraph& graph, UnitSource& source, std::span<const std::string> names,
                       bool user_manager, Diagnostics& diagnostics);

/// Tries again what could not be found (LoadState::NotFound), in place: ids and
/// edges stay, what is found has its own edges in addition.
void retry_missing(UnitGraph& graph, UnitSource& source, bool user_manager,
                   Diagnostics& diagnostics);

}  // namespace onset
