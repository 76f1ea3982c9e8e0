#include "engine/scope.h"

#include <algorithm>
#include <utility>

#include "base/format.h"

namespace onset {

std::string_view to_string(ScopePhase p) {
  switch (p) {
    case ScopePhase::Dead:
      return "dead";
    case ScopePhase::Running:
      return "running";
    case ScopePhase::Abandoned:
      return "abandoned";
    case ScopePhase::StopSigterm:
      return "stop-sigterm";
    case ScopePhase::StopSigkill:
      return "stop-sigkill";
    case ScopePhase::Failed:
      return "failed";
  }
  return "";
}

ActiveState active_state(ScopePhase p) {
  switch (p) {
    case ScopePhase::Dead:
      return ActiveState::Inactive;
    case ScopePhase::Running:
    case ScopePhase::Abandoned:
      return ActiveState::Active;
    case ScopePhase::StopSigterm:
    case ScopePhase::StopSigkill:
      return ActiveState::Deactivating;
    case ScopePhase::Failed:
      return ActiveState::Failed;
  }
  return ActiveState::Inactive;
}

namespace {

constexpr KillConfig kDefaultKill{};

class ScopeMachine {
 public:
  ScopeMachine(const Unit& unit, const ScopeState& state, const ServiceContext& context)
      : config_(*unit.scope),
        kill_(unit.kill != nullptr ? *unit.kill : kDefaultKill),
        context_(context),
        state_(state) {}

  void handle(const StartRequested&) {
    if (!is_down()) return;
    state_.result = ServiceResult::Success;
    set_phase(ScopePhase::Running);
    if (config_.runtime_max != kInfinity) {
      const Duration most = config_.runtime_max < kInfinity - context_.runtime_extra
                                ? config_.runtime_max + context_.runtime_extra
                                : kInfinity;
      state_.deadline = context_.now.mono + most;
    }
    actions_.emplace_back(WatchEmpty{});
  }
  void handle(const StartLimitHit&) {
    if (is_down()) enter_dead(ServiceResult::StartLimitHit);
  }
  void handle(const SpawnFailed& event) {
    if (!is_down()) return;
    say(Say::Level::Warning, format("cannot take its processes over: {}", to_string(event.error)));
    enter_dead(ServiceResult::Resources);
  }
  void handle(const StopRequested&);
  void handle(const UnitEmpty&) {
    if (!is_down()) enter_dead(ServiceResult::Success);
  }
  void handle(const KillAnswer& event);
  void handle(const DeadlineElapsed&);
  void handle(const OomKilled&);
  void handle(const ResetFailed&) {
    if (state_.phase == ScopePhase::Failed) set_phase(ScopePhase::Dead);
    state_.result = ServiceResult::Success;
  }
  void handle(ScopeAbandoned) {
    if (state_.phase == ScopePhase::Running) set_phase(ScopePhase::Abandoned);
  }
  // What only other units hear.
  void handle(const ReloadRequested&) {}
  void handle(const Spawned&) {}
  void handle(const ProcessExited&) {}
  void handle(const ExecDone&) {}
  void handle(const MainPidFound&) {}
  void handle(const WatchdogElapsed&) {}
  void handle(const BusNameChanged&) {}
  void handle(const QueueIdle&) {}
  void handle(const NotifyMessage&) {}
  void handle(const RestartQueued&) {}
  void handle(const Passed&) {}
  void handle(const SocketsOpened&) {}
  void handle(const SocketNews&) {}
  void handle(const AutomountNews&) {}

  ScopeStep result() && { return {state_, std::move(actions_)}; }

