// What a signal to PID 1 asks for, carried out; which signal asks for what is
// init/signal_table.

#include <algorithm>

#include "base/format.h"
#include "engine/start_limit.h"
#include "init/busybox_signals.h"
#include "init/manager_process.h"
#include "unit/enum_words.h"

namespace onset {
namespace {

struct ShutdownRow {
  SignalRequest request;
  Objective objective;
  bool at_once;
};
constexpr ShutdownRow kShutdowns[] = {
    {SignalRequest::Exit, Objective::Exit, false},
    {SignalRequest::Halt, Objective::Halt, false},
    {SignalRequest::Poweroff, Objective::Poweroff, false},
    {SignalRequest::Reboot, Objective::Reboot, false},
    {SignalRequest::Kexec, Objective::Kexec, false},
    {SignalRequest::SoftReboot, Objective::SoftReboot, false},
    {SignalRequest::ExitNow, Objective::Exit, true},
    {SignalRequest::HaltNow, Objective::Halt, true},
    {SignalRequest::PoweroffNow, Objective::Poweroff, true},
    {SignalRequest::RebootNow, Objective::Reboot, true},
};

struct TargetRow {
  SignalRequest request;
  std::string_view target;
  JobMode mode;
};
constexpr TargetRow kTargets[] = {
    {SignalRequest::CtrlAltDel, "ctrl-alt-del.target", JobMode::ReplaceIrreversibly},
    {SignalRequest::KeyboardRequest, "kbrequest.target", JobMode::Replace},
    {SignalRequest::PowerFailure, "sigpwr.target", JobMode::Replace},
    {SignalRequest::RescueTarget, "rescue.target", JobMode::Isolate},
    {SignalRequest::EmergencyTarget, "emergency.target", JobMode::Isolate},
};

bool is_shutdown(SignalRequest request) {
  return std::any_of(std::begin(kShutdowns), std::end(kShutdowns),
                     [request](const ShutdownRow& row) { return row.request == request; });
}

}  // namespace

void ManagerProcess::handle_signals() {
  const MemoryReserve::Open finish(reserve_, 0);
  for (;;) {
    act_on(asked_);
    asked_ = SignalRequest::None;
    const auto signal = signals_->next();
    if (!signal) break;
    SignalRequest request = request_of_signal(signal->number, surroundings_);
    if (surroundings_ != Surroundings::User) {
      const SignalRequest busybox = request_of_busybox(signal->number, signal->sender);
      if (busybox != SignalRequest::None) request = busybox;
    }
    if (request == SignalRequest::Reap) {
      children_ended_ = true;
    } else if (is_shutdown(request)) {
      asked_ = request;
    } else {
      act_on(request);
    }
  }
  if (!children_ended_) return;
  handle_kernel();  // a PID file that was written, before the exit that follows
  reap();
}

void ManagerProcess::handle_kernel() {
  const MemoryReserve::Open finish(reserve_, 0);
  os_->drain(*this);
}

void ManagerProcess::start_target(std::string_view name, JobMode mode) {
  auto job = manager_->request(name, JobType::Start, mode, read_clock());
  if (!job) console_.line(3, name, job.error().message);
}

/// Before the units are read again. What a signal has switched stays switched
/// unless the file says something new.
void ManagerProcess::reread_configuration(Diagnostics& diagnostics) {
  const int level = configuration_->log_level();
  const ShowStatus show = configuration_->show_status();
  Diagnostics found;
  configuration_->read(found);
  if (configuration_->log_level() != level) console_.set_level(configuration_->log_level());
  if (configuration_->show_status() != show) display_.set_mode(configuration_->show_status());
  display_.set_unit_format(configuration_->settings().status_unit_format);
  manager_->set_defaults(configuration_->settings());
  os_->set_defaults(configuration_->environment(), configuration_->launch_defaults());
  watch_hardware(configuration_->settings().runtime_watchdog);
  tell(found);
  settled_ = false;  // the units are loaded again
  diagnostics.insert(diagnostics.end(), found.begin(), found.end());
}

void ManagerProcess::tell(const Diagnostics& diagnostics) {
  for (const Diagnostic& d : diagnostics) {
    console_.line(d.severity == Severity::Note ? 7 : 4, "", to_string(d));
  }
}

void ManagerProcess::dump_state() {
  for (std::uint32_t i = 0; i < manager_->graph().size(); ++i) {
    const UnitId id{i};
    if (manager_->graph().unit(id).load_state == LoadState::Stub) continue;
    console_.line(
        5, manager_->graph().unit(id).id,
        format("{} ({})", to_string(manager_->active_state(id)), manager_->sub_state(id)));
  }
}

void ManagerProcess::shut_down(Objective objective, bool at_once) {
  const Timestamp now = read_clock();
  manager_->shut_down(objective, 0, now);
  // Asked twice, a shutdown waits no longer.
  if (at_once) manager_->shut_down(objective, 0, now);
}

/// More than seven within two seconds are no request for an orderly reboot any more
/// (systemd-system.conf(5), CtrlAltDelBurstAction=).
bool ManagerProcess::is_burst() {
  constexpr StartLimit kLimit{std::chrono::seconds(2), 7};
  const Timestamp now = read_clock();
  if (count_start(kLimit, now.mono, ctrl_alt_del_begin_, ctrl_alt_del_count_)) return false;
  const EmergencyAction action = configuration_->settings().ctrl_alt_del_burst_action;
  if (action == EmergencyAction::None) return false;
  console_.line(5, "",
                format("Ctrl-Alt-Del more than {} times within {} s: {}", kLimit.burst,
                       kLimit.interval.count() / 1000000, to_string(action)));
  manager_->act(action, now);
  return true;
}

void ManagerProcess::act_on(SignalRequest request) {
  if (request == SignalRequest::CtrlAltDel && is_burst()) return;
  for (const ShutdownRow& row : kShutdowns) {
    if (row.request == request) return shut_down(row.objective, row.at_once);
  }
  for (const TargetRow& row : kTargets) {
    if (row.request == request) return start_target(row.target, row.mode);
  }
  switch (request) {
    case SignalRequest::DefaultTarget:
      return start_target(default_unit_, JobMode::Isolate);
    case SignalRequest::DumpState:
      return dump_state();
    case SignalRequest::StatusOn:
    case SignalRequest::StatusOff:
      display_.set_mode(request == SignalRequest::StatusOn ? ShowStatus::Yes : ShowStatus::No);
      return;
    case SignalRequest::LogDebug:
    case SignalRequest::LogInfo:
      return console_.set_level(request == SignalRequest::LogDebug ? 7 : 6);
    case SignalRequest::Reload:
      (void)reload(read_clock());
      return;
    case SignalRequest::Reconnect:
      return reconnect();
    case SignalRequest::Reexecute:
      return console_.line(4, "", "re-execution is not available yet, the signal is ignored");
    // Not asked for anything, or in a table above.
    case SignalRequest::None:
    case SignalRequest::Reap:
    case SignalRequest::Exit:
    case SignalRequest::Halt:
    case SignalRequest::Poweroff:
    case SignalRequest::Reboot:
    case SignalRequest::Kexec:
    case SignalRequest::SoftReboot:
    case SignalRequest::HaltNow:
    case SignalRequest::PoweroffNow:
    case SignalRequest::RebootNow:
    case SignalRequest::ExitNow:
    case SignalRequest::CtrlAltDel:
    case SignalRequest::KeyboardRequest:
    case SignalRequest::PowerFailure:
    case SignalRequest::RescueTarget:
    case SignalRequest::EmergencyTarget:
      return;
  }
}

}  // namespace onset
