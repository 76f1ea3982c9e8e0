#include "init/starvation_watch.h"

#include <sys/epoll.h>

#include <algorithm>

#include "base/format.h"
#include "loop/clock.h"
#include "os/pressure_trigger.h"

namespace onset {
namespace {

/// The kernel's averages change every two seconds.
constexpr Duration kBetweenLooks = std::chrono::seconds(4);

}  // namespace

std::string starvation_text(Scarce what, unsigned share) {
  return format("starves for {}: some of it waited {}.{:02} % of the last ten seconds",
                to_string(what), share / 100, share % 100);
}

std::string StarvationWatch::watch(EventLoop& loop) {
  if (os_.root_folder().empty()) return "without cgroups, pressure is not known";
  for (const Scarce what : kAllScarce) {
    auto trigger =
        open_pressure_trigger(format("{}/{}.pressure", os_.root_folder(), pressure_word(what)));
    if (!trigger) return format("pressure can't be watched: {}", to_string(trigger.error()));
    if (auto watched = loop.watch(*trigger, EPOLLPRI, *this); !watched) {
      return format("pressure can't be watched: {}", to_string(watched.error()));
    }
    triggers_.push_back(std::move(*trigger));
  }
  return {};
}

void StarvationWatch::ready(std::uint32_t /*events*/) {
  due_ = std::min(due_, std::max(read_clock().mono, looked_ + kBetweenLooks));
}

std::map<std::string, PressureReading> StarvationWatch::read() const {
  std::map<std::string, PressureReading> readings;
  const UnitGraph& graph = manager_.graph();
  for (std::uint32_t i = 0; i < graph.size(); ++i) {
    const UnitId id{i};
    const Unit& unit = graph.unit(id);
    const ActiveState state = manager_.active_state(id);
    if (unit.type == UnitType::Slice || state == ActiveState::Inactive ||
        state == ActiveState::Failed) {
      continue;
    }
    PressureReading reading{};
    for (const Scarce what : kAllScarce) {
      reading[static_cast<std::size_t>(what)] = os_.pressure(id, unit, what);
    }
    readings.emplace(unit.id, reading);
  }
  return readings;
}

void StarvationWatch::elapse(MonoTime now,
                             const std::function<void(const StarvationChange&)>& tell) {
  if (due_ > now) return;
  looked_ = now;
  due_ = now + kBetweenLooks;  // also if memory runs out below
  const auto changes = starvation_.judge(read());
  if (!starvation_.any()) due_ = kNever;
  for (const StarvationChange& change : changes) tell(change);
}

std::vector<std::string> StarvationWatch::notes(const std::string& unit) const {
  std::vector<std::string> notes;
  for (const Scarce what : kAllScarce) {
    if (const auto share = starvation_.share(unit, what)) {
      notes.push_back(starvation_text(what, *share));
    }
  }
  return notes;
}

}  // namespace onset
