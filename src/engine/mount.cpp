#include "engine/mount.h"

#include <algorithm>
#include <utility>

#include "base/format.h"
#include "base/text.h"

namespace onset {

std::string_view to_string(MountPhase p) {
  switch (p) {
    case MountPhase::Dead:
      return "dead";
    case MountPhase::Mounting:
      return "mounting";
    case MountPhase::MountingDone:
      return "mounting-done";
    case MountPhase::Mounted:
      return "mounted";
    case MountPhase::Remounting:
      return "remounting";
    case MountPhase::Unmounting:
      return "unmounting";
    case MountPhase::RemountingSigterm:
      return "remounting-sigterm";
    case MountPhase::RemountingSigkill:
      return "remounting-sigkill";
    case MountPhase::UnmountingSigterm:
      return "unmounting-sigterm";
    case MountPhase::UnmountingSigkill:
      return "unmounting-sigkill";
    case MountPhase::Failed:
      return "failed";
  }
  return "";
}

std::string_view swap_word(MountPhase p) {
  switch (p) {
    case MountPhase::Mounting:
      return "activating";
    case MountPhase::MountingDone:
      return "activating-done";
    case MountPhase::Mounted:
    case MountPhase::Remounting:
    case MountPhase::RemountingSigterm:
    case MountPhase::RemountingSigkill:
      return "active";
    case MountPhase::Unmounting:
      return "deactivating";
    case MountPhase::UnmountingSigterm:
      return "deactivating-sigterm";
    case MountPhase::UnmountingSigkill:
      return "deactivating-sigkill";
    case MountPhase::Dead:
    case MountPhase::Failed:
      return to_string(p);
  }
  return "";
}

ActiveState active_state(MountPhase p) {
  switch (p) {
    case MountPhase::Dead:
      return ActiveState::Inactive;
    case MountPhase::Mounting:
    case MountPhase::MountingDone:
      return ActiveState::Activating;
    case MountPhase::Mounted:
      return ActiveState::Active;
    case MountPhase::Remounting:
    case MountPhase::RemountingSigterm:
    case MountPhase::RemountingSigkill:
      return ActiveState::Reloading;
    case MountPhase::Unmounting:
    case MountPhase::UnmountingSigterm:
    case MountPhase::UnmountingSigkill:
      return ActiveState::Deactivating;
    case MountPhase::Failed:
      return ActiveState::Failed;
  }
  return ActiveState::Inactive;
}

namespace {

/// So many mounts on one another are taken off by one stop.
constexpr unsigned kUnmountAttempts = 32;

constexpr KillConfig kDefaultKill{};

constexpr bool is_remount(MountPhase p) {
  return p == MountPhase::Remounting || p == MountPhase::RemountingSigterm ||
         p == MountPhase::RemountingSigkill;
}

class MountMachine {
 public:
  MountMachine(const Unit& unit, const MountState& state, const ServiceContext& context)
      : unit_(unit),
        kill_(unit.kill != nullptr ? *unit.kill : kDefaultKill),
        context_(context),
        before_(state.phase),
        state_(state) {}

  void handle(const StartRequested&) {
    if (state_.phase != MountPhase::Dead && state_.phase != MountPhase::Failed) return;
    state_.result = state_.reload_result = ServiceResult::Success;
    state_.control = {};
    enter(MountPhase::Mounting, ExecRole::Start);
  }
  void handle(const StartLimitHit&) {
    if (state_.phase == MountPhase::Dead || state_.phase == MountPhase::Failed)
      enter_dead(ServiceResult::StartLimitHit);
  }
  void handle(const StopRequested&);
  void handle(const ReloadRequested&) {
    if (state_.phase == MountPhase::Mounted && unit_.mount != nullptr) {
      state_.reload_result = ServiceResult::Success;
      enter(MountPhase::Remounting, ExecRole::Reload);
    }
  }
  void handle(const Spawned& event) {
    if (state_.spawn_pending == 0) return;
    state_.spawn_pending = 0;
    state_.control = ServiceProcess{event.pid, event.pid, {}, context_.now, {}};
  }
  void handle(const SpawnFailed& event);
  void handle(const ProcessExited& event);
  void handle(const KillAnswer& event);
  void handle(const DeadlineElapsed&);
  void handle(MountChanged event);
  void handle(const ResetFailed&) {
    if (state_.phase == MountPhase::Failed) set_phase(MountPhase::Dead);
    state_.result = state_.reload_result = ServiceResult::Success;
  }
  // What only services hear.
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
  void handle(const AutomountNews&) {}

  MountStep result() && {
    MountStep step;
    if (is_remount(before_) && !is_remount(state_.phase)) {
      step.reload_done =
          state_.phase == MountPhase::Mounted && state_.reload_result == ServiceResult::Success;
    }
    step.state = state_;
    step.actions = std::move(actions_);
    return step;
  }

