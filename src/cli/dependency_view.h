#pragma once
// list-dependencies: the manager's edges as a tree.

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "cli/render.h"

namespace onset {

struct DependencyLook {
  Palette palette;
  bool plain = false;  ///< no tree, two spaces a level
  bool no_dots = false;
  std::size_t width = 0;
};

/// `edges` in the order of ListDependencies: each unit below that which it was
/// met from, once with what it pulls in itself.
std::string dependency_tree(const std::string& unit, const nlohmann::json& edges,
                            const DependencyLook& look);

}  // namespace onset
