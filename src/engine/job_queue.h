#pragma once
// The jobs that are queued, and which of them may run. At most one job a unit
// (and one nop). A job that has to wait is parked under one job that it waits
// for and looked at again when that one ends, so that a target with 10,000
// dependencies costs 10,000 looks and not their square.
//
// Of those that may run, first come checks (VerifyActive), then what is no start, then starts:
// the one with the longest path behind it first, else in the order of queueing. A start that
// finds no slot (JobGate) is held where the slot will be, in the same order.

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

#include "engine/job.h"
#include "engine/unit_runtime.h"
#include "graph/transaction.h"
#include "graph/unit_graph.h"

namespace onset {

/// Whether there is a slot for a start that nothing else holds up.
class JobGate {
 public:
  virtual ~JobGate() = default;
  /// Who has none; not set: it may run.
  virtual HeldBy full_for(const Job& job) = 0;
};

class JobQueue {
 public:
  explicit JobQueue(std::deque<UnitRuntime>& runtime) : runtime_(runtime) {}

  /// Takes a planned job in: a new job, or merged into the one that the unit
  /// has. The caller cancels a conflicting one first (see conflict_of).
  JobId install(const PlannedJob& planned, Timestamp now);

  /// The queued job that this one can't be merged with, value 0 if none.
  [[nodiscard]] JobId conflict_of(const PlannedJob& planned) const;

  /// Takes the job out and wakes those parked under it.
  Job remove(JobId id);

  /// The next job that nothing holds up; it is Running from then on.
  std::optional<JobId> next_runnable(const UnitGraph& graph, JobGate& gate, Timestamp now);
  /// Puts one job that was held, and for which there is a slot by now, in the run queue.
  /// False: there is none.
  bool release(JobGate& gate);

  /// Of the one that next_runnable() gave last: it comes again, first. `has_begun`: its time
  /// runs already. Needs no memory.
  void put_back(JobId id, bool has_begun) noexcept;
  /// Back to Waiting, and looked at again (a unit that was not ready for it yet).
  void retry(JobId id);
  void change_type(JobId id, JobType type);
  /// Any of them may be replaced from now on, whatever they were asked for with.
  void allow_replacing() noexcept;
  /// All that wait are looked at anew: their units may be ordered otherwise now.
  void retry_all();

  [[nodiscard]] Job* find(JobId id);
  [[nodiscard]] const Job* find(JobId id) const;
  [[nodiscard]] Job* of_unit(UnitId unit) { return find(runtime_[unit.value].job); }
  /// In no order, by number.
  [[nodiscard]] const std::unordered_map<std::uint32_t, Job>& all() const { return jobs_; }
  /// The oldest first.
  [[nodiscard]] std::vector<const Job*> in_order() const;
  [[nodiscard]] bool empty() const { return jobs_.empty(); }
  /// What a waiting job waits for; value 0: nothing.
  [[nodiscard]] JobId blocker_of(const Job& job, const UnitGraph& graph) const;
  /// All that it waits for: one look at each dependency of its unit.
  [[nodiscard]] std::vector<JobId> blockers_of(const Job& job, const UnitGraph& graph) const;

 private:
  struct Ready {
    std::uint8_t rank = 0;
    Duration remaining{0};
    std::uint64_t sequence = 0;
    JobId id;
    /// Whether this one goes first.
    bool operator<(const Ready& other) const;
  };
  static constexpr std::uint8_t kStarts = 2;  ///< the rank of starts

  void enqueue(Job& job);
  void hold(Job& job, HeldBy by);
  void let_go(Job& job) noexcept;
  [[nodiscard]] static Ready ready_of(const Job& job, std::uint64_t sequence);
  void wake_parked(JobId id);
  [[nodiscard]] JobId blocker_by(const Job& job, const Dependency& dependency) const;

  std::deque<UnitRuntime>& runtime_;
  std::unordered_map<std::uint32_t, Job> jobs_;
  std::set<Ready> run_queue_;
  std::map<HeldBy, std::set<Ready>> held_;
  std::uint64_t sequence_ = 0;
  JobId first_begun_;  ///< the last one, where it had not begun before; value 0: it had
  JobId put_back_;     ///< before those of the run queue; value 0: none
  std::unordered_map<std::uint32_t, std::vector<JobId>> parked_;
  std::uint32_t last_id_ = 0;
};

}  // namespace onset
