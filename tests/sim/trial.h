#pragma once
// Worlds that may end their process, or not end: each in a process of its own, with a limit.

#include <string_view>

#include "sim/run.h"

namespace onset::sim {

/// Whether the world fails by that name: an invariant's, "died" or "no end".
bool fails(const Recording& recording, std::string_view name);

/// The world of the seed as far as it comes.
Recording record(std::uint64_t seed);

}  // namespace onset::sim
