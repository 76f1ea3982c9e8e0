// The end: what asks for it (a user, a signal, a unit's …Action=), the target
// that leads to it, and the time that it may take.
#include <array>
#include <utility>

#include "base/format.h"
#include "engine/manager.h"
#include "engine/stop_budget.h"

namespace onset {
namespace {

struct Goal {
  Objective objective{};
  enum class How : std::uint8_t { Target, AtOnce, Immediately } how{};
};

std::string_view target_of(Objective o) {
  switch (o) {
    case Objective::Exit:
      return "exit.target";
    case Objective::Poweroff:
      return "poweroff.target";
    case Objective::Reboot:
      return "reboot.target";
    case Objective::Halt:
      return "halt.target";
    case Objective::Kexec:
      return "kexec.target";
    case Objective::SoftReboot:
      return "soft-reboot.target";
    case Objective::Run:
    case Objective::Reexecute:
      break;
  }
  return "";
}

std::optional<Goal> goal_of(EmergencyAction action) {
  using How = Goal::How;
  switch (action) {
    case EmergencyAction::None:
      return std::nullopt;
    case EmergencyAction::Reboot:
      return Goal{Objective::Reboot, How::Target};
    case EmergencyAction::RebootForce:
      return Goal{Objective::Reboot, How::AtOnce};
    case EmergencyAction::RebootImmediate:
      return Goal{Objective::Reboot, How::Immediately};
    case EmergencyAction::SoftReboot:
      return Goal{Objective::SoftReboot, How::Target};
    case EmergencyAction::SoftRebootForce:
      return Goal{Objective::SoftReboot, How::AtOnce};
    case EmergencyAction::Poweroff:
      return Goal{Objective::Poweroff, How::Target};
    case EmergencyAction::PoweroffForce:
      return Goal{Objective::Poweroff, How::AtOnce};
    case EmergencyAction::PoweroffImmediate:
      return Goal{Objective::Poweroff, How::Immediately};
    case EmergencyAction::Exit:
      return Goal{Objective::Exit, How::Target};
    case EmergencyAction::ExitForce:
      return Goal{Objective::Exit, How::AtOnce};
    case EmergencyAction::Halt:
      return Goal{Objective::Halt, How::Target};
    case EmergencyAction::HaltForce:
      return Goal{Objective::Halt, How::AtOnce};
    case EmergencyAction::HaltImmediate:
      return Goal{Objective::Halt, How::Immediately};
    case EmergencyAction::Kexec:
      return Goal{Objective::Kexec, How::Target};
    case EmergencyAction::KexecForce:
      return Goal{Objective::Kexec, How::AtOnce};
  }
  return std::nullopt;
}

/// A unit's share of the shutdown budget is never less.
constexpr Duration kStopFloor = std::chrono::milliseconds(200);

}  // namespace

std::string_view to_string(Objective o) {
  switch (o) {
    case Objective::Exit:
      return "exit";
    case Objective::Poweroff:
      return "poweroff";
    case Objective::Reboot:
      return "reboot";
    case Objective::Halt:
      return "halt";
    case Objective::Kexec:
      return "kexec";
    case Objective::SoftReboot:
      return "soft-reboot";
    case Objective::Run:
    case Objective::Reexecute:
      break;
  }
  return "";
}

void Manager::shut_down(Objective objective, int exit_status, Timestamp now) {
  now_ = now;
  if (stopping()) {
    // Asked twice: no more waiting. The first goal stands.
    objective_ = shutdown_goal_;
    return;
  }
  exit_status_ = exit_status;
  want_shutdown(objective);
  dispatch();
}

/// dispatch() begins it, before anything else.
void Manager::want_shutdown(Objective objective) {
  wanted_shutdown_ = shutdown_goal_ = objective;
  if (config_.shutdown_budget != kInfinity)
    shutdown_deadline_ = now_.mono + config_.shutdown_budget;
}

/// The one that is wanted, and is no longer once it has begun.
void Manager::begin_shutdown() {
  const std::string_view target = target_of(wanted_shutdown_);
  if (!stopping_) {
    const UnitId id = load(target);
    if (graph_is_torn_) return;
    if (!id.valid() || graph_->unit(id).load_state != LoadState::Loaded) {
      stopping_ = true;
      objective_ = std::exchange(wanted_shutdown_, Objective::Run);
      os_.log(Say::Level::Error, target, "cannot be loaded, ending at once");
      return;
    }
    // Whatever was queued with replace-irreversibly: it neither refuses the shutdown nor is
    // waited for as a part of it.
    queue_.allow_replacing();
    // What has no default dependencies is not stopped by it: the final phase ends that.
    auto job = enqueue(id, JobType::Start, JobMode::ReplaceIrreversibly, Asker::Change);
    stopping_ = true;
    if (!job) {
      objective_ = std::exchange(wanted_shutdown_, Objective::Run);
      os_.log(Say::Level::Error, target, format("{}; ending at once", job.error().message));
      return;
    }
  }
  stop_chains_ = stop_chain_lengths(queue_, *graph_);
  // What stops already has less time for it from now on.
  for (std::uint32_t i = 0; i < graph_->size(); ++i) {
    const Job* job = queue_.of_unit(UnitId{i});
    if (job != nullptr && job->type == JobType::Stop && job->state == JobState::Running &&
        runtime_[i].active == ActiveState::Deactivating)
      feed(UnitId{i}, StopRequested{});
  }
  wanted_shutdown_ = Objective::Run;
}

Duration Manager::stop_budget(UnitId id) const {
  if (!stopping_ || shutdown_deadline_ == kNever) return kInfinity;
  const unsigned chain = id.value < stop_chains_.size() ? stop_chains_[id.value] : 1;
  return stop_share(shutdown_deadline_ - now_.mono, chain, kStopFloor);
}

/// The design's rule for containers: the command's status, or 128+signal.
int Manager::exit_status_of(UnitId id) const {
  const ExitStatus& last = runtime_[id.value].service.main.last;
  switch (last.kind) {
    case ExitKind::Exited:
      return last.value;
    case ExitKind::Killed:
    case ExitKind::Dumped:
      return 128 + last.value;
    case ExitKind::None:
      break;
  }
  return 0;
}

void Manager::act(EmergencyAction action, Timestamp now) {
  const auto goal = goal_of(action);
  if (!goal) return;
  now_ = now;
  if (goal->how != Goal::How::Target) {
    end_at_once(goal->objective, goal->how == Goal::How::Immediately);
  } else if (!stopping()) {
    want_shutdown(goal->objective);
    dispatch();
  }
}

/// A shutdown that is under way has its goal, which stands.
void Manager::end_at_once(Objective objective, bool immediately) {
  ends_immediately_ |= immediately;
  stopping_ = true;
  wanted_shutdown_ = Objective::Run;
  if (shutdown_goal_ == Objective::Run) shutdown_goal_ = objective;
  objective_ = shutdown_goal_;
}

void Manager::emergency(EmergencyAction action, UnitId id, std::optional<int> status,
                        std::string_view why) {
  const auto goal = goal_of(action);
  if (!goal) return;
  Objective objective = goal->objective;
  const bool is_exit = objective == Objective::Exit;
  // On a machine PID 1 has nowhere to exit to.
  if (is_exit && !config_.container && !config_.user_manager) objective = Objective::Poweroff;
  say(Say::Level::Notice, id,
      format("{}, {} as its configuration asks", why, to_string(objective)));
  if (goal->how != Goal::How::Target) {
    // The end of an orderly shutdown comes this way too.
    if (!stopping() && is_exit) exit_status_ = status.value_or(exit_status_of(id));
    end_at_once(objective, goal->how == Goal::How::Immediately);
    return;
  }
  if (stopping()) return;
  if (is_exit) exit_status_ = status.value_or(exit_status_of(id));
  want_shutdown(objective);
}

}  // namespace onset
