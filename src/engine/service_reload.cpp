// Reload: ExecReload=, or for Type=notify-reload a signal that is answered by
// RELOADING=1 with a time stamp after it, then READY=1. A service may also say
// RELOADING=1 by itself. A reload that fails leaves the service running.
#include "engine/service_machine.h"

namespace onset {

void ServiceMachine::handle(const ReloadRequested&) {
  if (state_.phase != ServicePhase::Running && state_.phase != ServicePhase::Exited) return;
  state_.control.pid = 0;
  state_.reload_result = ServiceResult::Success;
  const bool signals = config_.type == ServiceType::NotifyReload && main_alive();
  if (signals) {
    state_.reload_began = context_.now.mono;
    act(SignalMain{config_.reload_signal});
  }
  if (has(ExecRole::Reload)) {
    set_phase(ServicePhase::Reload);
    spawn(ExecRole::Reload, 0);
  } else if (signals) {
    set_phase(ServicePhase::ReloadSignal);
    state_.deadline = after(start_timeout());
  } else {
    set_phase(ServicePhase::Reload);
    // Due at once too: should the answer be lost, the reload is not.
    state_.deadline = context_.now.mono;
    act(PassThrough{});
  }
}

void ServiceMachine::enter_reload_by_notify() {
  set_phase(ServicePhase::ReloadNotify);
  state_.deadline = after(start_timeout());
  if (!main_alive()) act(WatchEmpty{});
}

/// ExecReload= is done, well or not. The service itself may still be at it.
void ServiceMachine::conclude_reload() {
  if (state_.notify == NotifyState::Reloading && main_alive()) {
    const MonoTime deadline = state_.deadline;
    set_phase(ServicePhase::ReloadNotify);
    state_.deadline = deadline != kNever ? deadline : after(start_timeout());
    return;
  }
  enter_running(ServiceResult::Success);
}

}  // namespace onset
