#pragma once
// One world: the real manager on a simulated kernel and clock, and the invariants that
// watch it. Events come from outside, a schedule or a recording; the same events always
// lead to the same states.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/manager.h"
#include "sim/invariants.h"
#include "sim/sim_event.h"
#include "sim/sim_os.h"
#include "sim/sim_units.h"
#include "sim/world_plan.h"

namespace onset::sim {

/// Hears what the invariants hear, and counts the jobs of units without processes.
class PlainJobs final : public ManagerListener {
 public:
  explicit PlainJobs(Invariants& invariants) : next_(invariants) {}
  void watch(const Manager& manager) { manager_ = &manager; }
  void job_queued(const Job& job) override { next_.job_queued(job); }
  void job_done(const Job& job, JobResult result) override;
  void unit_changed(UnitId id) override;
  [[nodiscard]] bool is_pinned(UnitId id) const override { return next_.is_pinned(id); }

 private:
  struct Change {
    JobId job;
    ActiveState from{};
    ActiveState to{};
  };
  Invariants& next_;
  const Manager* manager_ = nullptr;
  std::vector<Change> changes_;  ///< the last of each unit
};

class SimWorld {
 public:
  explicit SimWorld(const WorldPlan& plan);
  SimWorld(const SimWorld&) = delete;
  SimWorld& operator=(const SimWorld&) = delete;

  /// PID 1 begins: the default target is queued.
  void boot();
  void apply(const SimEvent& event);
  /// A fair world from here on: what is told to end ends, time passes. Whether the
  /// shutdown that has been asked for came to its end.
  bool run_to_the_end();

  [[nodiscard]] const std::optional<Violation>& violation() const {
    return invariants_.violation();
  }
  [[nodiscard]] const Manager& manager() const { return manager_; }
  [[nodiscard]] bool has_ended() const { return manager_.objective() != Objective::Run; }
  [[nodiscard]] Timestamp now() const { return now_; }
  /// Of the plan's unit; not valid: it is not loaded.
  [[nodiscard]] UnitId id(unsigned unit) const;
  /// The plan's unit of an id, if it is one of the plan's.
  [[nodiscard]] std::optional<unsigned> place(UnitId id) const;
  /// Units that are empty and wait to be told so.
  [[nodiscard]] const std::vector<UnitId>& empties() const { return empties_; }
  [[nodiscard]] std::string picture() const;
  /// What the manager has been told: a request, an event, a deadline that is over.
  [[nodiscard]] std::uint64_t steps() const { return steps_; }

  SimOs os;

 private:
  template <class Call>
  void tell(Call call);
  template <class Call>
  void attempt(Call call);
  void act(const SimEvent& event);
  void act_on(UnitId unit, const SimEvent& event);
  void request(const SimEvent& event);
  void kill(const SimEvent& event);
  void end(pid_t pid, ExitStatus status, bool empty_first = false);
  void tell_exec_done(UnitId unit);
  void tell_empty(UnitId id);
  void send(const SimEvent& event);
  void write_pid_file(const SimEvent& event);
  void change_bus(const SimEvent& event);
  void change_file(const SimEvent& event);
  void reload(const SimEvent& event);
  void reset_failed(UnitId unit);
  void reset_all();
  void pass(Duration span, bool late);
  void settle();
  [[nodiscard]] Duration most_of_a_shutdown() const;
  bool end_one(bool fairly);
  [[nodiscard]] pid_t process_of(UnitId id, Who who);

  const WorldPlan& plan_;
  SimUnits units_;
  Invariants invariants_;
  PlainJobs plain_jobs_;
  Manager manager_;
  Timestamp now_{MonoTime{1000000}, WallTime{1700000000000000}};
  std::vector<UnitId> empties_;
  std::uint64_t steps_ = 0;
  bool has_reloaded_ = false;
  /// What the next calls of the manager meet.
  struct NoMemory {
    unsigned left = 0;
    unsigned failures = 0;  ///< 0: all that come after
    unsigned calls = 0;
  };
  NoMemory no_memory_;
  std::vector<std::string> changed_;  ///< files, since they were last read all
};

}  // namespace onset::sim
