#pragma once
// What a subscriber has not been told yet. Changes of a unit become one; jobs
// are kept in full, up to a cap: whoever falls that far behind is let go, and what
// it was not told is forgotten at once.

#include <cstddef>
#include <deque>
#include <optional>
#include <set>
#include <vector>

#include "engine/job.h"
#include "graph/unit_graph.h"

namespace onset {

/// As little as tells the job: a subscriber may be far behind, and there may be many.
struct JobEvent {
  JobId id;
  UnitId unit;
  JobType type{};
  JobState state{};
  std::optional<JobResult> result;  ///< none: it was queued
  Timestamp queued;
  Timestamp began;

  [[nodiscard]] Job job() const;
};
static_assert(sizeof(JobEvent) <= 48);

class Subscription {
 public:
  static constexpr std::size_t kMaxJobEvents = 65536;
  /// Of all subscribers together: about 6 MB.
  static constexpr std::size_t kMaxJobEventsOfAll = 2 * kMaxJobEvents;

  /// Of these units alone; of all if there are none.
  explicit Subscription(std::set<std::uint32_t> only) : only_(std::move(only)) {}

  /// False: not one of its units.
  bool unit_changed(UnitId id);
  bool job_event(const Job& job, std::optional<JobResult> result);

  std::optional<JobEvent> next_job();
  /// Only after all jobs, so that a state is never older than the job it follows.
  std::optional<UnitId> next_unit();
  [[nodiscard]] bool empty() const { return jobs_.empty() && changed_.empty(); }
  /// It was asked for by its name, or there is something to tell of it.
  [[nodiscard]] bool holds(UnitId id) const;
  [[nodiscard]] bool fell_behind() const { return fell_behind_; }
  [[nodiscard]] std::size_t job_events() const { return jobs_.size(); }
  /// What it has not been told is forgotten: it fell behind.
  void let_go();

 private:
  [[nodiscard]] bool concerns(UnitId id) const { return only_.empty() || only_.contains(id.value); }

  std::set<std::uint32_t> only_;
  std::deque<JobEvent> jobs_;
  std::vector<std::uint32_t> jobs_of_;  ///< how many of jobs_ are a unit's, by its id
  std::deque<UnitId> changed_;          ///< in the order of their first change
  std::vector<bool> is_changed_;
  bool fell_behind_ = false;
};

}  // namespace onset
