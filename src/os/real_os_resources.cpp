// The limits of RealOs's cgroups: what a unit and its slices ask for is written
// before the first process is there, and again when it changes. A group has what
// `groups_` says; the difference to what is wanted is written.

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <cerrno>

#include "base/format.h"
#include "base/text.h"
#include "os/kernel.h"
#include "os/launch_environment.h"
#include "os/real_os.h"
#include "os/unit_filters.h"
#include "unit/unit_members.h"

namespace onset {
namespace {

/// The disk of a partition: io.max and its kin are of whole disks.
std::string whole_disk(dev_t device) {
  std::string number = format("{}:{}", major(device), minor(device));
  const std::string folder = "/sys/dev/block/" + number;
  struct stat st {};
  if (::stat((folder + "/partition").c_str(), &st) != 0) return number;
  auto text = read_kernel_file((folder + "/../dev").c_str());
  return text ? std::string(without_line_end(*text)) : number;
}

Result<std::string, std::string> block_device_of(const std::string& path) {
  struct stat st {};
  if (::stat(path.c_str(), &st) != 0) {
    return Failure{format("{}: {}", c_escape(path), errno_text(errno))};
  }
  if (S_ISBLK(st.st_mode)) return whole_disk(st.st_rdev);
  if (S_ISCHR(st.st_mode) || major(st.st_dev) == 0) {
    return Failure{format("{}: no block device", c_escape(path))};
  }
  return whole_disk(st.st_dev);
}

/// From the unit's own slice upwards, `-.slice` too.
template <class Visit>
void for_each_slice(const UnitGraph* graph, const Unit& unit, Visit visit) {
  const Unit* at = &unit;
  while (graph != nullptr && at->id != "-.slice" && at->cgroup && !at->cgroup->slice.empty()) {
    const UnitId id = graph->find(at->cgroup->slice);
    if (!id.valid() || &graph->unit(id) == at) return;
    at = &graph->unit(id);
    visit(id, *at);
  }
}

std::string line_of(const CgroupWrite& write) {
  return write.device.empty() ? write.text : format("{} {}", write.device, write.text);
}

/// Of a write that the kernel refused.
std::string refusal(const CgroupWrite& write, int error) {
  if (error == ENOENT) return format("this kernel has no {}", write.file);
  return format("{}: {}", write.file, errno_text(error));
}

}  // namespace

/// The slices' limits come before the first process below them, whether their units were
/// started or not.
void RealOs::apply_slices(const Placement& place) {
  std::vector<UnitId> slices;
  for_each_slice(place.graph, place.unit, [&](UnitId id, const Unit&) { slices.push_back(id); });
  for (auto id = slices.rbegin(); id != slices.rend(); ++id) {
    const Unit& slice = place.graph->unit(*id);
    if (!slice.resource) continue;
    const bool is_root = slice.id == "-.slice";
    const std::string group = is_root ? std::string() : cgroup_path(slice, settings_.user_manager);
    if (is_limited(group)) continue;
    if (!is_root && !cgroups_->make(group)) continue;
    (void)apply_limits({place.graph, *id, slice, place.startup}, group);
  }
}

SysResult RealOs::apply_limits(const Placement& place, const std::string& group) {
  const ResourceConfig& config = config_of<ResourceConfig>(place.unit);
  LimitContext context;
  context.startup = place.startup;
  context.oom_group = place.unit.service && oom_policy_of(*place.unit.service) == OomPolicy::Kill;
  context.is_slice = place.unit.type == UnitType::Slice;
  context.defaults = context.is_slice ? nullptr : resource_defaults_;
  context.device_of = block_device_of;
  ControllerSet disabled = 0;
  std::optional<std::uint64_t> least;
  std::optional<std::uint64_t> low;
  for_each_slice(place.graph, place.unit, [&](UnitId, const Unit& slice) {
    const ResourceConfig& above = config_of<ResourceConfig>(slice);
    disabled = static_cast<ControllerSet>(disabled | above.disabled);
    if (!least) least = above.default_memory_min;
    if (!low) low = above.default_memory_low;
  });
  context.default_memory_min = least.value_or(0);
  context.default_memory_low = low.value_or(0);

  GroupLimits limits = limits_of(config, context);
  if (config.disabled != 0) cgroups_->disable(group, config.disabled);
  if (group.empty()) {  // the whole's own limits are whoever's who made it
    std::vector<NotEnforced> failed;
    watch_managed_oom(place, group, failed);
    note_not_enforced(place.id, place.unit, std::move(failed));
    groups_[group].is_whole = true;
    return {};
  }
  const std::vector<CgroupWrite> wanted = grant(limits, group, disabled);
  write_limits(group, wanted, limits.not_enforced);
  auto filtered = apply_filters(place, group, limits.not_enforced);
  watch_managed_oom(place, group, limits.not_enforced);
  note_not_enforced(place.id, place.unit, std::move(limits.not_enforced));
  groups_[group].is_whole = static_cast<bool>(filtered);
  return filtered;
}

/// Enables what the limits need; those whose controller can't be had are taken out.
std::vector<CgroupWrite> RealOs::grant(GroupLimits& limits, const std::string& group,
                                       ControllerSet disabled) {
  const auto wanted = static_cast<ControllerSet>(limits.controllers & ~disabled);
  const ControllerSet granted = wanted == 0 ? wanted : cgroups_->enable(group, wanted);
  std::vector<CgroupWrite> writes;
  for (CgroupWrite& write : limits.writes) {
    if ((granted & set_of(write.controller)) != 0) {
      writes.push_back(std::move(write));
    } else if (!write.setting.empty()) {
      limits.not_enforced.push_back({write.setting, cgroups_->why_not(write.controller)});
    }
  }
  return writes;
}

void RealOs::write_limits(const std::string& group, const std::vector<CgroupWrite>& wanted,
                          std::vector<NotEnforced>& failed) {
  GroupState& state = groups_[group];
  state.is_whole = false;
  std::vector<CgroupWrite> written = wanted;
  for (const CgroupWrite& write : difference(state.written, wanted)) {
    auto done = cgroups_->write(group, write.file, line_of(write));
    if (done) continue;
    const auto at = std::ranges::find(written, write);
    if (at == written.end()) continue;  // taken back, of a device that is gone
    if (!write.setting.empty()) failed.push_back({write.setting, refusal(write, done.error().err)});
    written.erase(at);
  }
  state.written = std::move(written);
}

bool RealOs::is_limited(const std::string& group) const {
  const auto state = groups_.find(group);
  return state != groups_.end() && state->second.is_whole;
}

/// New programs come before the old ones go: at no moment is there none. What the machine
/// does not have is noted; what fails otherwise fails the launch.
SysResult RealOs::apply_filters(const Placement& place, const std::string& group,
                                std::vector<NotEnforced>& failed) {
  const ResourceConfig& config = config_of<ResourceConfig>(place.unit);
  std::vector<AddressPrefix> allow;
  std::vector<AddressPrefix> deny;
  const auto add = [&](const ResourceConfig& c) {
    allow.insert(allow.end(), c.ip_allow.begin(), c.ip_allow.end());
    deny.insert(deny.end(), c.ip_deny.begin(), c.ip_deny.end());
  };
  if (place.unit.type != UnitType::Slice) {
    add(config);
    for_each_slice(place.graph, place.unit,
                   [&](UnitId, const Unit& slice) { add(config_of<ResourceConfig>(slice)); });
  }
  const std::vector<UnitFilter> filters = filters_of(config, allow, deny);
  GroupState& state = groups_[group];
  const bool counts = counts_traffic(config);
  if (filters.empty() && state.filters.empty() && counts == state.counters.has_value()) return {};
  auto folder = cgroups_->open(group);
  if (!folder) return Failure{folder.error()};
  if (counts != state.counters.has_value()) count_traffic(state, *folder, failed);
  return attach_filters(*folder, filters, state, failed);
}

SysResult RealOs::attach_filters(const UniqueFd& folder, const std::vector<UnitFilter>& filters,
                                 GroupState& state, std::vector<NotEnforced>& failed) {
  std::vector<AttachedFilter> attached;
  SysResult result;
  for (const UnitFilter& filter : filters) {
    auto program = filter.path.empty() ? load_program(filter.hook, filter.program)
                                       : open_pinned_program(filter.path);
    SysResult done;
    if (!program) {
      done = Failure{program.error()};
    } else if (done = attach_program(folder, filter.hook, *program); done) {
      attached.push_back({filter.hook, std::move(*program), filter.path});
      continue;
    }
    // A pinned one that the group has already can't be attached once more: it stays.
    const auto old = std::ranges::find_if(state.filters, [&](const AttachedFilter& f) {
      return f.program && f.hook == filter.hook && !f.path.empty() && f.path == filter.path;
    });
    if (program && done.error().err == EINVAL && old != state.filters.end()) {
      attached.push_back({old->hook, std::move(old->program), old->path});
      continue;
    }
    const bool is_own = filter.path.empty();
    if (!is_own || !is_without_filters(done.error().err)) result = done;
    NotEnforced entry{filter.setting, to_string(done.error())};
    if (failed.empty() || !(failed.back() == entry)) failed.push_back(std::move(entry));
  }
  for (const AttachedFilter& old : state.filters) {
    if (old.program) detach_program(folder, old.hook, old.program);
  }
  state.filters = std::move(attached);
  return result;
}

OomPolicy RealOs::oom_policy_of(const ServiceConfig& service) const {
  if (service.oom_policy_written || resource_defaults_ == nullptr) return service.oom_policy;
  return resource_defaults_->oom_policy;
}

bool RealOs::counts_traffic(const ResourceConfig& config) const {
  const bool otherwise = resource_defaults_ != nullptr && resource_defaults_->ip_accounting;
  return config.ip_accounting.value_or(otherwise);
}

/// Begins where it is not done yet, else ends; the sums go with it.
void RealOs::count_traffic(GroupState& state, const UniqueFd& folder,
                           std::vector<NotEnforced>& failed) {
  if (state.counters) {
    detach_program(folder, BpfHook::Ingress, state.counters->ingress);
    detach_program(folder, BpfHook::Egress, state.counters->egress);
    state.counters.reset();
    return;
  }
  SysResult result;
  const auto attach = [&](BpfHook hook, const UniqueFd& map, Traffic traffic) -> UniqueFd {
    auto program = load_program(hook, counting_program(map, traffic));
    if (program)
      result = attach_program(folder, hook, *program);
    else
      result = Failure{program.error()};
    return result ? std::move(*program) : UniqueFd();
  };
  TrafficCounters counters;
  if (auto map = make_traffic_map()) {
    counters.map = std::move(*map);
    counters.ingress = attach(BpfHook::Ingress, counters.map, Traffic::Ingress);
    if (result) counters.egress = attach(BpfHook::Egress, counters.map, Traffic::Egress);
  } else {
    result = Failure{map.error()};
  }
  if (result) {
    state.counters = std::move(counters);
    return;
  }
  if (counters.ingress) detach_program(folder, BpfHook::Ingress, counters.ingress);
  failed.push_back({"IPAccounting", to_string(result.error())});
}

void RealOs::note_not_enforced(UnitId id, const Unit& unit, std::vector<NotEnforced> found) {
  const auto known = not_enforced_.find(id.value);
  if (found.empty()) {
    if (known != not_enforced_.end()) not_enforced_.erase(known);
    return;
  }
  if (known != not_enforced_.end() && known->second == found) return;
  std::string text;
  for (const NotEnforced& entry : found) {
    text +=
        format("{}{}= is not enforced ({})", text.empty() ? "" : "; ", entry.setting, entry.reason);
  }
  not_enforced_[id.value] = std::move(found);
  log_.log(Say::Level::Warning, unit.id, text);
}

void RealOs::note_no_cgroups(UnitId id, const Unit& unit) {
  if (!unit.resource) return;
  LimitContext context;
  context.device_of = [](const std::string&) -> Result<std::string, std::string> {
    return std::string("-");
  };
  std::vector<NotEnforced> found;
  for (const CgroupWrite& write : limits_of(*unit.resource, context).writes) {
    found.push_back({write.setting, "no cgroup v2"});
  }
  for (const std::string_view setting : guards_of(*unit.resource)) {
    found.push_back({setting, "no cgroup v2"});
  }
  if (unit.resource->oom_on_pressure == ManagedOom::Kill) {
    found.push_back({"ManagedOOMMemoryPressure", "no cgroup v2"});
  }
  if (unit.resource->oom_on_swap == ManagedOom::Kill) {
    found.push_back({"ManagedOOMSwap", "no cgroup v2"});
  }
  note_not_enforced(id, unit, std::move(found));
}

const std::vector<NotEnforced>& RealOs::not_enforced(UnitId id) const {
  static const std::vector<NotEnforced> kNone;
  const auto known = not_enforced_.find(id.value);
  return known == not_enforced_.end() ? kNone : known->second;
}

/// Of the group or of one above it: where it is reached, the kernel looks for whom to kill
/// among those in it.
bool RealOs::has_memory_limit(const std::string& group) const {
  const auto is_limiting = [&](const std::string& path) {
    const auto state = groups_.find(path);
    return state != groups_.end() &&
           std::ranges::any_of(state->second.written, [](const CgroupWrite& write) {
             return write.file == "memory.max" || write.file == "memory.swap.max";
           });
  };
  for (std::size_t at = group.find('/'); at != std::string::npos; at = group.find('/', at + 1)) {
    if (is_limiting(group.substr(0, at))) return true;
  }
  return is_limiting(group);
}

/// Delegate= with User=: once, by the first process that runs as that user.
void RealOs::give_away(const LaunchPlan& plan, const Unit& unit, const std::string& group) {
  if (!unit.cgroup || !unit.cgroup->delegate || !plan.set_uid) return;
  GroupState& state = groups_[group];
  if (std::exchange(state.is_given_away, true)) return;
  const gid_t gid = plan.set_gid ? plan.gid : static_cast<gid_t>(-1);
  if (auto done = cgroups_->give_away(group, plan.uid, gid); !done) {
    log_.log(Say::Level::Warning, unit.id,
             format("cannot delegate its cgroup: {}", to_string(done.error())));
  }
}

/// Who is told of memory.pressure has to be able to ask for its triggers.
void RealOs::give_pressure_file(const LaunchPlan& plan, const Unit& unit,
                                const std::string& group) const {
  if (!plan.set_uid || watched_pressure_file(settings_, unit, group).empty()) return;
  const gid_t gid = plan.set_gid ? plan.gid : static_cast<gid_t>(-1);
  (void)cgroups_->give_away_file(group, "memory.pressure", plan.uid, gid);
}

void RealOs::apply_resources(const UnitGraph& graph, UnitId id, bool startup) {
  const Unit& unit = graph.unit(id);
  if (!cgroups_ || !unit.cgroup) return;
  const Placement place{&graph, id, unit, startup};
  if (unit.type != UnitType::Slice) {
    const std::string group = group_of(id, unit);
    if (!group.empty() && groups_.contains(group)) (void)apply_limits(place, group);
    return;
  }
  apply_slices(place);
  const bool is_root = unit.id == "-.slice";
  const std::string group = is_root ? std::string() : cgroup_path(unit, settings_.user_manager);
  if (!unit.resource && !groups_.contains(group)) return;  // made by the first unit in it
  if (!is_root && !cgroups_->make(group)) return;
  (void)apply_limits(place, group);
}

}  // namespace onset