 private:
  void set_phase(MountPhase phase) {
    state_.phase = phase;
    state_.deadline = kNever;
    state_.spawn_pending = 0;
    state_.kill_pending = 0;
  }
  void enter(MountPhase phase, ExecRole role) {
    set_phase(phase);
    state_.control.pid = 0;
    state_.spawn_pending = 1;
    state_.deadline = deadline();
    actions_.emplace_back(Spawn{role, 0, false});
  }
  void enter_unmounting() {
    state_.attempts = state_.phase == MountPhase::Unmounting ? state_.attempts : 0;
    enter(MountPhase::Unmounting, ExecRole::Stop);
  }
  void enter_signal(MountPhase phase, ServiceResult f) {
    note(f);
    const bool is_first =
        phase == MountPhase::UnmountingSigterm || phase == MountPhase::RemountingSigterm;
    set_phase(phase);
    state_.kill_pending = 1;
    state_.deadline = deadline();
    const auto first =
        context_.restart_pending ? Kill::What::TerminateForRestart : Kill::What::Terminate;
    actions_.emplace_back(Kill{is_first ? first : Kill::What::Kill});
  }
  void enter_dead(ServiceResult f) {
    note(f);
    state_.control.pid = 0;
    set_phase(state_.result == ServiceResult::Success ? MountPhase::Dead : MountPhase::Failed);
    actions_.emplace_back(Release{});
  }
  void enter_mounted(ServiceResult f) {
    note(f);
    state_.control.pid = 0;
    set_phase(MountPhase::Mounted);
  }
  void enter_dead_or_mounted(ServiceResult f) {
    if (state_.is_there != 0) {
      enter_mounted(f);
    } else {
      enter_dead(f);
    }
  }
  /// The first failure is the result.
  void note(ServiceResult f) {
    if (state_.result == ServiceResult::Success) state_.result = f;
  }
  void give_up_waiting();
  void unmounted(ServiceResult f);
  [[nodiscard]] MonoTime deadline() const {
    const auto& own = unit_.mount != nullptr ? unit_.mount->timeout : unit_.swap->timeout;
    Duration limit = own.value_or(context_.default_timeout_start);
    const bool stops = active_state(state_.phase) == ActiveState::Deactivating;
    if (stops) limit = within_stop_budget(limit, context_);
    return context_.now.mono + limit;
  }
  void say(Say::Level level, std::string text) {
    actions_.emplace_back(Say{level, std::move(text)});
  }

