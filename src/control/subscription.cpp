#include "control/subscription.h"

namespace onset {

Job JobEvent::job() const {
  Job job;
  job.id = id;
  job.unit = unit;
  job.type = type;
  job.state = state;
  job.queued = queued;
  job.began = began;
  return job;
}

bool Subscription::unit_changed(UnitId id) {
  if (fell_behind_ || !concerns(id)) return false;
  if (is_changed_.size() <= id.value) is_changed_.resize(id.value + 1, false);
  if (is_changed_[id.value]) return true;
  is_changed_[id.value] = true;
  changed_.push_back(id);
  return true;
}

bool Subscription::job_event(const Job& job, std::optional<JobResult> result) {
  if (fell_behind_ || !concerns(job.unit)) return false;
  if (jobs_.size() >= kMaxJobEvents) {
    let_go();
    return true;
  }
  if (jobs_of_.size() <= job.unit.value) jobs_of_.resize(job.unit.value + 1, 0);
  jobs_.push_back({job.id, job.unit, job.type, job.state, result, job.queued, job.began});
  ++jobs_of_[job.unit.value];
  return true;
}

void Subscription::let_go() {
  fell_behind_ = true;
  jobs_ = {};
  jobs_of_ = {};
  changed_ = {};
  is_changed_ = {};
}

bool Subscription::holds(UnitId id) const {
  if (only_.contains(id.value)) return true;
  if (id.value < is_changed_.size() && is_changed_[id.value]) return true;
  return id.value < jobs_of_.size() && jobs_of_[id.value] != 0;
}

std::optional<JobEvent> Subscription::next_job() {
  if (jobs_.empty()) return std::nullopt;
  const JobEvent event = jobs_.front();
  jobs_.pop_front();
  --jobs_of_[event.unit.value];
  return event;
}

std::optional<UnitId> Subscription::next_unit() {
  if (changed_.empty()) return std::nullopt;
  const UnitId id = changed_.front();
  changed_.pop_front();
  is_changed_[id.value] = false;
  return id;
}

}  // namespace onset
