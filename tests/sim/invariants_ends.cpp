// What follows from the end of a unit: nobody of it is left, Restart= brings it back, and
// OnFailure= and OnSuccess= have their turn. Written anew from the manuals.
#include <algorithm>
#include <utility>

#include "sim/invariants.h"
#include "sim/phases.h"
#include "sim/world_plan.h"

namespace onset::sim {
namespace {

constexpr bool is_before_restart(ServicePhase p) {
  return p == ServicePhase::DeadBeforeAutoRestart || p == ServicePhase::FailedBeforeAutoRestart;
}

bool is_in(const ExitStatusSet& set, const ExitStatus& status) {
  if (status.kind == ExitKind::None) return false;
  return status.kind == ExitKind::Exited ? set.has_status(status.value)
                                         : set.has_signal(status.value);
}

/// systemd.service(5), Restart=: the table of exit causes.
bool asks_for_restart(ServiceRestart policy, ServiceResult cause) {
  using enum ServiceRestart;
  const auto is_one_of = [policy](std::initializer_list<ServiceRestart> some) {
    return std::ranges::find(some, policy) != some.end();
  };
  switch (cause) {
    case ServiceResult::ExecCondition:
      return false;
    case ServiceResult::Success:
      return is_one_of({Always, OnSuccess});
    case ServiceResult::ExitCode:
      return is_one_of({Always, OnFailure});
    case ServiceResult::Signal:
    case ServiceResult::CoreDump:
      return is_one_of({Always, OnFailure, OnAbnormal, OnAbort});
    case ServiceResult::Watchdog:
      return is_one_of({Always, OnFailure, OnAbnormal, OnWatchdog});
    case ServiceResult::Protocol:
    case ServiceResult::Timeout:
    case ServiceResult::StartLimitHit:
    case ServiceResult::Resources:
    case ServiceResult::OomKill:
    case ServiceResult::TriggerLimitHit:
    case ServiceResult::ServiceStartLimitHit:
    case ServiceResult::MountStartLimitHit:
      break;
  }
  return is_one_of({Always, OnFailure, OnAbnormal});
}

}  // namespace

// ---- processes that are left ------------------------------------------------------

/// systemd.kill(5): what KillMode= names has ended, or was sent SIGKILL to at last, where
/// SendSIGKILL= lets it. As in systemd the end of ExecStopPost= in final-sigterm ends the
/// unit, whatever else has had its SIGTERM there.
void Invariants::check_left(UnitId id, ServicePhase was) {
  const KillConfig* kill = unit(id).kill.get();
  const KillMode mode = kill != nullptr ? kill->mode : KillMode::ControlGroup;
  const bool sends_sigkill = kill == nullptr || kill->send_sigkill;
  const bool ends_all = mode == KillMode::ControlGroup || mode == KillMode::Mixed;
  const bool has_ended_by_itself =
      (was == ServicePhase::FinalSigterm || was == ServicePhase::FinalWatchdog) &&
      (now_.mono < of(id).deadline || waits_for_memory_);
  if (!ends_all || !sends_sigkill || of(id).is_old || has_ended_by_itself) return;
  for (const Process& p : os_.alive()) {
    if (p.unit != id || p.is_left || p.was_killed || p.temper == Temper::Unkillable) continue;
    fail("left-alive", "{} is {}, process {} was not sent SIGKILL", name(id),
         to_string(of(id).phase), p.pid);
  }
}

/// After an event. Of two main processes the one that was started may end when it likes.
void Invariants::note_service(UnitId id) {
  const ServiceState& s = manager_->runtime(id).service;
  Memory& memory = of(id);
  memory.deadline = s.deadline;
  const pid_t before = std::exchange(memory.main, s.main.pid > 0 ? s.main.pid : memory.main);
  if (before == memory.main) return;
  Process* p = os_.find(before);
  if (p != nullptr && p->unit == id) p->is_left = true;
}

// ---- Restart= -----------------------------------------------------------------------

/// By its exit status first, then by its policy.
bool Invariants::is_restart_asked_for(UnitId id) const {
  const ServiceConfig& config = *unit(id).service;
  const ServiceState& s = manager_->runtime(id).service;
  if (s.result == ServiceResult::ExecCondition) return false;
  if (is_in(config.restart_prevent_status, s.main.last)) return false;
  const bool is_forced =
      is_in(config.restart_force_status, s.main.last) &&
      (config.type != ServiceType::Oneshot || s.result != ServiceResult::Success);
  return is_forced || asks_for_restart(config.restart, s.result);
}

/// It is down for good. systemd.service(5), Restart=: not where its policy asks for a
/// restart, unless "as a result of systemd operation (e.g. service stop or restart)".
void Invariants::check_restart(UnitId id, ServicePhase was) {
  const Memory& memory = of(id);
  const ServiceState& s = manager_->runtime(id).service;
  const Job* job = job_of(id);
  const bool is_asked_to_stop =
      memory.is_stopped || manager_->stopping() ||
      (job != nullptr && (job->type == JobType::Stop || job->type == JobType::Restart));
  if (is_asked_to_stop || !is_restart_asked_for(id)) return;
  // A second one is not started beside what has outlived its last signal.
  const bool may_outlive = was == ServicePhase::StopPost || was == ServicePhase::FinalSigterm ||
                           was == ServicePhase::FinalWatchdog;
  if (unit(id).kill != nullptr && !unit(id).kill->send_sigkill && may_outlive) return;
  fail("restart", "{} is {} with the result {}, and Restart= asks for a restart", name(id),
       to_string(memory.phase), to_string(s.result));
}

/// It is down, and a restart is certain.
void Invariants::check_restart_is_due(UnitId id) {
  const ServiceResult result = manager_->runtime(id).service.result;
  // Where memory runs out the shutdown may not have begun.
  if (of(id).is_stopped_by_job || (manager_->stopping() && !has_run_out_)) {
    fail("restart", "{} restarts though it was stopped", name(id));
  } else if (!is_restart_asked_for(id)) {
    fail("restart", "{} restarts with the result {}, and Restart= does not ask for it", name(id),
         to_string(result));
  }
}

/// RestartSec=, and with RestartSteps= up to RestartMaxDelaySec=.
void Invariants::wait_for_restart(UnitId id) {
  const ServiceConfig& config = *unit(id).service;
  Memory& memory = of(id);
  memory.restart_due =
      now_.mono + config.restart_delay.value_or(manager_->config().defaults.restart_delay);
  memory.restart_latest = now_.mono + longest_restart_delay(id);
  memory.is_refused = false;
}

Duration Invariants::longest_restart_delay(UnitId id) const {
  const ServiceConfig& config = *unit(id).service;
  const Duration first = config.restart_delay.value_or(manager_->config().defaults.restart_delay);
  const bool grows = config.restart_steps > 0 && config.restart_max_delay != kInfinity;
  return grows ? std::max(first, config.restart_max_delay) : first;
}

/// A stop that is queued comes first; should it be cancelled, the restart may wait as long
/// once more.
void Invariants::put_off_restart(UnitId id) {
  constexpr Duration kLeast = std::chrono::milliseconds(100);
  Memory& memory = of(id);
  memory.restart_latest =
      std::max(memory.restart_latest, now_.mono + std::max(longest_restart_delay(id), kLeast));
}

void Invariants::check_restart_comes(UnitId id) {
  const Memory& memory = of(id);
  if (memory.phase != ServicePhase::AutoRestart || memory.is_old) return;
  const Job* job = job_of(id);
  if (job != nullptr && (job->type == JobType::Stop || job->type == JobType::Restart)) {
    put_off_restart(id);
  } else if (memory.restart_latest <= now_.mono) {
    fail("restart", "{} has not restarted {} µs after RestartSec= was over", name(id),
         (now_.mono - memory.restart_latest).count());
  }
}

/// A restart that was certain is none: it was stopped meanwhile, or its job could not be.
void Invariants::check_restart_given_up(UnitId id, ServicePhase was) {
  const Memory& memory = of(id);
  const Job* job = job_of(id);
  const bool is_stopped =
      job != nullptr && (job->type == JobType::Stop || job->type == JobType::Restart);
  // Its conditions, asserts, or what it is bound to.
  const bool is_not_met =
      was == ServicePhase::AutoRestartQueued && job != nullptr && job->state == JobState::Running;
  const bool is_refused =
      memory.is_refused || std::ranges::find(os_.refused, name(id)) != os_.refused.end();
  const bool is_limited = manager_->runtime(id).start_limit_hit;
  if (!is_stopped && !is_not_met && !is_refused && !is_limited && !manager_->stopping())
    fail("restart", "{} is {}, and was to restart", name(id), to_string(memory.phase));
}

// ---- OnFailure=, OnSuccess= -----------------------------------------------------------

/// systemd.unit(5): "activated when this unit enters the failed state", "the inactive state".
void Invariants::expect_triggered(UnitId id, ActiveState was, ServicePhase was_in) {
  Memory& memory = of(id);
  const bool is_service = unit(id).service != nullptr;
  // What was about to restart, and is stopped in that moment.
  if (is_service && is_before_restart(was_in) && is_down(memory.phase))
    memory.ends.add(DependencyKind::OnSuccess);
  if (was == memory.active || (is_service && is_before_restart(memory.phase))) return;
  const bool fails = memory.active == ActiveState::Failed;
  const bool succeeds = memory.active == ActiveState::Inactive && !is_inactive_or_failed(was);
  if (!fails && !succeeds) return;
  const DependencyKind kind = fails ? DependencyKind::OnFailure : DependencyKind::OnSuccess;
  memory.ends.add(kind);
  if (manager_->stopping()) return;
  for (const Dependency& d : manager_->graph().dependencies(id)) {
    if (d.kinds.has(kind)) triggered_.push_back({id, d.other, kind});
  }
}

/// The manager has said why not.
void Invariants::forget_refused_triggers() {
  constexpr Duration kRest = std::chrono::seconds(10);
  bool is_of_one_unloaded = false;
  for (const std::string& name : os_.overdue) {
    const UnitId id = manager_->graph().find(name);
    if (id.valid()) of(id).triggers_again = now_.mono + kRest;
    is_of_one_unloaded |= !id.valid();
  }
  os_.overdue.clear();
  std::erase_if(triggered_, [&](const Owing& o) {
    return manager_->graph().is_free(o.other) || now_.mono <= of(o.source).triggers_again ||
           (is_of_one_unloaded && manager_->graph().is_free(o.source)) ||
           std::ranges::find(os_.refused, name(o.other)) != os_.refused.end();
  });
}

/// None is triggered, or started by itself, once a shutdown has begun, and none for the other end.
void Invariants::check_new_jobs() {
  const std::vector<JobId> jobs = std::exchange(new_jobs_, {});
  const bool is_asked = std::exchange(is_asked_, false);
  // Else it may be due since before the shutdown, or since other files.
  const bool are_files_newer = std::exchange(is_read_again_, false);
  if (manager_->config().steps_a_call != kManySteps || are_files_newer) return;
  for (const JobId id : jobs) {
    const Job* job = manager_->job(id);
    const bool is_start = job != nullptr && job->type == JobType::Start;
    const bool is_triggered = job != nullptr && job->trigger.source.valid();
    if (is_start && !is_triggered && !is_asked && shutdown_began_ != kNever && !has_run_out_)
      fail("shutdown", "{} is started in a shutdown, and nobody has asked for it", name(job->unit));
    if (!is_triggered) continue;
    const UnitId source = job->trigger.source;
    if (shutdown_began_ != kNever)
      fail("triggers", "{} is started in a shutdown, for the end of {}", name(job->unit),
           name(source));
    if (!of(source).ends.any(manager_->graph().between(source, job->unit)))
      fail("triggers", "{} is started for {}, whose end does not ask for it", name(job->unit),
           name(source));
  }
}

void Invariants::check_triggered() {
  if (manager_->stopping()) triggered_.clear();
  for (const Owing& o : triggered_)
    fail("triggers", "{} has ended, {} that is its {}= has no job", name(o.source), name(o.other),
         to_string(o.kind));
}

}  // namespace onset::sim
