#pragma once
// What the worlds have reached, for people: what has not been, by name.

#include "sim/coverage.h"

namespace onset::sim {

/// Prints it. Whether all has been reached that can be.
bool print(const Coverage& coverage);

}  // namespace onset::sim
