#pragma once
// What the worlds have reached, for people.

#include <cstdint>

#include "sim/coverage.h"

namespace onset::sim {

/// Of what has not been reached: some hundred lines where few worlds were run.
enum class Names : std::uint8_t { Hidden, Shown };

/// Prints it. Whether all has been reached that can be.
bool print(const Coverage& coverage, Names names);

}  // namespace onset::sim
