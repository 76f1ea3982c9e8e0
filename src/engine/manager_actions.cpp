// What a service's state machine asks for, done through Os; the answers go back
// to it as events.
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

std::string exit_status_word(const ExitStatus& e) {
  if (e.kind == ExitKind::Exited) return format("{}", e.value);
  return signal_name(e.value);
}

/// $SERVICE_RESULT, $EXIT_CODE and $EXIT_STATUS (systemd.exec(5)).
void tell_result(std::vector<std::string>& environment, std::string_view prefix,
                 ServiceResult result, const ExitStatus& status) {
  environment.push_back(format("{}SERVICE_RESULT={}", prefix, to_string(result)));
  if (status.kind == ExitKind::None) return;
  environment.push_back(format("{}EXIT_CODE={}", prefix, to_string(status.kind)));
  environment.push_back(format("{}EXIT_STATUS={}", prefix, exit_status_word(status)));
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

std::optional<ServiceEvent> Manager::perform(UnitId id, const ServiceAction& action) {
  using Answer = std::optional<ServiceEvent>;
  return std::visit(
      Overloaded{
          [&](const Spawn& a) { return spawn(id, a); },
          [&](const Kill& a) -> Answer { return kill_processes(id, a); },
          [&](const SignalMain& a) -> Answer { return signal_main(id, a), std::nullopt; },
          [&](const KillControl& a) -> Answer { return kill_control(id, a), std::nullopt; },
          [&](const FindMainPid& a) { return find_main_pid(id, a); },
          [&](const WatchEmpty&) { return watch_empty(id); },
          [&](const PassThrough&) -> Answer { return Passed{}; },
          [&](const StopWatchingPidFile&) -> Answer {
            return os_.watch_path(id, ""), std::nullopt;
          },
          [&](const RemovePidFile&) -> Answer {
            return os_.remove_file(graph_->unit(id).service->pid_file), std::nullopt;
          },
          [&](const WatchBusName&) -> Answer {
            return os_.watch_bus_name(id, graph_->unit(id).service->bus_name), std::nullopt;
          },
          [&](const EnqueueRestart&) -> Answer {
            requests_.push_back({.unit = id,
                                 .type = JobType::Restart,
                                 .mode = JobMode::Replace,
                                 .of = Request::Of::Restart});
            return RestartQueued{};
          },
          [&](const Release& a) -> Answer { return release(id, a), std::nullopt; },
          [&](const SocketWork& a) { return work_on_sockets(id, a); },
          [&](const AutomountWork& a) { return work_on_automount(id, a); },
          [&](const Say& a) -> Answer {
            if (a.level >= Say::Level::Warning) note_problem(id, a.text);
            return say(a.level, id, a.text), std::nullopt;
          },
      },
      action);
}

void Manager::signal_main(UnitId id, const SignalMain& action) {
  const ServiceState& s = runtime_[id.value].service;
  KillRequest k;
  k.id = id;
  k.unit = &graph_->unit(id);
  k.main_pid = s.main.pid;
  k.main_alien = s.main_pid_alien;
  k.signal = action.signal;
  k.to_main = true;
  (void)os_.kill(k);
}

void Manager::kill_control(UnitId id, const KillControl& action) {
  KillRequest k;
  k.id = id;
  k.unit = &graph_->unit(id);
  k.control_pid = action.pid;
  k.signal = 9;
  k.to_control = true;
  (void)os_.kill(k);
}

std::optional<ServiceEvent> Manager::watch_empty(UnitId id) {
  os_.watch_empty(id, true);
  if (os_.has_processes(id)) return std::nullopt;
  return UnitEmpty{};
}

void Manager::release(UnitId id, const Release& action) {
  const Unit& unit = graph_->unit(id);
  os_.watch_empty(id, false);
  const bool keep =
      unit.exec != nullptr &&
      (unit.exec->runtime_directory_preserve == Preserve::Yes ||
       (unit.exec->runtime_directory_preserve == Preserve::Restart && action.restarting));
  os_.release(id, unit, !keep);
}

/// $MONITOR_…: which service's end has triggered this activation (systemd.exec(5)).
void Manager::tell_trigger(std::vector<std::string>& environment, const Trigger& trigger) const {
  if (!trigger.source.valid()) return;
  tell_result(environment, "MONITOR_", trigger.result, trigger.status);
  environment.push_back(format("MONITOR_INVOCATION_ID={}", invocation_text(trigger.invocation)));
  environment.push_back(format("MONITOR_UNIT={}", graph_->unit(trigger.source).id));
}

/// What a service's process is told beyond its unit's settings.
void Manager::complete_launch(LaunchRequest& request, const Unit& unit,
                              const UnitRuntime& rt) const {
  if (rt.service.main.pid > 0) request.main_pid = rt.service.main.pid;
  const ServiceConfig& config = *unit.service;
  const bool is_start =
      request.role == ExecRole::Start;  // also the one that forks the main process
  hand_over_sockets(request);
  request.notify_socket = config.notify_access == NotifyAccess::All ||
                          config.notify_access == NotifyAccess::Exec ||
                          (config.notify_access == NotifyAccess::Main && is_start);
  const Duration period =
      rt.service.watchdog_override.count() >= 0 ? rt.service.watchdog_override : config.watchdog;
  if (is_start && period > Duration::zero() && period != kInfinity) request.watchdog = period;
  if (request.role == ExecRole::Stop || request.role == ExecRole::StopPost) {
    tell_result(request.environment, "", rt.service.result, last_exit(rt.service));
  } else if (request.role == ExecRole::Start || request.role == ExecRole::StartPre) {
    tell_trigger(request.environment, rt.trigger);
  }
}

std::optional<ServiceEvent> Manager::spawn(UnitId id, const Spawn& action) {
  const Unit& unit = graph_->unit(id);
  UnitRuntime& rt = runtime_[id.value];
  ExecCommand command;
  std::span<const ExecCommand> commands;
  if (unit.service != nullptr) {
    commands = unit.service->commands(action.role);
  } else if (unit.socket != nullptr) {
    commands = unit.socket->commands(action.role);
  } else {
    command = unit.automount != nullptr ? automount_command(unit, action.role)
                                        : mount_command(unit, action.role);
    commands = std::span(&command, 1);
  }
  if (action.index >= commands.size()) {  // new files have taken it away
    (void)forget_spawn(id);
    return SpawnFailed{SysError{"spawn", EINVAL}};
  }

  LaunchRequest request;
  request.id = id;
  request.unit = &unit;
  request.graph = graph_.get();
  request.startup = starting() || stopping();
  request.command = &commands[action.index];
  request.role = action.role;
  request.as_main = action.as_main;
  request.invocation = rt.invocation;
  if (unit.service != nullptr) complete_launch(request, unit, rt);

  auto launched = launch(request);
  if (launched) {
    (void)forget_spawn(id);
    pids_[launched->pid] = id;  // it may end before the answer is taken
    if (unit.service != nullptr) record_start(id, action, launched->pid);
    return Spawned{launched->pid, launched->exec_done};
  }
  const int err = launched.error().err;
  PendingSpawn& pending = pending_spawns_[id.value];
  pending.action = action;
  if ((err != EAGAIN && err != ENOMEM) || ++pending.attempts > kSpawnAttempts) {
    (void)forget_spawn(id);
    note_problem(id, to_string(launched.error()));
    return SpawnFailed{launched.error()};
  }
  if (pending.attempts == 1) {
    say(Say::Level::Warning, id, format("{}; trying again", to_string(launched.error())));
  }
  timers_.set({TimerKey::Kind::Retry, id.value},
              now_.mono + kSpawnBackoff * (1 << (pending.attempts - 1)));
  return std::nullopt;
}

/// Where there is no memory to launch with there may be some later.
Result<Launch> Manager::launch(const LaunchRequest& request) {
  try {
    const MemoryReserve::Open own(launch_reserve_, MemoryReserve::kPart);
    return os_.spawn(request);
  } catch (const std::bad_alloc&) {
    return Failure{SysError{"launch", ENOMEM}};
  }
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

void Manager::retry_spawn(UnitId id) {
  auto it = pending_spawns_.find(id.value);
  if (it == pending_spawns_.end()) {
    timers_.set({TimerKey::Kind::Retry, id.value}, kNever);
    return;
  }
  const Spawn action = it->second.action;  // spawn() erases what waited
  std::optional<ServiceEvent> answer;
  {
    const MemoryReserve::Open finish = begin_change(id);
    answer = spawn(id, action);
  }
  if (answer) feed(id, *answer);
}

ServiceEvent Manager::kill_processes(UnitId id, const Kill& action) {
  const Unit& unit = graph_->unit(id);
  const Processes processes = processes_of(id);
  static constexpr KillConfig kDefaults{};
  const KillConfig& config = unit.kill != nullptr ? *unit.kill : kDefaults;

  KillRequest k;
  k.id = id;
  k.unit = &unit;
  k.main_pid = processes.main;
  k.main_alien = runtime_[id.value].service.main_pid_alien;
  k.control_pid = processes.control;
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
  const bool first =
      action.what == Kill::What::Terminate || action.what == Kill::What::TerminateForRestart;
  k.then_continue = k.signal != 9 && k.signal != 18;
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
    say(Say::Level::Warning, id,
        format("cannot signal all processes: {}", errno_text(report.error)));
  }
  // An alien main process is no child of ours: only its unit's end can be seen.
  const bool waits_for_rest =
      config.mode == KillMode::ControlGroup || (config.mode == KillMode::Mixed && hard);
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
    PidFileReading reading = os_.read_pid_file(id, unit, path);
    if (const UnitId owner = unit_of_pid(reading.pid); owner.valid() && owner != id) {
      reading = {0, false,
                 format("PIDFile={} names a process of {}", path, graph_->unit(owner).id)};
    }
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

}  // namespace onset
