#pragma once
// How a container's shutdown budget is spread: every unit that stops gets the
// time that is left, divided by the length of the longest chain of stop jobs
// that begins with it. Units that stop in parallel do not share; units that
// wait for one another do.

#include <vector>

#include "engine/job_queue.h"
#include "graph/unit_graph.h"

namespace onset {

/// For each unit with a stop job, by UnitId::value: the number of stop jobs on
/// the longest chain that begins with its own (at least 1). 0: no stop job.
/// Iterative; a cycle counts each unit once.
std::vector<unsigned> stop_chain_lengths(const JobQueue& jobs, const UnitGraph& graph);

/// The share of one unit; never less than `floor`.
Duration stop_share(Duration left, unsigned chain, Duration floor);

}  // namespace onset
