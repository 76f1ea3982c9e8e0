#include "support/service_world.h"

#include <algorithm>
#include <cerrno>

#include "base/format.h"
#include "engine/notify_message.h"

namespace onset::test {
namespace {

template <class... Fs>
struct Overloaded : Fs... {
  using Fs::operator()...;
};
template <class... Fs>
Overloaded(Fs...) -> Overloaded<Fs...>;

std::string_view role_name(ExecRole role) {
  switch (role) {
    case ExecRole::Condition:
      return "ExecCondition";
    case ExecRole::StartPre:
      return "ExecStartPre";
    case ExecRole::Start:
      return "ExecStart";
    case ExecRole::StartPost:
      return "ExecStartPost";
    case ExecRole::Reload:
      return "ExecReload";
    case ExecRole::Stop:
      return "ExecStop";
    case ExecRole::StopPost:
      return "ExecStopPost";
  }
  return "";
}

std::string_view kill_name(Kill::What what) {
  switch (what) {
    case Kill::What::Terminate:
      return "kill terminate";
    case Kill::What::TerminateForRestart:
      return "kill terminate-for-restart";
    case Kill::What::Kill:
      return "kill kill";
    case Kill::What::Watchdog:
      return "kill watchdog";
    case Kill::What::FinalKill:
      return "kill final";
  }
  return "";
}

std::string_view work_name(SocketWork::What what) {
  switch (what) {
    case SocketWork::What::Open:
      return "open";
    case SocketWork::What::Watch:
      return "watch";
    case SocketWork::What::Unwatch:
      return "unwatch";
    case SocketWork::What::Flush:
      return "flush";
    case SocketWork::What::Accept:
      return "accept";
    case SocketWork::What::Trigger:
      return "trigger";
    case SocketWork::What::Close:
      return "close";
  }
  return "";
}

std::string automount_work(const AutomountWork& a) {
  switch (a.what) {
    case AutomountWork::What::Take:
      return "take";
    case AutomountWork::What::AnswerAccess:
      return a.error == 0 ? "access: there" : format("access: {}", errno_text(a.error));
    case AutomountWork::What::AnswerExpiry:
      return a.error == 0 ? "expiry: gone" : format("expiry: {}", errno_text(a.error));
    case AutomountWork::What::Trigger:
      return "start mount";
    case AutomountWork::What::Expire:
      return "stop mount";
    case AutomountWork::What::Drop:
      return "drop";
  }
  return "";
}

constexpr unsigned kEndlessLoop = 1000;

}  // namespace

std::string to_text(const ServiceAction& action) {
  return std::visit(
      Overloaded{
          [](const Spawn& a) {
            return format("spawn {} {}{}", role_name(a.role), a.index, a.as_main ? " main" : "");
          },
          [](const Kill& a) { return std::string(kill_name(a.what)); },
          [](const SignalMain& a) { return format("signal main {}", a.signal); },
          [](const KillControl&) { return std::string("kill control"); },
          [](const FindMainPid& a) {
            return format("find-main{}{}", a.watch ? " watch" : "", a.quiet ? " quiet" : "");
          },
          [](const StopWatchingPidFile&) { return std::string("stop-watching-pid-file"); },
          [](const RemovePidFile&) { return std::string("remove-pid-file"); },
          [](const WatchEmpty&) { return std::string("watch-empty"); },
          [](const WatchBusName&) { return std::string("watch-bus-name"); },
          [](const PassThrough&) { return std::string("pass-through"); },
          [](const EnqueueRestart&) { return std::string("enqueue-restart"); },
          [](const Release& a) {
            return std::string(a.restarting ? "release restarting" : "release");
          },
          [](const SocketWork& a) { return std::string(work_name(a.what)); },
          [](const AutomountWork& a) { return automount_work(a); },
          [](const Say& a) { return "say " + a.text; },
      },
      action);
}

bool is_answered(const ServiceAction& action) {
  return std::visit(Overloaded{
                        [](const Spawn&) { return true; },
                        [](const Kill&) { return true; },
                        [](const FindMainPid&) { return true; },
                        [](const WatchEmpty&) { return true; },
                        [](const PassThrough&) { return true; },
                        [](const EnqueueRestart&) { return true; },
                        [](const SignalMain&) { return false; },
                        [](const KillControl&) { return false; },
                        [](const StopWatchingPidFile&) { return false; },
                        [](const RemovePidFile&) { return false; },
                        [](const WatchBusName&) { return false; },
                        [](const Release&) { return false; },
                        [](const SocketWork& a) { return a.what == SocketWork::What::Open; },
                        [](const AutomountWork& a) { return a.what == AutomountWork::What::Take; },
                        [](const Say&) { return false; },
                    },
                    action);
}

ServiceWorld::ServiceWorld(ServiceType type) {
  unit.id = "a.service";
  unit.service = std::make_unique<ServiceConfig>();
  unit.kill = std::make_unique<KillConfig>();
  service().type = type;
  service().notify_access = NotifyAccess::Main;
  if (type == ServiceType::Dbus) service().bus_name = "org.example.A";
  commands(ExecRole::Start, {"main"});
  context.now = Timestamp{MonoTime{1000000}, WallTime{1700000000000000}};
}

void ServiceWorld::commands(ExecRole role, std::initializer_list<std::string_view> list) {
  auto& commands = service().exec[static_cast<unsigned>(role)];
  commands.clear();
  for (std::string_view name : list) {
    ExecCommand c;
    c.ignore_failure = name.starts_with('-');
    if (c.ignore_failure) name.remove_prefix(1);
    c.path = format("/bin/{}", name);
    c.argv = {c.path};
    commands.push_back(std::move(c));
  }
}

// ---- what happens ---------------------------------------------------------------

void ServiceWorld::feed(const ServiceEvent& event) {
  std::optional<ServiceEvent> next = event;
  for (unsigned i = 0; next && i < kEndlessLoop; ++i) {
    const ServicePhase before = state.phase;
    const ServiceStep result = step(unit, state, *next, context);
    next.reset();
    state = result.state;
    if (result.reload_done) reload_done = result.reload_done;
    if (state.phase != before) trail.emplace_back(to_string(state.phase));
    for (const ServiceAction& action : result.actions) {
      if (const Say* say = std::get_if<Say>(&action)) {
        said_.push_back(say->text);
      } else {
        done_.push_back(to_text(action));
        all_done_.push_back(to_text(action));
      }
      if (auto reply = answer(action)) next = std::move(reply);
    }
  }
}

std::optional<ServiceEvent> ServiceWorld::answer(const ServiceAction& action) {
  if (std::holds_alternative<Spawn>(action)) {
    if (fail_spawns > 0) {
      --fail_spawns;
      return SpawnFailed{SysError{"fork", EAGAIN}};
    }
    const pid_t pid = fork();
    return Spawned{pid, !exec_is_late};
  }
  if (const Kill* k = std::get_if<Kill>(&action)) {
    const bool waiting = anything_to_kill(k->what);
    if (waiting) watching_empty_ = true;
    return KillAnswer{waiting};
  }
  if (std::holds_alternative<FindMainPid>(action)) {
    const pid_t named = alive.contains(pid_file) ? pid_file : 0;
    if (!service().pid_file.empty()) return MainPidFound{named, false, true};
    return MainPidFound{guess, false, false};
  }
  if (std::holds_alternative<WatchEmpty>(action)) {
    watching_empty_ = true;
    if (alive.empty()) return UnitEmpty{};
  }
  if (std::holds_alternative<Release>(action)) watching_empty_ = false;
  if (std::holds_alternative<PassThrough>(action)) return Passed{};
  if (std::holds_alternative<EnqueueRestart>(action)) {
    if (refuse_restart) return SpawnFailed{SysError{"queue", EEXIST}};
    return RestartQueued{};
  }
  return std::nullopt;
}

bool ServiceWorld::anything_to_kill(Kill::What what) const {
  const bool own = alive.contains(state.main.pid) || alive.contains(state.control.pid);
  const bool hard = what == Kill::What::Kill || what == Kill::What::FinalKill;
  switch (unit.kill->mode) {
    case KillMode::ControlGroup:
      return !alive.empty();
    case KillMode::Mixed:
      return hard ? !alive.empty() : own;
    case KillMode::Process:
      return own;
    case KillMode::None:
      return false;
  }
  return false;
}

void ServiceWorld::stop() {
  context.stop_pending = true;
  feed(StopRequested{});
  context.stop_pending = false;
}

void ServiceWorld::end(pid_t pid, ExitStatus status) {
  alive.erase(pid);
  feed(ProcessExited{pid, status});
  if (watching_empty_ && alive.empty()) feed(UnitEmpty{});
}

void ServiceWorld::main_exits(int status) {
  end(state.main.pid, {ExitKind::Exited, status});
}
void ServiceWorld::main_dies(int signal, bool dumped) {
  end(state.main.pid, {dumped ? ExitKind::Dumped : ExitKind::Killed, signal});
}
void ServiceWorld::control_exits(int status) {
  end(state.control.pid, {ExitKind::Exited, status});
}
void ServiceWorld::control_dies(int signal) {
  end(state.control.pid, {ExitKind::Killed, signal});
}

void ServiceWorld::notify(std::string_view text) {
  feed(parse_notify(text).message);
}

pid_t ServiceWorld::fork() {
  const pid_t pid = next_pid_++;
  alive.insert(pid);
  return pid;
}

void ServiceWorld::ends(pid_t pid) {
  alive.erase(pid);
  if (watching_empty_ && alive.empty()) feed(UnitEmpty{});
}

void ServiceWorld::pass(Duration d) {
  const MonoTime end = now() + d;
  for (unsigned i = 0; i < kEndlessLoop; ++i) {
    const MonoTime next = std::min(state.deadline, state.watchdog_deadline);
    if (next > end) break;
    if (next > now()) {
      context.now.wall.us += next.us - now().us;
      context.now.mono = next;
    }
    if (state.deadline <= now()) {
      feed(DeadlineElapsed{});
    } else {
      feed(WatchdogElapsed{});
    }
  }
  context.now.wall.us += end.us - now().us;
  context.now.mono = end;
}

// ---- what is to be seen -----------------------------------------------------------

std::vector<std::string> ServiceWorld::done() {
  return std::exchange(done_, {});
}

bool ServiceWorld::did(std::string_view action) const {
  return std::find(all_done_.begin(), all_done_.end(), action) != all_done_.end();
}

bool ServiceWorld::said(std::string_view part) const {
  return std::any_of(said_.begin(), said_.end(),
                     [&](const std::string& line) { return line.find(part) != std::string::npos; });
}

}  // namespace onset::test
