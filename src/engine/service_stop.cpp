// Stop: ExecStop= → KillSignal= → (TimeoutStopSec=) SIGKILL → ExecStopPost=, then
// the same two signals again for what ExecStopPost= left behind → the end.
//
// A Kill is answered with whether there is anything to wait for; with nothing
// the machine goes on at once. With KillMode=mixed that is to SIGKILL: its other
// processes are killed the moment the main process is gone.
#include <algorithm>

#include "base/format.h"
#include "engine/service_machine.h"

namespace onset {

void ServiceMachine::handle(const StopRequested&) {
  state_.forbid_restart = 1;  // stopped on purpose
  switch (state_.phase) {
    case ServicePhase::Condition:
    case ServicePhase::StartPre:
    case ServicePhase::Start:
    case ServicePhase::StartPost:
    case ServicePhase::Reload:
    case ServicePhase::ReloadSignal:
    case ServicePhase::ReloadNotify:
    case ServicePhase::StopWatchdog:
      enter_signal(ServicePhase::StopSigterm, ServiceResult::Success);
      break;
    case ServicePhase::Running:
    case ServicePhase::Exited:
      enter_stop(ServiceResult::Success);
      break;
    case ServicePhase::Stop:
    case ServicePhase::StopSigterm:
    case ServicePhase::StopSigkill:
    case ServicePhase::StopPost:
    case ServicePhase::FinalWatchdog:
    case ServicePhase::FinalSigterm:
    case ServicePhase::FinalSigkill:
      // Under way already; a shutdown may leave less time for it.
      state_.deadline = std::min(state_.deadline, stop_deadline(state_.phase, kInfinity));
      break;
    case ServicePhase::DeadBeforeAutoRestart:
    case ServicePhase::FailedBeforeAutoRestart:
    case ServicePhase::AutoRestart:
    case ServicePhase::AutoRestartQueued:
      give_up_restart();
      break;
    case ServicePhase::Dead:
    case ServicePhase::Failed:
      state_.forbid_restart = 0;
      break;
  }
}

void ServiceMachine::enter_stop(ServiceResult f) {
  note(f);
  state_.control.pid = 0;
  if (!has(ExecRole::Stop)) {
    enter_signal(ServicePhase::StopSigterm, ServiceResult::Success);
    return;
  }
  set_phase(ServicePhase::Stop);
  spawn(ExecRole::Stop, 0);
}

/// The service said STOPPING=1: it is as if it had got its signal.
void ServiceMachine::enter_stop_by_notify() {
  set_phase(ServicePhase::StopSigterm);
  state_.deadline = stop_deadline(ServicePhase::StopSigterm, stop_timeout());
  if (!main_alive()) act(WatchEmpty{});
}

void ServiceMachine::enter_signal(ServicePhase phase, ServiceResult f) {
  note(f);
  set_phase(phase);
  const bool aborts = phase == ServicePhase::StopWatchdog || phase == ServicePhase::FinalWatchdog;
  Kill::What what = Kill::What::Terminate;
  if (aborts) {
    what = Kill::What::Watchdog;
  } else if (phase == ServicePhase::StopSigkill) {
    what = Kill::What::Kill;
  } else if (phase == ServicePhase::FinalSigkill) {
    what = Kill::What::FinalKill;
  } else if (phase == ServicePhase::StopSigterm && context_.restart_pending) {
    what = Kill::What::TerminateForRestart;
  }
  state_.deadline = stop_deadline(phase, aborts ? abort_timeout() : stop_timeout());
  state_.kill_pending = 1;
  act(Kill{what});
}

void ServiceMachine::handle(const KillAnswer& event) {
  if (state_.kill_pending == 0) return;
  state_.kill_pending = 0;
  if (event.waiting) return;
  // Only here has SIGKILL more to reach than the signal before it.
  const bool spares_the_rest = kill_.mode == KillMode::Mixed;
  switch (state_.phase) {
    case ServicePhase::StopWatchdog:
    case ServicePhase::StopSigterm:
      if (spares_the_rest) {
        enter_kill(ServiceResult::Success);
      } else {
        enter_stop_post_if_any();
      }
      break;
    case ServicePhase::StopSigkill:
      enter_stop_post_if_any();
      break;
    case ServicePhase::FinalWatchdog:
    case ServicePhase::FinalSigterm:
      if (spares_the_rest) {
        enter_final_kill(ServiceResult::Success);
      } else {
        enter_dead(ServiceResult::Success, true);
      }
      break;
    case ServicePhase::FinalSigkill:
      enter_dead(ServiceResult::Success, true);
      break;
    case ServicePhase::Dead:
    case ServicePhase::Condition:
    case ServicePhase::StartPre:
    case ServicePhase::Start:
    case ServicePhase::StartPost:
    case ServicePhase::Running:
    case ServicePhase::Exited:
    case ServicePhase::Reload:
    case ServicePhase::ReloadSignal:
    case ServicePhase::ReloadNotify:
    case ServicePhase::Stop:
    case ServicePhase::StopPost:
    case ServicePhase::Failed:
    case ServicePhase::DeadBeforeAutoRestart:
    case ServicePhase::FailedBeforeAutoRestart:
    case ServicePhase::AutoRestart:
    case ServicePhase::AutoRestartQueued:
      break;
  }
}

void ServiceMachine::enter_kill(ServiceResult f) {
  if (kill_.send_sigkill) {
    enter_signal(ServicePhase::StopSigkill, f);
  } else {
    enter_stop_post(f);
  }
}

void ServiceMachine::enter_stop_post(ServiceResult f) {
  note(f);
  state_.control.pid = 0;
  if (!has(ExecRole::StopPost)) {
    enter_signal(ServicePhase::FinalSigterm, ServiceResult::Success);
    return;
  }
  set_phase(ServicePhase::StopPost);
  spawn(ExecRole::StopPost, 0);
}

/// Nothing is left to signal: without ExecStopPost= nothing can come of it either.
void ServiceMachine::enter_stop_post_if_any() {
  if (has(ExecRole::StopPost)) {
    enter_stop_post(ServiceResult::Success);
  } else {
    enter_dead(ServiceResult::Success, true);
  }
}

void ServiceMachine::enter_final_kill(ServiceResult f) {
  if (kill_.send_sigkill) {
    enter_signal(ServicePhase::FinalSigkill, f);
  } else {
    enter_dead(f, f == ServiceResult::Success);  // what is left would get in a restart's way
  }
}

/// OOMPolicy=: the kernel has killed a process of the unit.
void ServiceMachine::handle(const OomKilled&) {
  const OomPolicy policy =
      config_.oom_policy_written ? config_.oom_policy : context_.default_oom_policy;
  if (policy == OomPolicy::Continue) return;
  constexpr ServiceResult f = ServiceResult::OomKill;
  const bool kills = policy == OomPolicy::Kill;
  switch (state_.phase) {
    case ServicePhase::Condition:
    case ServicePhase::StartPre:
    case ServicePhase::Start:
    case ServicePhase::StartPost:
    case ServicePhase::Reload:
    case ServicePhase::ReloadSignal:
    case ServicePhase::ReloadNotify:
    case ServicePhase::Stop:
      enter_signal(kills ? ServicePhase::StopSigkill : ServicePhase::StopSigterm, f);
      break;
    case ServicePhase::Running:
    case ServicePhase::Exited:
      if (kills) {
        enter_signal(ServicePhase::StopSigkill, f);
      } else {
        enter_stop(f);
      }
      break;
    case ServicePhase::StopWatchdog:
    case ServicePhase::StopSigterm:
      enter_signal(ServicePhase::StopSigkill, f);
      break;
    case ServicePhase::StopSigkill:
    case ServicePhase::FinalSigkill:
      note(f);
      break;
    case ServicePhase::StopPost:
    case ServicePhase::FinalWatchdog:
    case ServicePhase::FinalSigterm:
      enter_signal(ServicePhase::FinalSigkill, f);
      break;
    case ServicePhase::Dead:
    case ServicePhase::Failed:
    case ServicePhase::DeadBeforeAutoRestart:
    case ServicePhase::FailedBeforeAutoRestart:
    case ServicePhase::AutoRestart:
    case ServicePhase::AutoRestartQueued:
      break;
  }
}

}  // namespace onset
