// ManagedOOM…= at work: the kernel's triggers for the groups that ask for it, and the kill when
// engine/managed_oom finds that one is due. For swap space one trigger for all: when swap is
// filled, somebody waits for memory.

#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <ctime>

#include "base/format.h"
#include "base/process_text.h"
#include "os/kernel.h"
#include "os/pressure_trigger.h"
#include "os/real_os.h"
#include "unit/unit_members.h"
#include "unit/values.h"

namespace onset {
namespace {

constexpr PressureLimit kAnyWait{false, std::chrono::milliseconds(20), kPressureWindow};

MonoTime monotonic_now() {
  timespec time{};
  (void)::clock_gettime(CLOCK_MONOTONIC, &time);
  return MonoTime{std::int64_t{time.tv_sec} * 1000000 + time.tv_nsec / 1000};
}

MemoryState memory_state() {
  MemoryState state;
  const auto text = read_kernel_file("/proc/meminfo", 8192);
  if (!text) return state;
  state.memory = find_kilobytes(*text, "MemTotal:").value_or(0);
  state.available = find_kilobytes(*text, "MemAvailable:").value_or(0);
  state.swap = find_kilobytes(*text, "SwapTotal:").value_or(0);
  state.swap_free = find_kilobytes(*text, "SwapFree:").value_or(0);
  return state;
}

std::string pressure_text(const PressureWatching& watch) {
  return format("ManagedOOMMemoryPressure=: its memory pressure was above {}.{:02} % for {}",
                watch.limit / 100, watch.limit % 100, format_span(watch.duration));
}

}  // namespace

/// What the group is watched for is made to be what the unit says.
void RealOs::watch_managed_oom(const Placement& place, const std::string& group,
                               std::vector<NotEnforced>& failed) {
  const ResourceConfig& config = config_of<ResourceConfig>(place.unit);
  GroupState& state = groups_[group];
  state.oom_preference = config.oom_preference;
  state.kills_on_swap = config.oom_on_swap == ManagedOom::Kill;
  const bool on_pressure = config.oom_on_pressure == ManagedOom::Kill;
  if (!on_pressure) unwatch_managed_oom(group);
  if (on_pressure) {
    if (auto done = watch_pressure(config, group); !done) {
      failed.push_back({"ManagedOOMMemoryPressure", to_string(done.error())});
    }
  }
  if (state.kills_on_swap && !swap_trigger_) {
    auto trigger = open_pressure_trigger("/proc/pressure/memory", kAnyWait);
    if (!trigger) {
      failed.push_back({"ManagedOOMSwap", to_string(trigger.error())});
    } else if (auto done = watch_trigger(*trigger); !done) {
      failed.push_back({"ManagedOOMSwap", to_string(done.error())});
    } else {
      swap_trigger_ = std::move(*trigger);
    }
  }
}

SysResult RealOs::watch_pressure(const ResourceConfig& config, const std::string& group) {
  const unsigned limit =
      config.oom_pressure_limit != 0 ? config.oom_pressure_limit : kDefaultPressureLimit;
  const Duration duration = config.oom_pressure_duration.value_or(kDefaultPressureDuration);
  const auto at = std::ranges::find_if(pressure_watches_,
                                       [&](const auto& w) { return w.second.group == group; });
  if (at != pressure_watches_.end() && at->second.limit == limit) {
    at->second.duration = duration;
    return {};
  }
  unwatch_managed_oom(group);
  const Duration share = kPressureWindow / 10000 * limit;
  const std::string folder = group.empty() ? root_folder() : root_folder() + "/" + group;
  auto trigger = open_pressure_trigger(folder + "/memory.pressure", {true, share, kPressureWindow});
  if (!trigger) return Failure{trigger.error()};
  const int fd = trigger->get();
  PressureWatching& watch = pressure_watches_[fd];
  watch = {std::move(*trigger), group, limit, duration, {}, {}};
  auto done = watch_trigger(watch.trigger);
  if (!done) pressure_watches_.erase(fd);
  return done;
}

/// Before the group goes: the trigger of one that is gone is ready for ever.
void RealOs::unwatch_managed_oom(const std::string& group) {
  const auto at = std::ranges::find_if(pressure_watches_,
                                       [&](const auto& w) { return w.second.group == group; });
  if (at == pressure_watches_.end()) return;
  if (trigger_loop_ != nullptr) trigger_loop_->unwatch_trigger(at->second.trigger);
  pressure_watches_.erase(at);
}

SysResult RealOs::watch_trigger(BorrowedFd trigger) {
  if (trigger_loop_ == nullptr) return Failure{SysError{"epoll_ctl", EOPNOTSUPP}};
  return trigger_loop_->watch_trigger(trigger);
}

void RealOs::trigger_ready(BorrowedFd trigger, std::uint32_t events, OsListener& listener) {
  if (swap_trigger_ && trigger.get() == swap_trigger_.get()) return drain_swap(listener);
  const auto at = pressure_watches_.find(trigger.get());
  if (at == pressure_watches_.end()) return;  // taken off in this turn
  if ((events & EPOLLERR) == 0) return hear_pressure(at->second, listener);
  const std::string group = at->second.group;
  unwatch_managed_oom(group);
}

void RealOs::hear_pressure(PressureWatching& watch, OsListener& listener) {
  switch (watch.spell.told(monotonic_now(), watch.duration)) {
    case PressureSpell::Verdict::Begins:
      watch.reclaimed.clear();
      for (const OomCandidate& candidate : oom_candidates(watch.group)) {
        watch.reclaimed[candidate.group] = candidate.reclaimed;
      }
      break;
    case PressureSpell::Verdict::Lasts:
      break;
    case PressureSpell::Verdict::Over: {
      std::vector<OomCandidate> candidates = oom_candidates(watch.group);
      for (OomCandidate& candidate : candidates) {
        const auto before = watch.reclaimed.find(candidate.group);
        if (before == watch.reclaimed.end()) continue;
        candidate.reclaimed -= std::min(candidate.reclaimed, before->second);
      }
      kill_for_memory(candidates, OomCause::Pressure, pressure_text(watch), listener);
      break;
    }
  }
}

void RealOs::drain_swap(OsListener& listener) {
  if (!is_swap_used_up(memory_state())) return;
  std::vector<OomCandidate> candidates;
  for (const auto& [group, state] : groups_) {
    if (!state.kills_on_swap) continue;
    for (OomCandidate& candidate : oom_candidates(group))
      candidates.push_back(std::move(candidate));
  }
  kill_for_memory(candidates, OomCause::Swap,
                  "ManagedOOMSwap=: the machine's swap space is used up", listener);
}

/// The leaves below, or the unit's whole group where the kernel's killer would take it whole.
/// Onset's own is none.
std::vector<OomCandidate> RealOs::oom_candidates(const std::string& group) const {
  std::vector<OomCandidate> found;
  std::vector<std::string> all = cgroups_->groups_below(group);
  for (std::string& path : all) {
    if (path.starts_with("./")) path.erase(0, 2);
  }
  for (const std::string& path : all) {
    const bool is_leaf = std::ranges::none_of(all, [&](const std::string& other) {
      return other.size() > path.size() && other.starts_with(path) && other[path.size()] == '/';
    });
    if (!is_leaf || path == "." || path == "init.scope") continue;
    const std::string owner = owner_of(path);
    if (owner.empty()) continue;
    const bool is_whole = cgroups_->count(owner, "memory.oom.group").value_or(0) == 1;
    OomCandidate candidate{is_whole ? owner : path, {}, 0, 0, 0};
    if (is_whole &&
        std::ranges::any_of(found, [&](const OomCandidate& c) { return c.group == owner; })) {
      continue;
    }
    const auto state = groups_.find(candidate.group);
    if (state != groups_.end()) candidate.preference = state->second.oom_preference;
    candidate.reclaimed = cgroups_->count(candidate.group, "memory.stat", "pgscan").value_or(0);
    candidate.memory = cgroups_->count(candidate.group, "memory.current").value_or(0);
    candidate.swap = cgroups_->count(candidate.group, "memory.swap.current").value_or(0);
    found.push_back(std::move(candidate));
  }
  return found;
}

/// The group of the unit that this one is of, or below; empty: of none.
std::string RealOs::owner_of(std::string path) const {
  for (;;) {
    if (unit_by_cgroup_.contains(path)) return path;
    const auto slash = path.rfind('/');
    if (slash == std::string::npos) return {};
    path.resize(slash);
  }
}

void RealOs::kill_for_memory(const std::vector<OomCandidate>& candidates, OomCause cause,
                             const std::string& why, OsListener& listener) {
  const OomCandidate* victim = choose_victim(candidates, cause);
  if (victim == nullptr) {
    log_.log(Say::Level::Warning, "", format("{}, and there is nothing to kill", why));
    return;
  }
  const UnitId id = unit_by_cgroup_.at(owner_of(victim->group));
  if (!cgroups_->kill_all(victim->group)) {
    for (const pid_t pid : cgroups_->processes(victim->group)) (void)::kill(pid, SIGKILL);
  }
  listener.unit_killed_for_memory(id, why);
}

}  // namespace onset
