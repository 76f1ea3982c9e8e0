#include "support/fake_os.h"

#include <algorithm>
#include <cerrno>

#include "base/format.h"

namespace onset::test {

Result<Launch> FakeOs::spawn(const LaunchRequest& request) {
  calls.push_back(format("spawn {} {}", request.unit->id, request.command->path));
  if (unspawnable.contains(request.unit->id)) return Failure{SysError{"fork", EPERM}};
  if (fail_spawns > 0) {
    --fail_spawns;
    return Failure{SysError{"fork", spawn_errno}};
  }
  FakeProcess p;
  p.pid = next_pid_++;
  p.unit = request.id;
  p.unit_name = request.unit->id;
  p.role = request.role;
  p.path = request.command->path;
  p.environment = request.environment;
  p.as_main = request.as_main;
  p.notify_socket = request.notify_socket;
  p.watchdog = request.watchdog;
  p.sockets = request.sockets;
  p.connection = request.connection;
  std::map<pid_t, FakeProcess> born{{p.pid, p}};
  history.push_back(std::move(p));
  const Launch launch{born.begin()->first, !exec_is_late};
  alive.merge(born);  // needs no memory: there is none that nobody is told of
  if (after_spawn) after_spawn();
  return launch;
}

KillReport FakeOs::kill(const KillRequest& request) {
  calls.push_back(format("kill {} {}", request.unit->id, request.signal));
  KillReport report;
  for (auto& [pid, p] : alive) {
    if (p.unit != request.id) continue;
    unsigned* count = nullptr;
    if (pid == request.main_pid) {
      count = request.to_main ? &report.main : nullptr;
    } else if (pid == request.control_pid) {
      count = request.to_control ? &report.control : nullptr;
    } else {
      count = request.to_rest ? &report.rest : nullptr;
    }
    if (count == nullptr) continue;
    ++*count;
    p.signals.push_back(request.signal);
    if (request.then_continue) p.signals.push_back(18);
  }
  return report;
}

bool FakeOs::has_processes(UnitId id) {
  return std::any_of(alive.begin(), alive.end(),
                     [&](const auto& e) { return e.second.unit == id; });
}

std::vector<pid_t> FakeOs::processes(UnitId id) {
  std::vector<pid_t> found;
  for (const auto& [pid, p] : alive) {
    if (p.unit == id) found.push_back(pid);
  }
  return found;
}

void FakeOs::watch_empty(UnitId id, bool on) {
  if (on) {
    empty_watched.insert(id);
  } else {
    empty_watched.erase(id);
  }
}

SysResult FakeOs::take_automount(UnitId id) {
  if (untakeable != 0) return Failure{SysError{"autofs", untakeable}};
  automounts.insert(id.value);
  return {};
}

void FakeOs::answer_automount(UnitId, AutomountAsks what, int error) {
  calls.push_back(
      format("answer {} {}", what == AutomountAsks::Access ? "access" : "expiry", error));
}

void FakeOs::drop_automount(UnitId id) {
  if (automounts.erase(id.value) != 0) calls.emplace_back("drop automount");
}

Result<void, std::string> FakeOs::open_sockets(UnitId id, const Unit& unit) {
  calls.push_back(format("open {}", unit.id));
  if (unopenable.contains(unit.id)) return Failure{std::string("cannot listen on it")};
  open_sockets_of.insert(id.value);
  return {};
}

SysResult FakeOs::watch_sockets(UnitId id, bool on) {
  if (on) {
    watched_sockets.insert(id.value);
  } else {
    watched_sockets.erase(id.value);
  }
  return {};
}

void FakeOs::flush_sockets(UnitId) {
  calls.emplace_back("flush");
}

void FakeOs::close_sockets(UnitId id, const Unit& unit) {
  if (open_sockets_of.erase(id.value) != 0) calls.push_back(format("close {}", unit.id));
  watched_sockets.erase(id.value);
}

Result<AcceptedConnection> FakeOs::accept_connection(UnitId, std::uint32_t) {
  if (connecting.empty()) return Failure{SysError{"accept", EAGAIN}};
  return connecting.front();
}

void FakeOs::give_connection(UnitId, UnitId instance) {
  connecting.erase(connecting.begin());
  served.insert(instance.value);
}

void FakeOs::drop_connection(UnitId id) {
  if (served.erase(id.value) == 0 && !connecting.empty()) connecting.erase(connecting.begin());
}

void FakeOs::release(UnitId, const Unit& unit, bool remove) {
  calls.push_back(format("release {}{}", unit.id, remove ? "" : " keeping directories"));
}

void FakeOs::forget(UnitId id, const Unit& unit) {
  calls.push_back(format("forget {}", unit.id));
  forgotten.push_back(id);
}

SysResult FakeOs::adopt_processes(const UnitGraph& graph, UnitId id, bool) {
  const std::string& name = graph.unit(id).id;
  calls.push_back(format("adopt {}", name));
  const auto found = held.find(name);
  if (found == held.end()) return Failure{SysError{"adopt", ESRCH}};
  for (unsigned i = 0; i < found->second; ++i) {
    FakeProcess p;
    p.pid = next_pid_++;
    p.unit = id;
    p.unit_name = name;
    alive[p.pid] = p;
  }
  held.erase(found);
  return {};
}

PidFileReading FakeOs::read_pid_file(UnitId, const Unit&, std::string_view path) {
  auto it = pid_files.find(std::string(path));
  return it == pid_files.end() ? PidFileReading{} : it->second;
}

pid_t FakeOs::guess_main_pid(UnitId, pid_t) {
  return guess;
}
void FakeOs::remove_file(std::string_view path) {
  calls.push_back(format("remove {}", path));
}
void FakeOs::watch_path(UnitId, std::string_view path) {
  calls.push_back(format("watch {}", path));
}
void FakeOs::watch_bus_name(UnitId, std::string_view name) {
  bus_watched.insert(std::string(name));
}
bool FakeOs::watch_alien(UnitId, pid_t pid) {
  return !alive.contains(pid);
}

Result<bool> FakeOs::test(const Condition& condition, const Unit&) {
  return !false_conditions.contains(condition.parameter);
}

InvocationId FakeOs::new_invocation() {
  InvocationId id{};
  id[0] = next_invocation_++;
  return id;
}

void FakeOs::log(Say::Level level, std::string_view unit, std::string_view text) {
  lines.push_back({level, std::string(unit), std::string(text)});
}

pid_t FakeOs::pid_of(std::string_view unit) const {
  pid_t found = 0;
  for (const auto& [pid, p] : alive) {
    if (p.unit_name == unit) found = pid;
  }
  return found;
}

bool FakeOs::was_said(std::string_view part) const {
  return std::any_of(lines.begin(), lines.end(),
                     [&](const LogLine& l) { return l.text.find(part) != std::string::npos; });
}

}  // namespace onset::test
