#include "engine/socket.h"

#include <algorithm>
#include <utility>

#include "base/format.h"
#include "engine/start_limit.h"
#include "unit/unit_members.h"

namespace onset {

std::string_view to_string(SocketPhase p) {
  switch (p) {
    case SocketPhase::Dead:
      return "dead";
    case SocketPhase::StartPre:
      return "start-pre";
    case SocketPhase::StartChown:
      return "start-chown";
    case SocketPhase::StartPost:
      return "start-post";
    case SocketPhase::Listening:
      return "listening";
    case SocketPhase::Running:
      return "running";
    case SocketPhase::StopPre:
      return "stop-pre";
    case SocketPhase::StopPreSigterm:
      return "stop-pre-sigterm";
    case SocketPhase::StopPreSigkill:
      return "stop-pre-sigkill";
    case SocketPhase::StopPost:
      return "stop-post";
    case SocketPhase::FinalSigterm:
      return "final-sigterm";
    case SocketPhase::FinalSigkill:
      return "final-sigkill";
    case SocketPhase::Failed:
      return "failed";
  }
  return "";
}

ActiveState active_state(SocketPhase p) {
  switch (p) {
    case SocketPhase::Dead:
      return ActiveState::Inactive;
    case SocketPhase::StartPre:
    case SocketPhase::StartChown:
    case SocketPhase::StartPost:
      return ActiveState::Activating;
    case SocketPhase::Listening:
    case SocketPhase::Running:
      return ActiveState::Active;
    case SocketPhase::StopPre:
    case SocketPhase::StopPreSigterm:
    case SocketPhase::StopPreSigkill:
    case SocketPhase::StopPost:
    case SocketPhase::FinalSigterm:
    case SocketPhase::FinalSigkill:
      return ActiveState::Deactivating;
    case SocketPhase::Failed:
      return ActiveState::Failed;
  }
  return ActiveState::Inactive;
}

namespace {

class SocketMachine {
 public:
  SocketMachine(const Unit& unit, const SocketState& state, const ServiceContext& context)
      : config_(config_of<SocketConfig>(unit)),
        kill_(config_of<KillConfig>(unit)),
        context_(context),
        state_(state) {}

  void handle(const StartRequested&) {
    if (state_.phase != SocketPhase::Dead && state_.phase != SocketPhase::Failed) return;
    state_.result = ServiceResult::Success;
    state_.control = {};
    state_.accepted = state_.refused = 0;
    state_.trigger_count = 0;
    if (!run(SocketPhase::StartPre, ExecRole::StartPre, 0)) enter_opening();
  }
  void handle(const StartLimitHit&) {
    if (state_.phase == SocketPhase::Dead || state_.phase == SocketPhase::Failed)
      enter_dead(ServiceResult::StartLimitHit);
  }
  void handle(const StopRequested&);
  void handle(const Spawned& event) {
    if (state_.spawn_pending == 0) return;
    state_.spawn_pending = 0;
    state_.control = ServiceProcess{event.pid, event.pid, {}, context_.now, {}};
  }
  void handle(const SpawnFailed& event) {
    if (state_.spawn_pending == 0) return;
    state_.spawn_pending = 0;
    say(Say::Level::Warning, format("cannot run its command: {}", to_string(event.error)));
    command_done(ServiceResult::Resources);
  }
  void handle(const ProcessExited& event);
  void handle(const KillAnswer& event) {
    if (state_.kill_pending == 0) return;
    state_.kill_pending = 0;
    // Of the unit's processes the command alone says how it ends.
    if (event.waiting && state_.control.pid > 0) return;
    give_up_waiting(ServiceResult::Success);
  }
  void handle(const DeadlineElapsed&);
  void handle(const SocketsOpened& event);
  void handle(const SocketNews& event);
  void handle(const ResetFailed&) {
    if (state_.phase == SocketPhase::Failed) set_phase(SocketPhase::Dead);
    state_.result = ServiceResult::Success;
  }
  // What only services hear.
  void handle(const ReloadRequested&) {}
  void handle(const ExecDone&) {}
  void handle(const UnitEmpty&) {}
  void handle(const MainPidFound&) {}
  void handle(const WatchdogElapsed&) {}
  void handle(const BusNameChanged&) {}
  void handle(const OomKilled&) {}
  void handle(const QueueIdle&) {}
  void handle(const NotifyMessage&) {}
  void handle(const RestartQueued&) {}
  void handle(const Passed&) {}
  void handle(const AutomountNews&) {}

