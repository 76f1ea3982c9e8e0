// The half of RealOs that knows processes: who belongs to a unit, who is its
// main process, and who gets a signal.

#include <linux/magic.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <unordered_set>
#include <utility>

#include "base/format.h"
#include "os/pid_file.h"
#include "os/real_os.h"

namespace onset {
namespace {

constexpr unsigned kKillRounds = 16;

/// What goes with a signal: SIGHUP and SIGCONT after it.
bool send(pid_t pid, pid_t self, const KillRequest& request, KillReport& report) {
  if (pid <= 1 || pid == self) return false;
  if (::kill(pid, request.signal) != 0) {
    if (errno != ESRCH && report.error == 0) report.error = errno;
    return false;
  }
  if (request.then_hangup) (void)::kill(pid, SIGHUP);
  if (request.then_continue && request.signal != SIGKILL && request.signal != SIGCONT) {
    (void)::kill(pid, SIGCONT);
  }
  return true;
}

}  // namespace

std::vector<pid_t> RealOs::processes(UnitId id) {
  if (!cgroups_) return table_.processes(id);
  const auto unit = units_.find(id.value);
  if (unit == units_.end() || unit->second.cgroup.empty()) return {};
  std::vector<pid_t> found = cgroups_->processes(unit->second.cgroup);
  // The ones that were spawned come first.
  const auto& tops = table_.tops(id);
  std::ranges::stable_partition(
      found, [&](pid_t pid) { return std::ranges::find(tops, pid) != tops.end(); });
  return found;
}

/// Everything of the unit but its main and control process and onset itself.
std::vector<pid_t> RealOs::rest_of(const KillRequest& request) {
  std::vector<pid_t> rest = processes(request.id);
  std::erase_if(rest, [&](pid_t pid) {
    return pid == request.main_pid || pid == request.control_pid || pid == self_;
  });
  return rest;
}

/// Without /proc a process's children are reached by the group that it leads.
void RealOs::kill_groups(const KillRequest& request, KillReport& report) {
  for (const pid_t group : table_.groups(request.id)) {
    if (::kill(-group, request.signal) != 0) continue;
    ++report.rest;
    if (request.then_hangup) (void)::kill(-group, SIGHUP);
    if (request.then_continue) (void)::kill(-group, SIGCONT);
  }
}

/// Until a look finds nobody new: what forks meanwhile is caught by the next
/// round. The first look was before any signal, so that nobody had lost a parent.
void RealOs::kill_rest(const KillRequest& request, std::vector<pid_t> rest, KillReport& report) {
  std::unordered_set<pid_t> done;
  for (unsigned round = 0; round < kKillRounds; ++round) {
    bool found = false;
    for (const pid_t pid : rest) {
      if (!done.insert(pid).second || !send(pid, self_, request, report)) continue;
      ++report.rest;
      found = true;
    }
    if (!found) return;
    table_.new_turn();
    rest = rest_of(request);
  }
}

/// cgroup.kill, where the whole unit gets SIGKILL and the kernel has it.
bool RealOs::kill_group(const KillRequest& request, KillReport& report) {
  const bool whole = request.to_rest && (request.to_main || request.main_pid == 0) &&
                     (request.to_control || request.control_pid == 0);
  if (!cgroups_ || request.signal != SIGKILL || !whole) return false;
  const auto unit = units_.find(request.id.value);
  if (unit == units_.end() || unit->second.cgroup.empty()) return false;
  const std::vector<pid_t> rest = rest_of(request);
  if (!cgroups_->kill_all(unit->second.cgroup)) return false;
  report.rest = static_cast<unsigned>(rest.size());
  // A main process that is not ours may be elsewhere.
  if (request.main_pid > 0) report.main = request.main_alien ? 0 : 1;
  if (request.main_pid > 0 && request.main_alien &&
      send(request.main_pid, self_, request, report)) {
    report.main = 1;
  }
  if (request.control_pid > 0) report.control = 1;
  return true;
}

KillReport RealOs::kill(const KillRequest& request) {
  KillReport report;
  if (request.unit != nullptr) keep_slice_group(request.id, *request.unit);
  thaw_if_frozen(request.id);
  if (kill_group(request, report)) return report;
  std::vector<pid_t> rest;
  if (request.to_rest) rest = rest_of(request);
  if (request.to_main && request.main_pid > 0 && send(request.main_pid, self_, request, report)) {
    ++report.main;
  }
  if (request.to_control && request.control_pid > 0 &&
      send(request.control_pid, self_, request, report)) {
    ++report.control;
  }
  if (request.to_rest) {
    kill_rest(request, std::move(rest), report);
    const bool whole = request.to_main && request.to_control;
    if (whole && !cgroups_ && !table_.has_proc()) kill_groups(request, report);
  }
  return report;
}

/// Of all children of onset in the unit there must be just one.
pid_t RealOs::guess_main_pid(UnitId id, pid_t control_pid) {
  std::vector<pid_t> candidates;
  if (cgroups_ && table_.has_proc()) {
    for (const pid_t pid : processes(id)) {
      const auto seen = table_.status(pid);
      if (seen && seen->parent == self_ && seen->state != 'Z') candidates.push_back(pid);
    }
  } else {
    table_.adopt_orphans();
    candidates = table_.tops(id);
  }
  std::erase(candidates, control_pid);
  return candidates.size() == 1 ? candidates.front() : 0;
}

PidFileReading RealOs::read_pid_file(UnitId id, const Unit& /*unit*/, std::string_view path) {
  PidFileReading reading;
  auto text = read_pid_file_text(path);
  if (!text) {
    reading.problem = text.error();
    return reading;
  }
  const pid_t pid = text->pid;
  if (pid == 1 || pid == self_) {
    reading.problem = format("{} names process {}, which can be no service", path, pid);
    return reading;
  }
  if (!is_alive(pid)) {
    reading.problem = format("{} names process {}, which does not run", path, pid);
    return reading;
  }
  const UnitId owner = unit_of_process(pid);
  if (owner.valid() && owner != id) {
    reading.problem = format("{} names process {}, which belongs to another unit", path, pid);
    return reading;
  }
  if (!owner.valid()) {
    const bool trusted = text->owner == 0 || text->owner == ::geteuid();
    if (text->questionable || !trusted) {
      reading.problem = format(
          "{} names process {}, which is not known to be the unit's, and others than root could "
          "have written that",
          path, pid);
      return reading;
    }
  }
  const auto seen = table_.status(pid);
  reading.pid = pid;
  reading.alien = seen ? seen->parent != self_ : !owner.valid();
  return reading;
}

}  // namespace onset
