#include "engine/automount.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

#include "base/format.h"
#include "unit/unit_members.h"

namespace onset {

std::string_view to_string(AutomountPhase p) {
  switch (p) {
    case AutomountPhase::Dead:
      return "dead";
    case AutomountPhase::Mounting:
      return "mounting";
    case AutomountPhase::Waiting:
      return "waiting";
    case AutomountPhase::Running:
      return "running";
    case AutomountPhase::Ending:
      return "ending";
    case AutomountPhase::Unmounting:
      return "unmounting";
    case AutomountPhase::UnmountingSigkill:
      return "unmounting-sigkill";
    case AutomountPhase::Failed:
      return "failed";
  }
  return "";
}

ActiveState active_state(AutomountPhase p) {
  switch (p) {
    case AutomountPhase::Dead:
      return ActiveState::Inactive;
    case AutomountPhase::Mounting:
      return ActiveState::Activating;
    case AutomountPhase::Waiting:
    case AutomountPhase::Running:
      return ActiveState::Active;
    case AutomountPhase::Ending:
    case AutomountPhase::Unmounting:
    case AutomountPhase::UnmountingSigkill:
      return ActiveState::Deactivating;
    case AutomountPhase::Failed:
      return ActiveState::Failed;
  }
  return ActiveState::Inactive;
}

namespace {

/// So often in its idle time it is looked whether that is over, as systemd does.
constexpr int kLooks = 3;
constexpr Duration kShortestLook = std::chrono::seconds(1);

class AutomountMachine {
 public:
  using Work = AutomountWork::What;

  AutomountMachine(const Unit& unit, const AutomountState& state, const ServiceContext& context)
      : config_(config_of<AutomountConfig>(unit)), context_(context), state_(state) {}

  void handle(const StartRequested&) {
    if (state_.phase != AutomountPhase::Dead && state_.phase != AutomountPhase::Failed) return;
    state_.result = ServiceResult::Success;
    state_.control = {};
    state_.is_up = 0;
    enter(AutomountPhase::Mounting, ExecRole::Start);
  }
  void handle(const StartLimitHit&) {
    if (state_.phase == AutomountPhase::Dead || state_.phase == AutomountPhase::Failed)
      enter_dead(ServiceResult::StartLimitHit);
  }
  void handle(const StopRequested&);
  void handle(const Spawned& event);
  void handle(const SpawnFailed& event);
  void handle(const ProcessExited& event);
  void handle(const KillAnswer& event);
  void handle(const DeadlineElapsed&);
  void handle(const AutomountNews& event);
  void handle(const ResetFailed&) {
    if (state_.phase == AutomountPhase::Failed) set_phase(AutomountPhase::Dead);
    state_.result = ServiceResult::Success;
  }
  // What others hear.
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
  void handle(const SocketsOpened&) {}
  void handle(const SocketNews&) {}

  AutomountStep result() && { return {state_, std::move(actions_)}; }

 private:
  void act(ServiceAction action) { actions_.push_back(std::move(action)); }
  void work(Work what, int error = 0) { act(AutomountWork{what, error}); }
  void say(Say::Level level, std::string text) { act(Say{level, std::move(text)}); }
  /// The first failure is the result.
  void note(ServiceResult f) {
    if (state_.result == ServiceResult::Success) state_.result = f;
  }
  void set_phase(AutomountPhase phase) {
    state_.phase = phase;
    state_.deadline = kNever;
    state_.spawn_pending = state_.take_pending = state_.kill_pending = 0;
  }
  void run(ExecRole role) {
    state_.control.pid = 0;
    state_.spawn_pending = 1;
    act(Spawn{role, 0, false});
  }
  void enter(AutomountPhase phase, ExecRole role) {
    set_phase(phase);
    state_.deadline = deadline();
    run(role);
  }
  void enter_killing(AutomountPhase phase) {
    set_phase(phase);
    state_.kill_pending = 1;
    state_.deadline = deadline();
    act(Kill{Kill::What::Kill});
  }
  /// Nobody is left waiting, and nothing is heard any more.
  void enter_down(ServiceResult f) {
    note(f);
    work(Work::Drop);
    if (state_.control.pid > 0) {
      enter_killing(AutomountPhase::Ending);
    } else {
      enter(AutomountPhase::Unmounting, ExecRole::StopPost);
    }
  }
  void enter_dead(ServiceResult f) {
    note(f);
    state_.control.pid = 0;
    set_phase(state_.result == ServiceResult::Success ? AutomountPhase::Dead
                                                      : AutomountPhase::Failed);
    work(Work::Drop);
    act(Release{});
  }
  [[nodiscard]] MonoTime deadline() const {
    Duration limit = context_.default_timeout_start;
    if (active_state(state_.phase) == ActiveState::Deactivating &&
        context_.stop_budget != kInfinity) {
      limit = std::min(limit, std::max(context_.stop_budget, Duration::zero()) / 8 * 3);
    }
    return context_.now.mono + limit;
  }
  /// While it is mounted, and nobody looks already.
  void arm_look() {
    const bool looks = config_.timeout_idle > Duration::zero() && config_.timeout_idle != kInfinity;
    if (!looks || state_.phase != AutomountPhase::Running || state_.is_up == 0 ||
        state_.control.pid > 0 || state_.spawn_pending != 0)
      return;
    state_.deadline = context_.now.mono + std::max(config_.timeout_idle / kLooks, kShortestLook);
  }
  [[nodiscard]] bool is_up() const {
    return state_.phase == AutomountPhase::Waiting || state_.phase == AutomountPhase::Running;
  }
  void mount_is_up();
  void mount_is_down();
  void killed();

