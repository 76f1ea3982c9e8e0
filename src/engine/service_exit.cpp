// Processes that end.
//
// The main process: with PIDFile= the file is read again first, for a daemon
// may hand over to a new process. ExitType=cgroup goes on until the unit is
// empty. A control process: the next command of its list, or the next phase.
#include <cstddef>

#include "base/format.h"
#include "engine/service_machine.h"
#include "unit/exit_status.h"
#include "unit/signals.h"

namespace onset {
namespace {

constexpr int kSigHup = 1;
constexpr int kSigInt = 2;
constexpr int kSigPipe = 13;
constexpr int kSigTerm = 15;

/// The phase in which a list of commands runs to its end.
constexpr ServicePhase phase_of(ExecRole role) {
  switch (role) {
    case ExecRole::Condition:
      return ServicePhase::Condition;
    case ExecRole::StartPre:
      return ServicePhase::StartPre;
    case ExecRole::Start:
      return ServicePhase::Start;
    case ExecRole::StartPost:
      return ServicePhase::StartPost;
    case ExecRole::Reload:
      return ServicePhase::Reload;
    case ExecRole::Stop:
      return ServicePhase::Stop;
    case ExecRole::StopPost:
      return ServicePhase::StopPost;
  }
  return ServicePhase::Dead;
}

std::string describe(const ExitStatus& status) {
  switch (status.kind) {
    case ExitKind::None:
      return "gone";
    case ExitKind::Exited: {
      const std::string_view name = exit_status_name(status.value);
      return name.empty() ? format("exited, status={}", status.value)
                          : format("exited, status={}/{}", status.value, name);
    }
    case ExitKind::Killed:
      return format("killed, signal={}/{}", status.value, signal_name(status.value));
    case ExitKind::Dumped:
      return format("killed with a core dump, signal={}/{}", status.value,
                    signal_name(status.value));
  }
  return "";
}

}  // namespace

/// A daemon may also end by one of the four signals that ask for it. A core
/// dump is never clean.
ServiceResult ServiceMachine::exit_result(const ExitStatus& status, bool as_daemon) const {
  const ExitStatusSet& success = config_.success_status;
  switch (status.kind) {
    case ExitKind::None:
      return ServiceResult::Success;
    case ExitKind::Exited:
      return status.value == 0 || success.has_status(status.value) ? ServiceResult::Success
                                                                   : ServiceResult::ExitCode;
    case ExitKind::Killed: {
      const int s = status.value;
      const bool asked = s == kSigHup || s == kSigInt || s == kSigTerm || s == kSigPipe;
      return (as_daemon && asked) || success.has_signal(s) ? ServiceResult::Success
                                                           : ServiceResult::Signal;
    }
    case ExitKind::Dumped:
      return ServiceResult::CoreDump;
  }
  return ServiceResult::Success;
}

void ServiceMachine::report_exit(std::string_view who, const ExitStatus& status, ServiceResult f) {
  const bool fine = f == ServiceResult::Success;
  const Say::Level level = fine                                ? Say::Level::Debug
                           : f == ServiceResult::ExecCondition ? Say::Level::Info
                                                               : Say::Level::Warning;
  say(level, format("{} {}", who, describe(status)));
}

void ServiceMachine::handle(const ProcessExited& event) {
  if (event.pid <= 0) return;
  if (event.pid == state_.main.pid) {
    main_exited(event.status);
  } else if (event.pid == state_.control.pid) {
    control_exited(event.status);
  }
}

// ---- the main process -----------------------------------------------------------

void ServiceMachine::main_exited(const ExitStatus& status) {
  state_.main.pid = 0;
  state_.main.last = status;
  state_.main.exited = context_.now;
  state_.main_pid_known = 1;
  state_.exec_pending = 0;
  if (config_.pid_file.empty()) {
    main_gone();
    return;
  }
  state_.main_exit_pending = 1;
  act(FindMainPid{false, true});
}

void ServiceMachine::main_gone() {
  const bool as_daemon = config_.type != ServiceType::Oneshot;
  const ServiceResult f =
      main_ignores_failure() ? ServiceResult::Success : exit_result(state_.main.last, as_daemon);
  report_exit("main process", state_.main.last, f);
  note(f);
  const std::size_t next = state_.command_index + std::size_t{1};
  if (config_.type == ServiceType::Oneshot && state_.phase == ServicePhase::Start &&
      f == ServiceResult::Success && next < commands(ExecRole::Start).size()) {
    spawn_main(static_cast<std::uint16_t>(next));
  } else if (config_.exit_type == ExitType::Cgroup) {
    main_gone_but_not_the_unit(f);
  } else {
    main_gone_for_good(f);
  }
}

/// ExitType=cgroup: UnitEmpty decides, now or later.
void ServiceMachine::main_gone_but_not_the_unit(ServiceResult f) {
  if (state_.phase == ServicePhase::Stop) return;
  if (state_.phase == ServicePhase::Start) {
    if (f != ServiceResult::Success) {
      enter_signal(ServicePhase::StopSigterm, f);
      return;
    }
    const bool becomes_ready =
        is_notify() || config_.type == ServiceType::Dbus || config_.type == ServiceType::Forking;
    if (!becomes_ready) {
      enter_start_post();
      return;
    }
  }
  act(WatchEmpty{});
}

void ServiceMachine::main_gone_for_good(ServiceResult f) {
  switch (state_.phase) {
    case ServicePhase::Start:
      if (config_.type == ServiceType::Oneshot) {
        if (f == ServiceResult::Success) {
          enter_start_post();
        } else {
          enter_signal(ServicePhase::StopSigterm, f);
        }
      } else if (is_notify()) {
        // Ready is said, never guessed. With another process allowed to say it, it may still be.
        if (f != ServiceResult::Success) {
          enter_signal(ServicePhase::StopSigterm, f);
        } else if (!config_.remain_after_exit || config_.notify_access == NotifyAccess::Main) {
          say(Say::Level::Warning, "main process ended before it said READY=1");
          enter_signal(ServicePhase::StopSigterm, ServiceResult::Protocol);
        } else {
          act(WatchEmpty{});
        }
      } else if (!control_alive()) {
        enter_running(f);
      } else if (f != ServiceResult::Success) {
        enter_signal(ServicePhase::StopSigterm, f);
      }
      break;
    case ServicePhase::StartPost:
    case ServicePhase::Reload:
    case ServicePhase::ReloadSignal:
    case ServicePhase::ReloadNotify:
      if (!control_alive()) enter_stop(f);
      break;
    case ServicePhase::Running:
      enter_running(f);
      break;
    case ServicePhase::StopWatchdog:
    case ServicePhase::StopSigterm:
    case ServicePhase::StopSigkill:
      if (!control_alive()) enter_stop_post(f);
      break;
    case ServicePhase::StopPost:
      if (!control_alive()) enter_signal(ServicePhase::FinalSigterm, f);
      break;
    case ServicePhase::FinalWatchdog:
    case ServicePhase::FinalSigterm:
    case ServicePhase::FinalSigkill:
      if (!control_alive()) enter_dead(f, true);
      break;
    case ServicePhase::Stop:  // ExecStop= has to end first
    case ServicePhase::Dead:
    case ServicePhase::Condition:
    case ServicePhase::StartPre:
    case ServicePhase::Exited:
    case ServicePhase::Failed:
    case ServicePhase::DeadBeforeAutoRestart:
    case ServicePhase::FailedBeforeAutoRestart:
    case ServicePhase::AutoRestart:
    case ServicePhase::AutoRestartQueued:
      break;
  }
}

// ---- control processes ------------------------------------------------------------

void ServiceMachine::control_exited(const ExitStatus& status) {
  const ExecRole role = state_.control_role;
  state_.control.pid = 0;
  state_.control.last = status;
  state_.control.exited = context_.now;
  const bool as_daemon = role == ExecRole::Start && config_.type != ServiceType::Oneshot;
  ServiceResult f =
      control_ignores_failure() ? ServiceResult::Success : exit_result(status, as_daemon);
  if (role == ExecRole::Condition && f == ServiceResult::ExitCode && status.value < 255) {
    f = ServiceResult::ExecCondition;
  }
  report_exit(format("{} process", exec_directive(role)), status, f);
  if (!is_reload(state_.phase)) note(f);
  const std::size_t next = state_.command_index + std::size_t{1};
  if (f == ServiceResult::Success && role != ExecRole::Start && state_.phase == phase_of(role) &&
      next < commands(role).size()) {
    spawn(role, static_cast<std::uint16_t>(next));
  } else {
    control_done(f);
  }
}

/// The last command of a list, or the one that failed.
void ServiceMachine::control_done(ServiceResult f) {
  const bool fine = f == ServiceResult::Success;
  switch (state_.phase) {
    case ServicePhase::Condition:
      fine ? enter_start_pre() : enter_signal(ServicePhase::StopSigterm, f);
      break;
    case ServicePhase::StartPre:
      fine ? enter_start() : enter_signal(ServicePhase::StopSigterm, f);
      break;
    case ServicePhase::Start:
      if (!fine) {
        enter_signal(ServicePhase::StopSigterm, f);
      } else if (config_.type == ServiceType::Forking) {
        find_main(!has(ExecRole::StartPost));
      } else {
        enter_start_post();  // new files have changed the type meanwhile
      }
      break;
    case ServicePhase::StartPost:
      if (fine) {
        find_main(true);
      } else {
        enter_signal(ServicePhase::StopSigterm, f);
      }
      break;
    case ServicePhase::Reload:
    case ServicePhase::ReloadSignal:
    case ServicePhase::ReloadNotify:
      state_.reload_result = f;
      if (fine) {
        find_main(false);
      } else {
        conclude_reload();
      }
      break;
    case ServicePhase::Stop:
      enter_signal(ServicePhase::StopSigterm, f);
      break;
    case ServicePhase::StopWatchdog:
    case ServicePhase::StopSigterm:
    case ServicePhase::StopSigkill:
      if (!main_alive()) enter_stop_post(f);
      break;
    case ServicePhase::StopPost:
      if (!main_alive()) enter_signal(ServicePhase::FinalSigterm, f);
      break;
    case ServicePhase::FinalWatchdog:
    case ServicePhase::FinalSigterm:
    case ServicePhase::FinalSigkill:
      if (!main_alive()) enter_dead(f, true);
      break;
    case ServicePhase::Dead:
    case ServicePhase::Running:
    case ServicePhase::Exited:
    case ServicePhase::Failed:
    case ServicePhase::DeadBeforeAutoRestart:
    case ServicePhase::FailedBeforeAutoRestart:
    case ServicePhase::AutoRestart:
    case ServicePhase::AutoRestartQueued:
      break;
  }
}

}  // namespace onset
