#pragma once
// list-dependencies: the manager's edges as a tree.

#include <string>

#include "cli/render.h"
#include "control/json.h"

namespace onset {

struct DependencyLook {
  Palette palette;
  bool plain = false;  ///< a list, each unit that goes on below once
  bool all = false;    ///< units that are no targets go on below as well
  std::size_t width = 0;
};

/// `edges` of ListDependencies, as systemctl draws them: below a unit first what is
/// no target, then targets with what they pull in, wherever they stand; "..." for
/// those that stand above already. What takes several lines below a unit is there
/// once: where the unit stands again, "…" behind its name is in place of them, so
/// that a chain of diamonds does not double with each. `name` is the unit as it was asked for.
std::string dependency_tree(const std::string& name, const Json& edges, const DependencyLook& look);

}  // namespace onset
