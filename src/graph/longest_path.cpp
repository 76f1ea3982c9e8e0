// From the ends backwards: a start is looked at once all that wait for it have been (Kahn's
// algorithm on the order turned round).
#include "graph/longest_path.h"

#include <algorithm>

namespace onset {
namespace {

constexpr std::uint32_t kNoJob = UINT32_MAX;

class PathMeasure {
 public:
  PathMeasure(const UnitGraph& graph, std::span<PlannedJob> jobs)
      : graph_(graph), jobs_(jobs), job_of_(graph.size(), kNoJob), waiters_(jobs.size(), 0) {
    for (std::uint32_t i = 0; i < jobs.size(); ++i) {
      if (jobs[i].type == JobType::Start) job_of_[jobs[i].unit.value] = i;
    }
  }

  void run(const std::function<Duration(UnitId)>& duration_of) {
    for (std::uint32_t i = 0; i < jobs_.size(); ++i) {
      for_each_before(i, [this](std::uint32_t before) { ++waiters_[before]; });
    }
    std::vector<std::uint32_t> ready;
    for (std::uint32_t i = 0; i < jobs_.size(); ++i) {
      if (jobs_[i].type != JobType::Start) continue;
      jobs_[i].remaining = std::max(duration_of(jobs_[i].unit), Duration(0));
      if (waiters_[i] == 0) ready.push_back(i);
    }
    while (!ready.empty()) {
      const std::uint32_t at = ready.back();
      ready.pop_back();
      jobs_[at].remaining += longest_[at];  // of those that wait, which are all done by now
      for_each_before(at, [&](std::uint32_t before) {
        longest_[before] = std::max(longest_[before], jobs_[at].remaining);
        if (--waiters_[before] == 0) ready.push_back(before);
      });
    }
  }

 private:
  /// Those that this start waits for.
  template <class Visit>
  void for_each_before(std::uint32_t job, Visit visit) const {
    if (jobs_[job].type != JobType::Start || jobs_[job].ignore_order) return;
    for (const Dependency& d : graph_.dependencies(jobs_[job].unit)) {
      const std::uint32_t other = job_of_[d.other.value];
      if (other != kNoJob && must_wait(JobType::Start, d.kinds, JobType::Start)) visit(other);
    }
  }

  const UnitGraph& graph_;
  std::span<PlannedJob> jobs_;
  std::vector<std::uint32_t> job_of_;   ///< by UnitId::value
  std::vector<std::uint32_t> waiters_;  ///< of each job: not looked at yet
  std::vector<Duration> longest_ = std::vector<Duration>(jobs_.size(), Duration(0));
};

}  // namespace

void measure_paths(const UnitGraph& graph, std::span<PlannedJob> jobs,
                   const std::function<Duration(UnitId)>& duration_of) {
  PathMeasure(graph, jobs).run(duration_of);
}

}  // namespace onset
