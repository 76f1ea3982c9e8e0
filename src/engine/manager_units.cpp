// One unit: an event goes through its state machine, its actions are performed,
// the answers come back, and what changed is told to its job.
#include <algorithm>
#include <variant>

#include "base/format.h"
#include "engine/manager.h"

namespace onset {
namespace {

ActiveState active_of(const Unit& unit, const ServiceState& state) {
  return active_state(state.phase, unit.service->type);
}
template <class State>
ActiveState active_of(const Unit&, const State& state) {
  return active_state(state.phase);
}

}  // namespace

void Manager::say(Say::Level level, UnitId id, std::string_view text) {
  os_.log(level, graph_->unit(id).id, text);
}

ServiceContext Manager::context(UnitId id) const {
  ServiceContext c;
  c.now = now_;
  c.default_timeout_start = config_.defaults.timeout_start;
  c.default_timeout_stop = config_.defaults.timeout_stop;
  c.default_timeout_abort = config_.defaults.timeout_abort;
  c.default_restart_delay = config_.defaults.restart_delay;
  c.default_oom_policy = config_.defaults.oom_policy;
  c.stop_budget = stop_budget(id);
  c.stopping = stopping();
  const Job* job = queue_.find(runtime_[id.value].job);
  c.stop_pending = job != nullptr && (job->type == JobType::Stop || job->type == JobType::Restart);
  c.restart_pending = job != nullptr && job->type == JobType::Restart;
  const Unit& unit = graph_->unit(id);
  c.leftover_processes = unit.kill != nullptr && !unit.kill->send_sigkill &&
                         (is_inactive_or_failed(runtime_[id.value].active) ||
                          runtime_[id.value].service.phase == ServicePhase::AutoRestartQueued) &&
                         os_.has_processes(id);
  c.idle = false;
  const Duration extra = unit.service != nullptr ? unit.service->runtime_randomized_extra
                         : unit.scope != nullptr ? unit.scope->runtime_randomized_extra
                                                 : Duration::zero();
  if (extra > Duration::zero()) {
    // The invocation id is random and lasts as long as the activation does.
    const auto& bytes = runtime_[id.value].invocation;
    const unsigned fraction = bytes[0] * 256U + bytes[1];
    c.runtime_extra = extra / 65536 * fraction;
  }
  return c;
}

/// A step of the unit's machine. bad_alloc: nothing has changed.
std::optional<ServiceEvent> Manager::feed_one(UnitId id, const ServiceEvent& event) {
  if (!has_machine(id)) return std::nullopt;
  const MemoryReserve::Open finish = begin_change(id);
  return take_step(id, event);
}

/// With memory that stands by: one step, and what it asks for. Its change is settled before
/// the answer comes, so that a state passed through is seen by others.
std::optional<ServiceEvent> Manager::take_step(UnitId id, const ServiceEvent& event) {
  const Unit& unit = graph_->unit(id);
  UnitRuntime& rt = runtime_[id.value];
  const bool starts = std::holds_alternative<StartRequested>(event);
  const ServiceContext seen = context(id);
  if (unit.service != nullptr) {
    const ServiceStep result = step(unit, rt.service, event, seen);
    // A oneshot with nothing to run is up and down again within one step; a restart that is
    // given up was on its way.
    const bool gives_up =
        passes_to_restart(rt.service.phase) && !passes_to_restart(result.state.phase);
    return take_over(id, &UnitRuntime::service, result, starts || gives_up);
  }
  if (unit.socket != nullptr)
    return take_over(id, &UnitRuntime::socket, step(unit, rt.socket, event, seen), starts);
  if (unit.automount != nullptr)
    return take_over(id, &UnitRuntime::automount, step(unit, rt.automount, event, seen), starts);
  if (has_scope_processes(unit))
    return take_over(id, &UnitRuntime::scope, step(unit, rt.scope, event, seen), starts);
  return take_mount_step(id, step(unit, rt.mount, event, seen), starts);
}

/// With memory that stands by, as take_step(): what any machine's step has come to.
template <class State, class Step>
std::optional<ServiceEvent> Manager::take_over(UnitId id, State UnitRuntime::*machine,
                                               const Step& result, bool was_coming) {
  UnitRuntime& rt = runtime_[id.value];
  const State& state = rt.*machine;
  const ActiveState before = rt.active;
  const auto phase = state.phase;
  const Processes processes = processes_of(id);
  rt.*machine = result.state;
  index_pids(id, processes);
  std::optional<ServiceEvent> answer;
  for (const ServiceAction& action : result.actions) {
    if (auto answered = perform(id, action)) answer = std::move(answered);
  }
  arm_unit(id);
  if constexpr (requires { result.reload_done; })
    reload_failed_ = result.reload_done.has_value() && !*result.reload_done;
  const ActiveState after = active_of(graph_->unit(id), state);
  if (was_coming && is_inactive_or_failed(after)) {
    apply_active(id, ActiveState::Activating);
  } else if (state.phase != phase || after != before) {
    apply_active(id, before);
  }
  reload_failed_ = false;
  return answer;
}

// Those whose machines hear of more than a ServiceEvent.
template std::optional<ServiceEvent> Manager::take_over(UnitId, MountState UnitRuntime::*,
                                                        const MountStep&, bool);
template std::optional<ServiceEvent> Manager::take_over(UnitId, ScopeState UnitRuntime::*,
                                                        const ScopeStep&, bool);

// ---- what changed ---------------------------------------------------------------

void Manager::index_pids(UnitId id, Processes before) {
  const Processes now = processes_of(id);
  const auto replace = [&](pid_t was, pid_t is) {
    if (was == is) return;
    const auto it = pids_.find(was);
    if (it != pids_.end() && it->second == id && was != now.main && was != now.control)
      pids_.erase(it);
    if (is > 0) pids_[is] = id;
  };
  replace(before.main, now.main);
  replace(before.control, now.control);
}

void Manager::arm_unit(UnitId id) {
  const ServiceState& s = runtime_[id.value].service;
  timers_.set({TimerKey::Kind::Unit, id.value}, std::min(deadline_of(id), s.watchdog_deadline));
  if (s.guarded_idle != 0 &&
      std::find(idle_waiters_.begin(), idle_waiters_.end(), id) == idle_waiters_.end()) {
    idle_waiters_.push_back(id);
  }
}

void Manager::set_plain(UnitId id, bool active) {
  const MemoryReserve::Open finish = begin_change(id);
  UnitRuntime& rt = runtime_[id.value];
  const ActiveState before = rt.active;
  rt.plain_active = active;
  rt.plain_failed = false;
  if (active) rt.invocation = os_.new_invocation();
  apply_active(id, before);
}

/// Takes the unit's new state over: time stamps, its job, then what it means for
/// the units around it.
void Manager::apply_active(UnitId id, ActiveState before) {
  const Unit& unit = graph_->unit(id);
  UnitRuntime& rt = runtime_[id.value];
  const ActiveState after = state_of(id);
  rt.active = after;
  note_slots(id);

  if (is_inactive_or_failed(after) && rt.service.result == ServiceResult::ExecCondition)
    rt.condition_result = false;
  rt.state_change = now_;
  if (is_inactive_or_failed(before) && !is_inactive_or_failed(after)) rt.inactive_exit = now_;
  if (!is_inactive_or_failed(before) && is_inactive_or_failed(after)) rt.inactive_enter = now_;
  if (!is_active_or_reloading(before) && is_active_or_reloading(after)) rt.active_enter = now_;
  if (is_active_or_reloading(before) && !is_active_or_reloading(after)) rt.active_exit = now_;
  if (listener_ != nullptr) listener_->unit_changed(id);

  bool unexpected = false;
  settle_job(id, after, unexpected);
  if (before == after) return;

  const bool was_going_up = is_active_or_reloading(before) || before == ActiveState::Activating;
  const bool goes_up = is_active_or_reloading(after) || after == ActiveState::Activating;
  const bool was_going_down = is_inactive_or_failed(before) || before == ActiveState::Deactivating;
  const bool goes_down = is_inactive_or_failed(after) || after == ActiveState::Deactivating;
  if (unexpected) {
    if (was_going_down && goes_up) start_with(id);
    if (was_going_up && goes_down) stop_with(id);
  }
  const bool restarts = passes_to_restart(rt.service.phase);
  if (is_inactive_or_failed(after) && !restarts) set_trigger(rt.trigger, {});
  const UnitConfig& config = unit.config;
  // A restart to come holds OnFailure= and OnSuccess= back, and no action.
  if (after == ActiveState::Failed) {
    if (!restarts) {
      say(Say::Level::Warning, id, format("failed with result '{}'", to_string(result_of(id))));
      trigger_for_end(id, DependencyKind::OnFailure, config.on_failure_job_mode);
    }
    emergency(config.failure_action, id, config.failure_action_exit_status, "unit failed");
  } else if (after == ActiveState::Inactive && !is_inactive_or_failed(before)) {
    if (!restarts) trigger_for_end(id, DependencyKind::OnSuccess, config.on_success_job_mode);
    emergency(config.success_action, id, config.success_action_exit_status, "unit succeeded");
  }
  if (is_inactive_or_failed(after) && !restarts && rt.accepted_by.valid()) end_connection(id);
  if (is_inactive_or_failed(after)) may_be_unneeded(id);
  queue_reviews(id);
}

/// What the new state means for the unit's job.
void Manager::settle_job(UnitId id, ActiveState state, bool& unexpected) {
  Job* job = queue_.of_unit(id);
  if (job == nullptr) {
    unexpected = true;
    return;
  }
  const bool running = job->state == JobState::Running;
  const JobId jid = job->id;
  const bool down = is_inactive_or_failed(state);
  switch (job->type) {
    case JobType::Start:
    case JobType::VerifyActive:
      if (is_active_or_reloading(state)) {
        finish_job(jid, JobResult::Done, Invalidate::Yes);
        return;
      }
      if (running && state != ActiveState::Activating) {
        unexpected = true;
        if (down)
          finish_job(jid, state == ActiveState::Failed ? JobResult::Failed : JobResult::Done,
                     Invalidate::Yes);
      }
      break;
    case JobType::Reload:
      if (!running) break;
      if (state == ActiveState::Active) {
        finish_job(jid, reload_failed_ ? JobResult::Failed : JobResult::Done, Invalidate::Yes);
      } else if (state != ActiveState::Activating && state != ActiveState::Reloading) {
        unexpected = true;
        if (down)
          finish_job(jid, state == ActiveState::Failed ? JobResult::Failed : JobResult::Done,
                     Invalidate::Yes);
      }
      break;
    case JobType::Stop:
    case JobType::Restart:
      if (down) {
        finish_job(jid, JobResult::Done, Invalidate::Yes);
        return;
      }
      if (running && state != ActiveState::Deactivating) {
        unexpected = true;
        finish_job(jid, JobResult::Failed, Invalidate::Yes);
      }
      break;
    case JobType::Nop:
    case JobType::TryRestart:
    case JobType::TryReload:
    case JobType::ReloadOrStart:
      break;
  }
  if (Job* still = queue_.of_unit(id); still != nullptr && still->state == JobState::Waiting) {
    queue_.retry(still->id);
  }
}

}  // namespace onset
