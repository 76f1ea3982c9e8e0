// What is looked at the moment it happens: a unit starts, stops, restarts; a job ends.
#include <algorithm>

#include "sim/coverage.h"
#include "sim/invariants.h"
#include "sim/phases.h"
#include "support/failing_new.h"

namespace onset::sim {
namespace {

/// Requires=, Requisite= and BindsTo= from the other side.
constexpr DependencySet needed_by() {
  DependencySet kinds;
  kinds.add(DependencyKind::RequiredBy);
  kinds.add(DependencyKind::RequisiteOf);
  kinds.add(DependencyKind::BoundBy);
  return kinds;
}

bool is_stop(JobType type) {
  return type == JobType::Stop || type == JobType::Restart;
}

}  // namespace

void Invariants::job_queued(const Job& job) {
  const test::UnfailingNew ours;
  const auto known =
      std::ranges::find(queued_, job.id.value, [](const QueuedJob& q) { return q.id.value; });
  if (known == queued_.end()) {
    queued_.push_back({job.id, job.unit});
  } else if (known->unit != job.unit) {
    fail("job-lost", "job {} is of two units", job.id.value);
  }
}

void Invariants::job_done(const Job& job, JobResult result) {
  const test::UnfailingNew ours;
  if (Coverage* c = coverage(); c != nullptr) c->job_ended(job.type, result);
  const auto known =
      std::ranges::find(queued_, job.id.value, [](const QueuedJob& q) { return q.id.value; });
  if (known == queued_.end()) {
    fail("job-lost", "the {} job {} of {} ended without having been queued, or twice",
         to_string(job.type), job.id.value, name(job.unit));
    return;
  }
  queued_.erase(known);
  if (is_stop(job.type) && result != JobResult::Done) of(job.unit).is_excused = true;
  const bool is_start = job.type == JobType::Start || job.type == JobType::VerifyActive;
  const bool failed = result == JobResult::Failed || result == JobResult::Timeout ||
                      result == JobResult::Dependency;
  if (!is_start || !failed) return;
  for (const Dependency& d : manager_->graph().dependencies(job.unit)) {
    if (!d.kinds.any(needed_by())) continue;
    const Job* other = job_of(d.other);
    if (other != nullptr && (other->type == JobType::Start || other->type == JobType::VerifyActive))
      must_end_.push_back(other->id);
  }
}

void Invariants::unit_changed(UnitId id) {
  const test::UnfailingNew ours;
  Memory& memory = of(id);
  const UnitRuntime& rt = manager_->runtime(id);
  const Memory before = memory;
  memory.phase = rt.service.phase;
  memory.active = rt.active;
  if (unit(id).service != nullptr) {
    const ServicePhase phase = rt.service.phase;
    if (rests(before.phase) && !rests(phase)) unit_starts(id);
    if (goes_up_or_runs(before.phase) && goes_down(phase)) unit_stops(id);
    if (phase == ServicePhase::AutoRestart && before.phase != phase) {
      const ServiceConfig& config = *unit(id).service;
      memory.restart_due =
          now_.mono + config.restart_delay.value_or(manager_->config().defaults.restart_delay);
    }
    if (before.phase == ServicePhase::AutoRestart && phase == ServicePhase::AutoRestartQueued)
      check_restart_delay(id, before);
    if (rests(phase)) os_.leave_behind(id);
    if (is_down(phase)) forget_request(id);
    return;
  }
  if (Coverage* c = coverage(); c != nullptr && before.active != rt.active)
    c->plain_changed(unit(id).type, before.active, rt.active);
  if (is_inactive_or_failed(before.active) != is_inactive_or_failed(rt.active)) {
    if (is_inactive_or_failed(before.active)) {
      unit_starts(id);
    } else {
      unit_stops(id);
      forget_request(id);
    }
  }
}

/// systemd.unit(5), Before= and After=: what it is ordered after has finished starting,
/// and what is to go down first has.
void Invariants::unit_starts(UnitId id) {
  const Job* job = job_of(id);
  if (job == nullptr || (job->type != JobType::Start && job->type != JobType::Restart) ||
      job->state != JobState::Running) {
    fail("start-job", "{} starts without a start job that runs", name(id));
    return;
  }
  if (job->ignore_order) {
    of(id).is_excused = true;
  } else {
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
  if (job == nullptr || !is_stop(job->type) || job->state != JobState::Running || job->ignore_order)
    return;
  for (const Dependency& d : manager_->graph().dependencies(id)) {
    const Job* other = job_of(d.other);
    // A restart without an order may be over on the other side.
    const bool stops_first = job->type == JobType::Stop || d.kinds.has(DependencyKind::Before);
    if (stops_first && d.kinds.any(needed_by()) && !is_excused(id) && !is_excused(d.other) &&
        is_active_or_reloading(manager_->active_state(d.other)) &&
        (other == nullptr || !is_stop(other->type)))
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

void Invariants::check_restart_delay(UnitId id, const Memory& memory) {
  if (now_.mono < memory.restart_due)
    fail("restart-delay", "{} restarts {} µs before RestartSec= is over", name(id),
         (memory.restart_due - now_.mono).count());
}

/// It is down. What starts it next may be of the same request.
void Invariants::forget_request(UnitId id) {
  const Job* job = job_of(id);
  if (job != nullptr && job->type != JobType::Stop) return;
  of(id).is_excused = false;
}

void Invariants::requested(UnitId id, JobMode mode) {
  if (!id.valid()) return;
  // What it leaves out is not to be had.
  if (mode == JobMode::IgnoreDependencies || mode == JobMode::IgnoreRequirements)
    of(id).is_excused = true;
}

void Invariants::forget_starts(UnitId id) {
  if (id.valid()) of(id).starts.clear();
}

/// What runs was started by other files: what the new ones ask for holds from the next
/// change on.
void Invariants::files_changed() {
  for (Memory& memory : memories_) {
    memory.starts.clear();
    memory.is_excused = true;
  }
}

}  // namespace onset::sim
