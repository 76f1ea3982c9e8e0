// Longest paths over the stop jobs, by peeling: a stop job that nobody waits
// for has length 1; a job is done once all that wait for it are.
#include "engine/stop_budget.h"

#include <algorithm>

namespace onset {
namespace {

bool is_stop(const Job* job) {
  return job != nullptr && job->type == JobType::Stop;
}

}  // namespace

std::vector<unsigned> stop_chain_lengths(const JobQueue& jobs, const UnitGraph& graph) {
  // Stops run in reverse: a unit stops before those that it is ordered after.
  std::vector<unsigned> length(graph.size(), 0);
  std::vector<unsigned> successors(graph.size(), 0);  // units that stop only once this one has
  std::vector<bool> stopping(graph.size(), false);
  std::vector<UnitId> units;
  for (const auto& [id, job] : jobs.all()) {
    if (!is_stop(&job)) continue;
    stopping[job.unit.value] = true;
    length[job.unit.value] = 1;
    units.push_back(job.unit);
  }
  for (UnitId u : units) {
    for (const Dependency& d : graph.dependencies(u)) {
      if (d.kinds.has(DependencyKind::After) && stopping[d.other.value]) ++successors[u.value];
    }
  }
  std::vector<UnitId> ready;
  for (UnitId u : units) {
    if (successors[u.value] == 0) ready.push_back(u);
  }
  while (!ready.empty()) {
    const UnitId u = ready.back();
    ready.pop_back();
    for (const Dependency& d : graph.dependencies(u)) {
      if (!d.kinds.has(DependencyKind::Before) || !stopping[d.other.value]) continue;
      length[d.other.value] = std::max(length[d.other.value], length[u.value] + 1);
      if (--successors[d.other.value] == 0) ready.push_back(d.other);
    }
  }
  return length;
}

Duration stop_share(Duration left, unsigned chain, Duration floor) {
  if (left == kInfinity) return kInfinity;
  return std::max(floor, left / std::max(1U, chain));
}

}  // namespace onset