 private:
  [[nodiscard]] bool is_down() const {
    return state_.phase == ScopePhase::Dead || state_.phase == ScopePhase::Failed;
  }
  void set_phase(ScopePhase phase) {
    state_.phase = phase;
    state_.deadline = kNever;
    state_.kill_pending = 0;
  }
  void enter_signal(ScopePhase phase, ServiceResult f) {
    note(f);
    set_phase(phase);
    state_.kill_pending = 1;
    state_.deadline = deadline();
    const auto first =
        context_.restart_pending ? Kill::What::TerminateForRestart : Kill::What::Terminate;
    actions_.emplace_back(Kill{phase == ScopePhase::StopSigterm ? first : Kill::What::Kill});
  }
  void enter_dead(ServiceResult f) {
    note(f);
    set_phase(state_.result == ServiceResult::Success ? ScopePhase::Dead : ScopePhase::Failed);
    actions_.emplace_back(Release{});
  }
  /// SIGTERM is over, whether by time or because there was nobody to send it to.
  void enter_kill(ServiceResult f) {
    if (kill_.send_sigkill) {
      enter_signal(ScopePhase::StopSigkill, f);
    } else {
      enter_dead(f);
    }
  }
  /// The first failure is the result.
  void note(ServiceResult f) {
    if (state_.result == ServiceResult::Success) state_.result = f;
  }
  [[nodiscard]] MonoTime deadline() const {
    const Duration limit = config_.timeout_stop.value_or(context_.default_timeout_stop);
    return context_.now.mono + within_stop_budget(limit, context_);
  }
  void say(Say::Level level, std::string text) {
    actions_.emplace_back(Say{level, std::move(text)});
  }

  const ScopeConfig& config_;
  const KillConfig& kill_;
  const ServiceContext& context_;
  ScopeState state_;
  std::vector<ServiceAction> actions_;
};

void ScopeMachine::handle(const StopRequested&) {
  switch (state_.phase) {
    case ScopePhase::Running:
    case ScopePhase::Abandoned:
      enter_signal(ScopePhase::StopSigterm, ServiceResult::Success);
      break;
    case ScopePhase::StopSigterm:
    case ScopePhase::StopSigkill:
      state_.deadline = std::min(state_.deadline, deadline());  // a shutdown has begun
      break;
    case ScopePhase::Dead:
    case ScopePhase::Failed:
      break;
  }
}

void ScopeMachine::handle(const KillAnswer& event) {
  if (state_.kill_pending == 0) return;
  state_.kill_pending = 0;
  if (event.waiting) return;
  if (state_.phase == ScopePhase::StopSigterm) {
    enter_kill(ServiceResult::Success);
  } else {
    enter_dead(ServiceResult::Success);
  }
}

void ScopeMachine::handle(const DeadlineElapsed&) {
  if (state_.deadline > context_.now.mono) return;
  switch (state_.phase) {
    case ScopePhase::Running:
      say(Say::Level::Warning, "RuntimeMaxSec= is over, stopping");
      enter_signal(ScopePhase::StopSigterm, ServiceResult::Timeout);
      break;
    case ScopePhase::StopSigterm:
      say(Say::Level::Warning, kill_.send_sigkill
                                   ? "processes have not ended by their signal, killing them"
                                   : "processes have not ended by their signal, left alone");
      enter_kill(ServiceResult::Timeout);
      break;
    case ScopePhase::StopSigkill:
      say(Say::Level::Warning, "processes are still there after SIGKILL, they are left alone");
      enter_dead(ServiceResult::Timeout);
      break;
    case ScopePhase::Abandoned:
    case ScopePhase::Dead:
    case ScopePhase::Failed:
      state_.deadline = kNever;
      break;
  }
}

/// OOMPolicy=: a process of the scope was killed for want of memory.
void ScopeMachine::handle(const OomKilled&) {
  const OomPolicy policy =
      config_.oom_policy_written ? config_.oom_policy : context_.default_oom_policy;
  if (policy == OomPolicy::Continue) return;
  switch (state_.phase) {
    case ScopePhase::Running:
    case ScopePhase::Abandoned:
      enter_signal(policy == OomPolicy::Kill ? ScopePhase::StopSigkill : ScopePhase::StopSigterm,
                   ServiceResult::OomKill);
      break;
    case ScopePhase::StopSigterm:
      enter_signal(ScopePhase::StopSigkill, ServiceResult::OomKill);
      break;
    case ScopePhase::StopSigkill:
      note(ServiceResult::OomKill);
      break;
    case ScopePhase::Dead:
    case ScopePhase::Failed:
      break;
  }
}

}  // namespace

ScopeStep step(const Unit& unit, const ScopeState& state, const ServiceEvent& event,
               const ServiceContext& context) {
  ScopeMachine machine(unit, state, context);
  std::visit([&machine](const auto& e) { machine.handle(e); }, event);
  return std::move(machine).result();
}

ScopeStep step(const Unit& unit, const ScopeState& state, ScopeAbandoned event,
               const ServiceContext& context) {
  ScopeMachine machine(unit, state, context);
  machine.handle(event);
  return std::move(machine).result();
}

}  // namespace onset
