// What is looked at the moment it happens: a unit starts, stops, restarts; a job ends.
#include <algorithm>
#include <utility>

#include "sim/coverage.h"
#include "sim/invariants.h"
#include "sim/phases.h"
#include "support/failing_new.h"

namespace onset::sim {
namespace {

/// Requires=, Requisite= and BindsTo= from the other side.
constexpr DependencySet kRequiredBy{DependencyKind::RequiredBy, DependencyKind::RequisiteOf,
                                    DependencyKind::BoundBy};

bool is_stop(JobType type) {
  return type == JobType::Stop || type == JobType::Restart;
}

}  // namespace

void Invariants::job_queued(const Job& job) {
  const test::UnfailingNew ours;
  take_new_files();
  queued_now_.push_back(job.unit);
  of(job.unit).is_start_refused = false;
  std::erase_if(triggered_, [&](const Owing& o) { return o.other == job.unit; });
  if (job.type == JobType::Stop && name(job.unit) == os_.unneeded) check_unneeded(job.unit);
  os_.unneeded.clear();
  QueuedJob* known = queued(job.id);
  if (known == nullptr) {
    queued_.push_back({.id = job.id, .unit = job.unit, .queued = now_.mono});
    known = &queued_.back();
    new_jobs_.push_back(job.id);
    if (!asks_for_one_) expect_propagated(job);
    if (!asks_for_one_) expect_pulled_in(job);
  }
  known->is_excused |= asks_for_one_;
}

void Invariants::job_done(const Job& job, JobResult result) {
  const test::UnfailingNew ours;
  take_new_files();
  if (Coverage* c = coverage(); c != nullptr) c->job_ended(job.type, result);
  const QueuedJob* known = queued(job.id);
  if (known == nullptr) {
    fail("job-lost", "the {} job {} of {} ended without having been queued, or twice",
         to_string(job.type), job.id.value, name(job.unit));
    return;
  }
  check_job_result(job, result);
  may_replace_ |= result != JobResult::Canceled;  // OnFailure= does
  if (result == JobResult::Canceled && !may_replace_ && !runs_out_now_)
    fail("refused", "the {} job of {} is replaced by a request with the mode fail",
         to_string(job.type), name(job.unit));
  may_end_ |= result == JobResult::Timeout &&
              unit(job.unit).config.job_timeout_action != EmergencyAction::None;
  if (result == JobResult::Timeout && !known->is_old) check_job_timeout_is_over(*known, job);
  queued_.erase(queued_.begin() + (known - queued_.data()));
  Memory& memory = of(job.unit);
  if (is_stop(job.type) && result != JobResult::Done) {
    memory.is_excused = true;
    memory.is_stopped |= job.began.is_set();
    if (memory.phase == ServicePhase::AutoRestart) put_off_restart(job.unit);
  }
  if (memory.phase == ServicePhase::AutoRestartQueued) memory.is_refused = true;
  const bool is_start = job.type == JobType::Start || job.type == JobType::VerifyActive;
  const bool failed = result == JobResult::Failed || result == JobResult::Timeout ||
                      result == JobResult::Dependency || result == JobResult::Concurrency;
  // Requisite=: to be done is not enough. Conflicts=: who waits for a stop is not started without.
  // As in systemd a job that has failed counts, where its unit has not too.
  if (result == JobResult::Timeout || result == JobResult::Dependency ||
      result == JobResult::Failed)
    memory.ends.add(DependencyKind::OnFailure);
  DependencySet kinds;
  if (is_start && failed) {
    kinds = kRequiredBy;
  } else if (job.type == JobType::Start && result == JobResult::Done &&
             is_inactive_or_failed(manager_->active_state(job.unit))) {
    kinds.add(DependencyKind::RequisiteOf);
  } else if (job.type == JobType::Stop && failed) {
    kinds.add(DependencyKind::ConflictedBy);
  }
  for (const Dependency& d : manager_->graph().dependencies(job.unit)) {
    if (!d.kinds.any(kinds)) continue;
    const Job* other = job_of(d.other);
    if (other != nullptr && (other->type == JobType::Start || other->type == JobType::VerifyActive))
      must_end_.push_back(other->id);
  }
}

void Invariants::unit_changed(UnitId id) {
  const test::UnfailingNew ours;
  take_new_files();
  Memory& memory = of(id);
  const UnitRuntime& rt = manager_->runtime(id);
  const ServicePhase phase = std::exchange(memory.phase, rt.service.phase);
  const ActiveState active = std::exchange(memory.active, rt.active);
  may_replace_ = true;  // the request is planned, and what is queued runs
  expect_triggered(id, active, phase);
  expect_action(id, active);
  if (unit(id).service != nullptr) {
    service_changed(id, phase);
    return;
  }
  if (Coverage* c = coverage(); c != nullptr) c->plain_changed(unit(id).type, active, rt.active);
  if (is_inactive_or_failed(active) == is_inactive_or_failed(rt.active)) return;
  if (is_inactive_or_failed(active)) {
    unit_starts(id, false);
  } else {
    unit_stops(id);
    memory.is_excused = memory.is_old = false;
  }
}

void Invariants::service_changed(UnitId id, ServicePhase was) {
  Memory& memory = of(id);
  const ServicePhase phase = memory.phase;
  if (rests(was) && !rests(phase)) unit_starts(id, was == ServicePhase::AutoRestartQueued);
  if (goes_up_or_runs(was) && goes_down(phase)) unit_stops(id);
  if (phase != was) check_timeout(id);
  check_watchdog_begins(id, was);
  check_ready(id, was);
  check_commands(id, was);
  if (!rests(was) && rests(phase) && !is_down(phase)) check_restart_is_due(id);
  if (phase == ServicePhase::AutoRestart && was != phase) wait_for_restart(id);
  if (was == ServicePhase::AutoRestart && phase == ServicePhase::AutoRestartQueued)
    check_restart_delay(id);
  if (!rests(was) && rests(phase)) check_left(id, was);
  if (rests(phase)) os_.leave_behind(id);
  memory.deadline = manager_->runtime(id).service.deadline;
  if (!is_down(phase) || is_down(was)) return;
  if (rests(was)) {
    check_restart_given_up(id, was);
  } else {
    check_restart(id, was);
  }
  memory.is_excused = memory.is_old = false;
}

/// systemd.unit(5), Before= and After=: what it is ordered after has finished starting,
/// and what is to go down first has.
void Invariants::unit_starts(UnitId id, bool restarts) {
  const Job* job = job_of(id);
  if (job == nullptr || (job->type != JobType::Start && job->type != JobType::Restart) ||
      job->state != JobState::Running) {
    fail("start-job", "{} starts without a start job that runs", name(id));
    return;
  }
  if (const std::string full = full_of(*job); !full.empty() && !manager_->stopping()) {
    if (full == "manager" || !restarts)
      fail("slots", "{} starts though {} has no slot for it", name(id), full);
  }
  Memory& memory = of(id);
  const QueuedJob* known = queued(job->id);
  memory.is_excused = job->ignore_order || (known != nullptr && known->is_excused);
  if (known == nullptr || !known->is_old_plan) forget_new_edges(id);
  memory.is_ready = false;
  memory.is_old = memory.is_stopped = memory.is_stopped_by_job = memory.is_refused = false;
  if (looks(job->ignore_order)) {
    for (const Dependency& d : manager_->graph().dependencies(id)) {
      const Job* other = job_of(d.other);
      if (other == nullptr || other->type == JobType::Nop) continue;
      const bool is_ordered = d.kinds.has(DependencyKind::After) ||
                              (d.kinds.has(DependencyKind::Before) && is_stop(other->type));
      if (is_ordered)
        fail("start-order", "{} starts though it is ordered against {}, which has a {} job",
             name(id), name(d.other), to_string(other->type));
    }
  }
  if (unit(id).service == nullptr) return;
  if (Coverage* c = coverage(); c != nullptr) c->service_started(unit(id));
  check_start_limit(id);
}

/// systemd.unit(5), Before= and After=: stops run in the reverse of the order of starts.
void Invariants::unit_stops(UnitId id) {
  const Job* job = job_of(id);
  if (job == nullptr || !is_stop(job->type) || job->state != JobState::Running) return;
  of(id).is_stopped = of(id).is_stopped_by_job = true;
  if (!looks(job->ignore_order)) return;
  const QueuedJob* known = queued(job->id);
  const bool is_alone = known != nullptr && known->is_excused;
  const bool is_old_plan = known != nullptr && known->is_old_plan;
  for (const Dependency& d : manager_->graph().dependencies(id)) {
    const Job* other = job_of(d.other);
    // A restart without an order, or with one that new files have, may be over on the other side.
    const bool stops_first =
        job->type == JobType::Stop || (d.kinds.has(DependencyKind::Before) && !is_old_plan);
    if (stops_first && d.kinds.any(kRequiredBy) &&
        is_active_or_reloading(manager_->active_state(d.other)) &&
        looks(is_alone || is_excused(id, d.other)) && (other == nullptr || !is_stop(other->type)))
      fail("requires", "{} is stopped, {} that requires it is up and is not", name(id),
           name(d.other));
    if (!d.kinds.has(DependencyKind::Before)) continue;
    if (other != nullptr && is_stop(other->type))
      fail("stop-order", "{} stops before {}, which is ordered after it", name(id), name(d.other));
  }
}

/// StartLimitIntervalSec=, StartLimitBurst=. Counted in intervals one after the other:
/// twice the burst is the most that any interval can see.
void Invariants::check_start_limit(UnitId id) {
  const UnitConfig& config = unit(id).config;
  const ManagerSettings& defaults = manager_->config().defaults;
  const Duration interval = config.start_limit_interval.value_or(defaults.start_limit_interval);
  const unsigned burst = config.start_limit_burst.value_or(defaults.start_limit_burst);
  std::deque<MonoTime>& starts = of(id).starts;
  starts.push_back(now_.mono);
  if (burst == 0 || interval <= Duration::zero()) {
    starts.clear();
    return;
  }
  while (!starts.empty() && interval != kInfinity && starts.front() + interval < now_.mono)
    starts.pop_front();
  const unsigned most = interval == kInfinity ? burst : 2 * burst;
  if (starts.size() > most)
    fail("start-limit", "{} was started {} times within its interval", name(id), starts.size());
}

/// TimeoutStartSec=, TimeoutStopSec=, TimeoutAbortSec=: each phase of a start, a reload or a stop
/// that is entered has the whole of it, within the budget of a shutdown.
void Invariants::check_timeout(UnitId id) {
  using enum ServicePhase;
  const ServiceState& s = manager_->runtime(id).service;
  const bool aborts = s.phase == StopWatchdog || s.phase == FinalWatchdog;
  // What follows execve at once is not waited for, Type=idle for others first; a reload may
  // have nothing to run.
  const bool begins = s.phase == Condition || s.phase == StartPre || s.phase == StartPost ||
                      (s.phase == Start && s.deadline != kNever && s.guarded_idle == 0) ||
                      s.phase == ReloadSignal ||
                      (s.phase == Reload && !unit(id).service->commands(ExecRole::Reload).empty());
  if (!begins && !goes_down(s.phase)) return;
  const Unit& config = unit(id);
  const MonoTime due = now_.mono + (begins   ? manager_->start_timeout(config)
                                    : aborts ? manager_->abort_timeout(config)
                                             : manager_->stop_timeout(config));
  const bool has_budget = manager_->stopping() && manager_->config().shutdown_budget != kInfinity;
  if (s.deadline > due || (s.deadline < due && !has_budget))
    fail("timeout", "{} is in {} until {} µs, its timeout is over at {}", name(id),
         to_string(s.phase), s.deadline.us, due.us);
}

void Invariants::check_restart_delay(UnitId id) {
  const MonoTime due = of(id).restart_due;
  if (now_.mono < due)
    fail("restart-delay", "{} restarts {} µs before RestartSec= is over", name(id),
         (due - now_.mono).count());
}

void Invariants::forget_starts(UnitId id) {
  if (id.valid()) of(id).starts.clear();
}

}  // namespace onset::sim
