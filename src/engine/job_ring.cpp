// A depth-first walk over "waits for", on a path of its own instead of the stack. A restart
// is a stop first and a start then, and a stop never waits for a start: so a ring is either
// of the jobs as they are, or of starts, the restarts counted as such.
#include "engine/job_ring.h"

#include <algorithm>
#include <unordered_map>

#include "graph/transaction.h"

namespace onset {
namespace {

class RingSearch {
 public:
  RingSearch(const JobQueue& jobs, const UnitGraph& graph, bool restarts_start)
      : jobs_(jobs), graph_(graph), restarts_start_(restarts_start) {}

  std::vector<JobId> run();

 private:
  struct Step {
    JobId id;
    std::vector<JobId> blockers;  ///< not looked at yet
  };

  [[nodiscard]] Job as_it_counts(JobId id) const;
  [[nodiscard]] std::vector<JobId> blockers_of(JobId id) const;
  void enter(JobId id);
  std::vector<JobId> walk(JobId root);

  const JobQueue& jobs_;
  const UnitGraph& graph_;
  const bool restarts_start_;
  std::vector<Step> path_;
  std::unordered_map<std::uint32_t, bool> is_on_path_;  ///< of jobs that were entered
};

Job RingSearch::as_it_counts(JobId id) const {
  Job job = *jobs_.find(id);
  if (restarts_start_ && job.type == JobType::Restart) {
    job.type = JobType::Start;
    job.state = JobState::Waiting;
  }
  return job;
}

std::vector<JobId> RingSearch::blockers_of(JobId id) const {
  const Job job = as_it_counts(id);
  if (job.state != JobState::Waiting) return {};
  std::vector<JobId> found = jobs_.blockers_of(job, graph_);
  std::erase_if(found, [&](JobId other) {
    const Job waited = as_it_counts(other);
    return !must_wait(job.type, graph_.between(job.unit, waited.unit), waited.type);
  });
  return found;
}

void RingSearch::enter(JobId id) {
  is_on_path_[id.value] = true;
  path_.push_back({id, blockers_of(id)});
}

std::vector<JobId> RingSearch::walk(JobId root) {
  enter(root);
  while (!path_.empty()) {
    Step& step = path_.back();
    if (step.blockers.empty()) {
      is_on_path_[step.id.value] = false;
      path_.pop_back();
      continue;
    }
    const JobId next = step.blockers.back();
    step.blockers.pop_back();
    const auto known = is_on_path_.find(next.value);
    if (known == is_on_path_.end()) {
      enter(next);
    } else if (known->second) {
      std::vector<JobId> ring;
      for (auto on = std::ranges::find(path_, next, &Step::id); on != path_.end(); ++on)
        ring.push_back(on->id);
      return ring;
    }
  }
  return {};
}

std::vector<JobId> RingSearch::run() {
  for (const Job* root : jobs_.in_order()) {
    if (is_on_path_.contains(root->id.value)) continue;
    if (std::vector<JobId> ring = walk(root->id); !ring.empty()) return ring;
  }
  return {};
}

}  // namespace

std::vector<JobId> find_job_ring(const JobQueue& jobs, const UnitGraph& graph) {
  std::vector<JobId> ring = RingSearch(jobs, graph, false).run();
  return ring.empty() ? RingSearch(jobs, graph, true).run() : ring;
}

}  // namespace onset
