// The cgroups of RealOs: a unit's group, what is in it, and whose a process is by it.

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/format.h"
#include "base/process_text.h"
#include "os/kernel.h"
#include "os/real_os.h"

namespace onset {
namespace {

/// A command that runs beside the main process of a unit that divides its group: where
/// that has groups below, its own may have no process.
bool is_beside_delegated(const LaunchRequest& request) {
  if (!request.unit->cgroup || !request.unit->cgroup->delegate) return false;
  switch (request.role) {
    case ExecRole::Condition:
    case ExecRole::StartPre:
    case ExecRole::Start:
      return false;
    case ExecRole::StartPost:
    case ExecRole::Reload:
    case ExecRole::Stop:
    case ExecRole::StopPost:
      return true;
  }
  return false;
}

}  // namespace

/// The unit's group, made where it is not there, with its limits.
SysResult RealOs::prepare_group(const Placement& place) {
  UnitRecord& unit = units_[place.id.value];
  if (unit.cgroup.empty()) {
    unit.cgroup = cgroup_path(place.unit, settings_.user_manager);
    unit_by_cgroup_[unit.cgroup] = place.id;
  }
  apply_slices(place);
  auto made = cgroups_->make(unit.cgroup);
  if (!made) return Failure{made.error()};
  last_usages_.erase(place.id.value);
  if (*made) {
    groups_.erase(unit.cgroup);
    unwatch_events(unit);
  }
  if (!is_limited(unit.cgroup)) {
    if (auto done = apply_limits(place, unit.cgroup); !done) return done;
  }
  watch_events(place.id, *made);
  return {};
}

SysResult RealOs::place_in_cgroup(LaunchPlan& plan, const LaunchRequest& request) {
  const Placement place{request.graph, request.id, *request.unit, request.startup};
  if (auto done = prepare_group(place); !done) return done;
  const UnitRecord& unit = units_[request.id.value];
  give_away(plan, *request.unit, unit.cgroup);
  give_pressure_file(plan, *request.unit, unit.cgroup);
  plan.own_memory_limit = has_memory_limit(unit.cgroup);
  std::string path = unit.cgroup;
  if (is_beside_delegated(request)) {
    path += "/.control";
    if (auto control = cgroups_->make(path); !control) return Failure{control.error()};
  }
  auto group = cgroups_->open(path);
  if (!group) return Failure{group.error()};
  if (launcher_->into_cgroup()) {
    plan.cgroup = std::move(*group);
    return {};
  }
  auto procs = cgroups_->open_procs(*group);
  if (!procs) return Failure{procs.error()};
  plan.cgroup_procs = std::move(*procs);
  return {};
}

UnitId RealOs::unit_of_process(pid_t pid) {
  if (!cgroups_) return table_.unit_of(pid);
  auto text = read_kernel_file(format("/proc/{}/cgroup", pid).c_str());
  if (!text) return table_.unit_of(pid);
  auto group = unified_cgroup(*text);
  if (!group || !group->starts_with(cgroups_->prefix() + "/")) return {};
  group->remove_prefix(cgroups_->prefix().size() + 1);
  for (;;) {  // a unit may have made groups below its own
    const auto unit = unit_by_cgroup_.find(*group);
    if (unit != unit_by_cgroup_.end()) return unit->second;
    const auto slash = group->rfind('/');
    if (slash == std::string_view::npos) return {};
    group = group->substr(0, slash);
  }
}

/// Below the tree's root; empty: it has none. That of a slice is made by the first
/// unit in it.
std::string RealOs::group_of(UnitId id, const Unit& unit) const {
  if (!cgroups_) return {};
  if (const auto record = units_.find(id.value);
      record != units_.end() && !record->second.cgroup.empty()) {
    return record->second.cgroup;
  }
  if (unit.type != UnitType::Slice || unit.id == "-.slice") return {};
  std::string path = cgroup_path(unit, settings_.user_manager);
  return cgroups_->exists(path) ? path : std::string();
}

/// A slice has no record until its group is asked for by the unit's number alone.
void RealOs::keep_slice_group(UnitId id, const Unit& unit) {
  if (unit.type != UnitType::Slice) return;
  std::string group = group_of(id, unit);
  if (group.empty()) return;
  UnitRecord& record = units_[id.value];
  if (record.cgroup.empty()) record.cgroup = std::move(group);
}

std::string RealOs::root_group() const {
  if (!cgroups_) return {};
  return cgroups_->prefix().empty() ? "/" : cgroups_->prefix();
}

std::string RealOs::control_group(UnitId id, const Unit& unit) const {
  const std::string group = group_of(id, unit);
  return group.empty() ? group : cgroups_->prefix() + "/" + group;
}

CgroupUsage RealOs::usage(UnitId id, const Unit& unit) const {
  const std::string group = group_of(id, unit);
  const auto last = last_usages_.find(id.value);
  if (last != last_usages_.end()) return last->second;
  return group.empty() ? CgroupUsage{} : usage_of_group(group, CgroupTree::Measure::Now);
}

unsigned RealOs::pressure(UnitId id, const Unit& unit, Scarce what) const {
  constexpr std::size_t kFileMax = 1024;
  const std::string group = group_of(id, unit);
  if (group.empty()) return 0;
  const std::string file =
      format("{}/{}/{}.pressure", cgroups_->root_path(), group, pressure_word(what));
  const auto text = RealFiles().read(file, kFileMax);
  return text ? parse_pressure(*text, "some", "avg10=").value_or(0) : 0;
}

SysResult RealOs::freeze(UnitId id, const Unit& unit, bool frozen) {
  const std::string group = group_of(id, unit);
  if (group.empty()) return Failure{SysError{"cgroup.freeze", ENOTSUP}};
  auto done = cgroups_->freeze(group, frozen);
  if (!done) return done;
  keep_slice_group(id, unit);
  units_[id.value].frozen = frozen;
  return done;
}

bool RealOs::is_frozen(UnitId id) const {
  const auto record = units_.find(id.value);
  return record != units_.end() && record->second.frozen;
}

/// systemctl(1), freeze: before a job's signals and commands reach the unit.
void RealOs::thaw_if_frozen(UnitId id) {
  const auto record = units_.find(id.value);
  if (record == units_.end() || !record->second.frozen) return;
  record->second.frozen = false;
  (void)cgroups_->freeze(record->second.cgroup, false);
}

bool RealOs::has_processes(UnitId id) {
  if (!cgroups_) return table_.any(id);
  const auto unit = units_.find(id.value);
  return unit != units_.end() && !unit->second.cgroup.empty() &&
         cgroups_->populated(unit->second.cgroup);
}

}  // namespace onset
