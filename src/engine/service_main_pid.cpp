// Which process is the main one where it is not the one that was spawned
// (Type=forking, PIDFile=), and what it means that no process is left. A unit
// whose main process is not known ends when it is empty.
#include "engine/service_machine.h"

namespace onset {

void ServiceMachine::find_main(bool watch) {
  if (!config_.pid_file.empty()) {
    act(FindMainPid{watch, !watch});
  } else if (may_guess()) {
    act(FindMainPid{});
  } else {
    main_settled();
  }
}

void ServiceMachine::handle(const MainPidFound& event) {
  const bool found = event.pid > 0 && event.pid != state_.control.pid;
  if (state_.main_exit_pending != 0) {
    state_.main_exit_pending = 0;
    if (found) {
      set_main(event.pid, event.alien);
    } else {
      main_gone();
    }
    return;
  }
  const bool wanted = state_.phase == ServicePhase::Start ||
                      state_.phase == ServicePhase::StartPost ||
                      state_.phase == ServicePhase::Running || is_reload(state_.phase);
  if (!wanted) return;
  const bool is_guess = !event.certain;
  if (found && event.pid != state_.main.pid && !(is_guess && state_.main_pid_known != 0)) {
    set_main(event.pid, event.alien);
  }
  if (control_alive() || state_.spawn_pending != 0) return;  // not what was waited for
  if (found) {
    main_settled();
  } else {
    main_not_found();
  }
}

void ServiceMachine::main_not_found() {
  const bool file_is_due = !config_.pid_file.empty() &&
                           (state_.phase == ServicePhase::StartPost ||
                            (state_.phase == ServicePhase::Start && !has(ExecRole::StartPost)));
  if (!file_is_due) {
    main_settled();
    return;
  }
  // The start's deadline runs on; an empty unit ends the wait.
  act(WatchEmpty{});
}

/// The main process is known as well as it will be: on with the phase.
void ServiceMachine::main_settled() {
  if (state_.phase == ServicePhase::Start) {
    if (config_.type == ServiceType::Forking) enter_start_post();
  } else if (state_.phase == ServicePhase::StartPost) {
    enter_running(ServiceResult::Success);
  } else if (state_.phase == ServicePhase::Reload) {
    conclude_reload();
  }
}

// ---- the unit is empty -----------------------------------------------------------------

void ServiceMachine::handle(const UnitEmpty&) {
  // While one is not reaped yet, its exit says more.
  if (main_alive() || control_alive() || state_.spawn_pending != 0) return;
  switch (state_.phase) {
    case ServicePhase::Start:
      if (state_.guarded_idle != 0) break;
      if (is_notify()) {
        say(Say::Level::Warning, "no process is left that could say READY=1");
        enter_signal(ServicePhase::StopSigterm, ServiceResult::Protocol);
      } else if (config_.type == ServiceType::Forking && !config_.pid_file.empty()) {
        say(Say::Level::Warning, "no process is left that could write the PID file");
        act(StopWatchingPidFile{});
        enter_signal(ServicePhase::StopSigterm, ServiceResult::Protocol);
      } else {
        enter_running(ServiceResult::Success, true);
      }
      break;
    case ServicePhase::StartPost:
      if (config_.pid_file.empty()) {
        enter_running(ServiceResult::Success, true);
        break;
      }
      say(Say::Level::Warning, "no process is left that could write the PID file");
      act(StopWatchingPidFile{});
      enter_signal(ServicePhase::StopSigterm, ServiceResult::Protocol);
      break;
    case ServicePhase::Running:
      enter_running(ServiceResult::Success, true);
      break;
    case ServicePhase::Reload:
    case ServicePhase::ReloadSignal:
    case ServicePhase::ReloadNotify:
      enter_stop(ServiceResult::Success);
      break;
    case ServicePhase::StopWatchdog:
    case ServicePhase::StopSigterm:
    case ServicePhase::StopSigkill:
      enter_stop_post_if_any();
      break;
    case ServicePhase::StopPost:
    case ServicePhase::FinalWatchdog:
    case ServicePhase::FinalSigterm:
    case ServicePhase::FinalSigkill:
      enter_dead(ServiceResult::Success, true);
      break;
    case ServicePhase::Dead:
    case ServicePhase::Condition:
    case ServicePhase::StartPre:
    case ServicePhase::Exited:
    case ServicePhase::Stop:
    case ServicePhase::Failed:
    case ServicePhase::DeadBeforeAutoRestart:
    case ServicePhase::FailedBeforeAutoRestart:
    case ServicePhase::AutoRestart:
    case ServicePhase::AutoRestartQueued:
      break;
  }
}

}  // namespace onset
