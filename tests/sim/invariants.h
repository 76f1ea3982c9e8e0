#pragma once
// What must hold in every world, after every step, whatever happens. Each has a name
// and its source in the manuals in docs/simulator.md, and each is shown able to fail
// by a mutation of the engine (tests/sim/mutations.py).
//
// Some are looked at when something changes (an order is broken at one moment), the
// others after an event, of these most only when the manager has nothing left to do.

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/format.h"
#include "engine/manager.h"
#include "sim/sim_os.h"

namespace onset::sim {

struct Violation {
  std::string_view name;
  std::string text;
};

class Invariants final : public ManagerListener {
 public:
  explicit Invariants(SimOs& os) : os_(os) {}
  void watch(const Manager& manager) { manager_ = &manager; }

  /// Before an event: the time it happens at, so that callbacks know it.
  void before_event(Timestamp now) { now_ = now; }
  /// A job is about to be asked for.
  void requested(UnitId id, JobMode mode);
  /// reset-failed: the count begins anew.
  void forget_starts(UnitId id);
  void files_changed();
  void shutdown_is_late(Duration took, Duration most) {
    fail("shutdown", "it has taken {} µs of {} at most", took.count(), most.count());
  }
  /// An allocation of the manager has failed.
  void memory_ran_out() { has_run_out_ = true; }
  void after_event();

  /// The first that did not hold.
  [[nodiscard]] const std::optional<Violation>& violation() const { return violation_; }

  // ---- ManagerListener ---------------------------------------------------------
  void job_queued(const Job& job) override;
  void job_done(const Job& job, JobResult result) override;
  void unit_changed(UnitId id) override;
  [[nodiscard]] bool is_pinned(UnitId) const override { return false; }

 private:
  /// What is remembered of a unit from one moment to the next.
  struct Memory {
    ServicePhase phase = ServicePhase::Dead;
    ActiveState active = ActiveState::Inactive;
    MonoTime restart_due{0};  ///< RestartSec= is over
    bool is_excused = false;  ///< from what its neighbours ask for, see excuse_what_was_refused()
    std::deque<MonoTime> starts;
  };
  struct QueuedJob {
    JobId id;
    UnitId unit;
  };

  Memory& of(UnitId id);
  /// From what its neighbours ask for.
  [[nodiscard]] bool is_excused(UnitId id);
  template <class... T>
  void fail(std::string_view invariant, fmt::format_string<const T&...> text, const T&... values) {
    if (!violation_) violation_ = Violation{invariant, format(text, values...)};
  }
  [[nodiscard]] const Unit& unit(UnitId id) const { return manager_->graph().unit(id); }
  [[nodiscard]] const std::string& name(UnitId id) const { return unit(id).id; }
  [[nodiscard]] const Job* job_of(UnitId id) const;

  // ---- at a change (invariants_changes.cpp)
  void unit_starts(UnitId id);
  void unit_stops(UnitId id);
  void forget_request(UnitId id);
  void check_start_limit(UnitId id);
  void check_restart_delay(UnitId id, const Memory& memory);

  // ---- after an event (invariants.cpp)
  void excuse_what_was_refused();
  void check_nothing_owed();
  void check_jobs();
  void check_waiting(const Job& job);
  void check_unit(UnitId id);
  void check_record(UnitId id);
  void check_motion(UnitId id);
  void check_conflicts(UnitId id);
  void check_neighbours(UnitId id);
  void check_shutdown();
  void check_processes();
  void check_timers();

  SimOs& os_;
  const Manager* manager_ = nullptr;
  Timestamp now_;
  std::vector<Memory> memories_;
  std::vector<QueuedJob> queued_;
  std::vector<JobId> must_end_;  ///< jobs whose requirement has failed
  std::optional<Violation> violation_;
  MonoTime shutdown_began_ = kNever;
  bool has_run_out_ = false;  ///< in this event or before: requests may have been dropped
};

}  // namespace onset::sim
