#pragma once
// Jobs that wait for one another in a ring: none of them would ever run. A transaction
// has none (graph/transaction_cycles); new files can make one of jobs that are queued.

#include <vector>

#include "engine/job_queue.h"
#include "graph/unit_graph.h"

namespace onset {

/// Each waits for the next and the last for the first, now or once the restarts among
/// them have stopped. Empty: there is none. Iterative, linear in jobs and orderings.
std::vector<JobId> find_job_ring(const JobQueue& jobs, const UnitGraph& graph);

}  // namespace onset