  const Unit& unit_;
  const KillConfig& kill_;
  const ServiceContext& context_;
  const MountPhase before_;
  MountState state_;
  std::vector<ServiceAction> actions_;
};

void MountMachine::handle(const StopRequested&) {
  switch (state_.phase) {
    case MountPhase::Mounting:
    case MountPhase::MountingDone:
    case MountPhase::Remounting:
      enter_signal(MountPhase::UnmountingSigterm, ServiceResult::Success);
      break;
    case MountPhase::RemountingSigterm:
      state_.phase = MountPhase::UnmountingSigterm;
      break;
    case MountPhase::RemountingSigkill:
      state_.phase = MountPhase::UnmountingSigkill;
      break;
    case MountPhase::Mounted:
      enter_unmounting();
      break;
    case MountPhase::Unmounting:
    case MountPhase::UnmountingSigterm:
    case MountPhase::UnmountingSigkill:
      state_.deadline = std::min(state_.deadline, deadline());  // a shutdown has begun
      break;
    case MountPhase::Dead:
    case MountPhase::Failed:
      break;
  }
}

void MountMachine::handle(const SpawnFailed& event) {
  if (state_.spawn_pending == 0) return;
  say(Say::Level::Warning, format("cannot run its command: {}", to_string(event.error)));
  if (state_.phase == MountPhase::Remounting) {
    state_.reload_result = ServiceResult::Resources;
    enter_dead_or_mounted(ServiceResult::Success);
  } else {
    enter_dead_or_mounted(ServiceResult::Resources);
  }
}

void MountMachine::handle(const ProcessExited& event) {
  if (event.pid != state_.control.pid || event.pid <= 0) return;
  state_.control.pid = 0;
  state_.control.last = event.status;
  state_.control.exited = context_.now;
  ServiceResult f = command_result(event.status);
  const bool has_failed = f != ServiceResult::Success;
  switch (state_.phase) {
    case MountPhase::Mounting:
      if (!has_failed && unit_.mount != nullptr) {
        say(Say::Level::Warning, "the mount command has ended, and nothing is mounted");
        f = ServiceResult::Protocol;
      }
      if (!has_failed && unit_.swap != nullptr) {
        enter_mounted(f);  // the table follows
      } else {
        enter_dead(f);
      }
      break;
    case MountPhase::MountingDone:
      enter_mounted(f);
      break;
    case MountPhase::Remounting:
    case MountPhase::RemountingSigterm:
    case MountPhase::RemountingSigkill:
      if (state_.reload_result == ServiceResult::Success) state_.reload_result = f;
      enter_dead_or_mounted(ServiceResult::Success);
      break;
    case MountPhase::Unmounting:
      unmounted(f);
      break;
    case MountPhase::UnmountingSigterm:
    case MountPhase::UnmountingSigkill:
      enter_dead_or_mounted(f);
      break;
    case MountPhase::Dead:
    case MountPhase::Mounted:
    case MountPhase::Failed:
      break;
  }
}

/// umount(8) has ended. What is still there lay below what it has taken off.
void MountMachine::unmounted(ServiceResult f) {
  if (f != ServiceResult::Success || state_.is_there == 0 || unit_.mount == nullptr) {
    enter_dead_or_mounted(f);
  } else if (++state_.attempts < kUnmountAttempts) {
    enter_unmounting();
  } else {
    say(Say::Level::Warning,
        format("still mounted after {} attempts to unmount it", kUnmountAttempts));
    enter_mounted(f);
  }
}

void MountMachine::handle(const KillAnswer& event) {
  if (state_.kill_pending == 0) return;
  state_.kill_pending = 0;
  // Of the unit's processes the command alone says how it ends.
  if (event.waiting && state_.control.pid > 0) return;
  give_up_waiting();
}

/// Nobody is left to wait for, or SIGKILL was no help.
void MountMachine::give_up_waiting() {
  if (state_.phase == MountPhase::RemountingSigterm && kill_.send_sigkill &&
      state_.control.pid > 0) {
    enter_signal(MountPhase::RemountingSigkill, ServiceResult::Success);
  } else if (state_.phase == MountPhase::UnmountingSigterm && kill_.send_sigkill &&
             state_.control.pid > 0) {
    enter_signal(MountPhase::UnmountingSigkill, ServiceResult::Success);
  } else {
    enter_dead_or_mounted(ServiceResult::Success);
  }
}

void MountMachine::handle(const DeadlineElapsed&) {
  if (state_.deadline > context_.now.mono) return;
  using enum MountPhase;
  switch (state_.phase) {
    case Mounting:
    case MountingDone:
      say(Say::Level::Warning, "mounting has timed out, terminating it");
      enter_signal(UnmountingSigterm, ServiceResult::Timeout);
      break;
    case Remounting:
      say(Say::Level::Warning, "remounting has timed out, terminating it");
      state_.reload_result = ServiceResult::Timeout;
      enter_signal(RemountingSigterm, ServiceResult::Success);
      break;
    case RemountingSigterm:
      state_.reload_result = ServiceResult::Timeout;
      if (kill_.send_sigkill) {
        say(Say::Level::Warning, "remounting has not ended by its signal, killing it");
        enter_signal(RemountingSigkill, ServiceResult::Success);
      } else {
        enter_dead_or_mounted(ServiceResult::Success);
      }
      break;
    case RemountingSigkill:
      state_.reload_result = ServiceResult::Timeout;
      say(Say::Level::Warning, "the mount process is still there after SIGKILL, it is left alone");
      enter_dead_or_mounted(ServiceResult::Success);
      break;
    case Unmounting:
      say(Say::Level::Warning, "unmounting has timed out, terminating it");
      enter_signal(UnmountingSigterm, ServiceResult::Timeout);
      break;
    case UnmountingSigterm:
      if (kill_.send_sigkill) {
        say(Say::Level::Warning, "the mount process has not ended by its signal, killing it");
        enter_signal(UnmountingSigkill, ServiceResult::Timeout);
      } else {
        enter_dead_or_mounted(ServiceResult::Timeout);
      }
      break;
    case UnmountingSigkill:
      say(Say::Level::Warning, "the mount process is still there after SIGKILL, it is left alone");
      enter_dead_or_mounted(ServiceResult::Timeout);
      break;
    case Dead:
    case Mounted:
    case Failed:
      state_.deadline = kNever;
      break;
  }
}

void MountMachine::handle(MountChanged event) {
  state_.is_there = event.is_there ? 1 : 0;
  switch (state_.phase) {
    case MountPhase::Dead:
    case MountPhase::Failed:
      if (!event.is_there) break;
      state_.result = state_.reload_result = ServiceResult::Success;
      enter_mounted(ServiceResult::Success);
      break;
    case MountPhase::Mounting:
      if (event.is_there) state_.phase = MountPhase::MountingDone;
      break;
    case MountPhase::MountingDone:
      // Gone again, as sshfs does it when it can't connect: its end will say so.
      if (!event.is_there) state_.phase = MountPhase::Mounting;
      break;
    case MountPhase::Mounted:
      if (!event.is_there) enter_dead(ServiceResult::Success);
      break;
    case MountPhase::Remounting:
    case MountPhase::Unmounting:
    case MountPhase::RemountingSigterm:
    case MountPhase::RemountingSigkill:
    case MountPhase::UnmountingSigterm:
    case MountPhase::UnmountingSigkill:
      break;
  }
}

}  // namespace

MountStep step(const Unit& unit, const MountState& state, const ServiceEvent& event,
               const ServiceContext& context) {
  MountMachine machine(unit, state, context);
  std::visit([&machine](const auto& e) { machine.handle(e); }, event);
  return std::move(machine).result();
}

MountStep step(const Unit& unit, const MountState& state, MountChanged event,
               const ServiceContext& context) {
  MountMachine machine(unit, state, context);
  machine.handle(event);
  return std::move(machine).result();
}

}  // namespace onset
