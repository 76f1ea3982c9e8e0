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

/// StopWhenUnneeded=: whose need keeps a unit up.
inline constexpr DependencySet kNeededBy{DependencyKind::RequiredBy, DependencyKind::RequisiteOf,
                                         DependencyKind::WantedBy, DependencyKind::BoundBy,
                                         DependencyKind::UpheldBy};

class Invariants final : public ManagerListener {
 public:
  explicit Invariants(SimOs& os) : os_(os) {}
  void watch(const Manager& manager) { manager_ = &manager; }

  /// Before an event: the time it happens at, so that callbacks know it.
  void before_event(Timestamp now) {
    now_ = now;
    runs_out_now_ = false;
  }
  /// A job is about to be asked for.
  void requested(JobMode mode);
  /// It has been; `was`: the unit's state before.
  void request_is_over(UnitId id, JobType type, bool is_taken, ActiveState was);
  void shutdown_is_asked_for() { may_end_ = true; }
  /// reset-failed: the count begins anew.
  void forget_starts(UnitId id);
  /// Likewise, of one unit; and it has been done.
  void reset_failed_comes(UnitId id);
  void reset_failed_is_over(UnitId id);
  /// A notify datagram for the unit, from its process `sender`; and the manager has had it.
  void datagram_comes(UnitId id, pid_t sender, std::string_view text);
  void datagram_is_over(UnitId id, std::string_view text);
  /// The unit's bus name has an owner now, or none.
  void name_changed(UnitId id, bool is_owned) { of(id).has_name = is_owned; }
  /// These are others, or what all units leave open is, and daemon-reload is about to come.
  void files_changed(std::vector<std::string> names, bool are_defaults_new);
  void shutdown_is_late(Duration took, Duration most) {
    fail("shutdown", "it has taken {} µs of {} at most", took.count(), most.count());
  }
  /// An allocation of the manager has failed.
  void memory_ran_out() { has_run_out_ = runs_out_now_ = true; }
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
    DependencySet ends;                ///< OnFailure, OnSuccess: whose turn may not have come
    MonoTime restart_due{0};           ///< RestartSec= is over
    MonoTime restart_latest = kNever;  ///< RestartMaxDelaySec= is
    MonoTime deadline = kNever;
    pid_t main = 0;
    bool is_excused = false;         ///< from what its neighbours ask for, see excuse()
    bool is_old = false;             ///< what runs was started by another file
    bool is_stopped = false;         ///< by a job, since its last start
    bool is_stopped_by_job = false;  ///< its way down began so
    bool is_ready = false;           ///< it has said so, since its last start
    bool has_name = false;           ///< on the bus
    bool is_refused = false;         ///< its restart, by its job
    bool is_start_refused = false;   ///< since its last job
    bool is_need_new = false;        ///< StopWhenUnneeded= of its file is, or who needed it is gone
    std::vector<UnitId> new_edges;   ///< whose files or its own ask for something else now
    std::deque<MonoTime> starts;
    MonoTime triggers_again{0};  ///< it has triggered too often, and does not until then
  };
  struct QueuedJob {
    JobId id;
    UnitId unit;
    MonoTime queued;
    bool is_excused = false;   ///< was planned without its dependencies
    bool is_old_plan = false;  ///< was planned under other files
    bool is_old = false;       ///< its deadline is another file's
  };
  /// A job that has to be there once an event is over.
  struct Owing {
    UnitId source;
    UnitId other;
    DependencyKind kind{};
  };
  /// A unit before it is told something.
  struct Told {
    ActiveState active{};
    InvocationId invocation{};
    ServiceState service;
    bool is_heard = true;  ///< NotifyAccess=
  };
  /// Before daemon-reload, what its neighbours asked of a unit.
  struct Asked {
    std::string name;  ///< an alias may become the unit of another
    std::vector<Dependency> dependencies;
    bool stop_when_unneeded = false;
  };

  Memory& of(UnitId id);
  template <class... T>
  void fail(std::string_view invariant, fmt::format_string<const T&...> text, const T&... values) {
    if (!violation_) violation_ = Violation{invariant, format(text, values...)};
  }
  [[nodiscard]] const Unit& unit(UnitId id) const { return manager_->graph().unit(id); }
  [[nodiscard]] const std::string& name(UnitId id) const { return unit(id).id; }
  [[nodiscard]] const Job* job_of(UnitId id) const;
  [[nodiscard]] QueuedJob* queued(JobId id);
  /// A check of what units are to one another comes; false: not of a unit that is excused.
  static bool looks(bool is_excused);
  [[nodiscard]] bool is_excused(UnitId a, UnitId b);

  // ---- at a change (invariants_changes.cpp)
  void unit_starts(UnitId id, bool restarts);
  void unit_stops(UnitId id);
  void service_changed(UnitId id, ServicePhase was);
  void check_timeout(UnitId id);
  void check_start_limit(UnitId id);
  void check_restart_delay(UnitId id);

  // ---- what follows from an end (invariants_ends.cpp)
  void check_left(UnitId id, ServicePhase was);
  void wait_for_restart(UnitId id);
  [[nodiscard]] Duration longest_restart_delay(UnitId id) const;
  void put_off_restart(UnitId id);
  [[nodiscard]] bool is_restart_asked_for(UnitId id) const;
  void check_restart(UnitId id, ServicePhase was);
  void check_restart_is_due(UnitId id);
  void check_restart_given_up(UnitId id, ServicePhase was);
  void check_restart_comes(UnitId id);
  void expect_triggered(UnitId id, ActiveState was, ServicePhase was_in);
  void forget_refused_triggers();
  void check_triggered();
  void check_new_jobs();
  void note_service(UnitId id);

  // ---- what is asked for, and of whom it is not (invariants_requests.cpp)
  void excuse(UnitId id);
  void excuse_left_out(UnitId id);
  void excuse_what_was_refused();
  void take_new_files();
  void take_new_edges(UnitId id);
  void forget_new_edges(UnitId id);
  [[nodiscard]] Asked asked_of(UnitId id) const;
  void check_job_result(const Job& job, JobResult result);
  void expect_propagated(const Job& job);
  void expect_pulled_in(const Job& job);
  void check_propagated();
  void check_pulled_in();
  [[nodiscard]] MonoTime job_due(const QueuedJob& queued, const Job& job) const;
  void check_job_timeout(const QueuedJob& queued, const Job& job);
  void check_job_timeout_is_over(const QueuedJob& queued, const Job& job);

  // ---- what it is told (invariants_told.cpp)
  void remember(UnitId id);
  [[nodiscard]] bool has_been_told(UnitId id) const;
  [[nodiscard]] bool is_heard(UnitId id, pid_t sender) const;
  void check_datagram(UnitId id, std::string_view text, const ServiceState& was,
                      const ServiceState& is);
  [[nodiscard]] MonoTime watchdog_due(UnitId id) const;
  void check_watchdog_begins(UnitId id, ServicePhase was);

  // ---- what files say of commands and actions (invariants_commands.cpp)
  void check_ready(UnitId id, ServicePhase was);
  void check_commands(UnitId id, ServicePhase was);
  void expect_action(UnitId id, ActiveState was);
  [[nodiscard]] bool acts_on_start_limit() const;
  void check_action();

  // ---- after an event (invariants.cpp)
  void check_nothing_owed();
  void check_jobs();
  void check_waiting(const Job& job);
  [[nodiscard]] std::string full_of(const Job& job) const;
  void check_unit(UnitId id);
  void check_record(UnitId id);
  void check_motion(UnitId id);
  void check_conflicts(UnitId id);
  void check_neighbours(UnitId id);
  void check_unneeded(UnitId id);
  void check_upheld(UnitId id, UnitId upheld);
  void check_shutdown();
  void check_processes();
  void check_timers();

  SimOs& os_;
  const Manager* manager_ = nullptr;
  Timestamp now_;
  std::deque<Memory> memories_;  ///< what was referred to stays when units come
  std::vector<QueuedJob> queued_;
  std::vector<JobId> must_end_;  ///< jobs whose requirement has failed
  std::vector<Owing> triggered_;
  std::vector<Owing> propagated_;
  std::vector<Owing> pulled_in_;
  std::vector<UnitId> queued_now_;      ///< in this event
  std::vector<JobId> new_jobs_;         ///< likewise
  std::vector<std::string> new_files_;  ///< where memory ran out, read at some later time
  std::vector<Asked> before_files_;     ///< index: UnitId::value
  bool are_files_new_ = false;          ///< since this event began
  bool are_defaults_new_ = false;
  bool is_read_again_ = false;  ///< in this event
  bool asks_for_one_ = false;   ///< this event's request leaves dependencies out
  bool may_replace_ = true;     ///< no request with the mode "fail" is being planned
  UnitId acting_;               ///< whose FailureAction= or SuccessAction= is due
  std::optional<Told> told_;
  bool is_asked_ = false;  ///< this event is a request
  bool may_end_ = false;   ///< a shutdown was asked for, or an action has been due
  std::optional<Violation> violation_;
  MonoTime shutdown_began_ = kNever;
  bool runs_out_now_ = false;
  bool has_run_out_ = false;       ///< in this event or before: requests may have been dropped
  bool waits_for_memory_ = false;  ///< since before this event: what was due has not had its turn
};

}  // namespace onset::sim
