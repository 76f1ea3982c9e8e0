// One unit: an event goes through its state machine, the actions go to Os, the
// answers come back, and what changed is told to its job.
#include <algorithm>
#include <cerrno>
#include <variant>

#include "base/format.h"
#include "engine/manager.h"
#include "unit/signals.h"

namespace onset {
namespace {

template <class... Fs>
struct Overloaded : Fs... {
  using Fs::operator()...;
};
template <class... Fs>
Overloaded(Fs...) -> Overloaded<Fs...>;

bool is_down(ActiveState s) { return s == ActiveState::Inactive || s == ActiveState::Failed; }
bool is_up(ActiveState s) { return s == ActiveState::Active || s == ActiveState::Reloading; }

/// "exited" and so on, as SERVICE_RESULT's neighbours EXIT_CODE and EXIT_STATUS.
std::string_view exit_code_word(ExitKind kind) {
  switch (kind) {
    case ExitKind::Exited:
      return "exited";
    case ExitKind::Killed:
      return "killed";
    case ExitKind::Dumped:
      return "dumped";
    case ExitKind::None:
      break;
  }
  return "";
}

std::string exit_status_word(const ExitStatus& e) {
  if (e.kind == ExitKind::Exited) return format("{}", e.value);
  return signal_name(e.value);
}

void tell_result(std::vector<std::string>& environment, std::string_view prefix,
                 const ServiceState& s) {
  environment.push_back(format("{}SERVICE_RESULT={}", prefix, to_string(s.result)));
  if (s.main.pid != 0 || s.main.last.kind == ExitKind::None) return;
  environment.push_back(format("{}EXIT_CODE={}", prefix, exit_code_word(s.main.last.kind)));
  environment.push_back(format("{}EXIT_STATUS={}", prefix, exit_status_word(s.main.last)));
}

std::string invocation_text(const InvocationId& id) {
  std::string text;
  for (const std::uint8_t byte : id) text += format("{:02x}", byte);
  return text;
}

// Trying a spawn again: 50 ms, doubled each time, 8 times (about 13 s).
constexpr unsigned kSpawnAttempts = 8;
constexpr Duration kSpawnBackoff = std::chrono::milliseconds(50);

}  // namespace

void Manager::say(Say::Level level, UnitId id, std::string_view text) {
  os_.log(level, graph_->unit(id).id, text);
}

ServiceContext Manager::context(UnitId id) const {
  ServiceContext c;
  c.now = now_;
  c.default_timeout_start = config_.default_timeout_start;
  c.default_timeout_stop = config_.default_timeout_stop;
  c.stop_budget = stop_budget(id);
  c.stopping = stopping_;
  const Job* job = queue_.find(runtime_[id.value].job);
  c.stop_pending = job != nullptr && (job->type == JobType::Stop || job->type == JobType::Restart);
  c.restart_pending = job != nullptr && job->type == JobType::Restart;
  const Unit& unit = graph_->unit(id);
  c.leftover_processes = unit.kill != nullptr && !unit.kill->send_sigkill &&
                         (is_down(runtime_[id.value].active) ||
                          runtime_[id.value].service.phase == ServicePhase::AutoRestartQueued) &&
                         os_.has_processes(id);
  c.idle = false;
  if (unit.service != nullptr && unit.service->runtime_randomized_extra > Duration::zero()) {
    // The invocation id is random and lasts as long as the activation does.
    const auto& bytes = runtime_[id.value].invocation;
    const unsigned fraction = bytes[0] * 256U + bytes[1];
    c.runtime_extra = unit.service->runtime_randomized_extra / 65536 * fraction;
  }
  return c;
}

/// Feeds the event and every answer that follows from it. Each step's change is
/// settled before the next, so that a state passed through is seen by others.
void Manager::feed(UnitId id, const ServiceEvent& event) {
  const Unit& unit = graph_->unit(id);
  if (unit.service == nullptr) return;
  if (pending_spawns_.contains(id.value) && !std::holds_alternative<Spawned>(event)) {
    drop_pending_spawn(id);
  }
  std::optional<ServiceEvent> next = event;
  while (next) {
    UnitRuntime& rt = runtime_[id.value];
    // A oneshot with nothing to run is up and down again within one step.
    const bool starts = std::holds_alternative<StartRequested>(*next);
    const ActiveState before = rt.active;
    const ServiceState old = rt.service;
    ServiceStep result = step(unit, rt.service, *next, context(id));
    next.reset();
    rt.service = result.state;
    index_pids(id, old);
    for (const ServiceAction& action : result.actions) {
      if (auto answer = perform(id, action)) next = std::move(answer);
    }
    arm_unit(id);
    reload_failed_ = result.reload_done.has_value() && !*result.reload_done;
    const ActiveState after = onset::active_state(rt.service.phase, unit.service->type);
    if (starts && is_down(after)) {
      apply_active(id, ActiveState::Activating);
    } else if (rt.service.phase != old.phase || after != before) {
      apply_active(id, before);
    }
    reload_failed_ = false;
  }
}

// ---- actions ------------------------------------------------------------------

std::optional<ServiceEvent> Manager::perform(UnitId id, const ServiceAction& action) {
  const Unit& unit = graph_->unit(id);
  UnitRuntime& rt = runtime_[id.value];
  return std::visit(
      Overloaded{
          [&](const Spawn& a) { return spawn(id, a); },
          [&](const Kill& a) -> std::optional<ServiceEvent> { return kill_processes(id, a); },
          [&](const SignalMain& a) -> std::optional<ServiceEvent> {
            KillRequest k;
            k.id = id;
            k.unit = &unit;
            k.main_pid = rt.service.main.pid;
            k.main_alien = rt.service.main_pid_alien;
            k.signal = a.signal;
            k.to_main = true;
            (void)os_.kill(k);
            return std::nullopt;
          },
          [&](const KillControl& a) -> std::optional<ServiceEvent> {
            KillRequest k;
            k.id = id;
            k.unit = &unit;
            k.control_pid = a.pid;
            k.signal = 9;
            k.to_control = true;
            (void)os_.kill(k);
            return std::nullopt;
          },
          [&](const FindMainPid& a) -> std::optional<ServiceEvent> { return find_main_pid(id, a); },
          [&](const WatchEmpty&) -> std::optional<ServiceEvent> {
            os_.watch_empty(id, true);
            if (os_.has_processes(id)) return std::nullopt;
            return UnitEmpty{};
          },
          [&](const PassThrough&) -> std::optional<ServiceEvent> { return Passed{}; },
          [&](const StopWatchingPidFile&) -> std::optional<ServiceEvent> {
            os_.watch_path(id, "");
            return std::nullopt;
          },
          [&](const RemovePidFile&) -> std::optional<ServiceEvent> {
            os_.remove_file(unit.service->pid_file);
            return std::nullopt;
          },
          [&](const WatchBusName&) -> std::optional<ServiceEvent> {
            os_.watch_bus_name(id, unit.service->bus_name);
            return std::nullopt;
          },
          [&](const EnqueueRestart&) -> std::optional<ServiceEvent> {
            requests_.push_back({id, JobType::Restart, JobMode::Replace, true});
            return RestartQueued{};
          },
          [&](const Release& a) -> std::optional<ServiceEvent> {
            os_.watch_empty(id, false);
            const bool keep = unit.exec != nullptr &&
                              (unit.exec->runtime_directory_preserve == Preserve::Yes ||
                               (unit.exec->runtime_directory_preserve == Preserve::Restart && a.restarting));
            os_.release(id, unit, !keep);
            return std::nullopt;
          },
          [&](const Say& a) -> std::optional<ServiceEvent> {
            if (a.level == Say::Level::Warning || a.level == Say::Level::Error) note_problem(id, a.text);
            say(a.level, id, a.text);
            return std::nullopt;
          },
      },
      action);
}

/// $MONITOR_…: which service's end has triggered this one. Of several that may
/// have, none is told (systemd.exec(5)).
void Manager::tell_trigger(std::vector<std::string>& environment, UnitId id) const {
  UnitId source;
  for (const Dependency& d : graph_->dependencies(id)) {
    if (!d.kinds.has(DependencyKind::OnFailureOf) && !d.kinds.has(DependencyKind::OnSuccessOf)) continue;
    if (graph_->unit(d.other).type != UnitType::Service) continue;
    if (source.valid()) return;
    source = d.other;
  }
  if (!source.valid()) return;
  const UnitRuntime& rt = runtime_[source.value];
  tell_result(environment, "MONITOR_", rt.service);
  environment.push_back(format("MONITOR_INVOCATION_ID={}", invocation_text(rt.invocation)));
  environment.push_back(format("MONITOR_UNIT={}", graph_->unit(source).id));
}

std::optional<ServiceEvent> Manager::spawn(UnitId id, const Spawn& action) {
  const Unit& unit = graph_->unit(id);
  UnitRuntime& rt = runtime_[id.value];
  const auto& commands = unit.service->commands(action.role);
  if (action.index >= commands.size()) return SpawnFailed{SysError{"spawn", EINVAL}};

  LaunchRequest request;
  request.id = id;
  request.unit = &unit;
  request.command = &commands[action.index];
  request.role = action.role;
  request.as_main = action.as_main;
  request.invocation = rt.invocation;
  if (rt.service.main.pid > 0) request.main_pid = rt.service.main.pid;
  const ServiceConfig& config = *unit.service;
  request.notify_socket = config.notify_access == NotifyAccess::All ||
                          config.notify_access == NotifyAccess::Exec ||
                          (config.notify_access == NotifyAccess::Main && action.as_main);
  const Duration period =
      rt.service.watchdog_override.count() >= 0 ? rt.service.watchdog_override : config.watchdog;
  if (action.as_main && period > Duration::zero() && period != kInfinity) request.watchdog = period;
  if (action.role == ExecRole::Stop || action.role == ExecRole::StopPost) {
    tell_result(request.environment, "", rt.service);
  } else if (action.role == ExecRole::Start || action.role == ExecRole::StartPre) {
    tell_trigger(request.environment, id);
  }

  auto launch = os_.spawn(request);
  if (launch) {
    pending_spawns_.erase(id.value);
    timers_.set({TimerKey::Kind::Retry, id.value}, kNever);
    record_start(id, action, launch->pid);
    return Spawned{launch->pid, launch->exec_done};
  }
  const int err = launch.error().err;
  PendingSpawn& pending = pending_spawns_[id.value];
  pending.action = action;
  if ((err != EAGAIN && err != ENOMEM) || ++pending.attempts > kSpawnAttempts) {
    pending_spawns_.erase(id.value);
    note_problem(id, to_string(launch.error()));
    return SpawnFailed{launch.error()};
  }
  if (pending.attempts == 1) {
    say(Say::Level::Warning, id, format("{}; trying again", to_string(launch.error())));
  }
  timers_.set({TimerKey::Kind::Retry, id.value}, now_.mono + kSpawnBackoff * (1 << (pending.attempts - 1)));
  return std::nullopt;
}

void Manager::record_start(UnitId id, const Spawn& action, pid_t pid) {
  auto& records = command_records_[id.value];
  std::erase_if(records, [&](const CommandRecord& r) {
    return r.role == action.role && r.index == action.index;
  });
  records.push_back({action.role, action.index, pid, now_, {}, {}});
}

void Manager::record_exit(UnitId id, pid_t pid, const ExitStatus& status) {
  const auto found = command_records_.find(id.value);
  if (found == command_records_.end()) return;
  for (CommandRecord& record : found->second) {
    if (record.pid != pid || record.exited.is_set()) continue;
    record.exited = now_;
    record.status = status;
  }
}

/// Another event came first: the spawn that waits counts as failed.
void Manager::drop_pending_spawn(UnitId id) {
  pending_spawns_.erase(id.value);
  timers_.set({TimerKey::Kind::Retry, id.value}, kNever);
  feed(id, SpawnFailed{SysError{"fork", EAGAIN}});
}

void Manager::retry_spawn(UnitId id) {
  auto it = pending_spawns_.find(id.value);
  if (it == pending_spawns_.end()) return;
  auto answer = spawn(id, it->second.action);
  if (!answer) return;
  pending_spawns_.erase(id.value);
  feed(id, *answer);
}

ServiceEvent Manager::kill_processes(UnitId id, const Kill& action) {
  const Unit& unit = graph_->unit(id);
  const ServiceState& s = runtime_[id.value].service;
  static constexpr KillConfig kDefaults{};
  const KillConfig& config = unit.kill != nullptr ? *unit.kill : kDefaults;

  KillRequest k;
  k.id = id;
  k.unit = &unit;
  k.main_pid = s.main.pid;
  k.main_alien = s.main_pid_alien;
  k.control_pid = s.control.pid;
  k.to_main = k.to_control = true;
  bool hard = false;
  switch (action.what) {
    case Kill::What::Terminate:
      k.signal = config.kill_signal;
      break;
    case Kill::What::TerminateForRestart:
      k.signal = config.restart_kill_signal.value_or(config.kill_signal);
      break;
    case Kill::What::Watchdog:
      k.signal = config.watchdog_signal;
      break;
    case Kill::What::Kill:
    case Kill::What::FinalKill:
      k.signal = config.final_kill_signal;
      hard = true;
      break;
  }
  const bool first = action.what == Kill::What::Terminate || action.what == Kill::What::TerminateForRestart;
  k.then_continue = first && k.signal != 9 && k.signal != 18;
  k.then_hangup = first && config.send_sighup;
  switch (config.mode) {
    case KillMode::ControlGroup:
      k.to_rest = true;
      break;
    case KillMode::Mixed:
      k.to_rest = hard;
      break;
    case KillMode::Process:
      break;
    case KillMode::None:
      return KillAnswer{false};
  }
  const KillReport report = os_.kill(k);
  if (report.error != 0) {
    say(Say::Level::Warning, id, format("cannot signal all processes: {}", errno_text(report.error)));
  }
  // An alien main process is no child of ours: only its unit's end can be seen.
  const bool waits_for_rest = config.mode == KillMode::ControlGroup ||
                              (config.mode == KillMode::Mixed && hard);
  const bool waiting = report.main + report.control > 0 ||
                       (waits_for_rest && (report.rest > 0 || os_.has_processes(id)));
  if (waiting) os_.watch_empty(id, true);
  return KillAnswer{waiting};
}

std::optional<ServiceEvent> Manager::find_main_pid(UnitId id, const FindMainPid& action) {
  const Unit& unit = graph_->unit(id);
  const ServiceState& s = runtime_[id.value].service;
  const std::string& path = unit.service->pid_file;
  if (!path.empty()) {
    if (action.watch) os_.watch_path(id, path);  // first: a file that comes in between is seen
    const PidFileReading reading = os_.read_pid_file(id, unit, path);
    if (!reading.problem.empty() && !action.quiet) {
      note_problem(id, reading.problem);
      say(Say::Level::Warning, id, reading.problem);
    }
    if (reading.pid > 0 && action.watch) os_.watch_path(id, "");
    if (reading.pid > 0 && reading.alien) (void)os_.watch_alien(id, reading.pid);
    return MainPidFound{reading.pid, reading.alien, true};
  }
  if (!unit.service->guess_main_pid) return MainPidFound{0, false, true};
  return MainPidFound{os_.guess_main_pid(id, s.control.pid), false, false};
}

// ---- what changed ---------------------------------------------------------------

void Manager::index_pids(UnitId id, const ServiceState& before) {
  const ServiceState& now = runtime_[id.value].service;
  const auto replace = [&](pid_t was, pid_t is) {
    if (was == is) return;
    const auto it = pids_.find(was);
    if (it != pids_.end() && it->second == id && was != now.main.pid && was != now.control.pid) pids_.erase(it);
    if (is > 0) pids_[is] = id;
  };
  replace(before.main.pid, now.main.pid);
  replace(before.control.pid, now.control.pid);
}

void Manager::arm_unit(UnitId id) {
  const ServiceState& s = runtime_[id.value].service;
  timers_.set({TimerKey::Kind::Unit, id.value}, std::min(s.deadline, s.watchdog_deadline));
  if (s.guarded_idle != 0 && std::find(idle_waiters_.begin(), idle_waiters_.end(), id) == idle_waiters_.end()) {
    idle_waiters_.push_back(id);
  }
}

void Manager::set_plain(UnitId id, bool active) {
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
  ActiveState after = rt.plain_failed   ? ActiveState::Failed
                      : rt.plain_active ? ActiveState::Active
                                        : ActiveState::Inactive;
  if (unit.service != nullptr) after = onset::active_state(rt.service.phase, unit.service->type);
  rt.active = after;

  if (is_down(after) && rt.service.result == ServiceResult::ExecCondition) rt.condition_result = false;
  rt.state_change = now_;
  if (is_down(before) && !is_down(after)) rt.inactive_exit = now_;
  if (!is_down(before) && is_down(after)) rt.inactive_enter = now_;
  if (!is_up(before) && is_up(after)) rt.active_enter = now_;
  if (is_up(before) && !is_up(after)) rt.active_exit = now_;
  if (listener_ != nullptr) listener_->unit_changed(id);

  bool unexpected = false;
  settle_job(id, after, unexpected);
  if (before == after) return;

  const bool was_going_up = is_up(before) || before == ActiveState::Activating;
  const bool goes_up = is_up(after) || after == ActiveState::Activating;
  const bool was_going_down = is_down(before) || before == ActiveState::Deactivating;
  const bool goes_down = is_down(after) || after == ActiveState::Deactivating;
  if (unexpected) {
    if (was_going_down && goes_up) start_with(id);
    if (was_going_up && goes_down) stop_with(id);
  }
  const bool restarts = rt.service.phase == ServicePhase::FailedBeforeAutoRestart ||
                        rt.service.phase == ServicePhase::DeadBeforeAutoRestart;
  const UnitConfig& config = unit.config;
  if (after == ActiveState::Failed && !restarts) {
    say(Say::Level::Warning, id, format("failed with result '{}'", to_string(rt.service.result)));
    trigger(id, DependencyKind::OnFailure, config.on_failure_job_mode);
    emergency(config.failure_action, id, config.failure_action_exit_status, "unit failed");
  } else if (after == ActiveState::Inactive && !is_down(before) && !restarts) {
    trigger(id, DependencyKind::OnSuccess, config.on_success_job_mode);
    emergency(config.success_action, id, config.success_action_exit_status, "unit succeeded");
  }
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
  const bool down = is_down(state);
  switch (job->type) {
    case JobType::Start:
    case JobType::VerifyActive:
      if (is_up(state)) {
        finish_job(jid, JobResult::Done, Invalidate::Yes);
        return;
      }
      if (running && state != ActiveState::Activating) {
        unexpected = true;
        if (down) finish_job(jid, state == ActiveState::Failed ? JobResult::Failed : JobResult::Done, Invalidate::Yes);
      }
      break;
    case JobType::Reload:
      if (!running) break;
      if (state == ActiveState::Active) {
        finish_job(jid, reload_failed_ ? JobResult::Failed : JobResult::Done, Invalidate::Yes);
      } else if (state != ActiveState::Activating && state != ActiveState::Reloading) {
        unexpected = true;
        if (down) finish_job(jid, state == ActiveState::Failed ? JobResult::Failed : JobResult::Done, Invalidate::Yes);
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