  const AutomountConfig& config_;
  const ServiceContext& context_;
  AutomountState state_;
  std::vector<ServiceAction> actions_;
};

void AutomountMachine::handle(const StopRequested&) {
  switch (state_.phase) {
    case AutomountPhase::Mounting:
      enter_killing(AutomountPhase::Ending);
      break;
    case AutomountPhase::Waiting:
    case AutomountPhase::Running:
      enter_down(ServiceResult::Success);
      break;
    case AutomountPhase::Ending:
    case AutomountPhase::Unmounting:
    case AutomountPhase::UnmountingSigkill:
      state_.deadline = std::min(state_.deadline, deadline());  // a shutdown has begun
      break;
    case AutomountPhase::Dead:
    case AutomountPhase::Failed:
      break;
  }
}

void AutomountMachine::handle(const Spawned& event) {
  if (state_.take_pending != 0) {
    state_.take_pending = 0;
    set_phase(AutomountPhase::Waiting);
  } else if (state_.spawn_pending != 0) {
    state_.spawn_pending = 0;
    state_.control = ServiceProcess{event.pid, event.pid, {}, context_.now, {}};
  }
}

void AutomountMachine::handle(const SpawnFailed& event) {
  if (state_.take_pending == 0 && state_.spawn_pending == 0) return;
  const bool is_made = state_.take_pending != 0;
  state_.take_pending = state_.spawn_pending = 0;
  say(Say::Level::Warning, to_string(event.error));
  switch (state_.phase) {
    case AutomountPhase::Mounting:
      if (is_made) {
        enter_down(ServiceResult::Resources);
      } else {
        enter_dead(ServiceResult::Resources);
      }
      break;
    case AutomountPhase::Running:
      arm_look();
      break;
    case AutomountPhase::Unmounting:
      enter_dead(ServiceResult::Resources);
      break;
    case AutomountPhase::Waiting:
    case AutomountPhase::Dead:
    case AutomountPhase::Ending:
    case AutomountPhase::UnmountingSigkill:
    case AutomountPhase::Failed:
      break;
  }
}

void AutomountMachine::handle(const ProcessExited& event) {
  if (event.pid != state_.control.pid || event.pid <= 0) return;
  state_.control.pid = 0;
  state_.control.last = event.status;
  state_.control.exited = context_.now;
  const bool is_good = event.status.kind == ExitKind::Exited && event.status.value == 0;
  const ServiceResult f = is_good                                 ? ServiceResult::Success
                          : event.status.kind == ExitKind::Exited ? ServiceResult::ExitCode
                                                                  : ServiceResult::Signal;
  switch (state_.phase) {
    case AutomountPhase::Mounting:
      if (!is_good) return enter_dead(f);
      state_.take_pending = 1;
      work(Work::Take);
      break;
    case AutomountPhase::Running:
      arm_look();
      break;
    case AutomountPhase::Ending:
    case AutomountPhase::UnmountingSigkill:
      killed();
      break;
    case AutomountPhase::Unmounting:
      enter_dead(f);
      break;
    case AutomountPhase::Waiting:
    case AutomountPhase::Dead:
    case AutomountPhase::Failed:
      break;
  }
}

/// It was in the way, or no help.
void AutomountMachine::killed() {
  if (state_.phase == AutomountPhase::Ending) {
    enter(AutomountPhase::Unmounting, ExecRole::StopPost);
  } else {
    enter_dead(ServiceResult::Success);
  }
}

void AutomountMachine::handle(const KillAnswer& event) {
  if (state_.kill_pending == 0) return;
  state_.kill_pending = 0;
  if (event.waiting && state_.control.pid > 0) return;
  killed();
}

void AutomountMachine::handle(const DeadlineElapsed&) {
  if (state_.deadline > context_.now.mono) return;
  switch (state_.phase) {
    case AutomountPhase::Mounting:
      say(Say::Level::Warning, "making the automount point has timed out, killing it");
      note(ServiceResult::Timeout);
      enter_killing(AutomountPhase::Ending);
      break;
    case AutomountPhase::Running:
      state_.deadline = kNever;
      run(ExecRole::Stop);
      break;
    case AutomountPhase::Ending:
      say(Say::Level::Warning, "its process is still there after SIGKILL, it is left alone");
      killed();
      break;
    case AutomountPhase::Unmounting:
      say(Say::Level::Warning, "unmounting has timed out, killing it");
      note(ServiceResult::Timeout);
      enter_killing(AutomountPhase::UnmountingSigkill);
      break;
    case AutomountPhase::UnmountingSigkill:
      say(Say::Level::Warning, "its process is still there after SIGKILL, it is left alone");
      killed();
      break;
    case AutomountPhase::Waiting:
    case AutomountPhase::Dead:
    case AutomountPhase::Failed:
      break;
  }
}

void AutomountMachine::mount_is_up() {
  state_.phase = AutomountPhase::Running;
  state_.is_up = 1;
  work(Work::AnswerAccess);
  work(Work::AnswerExpiry, ENODEV);  // it was not unmounted
  if (state_.deadline == kNever) arm_look();
}

void AutomountMachine::mount_is_down() {
  work(Work::AnswerExpiry);
  work(Work::AnswerAccess, ENODEV);
  state_.phase = AutomountPhase::Waiting;
  state_.is_up = 0;
  state_.deadline = kNever;
}

void AutomountMachine::handle(const AutomountNews& event) {
  using What = AutomountNews::What;
  if (!is_up()) return;
  switch (event.what) {
    case What::Asked:
      if (context_.stop_pending) return work(Work::AnswerAccess, EHOSTDOWN);
      if (event.pid > 0) say(Say::Level::Debug, format("asked for by process {}", event.pid));
      state_.phase = AutomountPhase::Running;
      work(Work::Trigger);
      break;
    case What::ExpiryAsked:
      work(Work::Expire);
      break;
    case What::Gone:
      say(Say::Level::Warning, "somebody else has unmounted it");
      enter_down(ServiceResult::Resources);
      break;
    case What::MountUp:
      mount_is_up();
      break;
    case What::MountDown:
      mount_is_down();
      break;
    case What::MountLimited:
      say(Say::Level::Warning, "its mount has been started too often, giving up");
      enter_down(ServiceResult::MountStartLimitHit);
      break;
    case What::Refused:
      work(Work::AnswerExpiry, ENODEV);
      work(Work::AnswerAccess, ENODEV);
      break;
  }
}

}  // namespace

AutomountStep step(const Unit& unit, const AutomountState& state, const ServiceEvent& event,
                   const ServiceContext& context) {
  AutomountMachine machine(unit, state, context);
  std::visit([&](const auto& e) { machine.handle(e); }, event);
  return std::move(machine).result();
}

ExecCommand automount_command(const Unit& unit, ExecRole role) {
  const auto& config = config_of<AutomountConfig>(unit);
  ExecCommand command;
  command.path = "/proc/self/exe";
  command.argv0_given = true;
  command.no_env_expand = true;
  command.argv.emplace_back("onset-mount");
  if (role == ExecRole::Stop) {
    command.argv.emplace_back("autofs-expire");
  } else if (role == ExecRole::StopPost) {
    command.argv.emplace_back("autofs-unmount");
    command.argv.push_back(config.where);
  } else {
    const auto idle = config.timeout_idle == kInfinity
                          ? std::chrono::seconds(0)
                          : std::chrono::ceil<std::chrono::seconds>(config.timeout_idle);
    command.argv.emplace_back("autofs-mount");
    command.argv.push_back(format("{:o}", static_cast<unsigned>(config.directory_mode)));
    command.argv.push_back(config.where);
    command.argv.push_back(config.extra_options);
    command.argv.push_back(format("{}", idle.count()));
  }
  return command;
}

}  // namespace onset
