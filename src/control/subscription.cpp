#include "control/subscription.h"

#include <algorithm>

namespace onset {

bool Subscription::unit_changed(UnitId id) {
  if (!concerns(id)) return false;
  if (is_changed_.size() <= id.value) is_changed_.resize(id.value + 1, false);
  if (is_changed_[id.value]) return true;
  is_changed_[id.value] = true;
  changed_.push_back(id);
  return true;
}

bool Subscription::job_event(const Job& job, std::optional<JobResult> result) {
  if (!concerns(job.unit)) return false;
  if (jobs_.size() >= kMaxJobEvents) {
    fell_behind_ = true;
    return true;
  }
  jobs_.push_back({job, result});
  return true;
}

bool Subscription::holds(UnitId id) const {
  if (only_.contains(id.value)) return true;
  if (id.value < is_changed_.size() && is_changed_[id.value]) return true;
  return std::ranges::any_of(jobs_, [&](const JobEvent& event) { return event.job.unit == id; });
}

std::optional<JobEvent> Subscription::next_job() {
  if (jobs_.empty()) return std::nullopt;
  JobEvent event = jobs_.front();
  jobs_.pop_front();
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
