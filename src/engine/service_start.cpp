// Start: ExecCondition= → ExecStartPre= → ExecStart= → ready → ExecStartPost=
// → running. What "ready" is, is Type=:
//
//   simple, idle    spawned                     oneshot   all commands have ended well
//   exec            execve has succeeded        forking   the process has ended well, and
//   notify[-reload] READY=1                               the main process is found
//   dbus            the name has an owner
//
// What fails on the way goes to stop-sigterm, past ExecStop=.
#include "base/format.h"
#include "engine/service_machine.h"

namespace onset {
namespace {

constexpr Duration kIdleLimit = std::chrono::seconds(5);

}  // namespace

void ServiceMachine::handle(const StartRequested&) {
  const bool again = state_.phase == ServicePhase::AutoRestartQueued;
  if (!again && state_.phase != ServicePhase::Dead && state_.phase != ServicePhase::Failed) return;
  const std::uint32_t restarts = again ? state_.restarts : 0;
  state_ = ServiceState{};
  state_.restarts = restarts;
  if (refuses_leftovers()) {
    say(Say::Level::Error,
        "not started: processes of an earlier run are left and SendSIGKILL=no leaves them alive");
    enter_dead(ServiceResult::Resources, true);
    return;
  }
  enter_condition();
}

bool ServiceMachine::refuses_leftovers() const {
  return context_.leftover_processes && !kill_.send_sigkill &&
         (kill_.mode == KillMode::ControlGroup || kill_.mode == KillMode::Mixed);
}

void ServiceMachine::enter_condition() {
  if (!has(ExecRole::Condition)) {
    enter_start_pre();
    return;
  }
  set_phase(ServicePhase::Condition);
  spawn(ExecRole::Condition, 0);
}

void ServiceMachine::enter_start_pre() {
  if (!has(ExecRole::StartPre)) {
    enter_start();
    return;
  }
  set_phase(ServicePhase::StartPre);
  spawn(ExecRole::StartPre, 0);
}

void ServiceMachine::enter_start() {
  set_phase(ServicePhase::Start);
  if (config_.type == ServiceType::Idle && !context_.idle) {
    state_.guarded_idle = 1;
    state_.deadline = after(kIdleLimit);
    return;
  }
  launch_main();
}

void ServiceMachine::launch_main() {
  state_.guarded_idle = 0;
  if (!has(ExecRole::Start)) {
    if (config_.type == ServiceType::Oneshot) {
      state_.main_pid_known = 1;  // there is none
      enter_start_post();
      return;
    }
    say(Say::Level::Error, "there is no ExecStart= to run any more");
    enter_signal(ServicePhase::StopSigterm, ServiceResult::Resources);
    return;
  }
  if (config_.type == ServiceType::Dbus) act(WatchBusName{});
  if (config_.type == ServiceType::Forking) {
    spawn(ExecRole::Start, 0);
  } else {
    spawn_main(0);
  }
}

void ServiceMachine::handle(const QueueIdle&) {
  if (state_.phase == ServicePhase::Start && state_.guarded_idle != 0) launch_main();
}

void ServiceMachine::handle(const Spawned& event) {
  if (state_.spawn_pending == 0) return;
  state_.spawn_pending = 0;
  if (state_.phase != ServicePhase::Start || config_.type == ServiceType::Forking) {
    state_.control = ServiceProcess{event.pid, event.pid, {}, context_.now, {}};
    return;
  }
  set_main(event.pid, false);
  switch (config_.type) {
    case ServiceType::Simple:
    case ServiceType::Idle:
      enter_start_post();
      break;
    case ServiceType::Exec:
      if (event.exec_done) {
        enter_start_post();
      } else {
        state_.exec_pending = 1;
      }
      break;
    case ServiceType::Dbus:
      if (state_.bus_name_good != 0) enter_start_post();
      break;
    case ServiceType::Forking:
    case ServiceType::Oneshot:
    case ServiceType::Notify:
    case ServiceType::NotifyReload:
      break;
  }
}

void ServiceMachine::handle(const SpawnFailed& event) {
  const bool restart_refused =
      state_.phase == ServicePhase::AutoRestart || state_.phase == ServicePhase::AutoRestartQueued;
  if (state_.spawn_pending == 0 && !restart_refused) return;
  state_.spawn_pending = 0;
  constexpr ServiceResult f = ServiceResult::Resources;
  if (restart_refused) {
    say(Say::Level::Warning, format("the restart could not be queued: {}", to_string(event.error)));
    enter_dead(f, false);
    return;
  }
  const bool is_main = state_.phase == ServicePhase::Start && config_.type != ServiceType::Forking;
  say(Say::Level::Warning,
      format("cannot run {}: {}", exec_directive(is_main ? ExecRole::Start : state_.control_role),
             to_string(event.error)));
  if (is_reload(state_.phase)) {
    state_.reload_result = f;
    conclude_reload();
  } else if (state_.phase == ServicePhase::StopPost) {
    enter_signal(ServicePhase::FinalSigterm, f);
  } else {
    enter_signal(ServicePhase::StopSigterm, f);
  }
}

void ServiceMachine::handle(const ExecDone& event) {
  const bool awaited = state_.phase == ServicePhase::Start && state_.exec_pending != 0;
  if (awaited && main_alive() && event.pid == state_.main.pid) enter_start_post();
}

void ServiceMachine::handle(const BusNameChanged& event) {
  if (event.bus_gone) {
    // A running service outlives its bus; one that waits for a name waits in vain.
    if (state_.phase != ServicePhase::Start || config_.type != ServiceType::Dbus) return;
    say(Say::Level::Error, format("no message bus to get the name {} on", config_.bus_name));
    enter_signal(ServicePhase::StopSigterm, ServiceResult::Resources);
    return;
  }
  state_.bus_name_good = event.owned ? 1 : 0;
  if (config_.type != ServiceType::Dbus) return;
  if (state_.phase == ServicePhase::Running && !event.owned) {
    say(Say::Level::Info, format("the bus name {} was given up", config_.bus_name));
    enter_running(ServiceResult::Success);
  } else if (state_.phase == ServicePhase::Start && event.owned && main_alive()) {
    enter_start_post();
  }
}

void ServiceMachine::enter_start_post() {
  set_phase(ServicePhase::StartPost);
  state_.control.pid = 0;
  pet_watchdog();
  if (has(ExecRole::StartPost)) {
    spawn(ExecRole::StartPost, 0);
  } else {
    enter_running(ServiceResult::Success);
  }
}

/// Whether there is something left to call running.
bool ServiceMachine::is_good(bool known_empty) const {
  if (config_.type == ServiceType::Dbus && state_.bus_name_good == 0) return false;
  if (main_alive()) return true;
  if (state_.main_pid_known != 0 && config_.exit_type == ExitType::Main) return false;
  return !known_empty;
}

void ServiceMachine::enter_running(ServiceResult f, bool known_empty) {
  note(f);
  state_.control.pid = 0;
  if (state_.result != ServiceResult::Success) {
    enter_signal(ServicePhase::StopSigterm, f);
    return;
  }
  if (!is_good(known_empty)) {
    if (config_.remain_after_exit) {
      set_phase(ServicePhase::Exited);
    } else {
      enter_stop(ServiceResult::Success);
    }
    return;
  }
  if (state_.notify == NotifyState::Reloading) {
    enter_reload_by_notify();
    return;
  }
  if (state_.notify == NotifyState::Stopping) {
    enter_stop_by_notify();
    return;
  }
  set_phase(ServicePhase::Running);
  if (state_.runtime_deadline == kNever && config_.runtime_max != kInfinity) {
    state_.runtime_deadline = after(config_.runtime_max) + context_.runtime_extra;
  }
  state_.deadline = state_.runtime_deadline;
  if (!main_alive()) act(WatchEmpty{});
}

}  // namespace onset
