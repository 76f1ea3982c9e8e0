#pragma once
// Which files beside a unit's fragment belong to it: X.d/*.conf drop-ins and the
// links in X.wants/, X.requires/ and X.upholds/ (systemd.unit(5)).
//
//   names of the unit × directories of the search path × the folders that a
//   name has (itself, its template, cut at its dashes), at last those of the type
//   → files by name; of equal names the first counts → sorted by name

#include <string>
#include <string_view>
#include <vector>

#include "unit/unit_index.h"

namespace onset {

/// The paths of the files, in the order in which they apply. `names` begins with
/// the unit's id. `folder_suffix` is ".d", ".wants", …; of ".d" only *.conf count.
/// Masks (links to /dev/null) are among them, and hide files of their name.
std::vector<std::string> find_dropins(UnitIndex& index, const std::vector<std::string>& names,
                                      std::string_view folder_suffix);

}  // namespace onset
