#include "sim/sim_os.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <utility>

#include "base/format.h"
#include "support/failing_new.h"

namespace onset::sim {
namespace {

constexpr int kSigKill = 9;
constexpr int kSigCont = 18;

/// What the signal does to the process.
void signal_process(Process& p, int signal) {
  p.was_killed |= signal == kSigKill;
  if (p.temper == Temper::Unkillable || signal == 0 || signal == kSigCont) return;
  if (signal == kSigKill) {
    p.doom = kSigKill;
  } else if (p.temper == Temper::Obeys && p.doom == 0) {
    p.doom = signal;
  } else if (p.temper == Temper::Exits && p.doom == 0) {
    p.doom = -1;
  }
}

}  // namespace

SimOs::PerUnit& SimOs::of(UnitId id) {
  if (id.value >= units_.size()) units_.resize(id.value + std::size_t{1});
  return units_[id.value];
}

Result<Launch> SimOs::spawn(const LaunchRequest& request) {
  const test::UnfailingNew ours;
  // Nothing can be mounted in a world: the start of a mount or a swap fails.
  if (request.unit->service == nullptr) return Failure{SysError{"mount", ENODEV}};
  ++of(request.id).launches[static_cast<std::size_t>(request.role)];
  Trouble& t = trouble(request.id);
  if (t.spawns > 0) {
    --t.spawns;
    return Failure{SysError{"fork", t.error}};
  }
  Process& p = add(request.id);
  p.spawned = true;
  p.role = request.role;
  p.temper = t.temper;
  p.exec_done = !t.late_exec;
  return Launch{p.pid, p.exec_done};
}

unsigned SimOs::launches(UnitId id, ExecRole role) const {
  return id.value < units_.size() ? units_[id.value].launches[static_cast<std::size_t>(role)] : 0;
}

void SimOs::forget_launches(UnitId id) {
  of(id).launches = {};
}

void SimOs::forget_launches(UnitId id, ExecRole role) {
  of(id).launches[static_cast<std::size_t>(role)] = 0;
}

/// systemd.kill(5), KillMode=: whom a stop may signal. A reload's signal and the end of one
/// command are each for one process alone.
void SimOs::check_kill(const KillRequest& request) {
  const bool is_of_a_stop = request.to_main && request.to_control && !is_asked_to_kill;
  if (!is_of_a_stop || request.unit->kill == nullptr) return;
  const KillConfig& config = *request.unit->kill;
  const bool is_last = request.signal == config.final_kill_signal;
  const bool spares_the_rest =
      config.mode == KillMode::Process || (config.mode == KillMode::Mixed && !is_last);
  const bool is_forbidden = config.mode == KillMode::None || (spares_the_rest && request.to_rest);
  if (!is_forbidden) return;
  const test::UnfailingNew ours;
  misdirected =
      format("signal {} of {} goes to who is to be spared", request.signal, request.unit->id);
}

KillReport SimOs::kill(const KillRequest& request) {
  check_kill(request);
  KillReport report;
  for (Process& p : alive_) {
    unsigned* told = nullptr;
    if (request.main_pid > 0 && p.pid == request.main_pid) {
      told = request.to_main ? &report.main : nullptr;
    } else if (request.control_pid > 0 && p.pid == request.control_pid) {
      told = request.to_control ? &report.control : nullptr;
    } else if (p.unit == request.id) {
      told = request.to_rest ? &report.rest : nullptr;
    }
    if (told == nullptr) continue;
    ++*told;
    signal_process(p, request.signal);
  }
  return report;
}

std::vector<pid_t> SimOs::processes(UnitId id) {
  const test::UnfailingNew ours;
  std::vector<pid_t> found;
  for (const Process& p : alive_) {
    if (p.unit == id) found.push_back(p.pid);
  }
  return found;
}

void SimOs::watch_empty(UnitId id, bool on) {
  const test::UnfailingNew ours;
  of(id).watches_empty = on;
}
void SimOs::release(UnitId, const Unit&, bool) {}

void SimOs::forget(UnitId id, const Unit& unit) {
  const test::UnfailingNew ours;
  if (count(id) > 0) complaint = format("{} was unloaded with processes", unit.id);
  of(id) = PerUnit{};
}

PidFileReading SimOs::read_pid_file(UnitId id, const Unit&, std::string_view path) {
  const test::UnfailingNew ours;
  const auto file = std::ranges::find(pid_files_, path, &PidFile::path);
  if (file == pid_files_.end()) return {};
  const Process* p = find(file->reading.pid);
  if (p == nullptr) return {0, false, "the PID file names a process that is not there"};
  if (!p->is_alien && p->unit != id) return {0, false, "the PID file names another unit's process"};
  return {p->pid, p->is_alien, {}};
}

pid_t SimOs::guess_main_pid(UnitId id, pid_t control_pid) {
  pid_t found = 0;
  for (const Process& p : alive_) {
    if (p.unit != id || p.pid == control_pid) continue;
    if (found != 0) return 0;
    found = p.pid;
  }
  return found;
}

void SimOs::remove_file(std::string_view path) {
  std::erase_if(pid_files_, [&](const PidFile& f) { return f.path == path; });
}

void SimOs::set_pid_file(std::string path, PidFileReading reading) {
  remove_file(path);
  pid_files_.push_back({std::move(path), std::move(reading)});
}

void SimOs::leave_behind(UnitId id) {
  for (Process& p : alive_) p.is_left |= p.unit == id;
}

void SimOs::watch_path(UnitId id, std::string_view path) {
  const test::UnfailingNew ours;
  of(id).watches_path = !path.empty();
}
void SimOs::watch_bus_name(UnitId id, std::string_view name) {
  const test::UnfailingNew ours;
  of(id).watches_bus = !name.empty();
}

bool SimOs::watch_alien(UnitId, pid_t pid) {
  const Process* p = find(pid);
  return p != nullptr && p->is_alien;
}

Result<bool> SimOs::test(const Condition& condition, const Unit&) {
  const char last = condition.parameter.empty() ? '0' : condition.parameter.back();
  const auto flag = static_cast<unsigned>(last - '0');
  return flag < kFlags && flags[flag];
}

InvocationId SimOs::new_invocation() {
  InvocationId id{};
  const std::uint64_t number = next_invocation_++;
  std::memcpy(id.data(), &number, sizeof number);
  return id;
}

void SimOs::log(Say::Level, std::string_view unit, std::string_view text) {
  const test::UnfailingNew ours;
  const auto note = [&](std::string_view what, std::vector<std::string>& names) {
    const std::size_t end = text.find(what);
    if (end == std::string_view::npos) return;
    const std::size_t begin = text.rfind(' ', end) + 1;  // npos + 1: from the start
    names.emplace_back(text.substr(begin, end - begin));
  };
  has_left_out |= text.find(" deleted") != text.npos || text.find(": ignoring ") != text.npos;
  note("/stop deleted", left_out);
  note("/reload deleted", not_reloaded);
  has_read_again |= text.find("read again") != std::string_view::npos;
  if (text.starts_with("no longer needed")) unneeded = unit;
  if (text.starts_with("cannot queue ")) refused.emplace_back(unit);
  if (text.starts_with("OnFailure= or OnSuccess= was due ")) overdue.emplace_back(unit);
  if (writes_log)
    std::printf("      %s: %s\n", std::string(unit).c_str(), std::string(text).c_str());
}

SimOs::Trouble& SimOs::trouble(UnitId id) {
  return of(id).trouble;
}

Process* SimOs::find(pid_t pid) {
  const auto p = std::ranges::find(alive_, pid, &Process::pid);
  return p == alive_.end() ? nullptr : &*p;
}

unsigned SimOs::count(UnitId id) const {
  return id.value < units_.size() ? units_[id.value].processes : 0;
}
bool SimOs::watches_empty(UnitId id) const {
  return id.value < units_.size() && units_[id.value].watches_empty;
}
bool SimOs::watches_path(UnitId id) const {
  return id.value < units_.size() && units_[id.value].watches_path;
}
bool SimOs::watches_bus(UnitId id) const {
  return id.value < units_.size() && units_[id.value].watches_bus;
}

bool SimOs::can_fork(UnitId id) const {
  return std::ranges::any_of(alive_,
                             [&](const Process& p) { return p.unit == id && !p.was_killed; });
}

Process& SimOs::add(UnitId unit) {
  Process p;
  p.pid = next_pid_++;
  p.unit = unit;
  if (unit.valid()) ++of(unit).processes;
  alive_.push_back(p);
  return alive_.back();
}

Process SimOs::take(pid_t pid) {
  const auto at = std::ranges::find(alive_, pid, &Process::pid);
  if (at == alive_.end()) return {};
  const Process p = *at;
  alive_.erase(at);
  if (p.unit.valid()) --of(p.unit).processes;
  return p;
}

}  // namespace onset::sim
