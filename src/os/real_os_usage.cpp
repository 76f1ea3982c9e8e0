// What units use: memory.events and pids.events watched, so that a kill by the kernel or a
// fork that it refuses is the unit's to know, and what is told and kept when an activation ends.

#include <sys/inotify.h>

#include <ctime>
#include <utility>

#include "base/format.h"
#include "os/real_os.h"
#include "unit/values.h"

namespace onset {
namespace {

/// From where on an end is worth a line of its own.
constexpr std::uint64_t kMuchCpu = 1000000000;  // ns
constexpr std::uint64_t kMuchIo = 1024 * 1024;
constexpr Duration kMillisecond(1000);

/// "30.5M"
std::string bytes_text(std::uint64_t bytes) {
  constexpr std::string_view kUnits = "KMGTPE";
  if (bytes < 1024) return format("{}B", bytes);
  std::uint64_t left = bytes;
  std::size_t unit = 0;
  for (; left >= 1024 * 1024 && unit + 1 < kUnits.size(); ++unit) left /= 1024;
  const std::uint64_t tenths = left * 10 / 1024;
  return format("{}.{}{}", tenths / 10, tenths % 10, kUnits[unit]);
}

std::string usage_text(const CgroupUsage& usage) {
  std::string text;
  const auto add = [&](std::string_view what) {
    text += text.empty() ? "Consumed " : ", ";
    text += what;
  };
  if (usage.cpu_nsec) {
    const Duration span(static_cast<Duration::rep>(*usage.cpu_nsec / 1000));
    add(format("{} CPU time", format_span(span, kMillisecond)));
  }
  if (usage.memory_peak) add(format("{} memory peak", bytes_text(*usage.memory_peak)));
  if (usage.io_read_bytes.value_or(0) > 0) {
    add(format("read {} from disk", bytes_text(*usage.io_read_bytes)));
  }
  if (usage.io_write_bytes.value_or(0) > 0) {
    add(format("written {} to disk", bytes_text(*usage.io_write_bytes)));
  }
  if (usage.ip_ingress_bytes.value_or(0) > 0) {
    add(format("received {} IP traffic", bytes_text(*usage.ip_ingress_bytes)));
  }
  if (usage.ip_egress_bytes.value_or(0) > 0) {
    add(format("sent {} IP traffic", bytes_text(*usage.ip_egress_bytes)));
  }
  if (usage.tasks_refused.value_or(0) > 0) add(format("{} forks refused", *usage.tasks_refused));
  return text;
}

MonoTime coarse_now() {
  timespec time{};
  (void)::clock_gettime(CLOCK_MONOTONIC_COARSE, &time);
  return MonoTime{std::int64_t{time.tv_sec} * 1000000 + time.tv_nsec / 1000};
}

}  // namespace

/// Before anything is in the group. One that is new has counted nothing.
void RealOs::watch_events(UnitId id, bool is_new) {
  const UnitRecord& unit = units_[id.value];
  if (unit.oom_watch < 0) watch_oom(id, is_new);
  if (unit.tasks_watch < 0) watch_tasks(id, is_new);
}

/// Where memory is not counted there is nothing to hear of.
void RealOs::watch_oom(UnitId id, bool is_new) {
  if ((cgroups_->controllers() & set_of(Controller::Memory)) == 0) return;
  UnitRecord& unit = units_[id.value];
  const auto kills = is_new ? std::uint64_t{0} : cgroups_->oom_kills(unit.cgroup);
  if (!kills) return;
  auto watch = cgroups_->watch(inotify_, unit.cgroup, "memory.events");
  if (!watch) return;
  oom_watches_[*watch] = id;
  unit.oom_watch = *watch;
  unit.oom_kills = *kills;
}

void RealOs::watch_tasks(UnitId id, bool is_new) {
  if ((cgroups_->controllers() & set_of(Controller::Pids)) == 0) return;
  UnitRecord& unit = units_[id.value];
  const auto refusals =
      is_new ? std::uint64_t{0} : cgroups_->count(unit.cgroup, "pids.events", "max");
  if (!refusals) return;
  auto watch = cgroups_->watch(inotify_, unit.cgroup, "pids.events");
  if (!watch) return;
  task_watches_[*watch] = id;
  unit.tasks_watch = *watch;
  unit.refusals = *refusals;
  unit.last_refusal = {};
}

void RealOs::unwatch_events(UnitRecord& unit) {
  const auto drop = [this](int& watch, std::unordered_map<int, UnitId>& watches) {
    if (watch < 0) return;
    ::inotify_rm_watch(inotify_.get(), watch);
    watches.erase(std::exchange(watch, -1));
  };
  drop(unit.oom_watch, oom_watches_);
  drop(unit.tasks_watch, task_watches_);
}

/// A burst of them is told as it begins; how many there were is a property, and told at the
/// unit's end.
void RealOs::tell_refusals(UnitId id) {
  constexpr Duration kBetweenBursts = std::chrono::seconds(10);
  const auto at = units_.find(id.value);
  if (at == units_.end() || at->second.tasks_watch < 0) return;
  UnitRecord& unit = at->second;
  const auto refusals = cgroups_->count(unit.cgroup, "pids.events", "max").value_or(0);
  if (refusals <= std::exchange(unit.refusals, refusals)) return;
  const MonoTime now = coarse_now();
  const MonoTime last = std::exchange(unit.last_refusal, now);
  if (last.us != 0 && now - last < kBetweenBursts) return;
  const auto most = cgroups_->count(unit.cgroup, "pids.max");
  const auto tasks = cgroups_->count(unit.cgroup, "pids.current");
  const std::string limit = most && tasks >= most ? format("TasksMax={} is reached", *most)
                                                  : std::string("TasksMax= of a slice is reached");
  log_.log(Say::Level::Warning, unit.cgroup.substr(unit.cgroup.rfind('/') + 1),
           format("a new process or thread was refused, {}", limit));
}

void RealOs::tell_if_oom(UnitId id, OsListener& listener) {
  const auto unit = units_.find(id.value);
  if (!cgroups_ || unit == units_.end() || unit->second.oom_watch < 0) return;
  const std::uint64_t kills = cgroups_->oom_kills(unit->second.cgroup).value_or(0);
  if (kills <= unit->second.oom_kills) return;
  listener.unit_oom(id);  // told once more where nobody could hear it now
  if (const auto at = units_.find(id.value); at != units_.end()) at->second.oom_kills = kills;
}

CgroupUsage RealOs::usage_of_group(const std::string& group, CgroupTree::Measure what) const {
  CgroupUsage usage = cgroups_->usage(group, what);
  const auto state = groups_.find(group);
  if (state == groups_.end() || !state->second.counters) return usage;
  const UniqueFd& map = state->second.counters->map;
  if (const auto in = read_traffic(map, Traffic::Ingress)) {
    usage.ip_ingress_bytes = in->bytes;
    usage.ip_ingress_packets = in->packets;
  }
  if (const auto out = read_traffic(map, Traffic::Egress)) {
    usage.ip_egress_bytes = out->bytes;
    usage.ip_egress_packets = out->packets;
  }
  return usage;
}

/// As its group ends: for `show`, and for the log where it was much.
void RealOs::keep_usage(UnitId id, const Unit& unit, const std::string& group) {
  if (unit.type == UnitType::Slice) return;
  const CgroupUsage usage = usage_of_group(group, CgroupTree::Measure::AtTheEnd);
  if (!usage.cpu_nsec && !usage.memory_peak) return;
  const bool is_much =
      usage.cpu_nsec.value_or(0) >= kMuchCpu || usage.io_read_bytes.value_or(0) >= kMuchIo ||
      usage.io_write_bytes.value_or(0) >= kMuchIo || usage.ip_ingress_bytes.value_or(0) > 0 ||
      usage.ip_egress_bytes.value_or(0) > 0 || usage.tasks_refused.value_or(0) > 0;
  log_.log(is_much ? Say::Level::Info : Say::Level::Debug, unit.id, usage_text(usage) + ".");
  last_usages_[id.value] = usage;
}

}  // namespace onset