  SocketStep result() && { return {state_, std::move(actions_)}; }

 private:
  void set_phase(SocketPhase phase) {
    state_.phase = phase;
    state_.deadline = kNever;
    state_.spawn_pending = state_.kill_pending = state_.open_pending = 0;
  }
  void act(ServiceAction action) { actions_.push_back(std::move(action)); }
  void work(SocketWork::What what) { act(SocketWork{what}); }
  void say(Say::Level level, std::string text) { act(Say{level, std::move(text)}); }
  /// The first failure is the result.
  void note(ServiceResult f) {
    if (state_.result == ServiceResult::Success) state_.result = f;
  }
  /// False: there is no such command, and nothing has changed.
  bool run(SocketPhase phase, ExecRole role, std::uint16_t index) {
    if (index >= config_.commands(role).size()) return false;
    set_phase(phase);
    state_.control_role = role;
    state_.command_index = index;
    state_.control.pid = 0;
    state_.spawn_pending = 1;
    state_.deadline = deadline();
    act(Spawn{role, index, false});
    return true;
  }
  [[nodiscard]] bool ignores_failure() const {
    const auto& list = config_.commands(state_.control_role);
    return state_.command_index < list.size() && list[state_.command_index].ignore_failure;
  }
  [[nodiscard]] MonoTime deadline() const {
    Duration limit = config_.timeout.value_or(context_.default_timeout_start);
    const bool stops = active_state(state_.phase) == ActiveState::Deactivating;
    if (stops) limit = within_stop_budget(limit, context_);
    return context_.now.mono + limit;
  }

  // ---- up -------------------------------------------------------------------
  void enter_opening() {
    set_phase(SocketPhase::StartChown);
    state_.open_pending = 1;
    work(SocketWork::What::Open);
  }
  void enter_start_post() {
    if (!run(SocketPhase::StartPost, ExecRole::StartPost, 0)) enter_listening();
  }
  void enter_listening() {
    set_phase(SocketPhase::Listening);
    if (config_.flush_pending && !config_.accept) work(SocketWork::What::Flush);
    work(SocketWork::What::Watch);
  }
  void enter_running() {
    set_phase(SocketPhase::Running);
    work(SocketWork::What::Unwatch);
  }
  [[nodiscard]] bool is_within_trigger_limit() {
    StartLimit limit;
    limit.interval = config_.trigger_limit_interval.value_or(std::chrono::seconds(2));
    limit.burst = config_.trigger_limit_burst.value_or(config_.accept ? 200 : 20);
    return count_start(limit, context_.now.mono, state_.trigger_begin, state_.trigger_count);
  }
  void incoming();

  // ---- down -----------------------------------------------------------------
  void enter_stop_pre(ServiceResult f) {
    note(f);
    work(SocketWork::What::Unwatch);
    if (!run(SocketPhase::StopPre, ExecRole::Stop, 0)) enter_stop_post(ServiceResult::Success);
  }
  void enter_signal(SocketPhase phase, ServiceResult f) {
    note(f);
    const bool is_first =
        phase == SocketPhase::StopPreSigterm || phase == SocketPhase::FinalSigterm;
    set_phase(phase);
    state_.kill_pending = 1;
    state_.deadline = deadline();
    const auto first =
        context_.restart_pending ? Kill::What::TerminateForRestart : Kill::What::Terminate;
    act(Kill{is_first ? first : Kill::What::Kill});
  }
  void enter_stop_post(ServiceResult f) {
    note(f);
    work(SocketWork::What::Close);
    if (!run(SocketPhase::StopPost, ExecRole::StopPost, 0))
      enter_signal(SocketPhase::FinalSigterm, ServiceResult::Success);
  }
  void enter_dead(ServiceResult f) {
    note(f);
    state_.control.pid = 0;
    set_phase(state_.result == ServiceResult::Success ? SocketPhase::Dead : SocketPhase::Failed);
    work(SocketWork::What::Close);
    act(Release{});
  }
  void command_done(ServiceResult f);
  void give_up_waiting(ServiceResult f);

