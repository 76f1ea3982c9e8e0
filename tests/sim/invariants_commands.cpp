// What a unit's file says of readiness, commands and actions comes true.
#include <utility>

#include "engine/service_machine.h"
#include "sim/invariants.h"
#include "sim/phases.h"

namespace onset::sim {

// ---- readiness, commands --------------------------------------------------------------------

/// systemd.service(5), Type=: what makes a start complete.
void Invariants::check_ready(UnitId id, ServicePhase was) {
  using enum ServicePhase;
  const Memory& memory = of(id);
  const ServiceState& s = manager_->runtime(id).service;
  const bool is_complete = was <= Start && (s.phase == StartPost || s.phase == Running);
  if (!is_complete || memory.is_old) return;
  const Process* main = os_.find(s.main.pid);
  bool is_so = true;
  switch (unit(id).service->type) {
    case ServiceType::Notify:
    case ServiceType::NotifyReload:
      is_so = memory.is_ready;
      break;
    case ServiceType::Exec:
      is_so = main == nullptr || main->exec_done;
      break;
    case ServiceType::Dbus:
      is_so = memory.has_name;
      break;
    case ServiceType::Simple:
    case ServiceType::Idle:
    case ServiceType::Forking:
    case ServiceType::Oneshot:  // see its commands
      break;
  }
  if (!is_so)
    fail("ready", "{} is {} and has not come to what its Type= asks for", name(id),
         to_string(s.phase));
}

/// systemd.service(5): each command of a list has been run, one after the other, before what
/// comes after it.
void Invariants::check_commands(UnitId id, ServicePhase was) {
  using enum ServicePhase;
  const ServiceState& s = manager_->runtime(id).service;
  const auto expect_run = [&](ExecRole role) {
    const std::size_t count = unit(id).service->commands(role).size();
    if (os_.launches(id, role) < count)
      fail("commands", "{} is {}, of {} commands of {} it has run {}", name(id), to_string(s.phase),
           count, exec_directive(role), os_.launches(id, role));
  };
  if (!of(id).is_old) {
    if (s.phase > Condition && s.phase <= ReloadNotify) expect_run(ExecRole::Condition);
    if (s.phase > StartPre && s.phase <= ReloadNotify) expect_run(ExecRole::StartPre);
    if (s.phase > Start && s.phase <= ReloadNotify) expect_run(ExecRole::Start);
    // As in systemd one that ends well before it has its name or is seen to run is exited at once.
    const ServiceType type = unit(id).service->type;
    const bool has_ended_early = was == Start && s.phase == Exited &&
                                 (type == ServiceType::Dbus || type == ServiceType::Exec);
    const bool has_started = was <= StartPost && s.phase > StartPost && s.phase <= ReloadNotify;
    if (has_started && !has_ended_early) expect_run(ExecRole::StartPost);
    const bool has_pid_file = type == ServiceType::Forking && !unit(id).service->pid_file.empty();
    if (has_started && has_pid_file && s.main.last_pid == 0)
      fail("commands", "{} is {}, it has a PIDFile= and no main process", name(id),
           to_string(s.phase));
    const bool has_reloaded = was == Reload && s.phase != was && s.phase <= ReloadNotify &&
                              s.reload_result == ServiceResult::Success;
    if (has_reloaded) expect_run(ExecRole::Reload);
    const bool is_well = s.result == ServiceResult::Success;
    if (is_well && was == Stop && s.phase != was) expect_run(ExecRole::Stop);
    if (is_well && was == StopPost && s.phase != was) expect_run(ExecRole::StopPost);
  }
  if (rests(s.phase)) os_.forget_launches(id);
  if (s.phase == Running || s.phase == Exited) os_.forget_launches(id, ExecRole::Reload);
}

// ---- actions --------------------------------------------------------------------------------

/// systemd.unit(5), FailureAction=, SuccessAction=.
void Invariants::expect_action(UnitId id, ActiveState was) {
  const ActiveState now = of(id).active;
  const UnitConfig& config = unit(id).config;
  const bool fails = now == ActiveState::Failed && was != now;
  const bool succeeds = now == ActiveState::Inactive && !is_inactive_or_failed(was);
  const bool acts_on_failure = config.failure_action != EmergencyAction::None;
  const bool acts_on_success = config.success_action != EmergencyAction::None;
  if ((fails && acts_on_failure) || (succeeds && acts_on_success)) acting_ = id;
  // Also of one that has failed again, or is stopped in the moment before a restart.
  may_end_ |= (now == ActiveState::Failed && acts_on_failure) ||
              (now == ActiveState::Inactive && acts_on_success);
}

/// systemd.unit(5), StartLimitAction=.
bool Invariants::acts_on_start_limit() const {
  for (std::uint32_t i = 0; i < manager_->graph().size(); ++i) {
    const UnitId id{i};
    if (!manager_->graph().is_free(id) && manager_->runtime(id).start_limit_hit &&
        unit(id).config.start_limit_action != EmergencyAction::None)
      return true;
  }
  return false;
}

void Invariants::check_action() {
  const bool ends = manager_->stopping() || manager_->objective() != Objective::Run;
  if (ends && !may_end_) may_end_ = acts_on_start_limit();
  if (ends && !may_end_) fail("action", "the system ends, and nobody has asked for it");
  if (manager_->is_behind()) return;
  const UnitId id = std::exchange(acting_, UnitId{});
  if (id.valid() && !ends && !runs_out_now_)
    fail("action",
         "{} has ended, and nothing comes of its FailureAction= or SuccessAction=", name(id));
}

}  // namespace onset::sim
