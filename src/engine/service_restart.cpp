// How an activation ends, and Restart=.
//
//   dead, failed                                  for good
//   dead-before-auto-restart, failed-before-…     seen by others, lasts no time
//   auto-restart                                  RestartSec= (RestartSteps=) passes
//   auto-restart-queued                           a job will start it
#include <cmath>

#include "base/format.h"
#include "engine/service_machine.h"

namespace onset {
namespace {

bool contains(const ExitStatusSet& set, const ExitStatus& status) {
  switch (status.kind) {
    case ExitKind::None:
      return false;
    case ExitKind::Exited:
      return set.has_status(status.value);
    case ExitKind::Killed:
    case ExitKind::Dumped:
      return set.has_signal(status.value);
  }
  return false;
}

}  // namespace

void ServiceMachine::enter_dead(ServiceResult f, bool allow_restart) {
  note(f);
  const bool skipped = state_.result == ServiceResult::ExecCondition;
  const bool well = state_.result == ServiceResult::Success || skipped;
  const bool restart =
      allow_restart && !skipped && !context_.stop_pending && !context_.stopping && shall_restart();
  if (skipped) {
    say(Say::Level::Info, "skipped: ExecCondition= does not hold");
  } else if (well) {
    say(Say::Level::Debug, "ended well");
  }
  ServicePhase phase = well ? ServicePhase::Dead : ServicePhase::Failed;
  if (restart) {
    phase = well ? ServicePhase::DeadBeforeAutoRestart : ServicePhase::FailedBeforeAutoRestart;
  }
  set_phase(phase);
  state_.main.pid = 0;
  state_.main_pid_alien = 0;
  state_.control.pid = 0;
  state_.forbid_restart = 0;
  state_.notify = NotifyState::Unknown;
  state_.runtime_deadline = kNever;
  if (!config_.pid_file.empty()) {
    act(StopWatchingPidFile{});
    act(RemovePidFile{});
  }
  act(Release{restart || context_.restart_pending});
  if (!restart) return;
  // Due at once too: should the answer be lost, the restart is not.
  state_.deadline = context_.now.mono;
  act(PassThrough{});
}

bool ServiceMachine::shall_restart() const {
  if (state_.forbid_restart != 0) return false;
  const ExitStatus& last = state_.main.last;
  const ServiceResult r = state_.result;
  if (contains(config_.restart_prevent_status, last)) return false;
  if (contains(config_.restart_force_status, last)) {
    return config_.type != ServiceType::Oneshot || r != ServiceResult::Success;
  }
  switch (config_.restart) {
    case ServiceRestart::No:
      return false;
    case ServiceRestart::Always:
      return true;
    case ServiceRestart::OnSuccess:
      return r == ServiceResult::Success;
    case ServiceRestart::OnFailure:
      return r != ServiceResult::Success;
    case ServiceRestart::OnAbnormal:
      return r != ServiceResult::Success && r != ServiceResult::ExitCode;
    case ServiceRestart::OnWatchdog:
      return r == ServiceResult::Watchdog;
    case ServiceRestart::OnAbort:
      return r == ServiceResult::Signal || r == ServiceResult::CoreDump;
  }
  return false;
}

void ServiceMachine::handle(const Passed&) {
  if (state_.phase == ServicePhase::DeadBeforeAutoRestart ||
      state_.phase == ServicePhase::FailedBeforeAutoRestart) {
    wait_for_restart();
  } else if (state_.phase == ServicePhase::Reload && !control_alive() &&
             state_.spawn_pending == 0) {
    state_.deadline = kNever;
    conclude_reload();
  }
}

void ServiceMachine::wait_for_restart() {
  set_phase(ServicePhase::AutoRestart);
  state_.deadline = after(restart_delay());
}

/// RestartSec= at first, RestartMaxDelaySec= after RestartSteps= restarts, and
/// between the two by a constant factor.
Duration ServiceMachine::restart_delay() const {
  const Duration first = config_.restart_delay.value_or(context_.default_restart_delay);
  const Duration most = config_.restart_max_delay;
  const unsigned steps = config_.restart_steps;
  const std::uint32_t done = state_.restarts;  // before the one that is waited for
  if (done == 0 || steps == 0 || first <= Duration::zero() || most == kInfinity || first >= most) {
    return first;
  }
  if (done >= steps) return most;
  const double ratio = static_cast<double>(most.count()) / static_cast<double>(first.count());
  const double factor = std::pow(ratio, static_cast<double>(done) / static_cast<double>(steps));
  const double delay = static_cast<double>(first.count()) * factor;
  if (delay >= static_cast<double>(most.count())) return most;
  return Duration(static_cast<Duration::rep>(delay));
}

void ServiceMachine::handle(const RestartQueued&) {
  if (state_.phase != ServicePhase::AutoRestart) return;
  if (state_.restarts < UINT32_MAX) ++state_.restarts;
  say(Say::Level::Info, format("restart queued, number {} in a row", state_.restarts));
  set_phase(ServicePhase::AutoRestartQueued);
}

/// Stopped before the restart came: no failure is left, whatever led to it.
void ServiceMachine::give_up_restart() {
  set_phase(ServicePhase::Dead);
  state_.forbid_restart = 0;
  act(Release{false});
}

void ServiceMachine::handle(const StartLimitHit&) {
  const bool queued = state_.phase == ServicePhase::AutoRestartQueued;
  if (!queued && state_.phase != ServicePhase::Dead && state_.phase != ServicePhase::Failed) return;
  // The failure that led here says more than the limit.
  if (state_.result == ServiceResult::ExecCondition) state_.result = ServiceResult::Success;
  note(ServiceResult::StartLimitHit);
  set_phase(ServicePhase::Failed);
  if (queued) act(Release{false});
}

void ServiceMachine::handle(const ResetFailed&) {
  state_.restarts = 0;
  if (state_.phase == ServicePhase::Failed) set_phase(ServicePhase::Dead);
  // What is going on keeps the failure that it has seen.
  if (state_.phase == ServicePhase::Dead) {
    state_.result = ServiceResult::Success;
    state_.reload_result = ServiceResult::Success;
  }
}

}  // namespace onset