  const SocketConfig& config_;
  const KillConfig& kill_;
  const ServiceContext& context_;
  SocketState state_;
  std::vector<ServiceAction> actions_;
};

void SocketMachine::handle(const StopRequested&) {
  switch (state_.phase) {
    case SocketPhase::StartPre:
    case SocketPhase::StartChown:
    case SocketPhase::StartPost:
      enter_signal(SocketPhase::StopPreSigterm, ServiceResult::Success);
      break;
    case SocketPhase::Listening:
    case SocketPhase::Running:
      enter_stop_pre(ServiceResult::Success);
      break;
    case SocketPhase::StopPre:
    case SocketPhase::StopPreSigterm:
    case SocketPhase::StopPreSigkill:
    case SocketPhase::StopPost:
    case SocketPhase::FinalSigterm:
    case SocketPhase::FinalSigkill:
      state_.deadline = std::min(state_.deadline, deadline());  // a shutdown has begun
      break;
    case SocketPhase::Dead:
    case SocketPhase::Failed:
      break;
  }
}

void SocketMachine::handle(const ProcessExited& event) {
  if (event.pid != state_.control.pid || event.pid <= 0) return;
  state_.control.pid = 0;
  state_.control.last = event.status;
  state_.control.exited = context_.now;
  ServiceResult f = command_result(event.status);
  if (ignores_failure()) f = ServiceResult::Success;
  if (f != ServiceResult::Success) say(Say::Level::Warning, "its command has failed");
  command_done(f);
}

/// A command has ended, or could not be run.
void SocketMachine::command_done(ServiceResult f) {
  const bool is_good = f == ServiceResult::Success;
  const auto next = static_cast<std::uint16_t>(state_.command_index + 1);
  switch (state_.phase) {
    case SocketPhase::StartPre:
      if (!is_good) {
        enter_signal(SocketPhase::FinalSigterm, f);
      } else if (!run(SocketPhase::StartPre, ExecRole::StartPre, next)) {
        enter_opening();
      }
      break;
    case SocketPhase::StartPost:
      if (!is_good) {
        enter_stop_pre(f);
      } else if (!run(SocketPhase::StartPost, ExecRole::StartPost, next)) {
        enter_listening();
      }
      break;
    case SocketPhase::StopPre:
      if (!is_good || !run(SocketPhase::StopPre, ExecRole::Stop, next)) enter_stop_post(f);
      break;
    case SocketPhase::StopPreSigterm:
    case SocketPhase::StopPreSigkill:
      enter_stop_post(f);
      break;
    case SocketPhase::StopPost:
      if (!is_good || !run(SocketPhase::StopPost, ExecRole::StopPost, next))
        enter_signal(SocketPhase::FinalSigterm, f);
      break;
    case SocketPhase::FinalSigterm:
    case SocketPhase::FinalSigkill:
      enter_dead(f);
      break;
    case SocketPhase::Dead:
    case SocketPhase::StartChown:
    case SocketPhase::Listening:
    case SocketPhase::Running:
    case SocketPhase::Failed:
      break;
  }
}

/// Nobody is left to wait for, or the signal was no help.
void SocketMachine::give_up_waiting(ServiceResult f) {
  const bool may_kill = kill_.send_sigkill && state_.control.pid > 0;
  switch (state_.phase) {
    case SocketPhase::StopPreSigterm:
      if (may_kill) {
        enter_signal(SocketPhase::StopPreSigkill, f);
      } else {
        enter_stop_post(f);
      }
      break;
    case SocketPhase::StopPreSigkill:
      enter_stop_post(f);
      break;
    case SocketPhase::FinalSigterm:
      if (may_kill) {
        enter_signal(SocketPhase::FinalSigkill, f);
      } else {
        enter_dead(f);
      }
      break;
    case SocketPhase::FinalSigkill:
      enter_dead(f);
      break;
    case SocketPhase::Dead:
    case SocketPhase::StartPre:
    case SocketPhase::StartChown:
    case SocketPhase::StartPost:
    case SocketPhase::Listening:
    case SocketPhase::Running:
    case SocketPhase::StopPre:
    case SocketPhase::StopPost:
    case SocketPhase::Failed:
      break;
  }
}

void SocketMachine::handle(const DeadlineElapsed&) {
  if (state_.deadline > context_.now.mono) return;
  constexpr auto kTimeout = ServiceResult::Timeout;
  switch (state_.phase) {
    case SocketPhase::StartPre:
      say(Say::Level::Warning, "starting has timed out, terminating its command");
      enter_signal(SocketPhase::FinalSigterm, kTimeout);
      break;
    case SocketPhase::StartPost:
      say(Say::Level::Warning, "starting has timed out, stopping");
      enter_signal(SocketPhase::StopPreSigterm, kTimeout);
      break;
    case SocketPhase::StopPre:
      say(Say::Level::Warning, "stopping has timed out, terminating its command");
      enter_signal(SocketPhase::StopPreSigterm, kTimeout);
      break;
    case SocketPhase::StopPost:
      say(Say::Level::Warning, "stopping has timed out, terminating its command");
      enter_signal(SocketPhase::FinalSigterm, kTimeout);
      break;
    case SocketPhase::StopPreSigterm:
    case SocketPhase::FinalSigterm:
      say(Say::Level::Warning, "its command has not ended by its signal");
      give_up_waiting(kTimeout);
      break;
    case SocketPhase::StopPreSigkill:
    case SocketPhase::FinalSigkill:
      say(Say::Level::Warning, "its command is still there after SIGKILL, it is left alone");
      give_up_waiting(kTimeout);
      break;
    case SocketPhase::Dead:
    case SocketPhase::StartChown:
    case SocketPhase::Listening:
    case SocketPhase::Running:
    case SocketPhase::Failed:
      state_.deadline = kNever;
      break;
  }
}

void SocketMachine::handle(const SocketsOpened& event) {
  if (state_.open_pending == 0) return;
  state_.open_pending = 0;
  if (event.opened) {
    enter_start_post();
  } else {
    enter_stop_pre(ServiceResult::Resources);
  }
}

/// Something is there to be read, or somebody to be accepted.
void SocketMachine::incoming() {
  if (state_.phase != SocketPhase::Listening) return work(SocketWork::What::Unwatch);
  if (context_.stop_pending) return work(SocketWork::What::Unwatch);
  if (!is_within_trigger_limit()) {
    say(Say::Level::Warning, "triggered too often within TriggerLimitIntervalSec=, stopping");
    return enter_stop_pre(ServiceResult::TriggerLimitHit);
  }
  if (config_.accept) return work(SocketWork::What::Accept);
  enter_running();
  work(SocketWork::What::Trigger);
}

void SocketMachine::handle(const SocketNews& event) {
  const bool is_up = active_state(state_.phase) == ActiveState::Active;
  switch (event.what) {
    case SocketNews::What::Incoming:
      incoming();
      break;
    case SocketNews::What::ServiceUp:
      if (state_.phase == SocketPhase::Listening && !config_.accept) enter_running();
      break;
    case SocketNews::What::ServiceDown:
      if (state_.phase == SocketPhase::Running) enter_listening();
      break;
    case SocketNews::What::ServiceLimited:
      if (state_.phase != SocketPhase::Running) break;
      say(Say::Level::Warning, "its service has reached its start limit, stopping");
      enter_stop_pre(ServiceResult::ServiceStartLimitHit);
      break;
    case SocketNews::What::TriggerRefused:
      if (is_up) enter_stop_pre(ServiceResult::Resources);
      break;
    case SocketNews::What::Accepted:
      ++state_.accepted;
      ++state_.connections;
      break;
    case SocketNews::What::Refused:
      ++state_.refused;
      break;
  }
}

}  // namespace

SocketStep step(const Unit& unit, const SocketState& state, const ServiceEvent& event,
                const ServiceContext& context) {
  SocketMachine machine(unit, state, context);
  std::visit([&machine](const auto& e) { machine.handle(e); }, event);
  return std::move(machine).result();
}

}  // namespace onset
