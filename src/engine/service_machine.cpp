// What all rooms of the service machine share: changing phase, spawning,
// timeouts, the budget of a shutdown.
//
// A shutdown's budget is what is left for this unit. Each phase of a stop takes
// at most some eighths of what is left when it begins, so that SIGKILL and what
// follows it still fit, whatever TimeoutStopSec= says.
#include "engine/service_machine.h"

#include <algorithm>

#include "base/format.h"

namespace onset {
namespace {

constexpr KillConfig kDefaultKill{};

constexpr bool has_watchdog(ServicePhase p) {
  return p == ServicePhase::StartPost || p == ServicePhase::Running || is_reload(p);
}

/// How many eighths of the budget that is left a phase may take.
constexpr int budget_eighths(ServicePhase p) {
  switch (p) {
    case ServicePhase::Stop:
    case ServicePhase::StopSigkill:
    case ServicePhase::StopPost:
    case ServicePhase::FinalWatchdog:
    case ServicePhase::FinalSigterm:
      return 4;
    case ServicePhase::StopWatchdog:
    case ServicePhase::StopSigterm:
      return 6;
    case ServicePhase::FinalSigkill:
      return 8;
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
    case ServicePhase::Failed:
    case ServicePhase::DeadBeforeAutoRestart:
    case ServicePhase::FailedBeforeAutoRestart:
    case ServicePhase::AutoRestart:
    case ServicePhase::AutoRestartQueued:
      break;
  }
  return 8;
}

}  // namespace

std::string_view exec_directive(ExecRole role) {
  switch (role) {
    case ExecRole::Condition:
      return "ExecCondition=";
    case ExecRole::StartPre:
      return "ExecStartPre=";
    case ExecRole::Start:
      return "ExecStart=";
    case ExecRole::StartPost:
      return "ExecStartPost=";
    case ExecRole::Reload:
      return "ExecReload=";
    case ExecRole::Stop:
      return "ExecStop=";
    case ExecRole::StopPost:
      return "ExecStopPost=";
  }
  return "";
}

ServiceMachine::ServiceMachine(const Unit& unit, const ServiceState& state,
                               const ServiceContext& context)
    : unit_(unit),
      config_(*unit.service),
      kill_(unit.kill != nullptr ? *unit.kill : kDefaultKill),
      context_(context),
      before_(state.phase),
      state_(state) {}

ServiceStep ServiceMachine::result() && {
  ServiceStep step;
  if (is_reload(before_) && !is_reload(state_.phase)) {
    const bool up = state_.phase == ServicePhase::Running || state_.phase == ServicePhase::Exited;
    step.reload_done = up && state_.reload_result == ServiceResult::Success;
  }
  step.state = state_;
  step.actions = std::move(actions_);
  return step;
}

void ServiceMachine::set_phase(ServicePhase phase) {
  state_.phase = phase;
  state_.deadline = kNever;
  state_.guarded_idle = 0;
  state_.exec_pending = 0;
  state_.spawn_pending = 0;
  state_.kill_pending = 0;
  state_.main_exit_pending = 0;
  if (!has_watchdog(phase)) state_.watchdog_deadline = kNever;
}

void ServiceMachine::note(ServiceResult f) {
  if (state_.result == ServiceResult::Success) state_.result = f;
}

// ---- processes ----------------------------------------------------------------

void ServiceMachine::spawn(ExecRole role, std::uint16_t index) {
  const bool stopping = role == ExecRole::Stop || role == ExecRole::StopPost;
  state_.control.pid = 0;
  state_.control_role = role;
  state_.command_index = index;
  state_.spawn_pending = 1;
  state_.deadline = stopping ? stop_deadline(state_.phase, stop_timeout()) : after(start_timeout());
  act(Spawn{role, index, false});
}

void ServiceMachine::spawn_main(std::uint16_t index) {
  // What follows execve at once is not waited for.
  const bool timed = config_.type != ServiceType::Simple && config_.type != ServiceType::Idle;
  state_.main.pid = 0;
  state_.command_index = index;
  state_.spawn_pending = 1;
  state_.deadline = timed ? after(start_timeout()) : kNever;
  act(Spawn{ExecRole::Start, index, true});
}

void ServiceMachine::set_main(pid_t pid, bool alien) {
  state_.main = ServiceProcess{pid, pid, {}, context_.now, {}};
  state_.main_pid_known = 1;
  state_.main_pid_alien = alien ? 1 : 0;
}

bool ServiceMachine::main_ignores_failure() const {
  const auto& list = commands(ExecRole::Start);
  const bool one_of_several =
      config_.type == ServiceType::Oneshot && state_.phase == ServicePhase::Start;
  const std::size_t index = one_of_several ? state_.command_index : 0;
  return index < list.size() && list[index].ignore_failure;
}

bool ServiceMachine::control_ignores_failure() const {
  const auto& list = commands(state_.control_role);
  return state_.command_index < list.size() && list[state_.command_index].ignore_failure;
}

bool ServiceMachine::may_guess() const {
  return config_.type == ServiceType::Forking && config_.pid_file.empty() &&
         config_.guess_main_pid && state_.main_pid_known == 0;
}

// ---- time -----------------------------------------------------------------------

Duration ServiceMachine::start_timeout() const {
  if (config_.timeout_start) return *config_.timeout_start;
  return config_.type == ServiceType::Oneshot ? kInfinity : context_.default_timeout_start;
}

Duration ServiceMachine::stop_timeout() const {
  return config_.timeout_stop.value_or(context_.default_timeout_stop);
}

Duration ServiceMachine::abort_timeout() const {
  if (config_.timeout_abort) return *config_.timeout_abort;
  return context_.default_timeout_abort.value_or(stop_timeout());
}

MonoTime ServiceMachine::stop_deadline(ServicePhase phase, Duration limit) const {
  if (context_.stop_budget == kInfinity) return after(limit);
  const Duration left = std::max(context_.stop_budget, Duration::zero());
  return after(std::min(limit, left / 8 * budget_eighths(phase)));
}

Duration ServiceMachine::watchdog_period() const {
  return state_.watchdog_override.count() >= 0 ? state_.watchdog_override : config_.watchdog;
}

void ServiceMachine::pet_watchdog() {
  const Duration period = watchdog_period();
  const bool on = has_watchdog(state_.phase) && period > Duration::zero();
  state_.watchdog_deadline = on ? after(period) : kNever;
}

}  // namespace onset
