// What units use: memory.events watched, so that a kill by the kernel is the unit's
// to know, and what is told and kept when an activation ends.

#include <sys/inotify.h>

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
  return text;
}

}  // namespace

/// Where memory is not counted there is nothing to hear of.
void RealOs::watch_oom(UnitId id) {
  if ((cgroups_->controllers() & set_of(Controller::Memory)) == 0) return;
  UnitRecord& unit = units_[id.value];
  const auto kills = cgroups_->oom_kills(unit.cgroup);
  if (!kills) return;
  auto watch = cgroups_->watch(inotify_, unit.cgroup, "memory.events");
  if (!watch) return;
  oom_watches_[*watch] = id;
  unit.oom_watch = *watch;
  unit.oom_kills = *kills;
}

void RealOs::unwatch_oom(UnitRecord& unit) {
  if (unit.oom_watch < 0) return;
  ::inotify_rm_watch(inotify_.get(), unit.oom_watch);
  oom_watches_.erase(std::exchange(unit.oom_watch, -1));
}

void RealOs::tell_if_oom(UnitId id, OsListener& listener) {
  const auto unit = units_.find(id.value);
  if (!cgroups_ || unit == units_.end() || unit->second.oom_watch < 0) return;
  const std::uint64_t kills = cgroups_->oom_kills(unit->second.cgroup).value_or(0);
  if (kills <= unit->second.oom_kills) return;
  listener.unit_oom(id);  // told once more where nobody could hear it now
  if (const auto at = units_.find(id.value); at != units_.end()) at->second.oom_kills = kills;
}

/// As its group ends: for `show`, and for the log where it was much.
void RealOs::keep_usage(UnitId id, const Unit& unit, const std::string& group) {
  if (unit.type == UnitType::Slice) return;
  const CgroupUsage usage = cgroups_->usage(group, CgroupTree::Measure::AtTheEnd);
  if (!usage.cpu_nsec && !usage.memory_peak) return;
  const bool is_much = usage.cpu_nsec.value_or(0) >= kMuchCpu ||
                       usage.io_read_bytes.value_or(0) >= kMuchIo ||
                       usage.io_write_bytes.value_or(0) >= kMuchIo;
  log_.log(is_much ? Say::Level::Info : Say::Level::Debug, unit.id, usage_text(usage) + ".");
  last_usages_[id.value] = usage;
}

}  // namespace onset
