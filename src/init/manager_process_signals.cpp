// What a signal to PID 1 asks for, carried out; which signal asks for what is
// init/signal_table.

#include "base/format.h"
#include "init/manager_process.h"

namespace onset {

void ManagerProcess::handle_signals() {
  bool children = false;
  while (const auto signal = signals_->next()) {
    const SignalRequest request = request_of_signal(signal->number, surroundings_);
    if (request == SignalRequest::Reap) {
      children = true;
    } else {
      act_on(request);
    }
  }
  if (!children) return;
  handle_kernel();  // a PID file that was written, before the exit that follows
  reap();
}

void ManagerProcess::start_target(std::string_view name, JobMode mode) {
  auto job = manager_->request(name, JobType::Start, mode, read_clock());
  if (!job) console_.line(3, name, job.error().message);
}

void ManagerProcess::dump_state() {
  for (std::uint32_t i = 0; i < manager_->graph().size(); ++i) {
    const UnitId id{i};
    if (manager_->graph().unit(id).load_state == LoadState::Stub) continue;
    console_.line(5, manager_->graph().unit(id).id,
                  format("{} ({})", to_string(manager_->active_state(id)), manager_->sub_state(id)));
  }
}

void ManagerProcess::act_on(SignalRequest request) {
  const Timestamp now = read_clock();
  // Asked twice, a shutdown waits no longer.
  const auto end_now = [&](Objective objective) {
    manager_->shut_down(objective, 0, now);
    manager_->shut_down(objective, 0, now);
  };
  switch (request) {
    case SignalRequest::None:
    case SignalRequest::Reap:
      break;
    case SignalRequest::Exit:
      manager_->shut_down(Objective::Exit, 0, now);
      break;
    case SignalRequest::Halt:
      manager_->shut_down(Objective::Halt, 0, now);
      break;
    case SignalRequest::Poweroff:
      manager_->shut_down(Objective::Poweroff, 0, now);
      break;
    case SignalRequest::Reboot:
      manager_->shut_down(Objective::Reboot, 0, now);
      break;
    case SignalRequest::Kexec:
      manager_->shut_down(Objective::Kexec, 0, now);
      break;
    case SignalRequest::ExitNow:
      end_now(Objective::Exit);
      break;
    case SignalRequest::HaltNow:
      end_now(Objective::Halt);
      break;
    case SignalRequest::PoweroffNow:
      end_now(Objective::Poweroff);
      break;
    case SignalRequest::RebootNow:
      end_now(Objective::Reboot);
      break;
    case SignalRequest::Reload:
      if (auto done = backend_->reload(now); !done) console_.line(3, "", done.error().message);
      break;
    case SignalRequest::CtrlAltDel:
      start_target("ctrl-alt-del.target", JobMode::ReplaceIrreversibly);
      break;
    case SignalRequest::KeyboardRequest:
      start_target("kbrequest.target", JobMode::Replace);
      break;
    case SignalRequest::PowerFailure:
      start_target("sigpwr.target", JobMode::Replace);
      break;
    case SignalRequest::DefaultTarget:
      start_target(options_.unit, JobMode::Isolate);
      break;
    case SignalRequest::RescueTarget:
      start_target("rescue.target", JobMode::Isolate);
      break;
    case SignalRequest::EmergencyTarget:
      start_target("emergency.target", JobMode::Isolate);
      break;
    case SignalRequest::DumpState:
      dump_state();
      break;
    case SignalRequest::StatusOn:
      show_status_ = true;
      break;
    case SignalRequest::StatusOff:
      show_status_ = false;
      break;
    case SignalRequest::LogDebug:
      console_.set_level(7);
      break;
    case SignalRequest::LogInfo:
      console_.set_level(6);
      break;
    case SignalRequest::Reexecute:
      console_.line(4, "", "re-execution is not available yet, the signal is ignored");
      break;
  }
}

}  // namespace onset
