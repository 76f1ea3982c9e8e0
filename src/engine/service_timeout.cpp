// Deadlines: Timeout…Sec=, Timeout…FailureMode=, RuntimeMaxSec=, RestartSec=,
// WatchdogSec=.
#include <algorithm>

#include "base/format.h"
#include "engine/service_machine.h"
#include "unit/signals.h"

namespace onset {
namespace {

/// A restart that has to wait for a stop job looks again after this, at least.
constexpr Duration kLookAgain = std::chrono::milliseconds(100);

}  // namespace

void ServiceMachine::handle(const DeadlineElapsed&) {
  if (state_.deadline > context_.now.mono) return;  // of a phase that is over
  switch (state_.phase) {
    case ServicePhase::Condition:
    case ServicePhase::StartPre:
    case ServicePhase::Start:
    case ServicePhase::StartPost:
      start_timed_out();
      break;
    case ServicePhase::Running:
      say(Say::Level::Warning, "has run for as long as RuntimeMaxSec= lets it");
      enter_stop(ServiceResult::Timeout);
      break;
    case ServicePhase::Reload:
    case ServicePhase::ReloadSignal:
    case ServicePhase::ReloadNotify:
      reload_timed_out();
      break;
    case ServicePhase::Stop:
    case ServicePhase::StopWatchdog:
    case ServicePhase::StopSigterm:
    case ServicePhase::StopSigkill:
      stop_timed_out();
      break;
    case ServicePhase::StopPost:
    case ServicePhase::FinalWatchdog:
    case ServicePhase::FinalSigterm:
    case ServicePhase::FinalSigkill:
      stop_post_timed_out();
      break;
    case ServicePhase::DeadBeforeAutoRestart:
    case ServicePhase::FailedBeforeAutoRestart:
      wait_for_restart();
      break;
    case ServicePhase::AutoRestart:
      if (context_.stopping) {
        give_up_restart();
      } else if (context_.stop_pending) {
        // The stop comes first; should it be cancelled, the restart is still due.
        state_.deadline = after(std::max(restart_delay(), kLookAgain));
      } else {
        state_.deadline = kNever;
        act(EnqueueRestart{});
      }
      break;
    case ServicePhase::Dead:
    case ServicePhase::Exited:
    case ServicePhase::Failed:
    case ServicePhase::AutoRestartQueued:
      state_.deadline = kNever;
      break;
  }
}

void ServiceMachine::start_timed_out() {
  if (state_.phase == ServicePhase::Start) {
    if (state_.guarded_idle != 0) {
      launch_main();
      return;
    }
    // Only where a reload has turned a type that waits into one that does not.
    const bool waits = config_.type != ServiceType::Simple && config_.type != ServiceType::Idle;
    if (!waits && main_alive()) {
      enter_start_post();
      return;
    }
  }
  say(Say::Level::Warning, format("timed out in {}", to_string(state_.phase)));
  constexpr ServiceResult f = ServiceResult::Timeout;
  switch (config_.timeout_start_failure) {
    case TimeoutFailureMode::Terminate:
      enter_signal(ServicePhase::StopSigterm, f);
      break;
    case TimeoutFailureMode::Abort:
      enter_signal(ServicePhase::StopWatchdog, f);
      break;
    case TimeoutFailureMode::Kill:
      enter_kill(f);
      break;
  }
}

void ServiceMachine::stop_timed_out() {
  constexpr ServiceResult f = ServiceResult::Timeout;
  const TimeoutFailureMode mode = config_.timeout_stop_failure;
  if (state_.phase == ServicePhase::StopSigkill) {
    say(Say::Level::Warning, format("processes are still there after {}: unkillable, left behind",
                                    signal_name_long(kill_.final_kill_signal)));
    enter_stop_post(f);
    return;
  }
  say(Say::Level::Warning, format("timed out in {}", to_string(state_.phase)));
  const bool in_stop = state_.phase == ServicePhase::Stop;
  const bool aborted = state_.phase == ServicePhase::StopWatchdog;
  if (mode == TimeoutFailureMode::Abort && !aborted) {
    enter_signal(ServicePhase::StopWatchdog, f);
  } else if (mode == TimeoutFailureMode::Terminate && in_stop) {
    enter_signal(ServicePhase::StopSigterm, f);
  } else {
    enter_kill(f);
  }
}

void ServiceMachine::stop_post_timed_out() {
  constexpr ServiceResult f = ServiceResult::Timeout;
  const TimeoutFailureMode mode = config_.timeout_stop_failure;
  if (state_.phase == ServicePhase::FinalSigkill) {
    say(Say::Level::Warning, format("processes are still there after {}: unkillable, left behind",
                                    signal_name_long(kill_.final_kill_signal)));
    enter_dead(f, true);
    return;
  }
  say(Say::Level::Warning, format("timed out in {}", to_string(state_.phase)));
  const bool in_stop_post = state_.phase == ServicePhase::StopPost;
  const bool aborted = state_.phase == ServicePhase::FinalWatchdog;
  if (mode == TimeoutFailureMode::Abort && !aborted) {
    enter_signal(ServicePhase::FinalWatchdog, f);
  } else if (mode == TimeoutFailureMode::Terminate && in_stop_post) {
    enter_signal(ServicePhase::FinalSigterm, f);
  } else {
    enter_final_kill(f);
  }
}

void ServiceMachine::reload_timed_out() {
  if (state_.phase == ServicePhase::Reload && !control_alive() && state_.spawn_pending == 0) {
    state_.deadline = kNever;  // nothing was run, and nothing is waited for
    conclude_reload();
    return;
  }
  say(Say::Level::Warning, "the reload timed out");
  if (control_alive()) act(KillControl{state_.control.pid});
  state_.control.pid = 0;
  state_.reload_result = ServiceResult::Timeout;
  // Else it would begin to wait for the same READY=1 again.
  if (state_.notify == NotifyState::Reloading) state_.notify = NotifyState::Unknown;
  enter_running(ServiceResult::Success);
}

void ServiceMachine::handle(const WatchdogElapsed&) {
  if (state_.watchdog_deadline > context_.now.mono) return;
  say(Say::Level::Error, "sent no WATCHDOG=1 within WatchdogSec=");
  enter_signal(ServicePhase::StopWatchdog, ServiceResult::Watchdog);
}

}  // namespace onset
