// What is looked at after every event.
#include "sim/invariants.h"

#include <algorithm>

#include "graph/applicable.h"
#include "graph/slices.h"
#include "sim/coverage.h"
#include "sim/phases.h"
#include "sim/world_plan.h"

namespace onset::sim {
namespace {

bool is_up_or_coming(ActiveState s) {
  return is_active_or_reloading(s) || s == ActiveState::Activating;
}

}  // namespace

Invariants::Memory& Invariants::of(UnitId id) {
  if (id.value >= memories_.size()) memories_.resize(id.value + std::size_t{1});
  return memories_[id.value];
}

const Job* Invariants::job_of(UnitId id) const {
  return manager_->job(manager_->runtime(id).job);
}

Invariants::QueuedJob* Invariants::queued(JobId id) {
  const auto found = std::ranges::find(queued_, id, &QueuedJob::id);
  return found == queued_.end() ? nullptr : &*found;
}

bool Invariants::looks(bool is_excused) {
  if (Coverage* c = coverage(); c != nullptr) c->looked(is_excused);
  return !is_excused;
}

void Invariants::after_event() {
  take_new_files();
  forget_refused_triggers();
  excuse_what_was_refused();
  if (!os_.complaint.empty()) fail("unload", "{}", os_.complaint);
  if (!os_.misdirected.empty()) fail("kill-mode", "{}", os_.misdirected);
  const bool is_quiet = !manager_->is_behind() && manager_->next_deadline() > now_.mono;
  // A job that runs may hold back what a change asks for.
  const bool is_at_rest = is_quiet && !manager_->stopping() && manager_->job_count() == 0;
  if (manager_->is_behind() && !has_run_out_ && manager_->config().steps_a_call == kManySteps)
    fail("endless", "after {} steps there is more to do", kManySteps);
  if (!has_run_out_ || !manager_->is_behind()) check_nothing_owed();
  check_timers();
  check_pulled_in();
  check_new_jobs();
  check_propagated();
  os_.unneeded.clear();
  const auto units = static_cast<std::uint32_t>(manager_->graph().size());
  for (std::uint32_t i = 0; i < units; ++i) note_service(UnitId{i});
  check_processes();
  for (std::uint32_t i = 0; i < units; ++i) {
    if (manager_->graph().is_free(UnitId{i})) {
      of(UnitId{i}) = Memory{};
      continue;
    }
    if (!manager_->is_behind()) of(UnitId{i}).ends = {};
    check_unit(UnitId{i});
    if (is_quiet) check_restart_comes(UnitId{i});
    if (is_quiet) check_conflicts(UnitId{i});
    if (is_at_rest) check_neighbours(UnitId{i});
  }
  if (is_quiet) check_jobs();
  if (is_quiet) check_triggered();
  check_action();
  if (manager_->stopping()) check_shutdown();
  waits_for_memory_ = has_run_out_ && !is_quiet;
}

/// The budget of a container holds from the moment a shutdown is asked for: the manager wakes
/// up to end it, and each unit that is stopped gets its SIGKILL before.
void Invariants::check_shutdown() {
  const Duration budget = manager_->config().shutdown_budget;
  if (shutdown_began_ == kNever) shutdown_began_ = now_.mono;
  const bool has_ended = manager_->objective() != Objective::Run;
  if (budget == kInfinity || has_ended) return;
  const MonoTime last = shutdown_began_ + budget;
  if (manager_->next_deadline() > last)
    fail("shutdown", "it was to end within {} µs, nothing is due until then", budget.count());
  if (manager_->is_behind()) return;
  constexpr Duration kFloor = std::chrono::milliseconds(200);  // the share of each unit
  const auto units = static_cast<std::uint32_t>(manager_->graph().size());
  for (std::uint32_t i = 0; i < units; ++i) {
    const ServiceState& s = manager_->runtime(UnitId{i}).service;
    const Job* job = job_of(UnitId{i});
    const bool is_stopped =
        job != nullptr && job->type == JobType::Stop && job->state == JobState::Running;
    if (is_stopped && goes_down(s.phase) && !s.spawn_pending && s.deadline > last + kFloor)
      fail("shutdown", "{} may take longer in {} than the shutdown", name(UnitId{i}),
           to_string(s.phase));
  }
}

/// Only where memory runs out does anything wait for it, and no longer than till there is some.
void Invariants::check_nothing_owed() {
  const auto units = static_cast<std::uint32_t>(manager_->graph().size());
  for (std::uint32_t i = 0; i < units; ++i) {
    if (manager_->is_owed(UnitId{i})) fail("owed", "{} is owed an event", name(UnitId{i}));
  }
}

// ---- jobs -----------------------------------------------------------------------

void Invariants::check_jobs() {
  for (const JobId id : must_end_) {
    const Job* job = manager_->job(id);
    if (job != nullptr)
      fail("requires", "the {} job of {} goes on though what it requires has failed",
           to_string(job->type), name(job->unit));
  }
  must_end_.clear();
  for (const QueuedJob& queued : queued_) {
    const Job* job = manager_->job(queued.id);
    if (job == nullptr) {
      fail("job-lost", "job {} is gone without a result", queued.id.value);
      return;
    }
    check_job_timeout(queued, *job);
    const ActiveState active = manager_->active_state(job->unit);
    if (job->state == JobState::Waiting) {
      check_waiting(*job);
    } else if (active != ActiveState::Activating && active != ActiveState::Deactivating &&
               active != ActiveState::Reloading &&
               !manager_->runtime(job->unit).service.guarded_idle) {
      fail("job-waits", "the {} job of {} runs, but the unit is {}", to_string(job->type),
           name(job->unit), to_string(active));
    }
  }
  if (queued_.size() != manager_->job_count())
    fail("job-lost", "{} jobs are queued, {} were told", manager_->job_count(), queued_.size());
}

/// A job that waits does so for another job, or for what its unit is doing; and those
/// that it waits for do not wait for it.
void Invariants::check_waiting(const Job& job) {
  const Job* at = &job;
  for (std::size_t links = 0; at->state == JobState::Waiting; ++links) {
    const JobId blocker = manager_->blocker_of(*at);
    if (blocker.value == 0) break;
    at = manager_->job(blocker);
    if (at == nullptr || links > queued_.size()) {
      fail("job-waits", "the {} job of {} waits in a ring", to_string(job.type), name(job.unit));
      return;
    }
  }
  if (at->state == JobState::Running) return;
  const UnitRuntime& rt = manager_->runtime(at->unit);
  if (at->held_by.is_set()) {
    if (full_of(*at).empty())
      fail("job-waits", "the {} job of {} waits for a slot, and there is one", to_string(at->type),
           name(at->unit));
    return;
  }
  const bool waits_for_its_unit =
      (at->type == JobType::Start &&
       (rt.active == ActiveState::Deactivating || rt.service.phase == ServicePhase::AutoRestart)) ||
      (at->type == JobType::Reload &&
       (rt.active == ActiveState::Activating || rt.active == ActiveState::Reloading ||
        (rt.service.phase < ServicePhase::Running && rt.active == ActiveState::Active))) ||
      (at->type == JobType::VerifyActive && rt.active == ActiveState::Activating);
  if (!waits_for_its_unit)
    fail("job-waits", "the {} job of {} waits for nothing, the unit is {}", to_string(at->type),
         name(at->unit), to_string(rt.active));
}

/// The slice, or "manager", that has no slot for a start of it; empty: there is one.
std::string Invariants::full_of(const Job& job) const {
  const auto is_up = [&](UnitId id) {
    const UnitRuntime& rt = manager_->runtime(id);
    return !is_inactive_or_failed(rt.active) || passes_to_restart(rt.service.phase);
  };
  for (UnitId s = slice_of(manager_->graph(), job.unit); s.valid();
       s = slice_of(manager_->graph(), s)) {
    if (unit(s).slice == nullptr) continue;
    unsigned others = 0;
    for_each_in_slice(manager_->graph(), s,
                      [&](UnitId u) { others += u != job.unit && is_up(u) ? 1 : 0; });
    if (others >=
        std::min(unit(s).slice->concurrency_soft_max, unit(s).slice->concurrency_hard_max))
      return name(s);
  }
  const Unit& own = unit(job.unit);
  const bool is_plain = own.service == nullptr && own.socket == nullptr &&
                        own.automount == nullptr && !is_mount_like(own) &&
                        !has_scope_processes(own);
  if (job.is_urgent || is_plain) return {};
  unsigned others = 0;
  for (std::uint32_t i = 0; i < manager_->graph().size(); ++i) {
    const UnitRuntime& rt = manager_->runtime(UnitId{i});
    const bool comes =
        rt.active == ActiveState::Activating &&
        (manager_->graph().unit(UnitId{i}).service == nullptr || is_starting(rt.service.phase));
    others += UnitId{i} != job.unit && comes ? 1 : 0;
  }
  return others >= manager_->config().defaults.start_concurrency_max ? "manager" : "";
}

// ---- units ----------------------------------------------------------------------

void Invariants::check_unit(UnitId id) {
  check_record(id);
  if (unit(id).service != nullptr) check_motion(id);
}

void Invariants::check_record(UnitId id) {
  const UnitRuntime& rt = manager_->runtime(id);
  const bool is_perpetual = name(id) == "-.slice" || name(id) == "init.scope";
  if (is_perpetual) of(id).active = ActiveState::Active;  // without a word, from the first
  // A load that memory did not suffice for has only half brought it: without its name.
  if (is_perpetual && has_run_out_ && manager_->graph().find(name(id)) != id) return;
  const Memory& memory = of(id);
  if (rt.active != memory.active || (unit(id).service && rt.service.phase != memory.phase))
    fail("record", "{} is {} ({}), told was {} ({})", name(id), to_string(rt.active),
         to_string(rt.service.phase), to_string(memory.active), to_string(memory.phase));
  if (unit(id).service == nullptr) return;
  const ServiceState& s = rt.service;
  if (rt.active != onset::active_state(s.phase, unit(id).service->type))
    fail("record", "{} is {} in phase {}", name(id), to_string(rt.active), to_string(s.phase));
  if (s.phase == ServicePhase::Failed && s.result == ServiceResult::Success)
    fail("record", "{} has failed with the result success", name(id));
  if (is_down(s.phase) && (s.main.pid != 0 || s.control.pid != 0))
    fail("record", "{} is down and has process {}", name(id), std::max(s.main.pid, s.control.pid));
  const Job* job = manager_->job(rt.job);
  if (rt.job.value != 0 && (job == nullptr || job->unit != id))
    fail("record", "{} has a job that is not there", name(id));
}

/// Whatever a start, a stop or a reload waits for is there: a process, a deadline, a
/// datagram, a job.
void Invariants::check_motion(UnitId id) {
  const ServiceState& s = manager_->runtime(id).service;
  if (is_down(s.phase) || s.phase == ServicePhase::Exited) return;
  if (s.phase == ServicePhase::AutoRestartQueued) {
    const Job* job = job_of(id);
    const bool is_due = manager_->is_behind() || manager_->next_deadline() <= now_.mono;
    if (!is_due && job == nullptr)
      fail("stuck", "the restart of {} is queued, but there is no job", name(id));
    return;
  }
  const bool is_seen = s.main.pid > 0 || s.control.pid > 0 || s.guarded_idle || s.spawn_pending ||
                       os_.watches_empty(id) || os_.watches_bus(id) || manager_->is_owed(id);
  // RestartSec=infinity: a start by hand ends it.
  const bool never_restarts =
      of(id).restart_due == kNever || unit(id).service->restart_delay == kInfinity;
  if (s.phase == ServicePhase::AutoRestart && never_restarts) return;
  const auto is_off = [](Duration timeout) { return timeout == kInfinity || timeout.count() == 0; };
  const Unit& config = unit(id);
  const bool may_last = of(id).is_old ||  // its file was another when it was armed
                        (goes_down(s.phase) ? is_off(manager_->stop_timeout(config)) ||
                                                  is_off(manager_->abort_timeout(config))
                                            : is_off(manager_->start_timeout(config)));
  if (is_passing(s.phase) && s.deadline == kNever && !may_last && !rests(s.phase) &&
      !s.spawn_pending)
    fail("stuck", "{} is in {} without a deadline", name(id), to_string(s.phase));
  const bool has_deadline =
      s.deadline != kNever || (s.phase == ServicePhase::Running && s.runtime_deadline != kNever);
  if (!is_seen && (!has_deadline || s.phase == ServicePhase::Running))
    fail("stuck", "{} is in {} and nothing can lead out of it", name(id), to_string(s.phase));
}

/// Never both up, but for the moment until the stop of one of them has had its turn.
void Invariants::check_conflicts(UnitId id) {
  if (!is_active_or_reloading(manager_->active_state(id))) return;
  const auto is_stopped = [&](UnitId unit) {
    const Job* job = job_of(unit);
    return job != nullptr && (job->type == JobType::Stop || job->type == JobType::Restart);
  };
  if (is_stopped(id)) return;
  for (const Dependency& d : manager_->graph().dependencies(id)) {
    if (!d.kinds.has(DependencyKind::Conflicts)) continue;
    if (!looks(is_excused(id, d.other))) continue;
    if (!is_active_or_reloading(manager_->active_state(d.other)) || is_stopped(d.other)) continue;
    fail("conflicts", "{} and {} conflict and are both up", name(id), name(d.other));
  }
}

/// What units are to one another, with no job left and nothing more to do.
void Invariants::check_neighbours(UnitId id) {
  const ActiveState active = manager_->active_state(id);
  if (!is_up_or_coming(active)) return;
  // It was stopped for this too often: it will be again, later.
  if (manager_->timers().when({TimerKey::Kind::Review, id.value}) != kNever) return;
  bool is_needed = false;
  for (const Dependency& d : manager_->graph().dependencies(id)) {
    const ActiveState other = manager_->active_state(d.other);
    if (d.kinds.has(DependencyKind::BindsTo) && looks(is_excused(id, d.other)) &&
        is_inactive_or_deactivating(other))
      fail("binds-to", "{} is {}, {} that it is bound to is {}", name(id), to_string(active),
           name(d.other), to_string(other));
    is_needed |= d.kinds.any(kNeededBy) && !is_inactive_or_deactivating(other);
    if (d.kinds.has(DependencyKind::Upholds) && is_active_or_reloading(active))
      check_upheld(id, d.other);
  }
  const Memory& memory = of(id);
  const bool has_new = memory.is_need_new || !memory.new_edges.empty();
  const bool shall_stop = unit(id).config.stop_when_unneeded && !is_perpetual(unit(id));
  if (shall_stop && looks(memory.is_excused || has_new) && !is_needed)
    fail("unneeded", "{} is up and nothing needs it", name(id));
}

/// The first that is asked for after the manager has found it to be so.
void Invariants::check_unneeded(UnitId id) {
  if (!unit(id).config.stop_when_unneeded)
    fail("unneeded", "{} is stopped as not needed, which it does not ask for", name(id));
  for (const Dependency& d : manager_->graph().dependencies(id)) {
    if (d.kinds.any(kNeededBy) && is_up_or_coming(manager_->active_state(d.other)))
      fail("unneeded", "{} is stopped as not needed, {} needs it", name(id), name(d.other));
  }
}

/// Started again whenever it is down, as long as that can be asked for; after 16 times in 10 s
/// a moment later.
void Invariants::check_upheld(UnitId id, UnitId upheld) {
  if (!is_inactive_or_failed(manager_->active_state(upheld))) return;
  if (manager_->timers().when({TimerKey::Kind::Review, upheld.value}) != kNever) return;
  if (!looks(is_excused(id, upheld) || of(upheld).is_start_refused)) return;
  fail("upheld", "{} is up, {} that it upholds is {}", name(id), name(upheld),
       to_string(manager_->active_state(upheld)));
}

// ---- processes --------------------------------------------------------------------

void Invariants::check_processes() {
  for (const Process& p : os_.alive()) {
    if (!p.unit.valid() || manager_->graph().is_free(p.unit)) continue;
    const ServiceState& s = manager_->runtime(p.unit).service;
    const bool is_known = p.pid == s.main.pid || p.pid == s.control.pid;
    if (p.spawned && !is_known && p.doom == 0 && p.temper != Temper::Unkillable &&
        goes_up_or_runs(s.phase) && !p.is_left && !of(p.unit).is_old && !manager_->is_owed(p.unit))
      fail("process", "{} of {} in {} is nobody's any more", p.pid, name(p.unit),
           to_string(s.phase));
  }
  const auto units = static_cast<std::uint32_t>(manager_->graph().size());
  for (std::uint32_t i = 0; i < units; ++i) {
    const ServiceState& s = manager_->runtime(UnitId{i}).service;
    for (const pid_t pid : {s.main.pid, s.control.pid}) {
      if (pid <= 0) continue;
      const Process* p = os_.find(pid);
      if (p == nullptr) {
        if (!manager_->is_owed(UnitId{i}))
          fail("process", "{} has process {}, which has ended", name(UnitId{i}), pid);
      } else if (const UnitId owner = manager_->unit_of_pid(pid); owner != UnitId{i}) {
        fail("process", "process {} of {} is another unit's by its pid", pid, name(UnitId{i}));
      }
    }
  }
}

// ---- timers -----------------------------------------------------------------------

/// Every deadline of a state is armed, and everything that is armed has one.
void Invariants::check_timers() {
  std::size_t wanted = 0;
  const TimerQueue& timers = manager_->timers();
  const auto want = [&](TimerKey key, MonoTime when) {
    if (when == kNever) return;
    ++wanted;
    if (timers.when(key) != when) fail("timers", "the deadline of {} is not armed", key.id);
  };
  const auto units = static_cast<std::uint32_t>(manager_->graph().size());
  for (std::uint32_t i = 0; i < units; ++i) {
    const ServiceState& s = manager_->runtime(UnitId{i}).service;
    const MonoTime when = std::min(s.deadline, s.watchdog_deadline);
    const bool wants = is_passing(s.phase) || s.phase == ServicePhase::Running;
    if (when != kNever && !wants)
      fail("timers", "{} is in {} and has a deadline", name(UnitId{i}), to_string(s.phase));
    const bool is_mount = is_mount_like(unit(UnitId{i}));
    want({TimerKey::Kind::Unit, i}, is_mount ? manager_->runtime(UnitId{i}).mount.deadline : when);
  }
  for (const auto& [key, when] : timers.entries()) {
    switch (key.kind) {
      case TimerKey::Kind::Unit:
        --wanted;
        break;
      case TimerKey::Kind::Job:
        if (manager_->job(JobId{key.id}) == nullptr)
          fail("timers", "a job that has ended has a deadline");
        break;
      case TimerKey::Kind::Retry:
        if (!manager_->runtime(UnitId{key.id}).service.spawn_pending &&
            !manager_->runtime(UnitId{key.id}).mount.spawn_pending)
          fail("timers", "{} is to try a launch again that it does not want", name(UnitId{key.id}));
        break;
      case TimerKey::Kind::Review:
        if (manager_->graph().is_free(UnitId{key.id}))
          fail("timers", "a unit that is unloaded is to be reviewed");
        break;
    }
  }
  if (wanted != 0) fail("timers", "a unit's deadline is armed that it does not have");
}

}  // namespace onset::sim
