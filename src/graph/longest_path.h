#pragma once
// How long what waits for a start takes from there on: what a boot lasts as long as. Of starts
// that could begin, the one with the longest path behind it goes first.

#include <functional>
#include <span>

#include "base/time.h"
#include "graph/transaction.h"

namespace onset {

/// Sets PlannedJob::remaining of the starts (others have 0): what the unit itself takes, as
/// `duration_of` says, and the longest path of those that wait for it. Linear in the jobs and the
/// dependencies of their units; what is ordered in a ring counts without what waits for it.
void measure_paths(const UnitGraph& graph, std::span<PlannedJob> jobs,
                   const std::function<Duration(UnitId)>& duration_of);

}  // namespace onset
