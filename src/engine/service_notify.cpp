// sd_notify(3), as far as it moves the machine. STOPPING=1 wins over READY=1,
// and that over RELOADING=1. Every field has its phases; elsewhere it is noted
// or nothing.
#include <algorithm>

#include "base/format.h"
#include "engine/service_machine.h"

namespace onset {
namespace {

/// A phase with a deadline that a process of the service may put off.
constexpr bool is_extendable(ServicePhase p) {
  switch (p) {
    case ServicePhase::Condition:
    case ServicePhase::StartPre:
    case ServicePhase::Start:
    case ServicePhase::StartPost:
    case ServicePhase::Running:
    case ServicePhase::Reload:
    case ServicePhase::ReloadSignal:
    case ServicePhase::ReloadNotify:
    case ServicePhase::Stop:
    case ServicePhase::StopWatchdog:
    case ServicePhase::StopSigterm:
    case ServicePhase::StopPost:
    case ServicePhase::FinalWatchdog:
    case ServicePhase::FinalSigterm:
      return true;
    case ServicePhase::StopSigkill:  // nothing is left to ask for time
    case ServicePhase::FinalSigkill:
    case ServicePhase::Dead:
    case ServicePhase::Exited:
    case ServicePhase::Failed:
    case ServicePhase::DeadBeforeAutoRestart:
    case ServicePhase::FailedBeforeAutoRestart:
    case ServicePhase::AutoRestart:
    case ServicePhase::AutoRestartQueued:
      break;
  }
  return false;
}

constexpr bool is_stopping(ServicePhase p) {
  return p == ServicePhase::Stop || p == ServicePhase::StopWatchdog ||
         p == ServicePhase::StopSigterm || p == ServicePhase::StopPost ||
         p == ServicePhase::FinalWatchdog || p == ServicePhase::FinalSigterm;
}

/// Where WATCHDOG=trigger can still be answered with WatchdogSignal=.
constexpr bool is_abortable(ServicePhase p) {
  return p == ServicePhase::Start || p == ServicePhase::StartPost || p == ServicePhase::Running ||
         is_reload(p) || p == ServicePhase::Stop || p == ServicePhase::StopSigterm;
}

}  // namespace

void ServiceMachine::handle(const NotifyMessage& message) {
  notify_main_pid(message);
  if (message.watchdog_trigger && is_abortable(state_.phase)) {
    // First: what the rest of the message would begin must not be begun.
    say(Say::Level::Error, "asked for its watchdog action with WATCHDOG=trigger");
    enter_signal(ServicePhase::StopWatchdog, ServiceResult::Watchdog);
  }
  if (message.stopping) {
    state_.notify = NotifyState::Stopping;
    const bool busy = state_.phase == ServicePhase::Reload;  // ExecReload= has to end first
    if (state_.phase == ServicePhase::Running || (is_reload(state_.phase) && !busy)) {
      enter_stop_by_notify();
    }
  } else if (message.ready) {
    notify_ready(message);
  } else if (message.reloading) {
    notify_reloading(message);
  }
  if (message.error_number) state_.status_errno = *message.error_number;
  if (message.extend_timeout) extend_timeout(*message.extend_timeout);
  if (message.watchdog_period) {
    state_.watchdog_override = std::max(*message.watchdog_period, Duration::zero());
    pet_watchdog();
  }
  if (message.watchdog) pet_watchdog();
}

void ServiceMachine::notify_main_pid(const NotifyMessage& message) {
  if (!message.main_pid || *message.main_pid <= 0) return;
  const pid_t pid = *message.main_pid;
  const bool settable = state_.phase == ServicePhase::Start ||
                        state_.phase == ServicePhase::StartPost ||
                        state_.phase == ServicePhase::Running || is_reload(state_.phase);
  if (!settable || state_.guarded_idle != 0 || pid == state_.control.pid) return;
  if (pid == state_.main.pid && state_.main_pid_known != 0) return;
  set_main(pid, message.main_pid_alien);
}

void ServiceMachine::notify_ready(const NotifyMessage& message) {
  state_.notify = NotifyState::Ready;
  if (state_.phase == ServicePhase::Start && is_notify()) {
    enter_start_post();
  } else if (state_.phase == ServicePhase::ReloadNotify) {
    enter_running(ServiceResult::Success);
  } else if (state_.phase == ServicePhase::ReloadSignal && message.reloading && message.monotonic &&
             *message.monotonic >= state_.reload_began) {
    // Begun and done in one message.
    enter_running(ServiceResult::Success);
  }
}

void ServiceMachine::notify_reloading(const NotifyMessage& message) {
  state_.notify = NotifyState::Reloading;
  if (state_.phase == ServicePhase::Running) {
    state_.reload_result = ServiceResult::Success;
    enter_reload_by_notify();
  } else if (state_.phase == ServicePhase::ReloadSignal && message.monotonic &&
             *message.monotonic >= state_.reload_began) {
    // The reload that was asked for: its deadline runs on.
    const MonoTime deadline = state_.deadline;
    set_phase(ServicePhase::ReloadNotify);
    state_.deadline = deadline;
  }
}

/// EXTEND_TIMEOUT_USEC= puts deadlines off, never nearer, and not past the
/// budget of a shutdown.
void ServiceMachine::extend_timeout(Duration by) {
  if (!is_extendable(state_.phase) || by <= Duration::zero()) return;
  const MonoTime until = is_stopping(state_.phase) ? stop_deadline(state_.phase, by) : after(by);
  if (state_.deadline != kNever) state_.deadline = std::max(state_.deadline, until);
  if (state_.phase == ServicePhase::Running) state_.runtime_deadline = state_.deadline;
  if (state_.watchdog_deadline != kNever) {
    state_.watchdog_deadline = std::max(state_.watchdog_deadline, after(by));
  }
}

}  // namespace onset
