// Reading, and the texts: a sentence, a list, a tree.
#include "cli/boot_times.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/format.h"
#include "base/text.h"
#include "cli/reply.h"

namespace onset {
namespace {

MonoTime mono_in(const Json& properties, const char* name) {
  return MonoTime{std::max<std::int64_t>(number_in(properties, name).value_or(0), 0)};
}

std::string lasting(Duration span) {
  return format_lasting(span.count());
}

/// critical-chain goes from a unit to those that it came after, the latest of them first.
class Chain {
 public:
  Chain(const BootRecord& record, Duration fuzz, const Palette& palette)
      : record_(record), fuzz_(fuzz), palette_(palette) {
    for (const UnitTimes& unit : record.units) by_name_.emplace(unit.name, &unit);
  }

  std::string run(const std::string& root) {
    text_ += line_of(root) + '\n';
    std::vector<Level> path;
    enter(path, root);
    while (!path.empty()) {
      Level& level = path.back();
      if (level.next == level.units.size()) {
        path.pop_back();
        continue;
      }
      const UnitTimes& unit = *level.units[level.next++];
      add(path, line_of(unit.name));
      enter(path, unit.name);
    }
    return std::move(text_);
  }

 private:
  /// The siblings that are shown below one unit.
  struct Level {
    std::vector<const UnitTimes*> units;
    std::size_t next = 0;
  };

  [[nodiscard]] const UnitTimes* find(const std::string& name) const {
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? nullptr : found->second;
  }

  [[nodiscard]] std::string line_of(const std::string& name) const {
    const UnitTimes* unit = find(name);
    const std::string shown = printable(name);
    const MonoTime start = record_.marks.userspace;
    if (unit == nullptr) return shown;
    if (unit->took() > Duration(0)) {
      const Duration at = std::max(unit->activating - start, Duration(0));
      return palette_.paint(Tone::Bad,
                            format("{} @{} +{}", shown, lasting(at), lasting(unit->took())));
    }
    if (unit->activated <= start) return shown;
    return format("{} @{}", shown, lasting(unit->activated - start));
  }

  /// Of a boot that has not ended yet all that is up counts.
  [[nodiscard]] bool is_of_boot(const UnitTimes& unit) const {
    const MonoTime finish = record_.marks.finish;
    return unit.activated.us > 0 && (finish.us == 0 || unit.activated <= finish);
  }

  void enter(std::vector<Level>& path, const std::string& name) {
    path.emplace_back();
    if (!seen_.insert(name).second) return;  // what it came after stands above
    const UnitTimes* unit = find(name);
    if (unit == nullptr) return;
    auto& units = path.back().units;
    for (const std::string& other : unit->after) {
      const UnitTimes* times = find(other);
      if (times != nullptr && is_of_boot(*times)) units.push_back(times);
    }
    std::ranges::sort(units, [](const UnitTimes* a, const UnitTimes* b) {
      return a->activated != b->activated ? a->activated > b->activated : a->name < b->name;
    });
    if (units.empty()) return;
    const MonoTime latest = units.front()->activated;
    std::erase_if(units, [&](const UnitTimes* u) { return latest - u->activated > fuzz_; });
  }

  void add(const std::vector<Level>& path, std::string_view line) {
    for (std::size_t i = 0; i + 1 < path.size(); ++i)
      text_ += path[i].next < path[i].units.size() ? "│ " : "  ";
    const Level& level = path.back();
    text_ += format("{}{}\n", level.next < level.units.size() ? "├─" : "└─", line);
  }

  const BootRecord& record_;
  Duration fuzz_;
  const Palette& palette_;
  std::map<std::string, const UnitTimes*> by_name_;
  std::set<std::string> seen_;
  std::string text_;
};

}  // namespace

Duration UnitTimes::took() const {
  if (activating.us == 0) return Duration(0);
  if (activated >= activating) return activated - activating;
  if (deactivated >= activating) return deactivated - activating;
  return Duration(0);
}

BootPhases read_phases(const Json& properties) {
  BootPhases marks;
  marks.has_kernel = !raw_text_of(properties, "KernelTimestamp").empty();
  marks.initrd = mono_in(properties, "InitRDTimestampMonotonic");
  marks.userspace = mono_in(properties, "UserspaceTimestampMonotonic");
  marks.finish = mono_in(properties, "FinishTimestampMonotonic");
  marks.began = WallTime{number_in(properties, "UserspaceTimestamp").value_or(0)};
  marks.architecture = raw_text_of(properties, "Architecture");
  return marks;
}

UnitTimes read_unit_times(const Json& properties) {
  UnitTimes times;
  times.name = raw_text_of(properties, "Id");
  times.activating = mono_in(properties, "InactiveExitTimestampMonotonic");
  times.activated = mono_in(properties, "ActiveEnterTimestampMonotonic");
  times.deactivating = mono_in(properties, "ActiveExitTimestampMonotonic");
  times.deactivated = mono_in(properties, "InactiveEnterTimestampMonotonic");
  const std::string after = raw_text_of(properties, "After");
  for (const std::string_view other : split(after, ' ')) {
    if (!other.empty()) times.after.emplace_back(other);
  }
  return times;
}

std::string time_text(const BootPhases& marks, std::string_view target, MonoTime reached) {
  std::string parts;
  if (marks.has_kernel) {
    const MonoTime end = marks.initrd.us > 0 ? marks.initrd : marks.userspace;
    parts += format("{} (kernel) + ", lasting(end - MonoTime{0}));
    if (marks.initrd.us > 0) parts += format("{} (initrd) + ", lasting(marks.userspace - end));
  }
  parts += format("{} (userspace)", lasting(marks.finish - marks.userspace));
  std::string text = format("Startup finished in {}", parts);
  if (marks.has_kernel) text += format(" = {}", lasting(marks.finish - MonoTime{0}));
  text += '\n';
  if (target.empty()) return text;
  if (reached <= marks.userspace) return text + format("{} was never reached\n", printable(target));
  return text + format("{} reached after {} in userspace\n", printable(target),
                       lasting(reached - marks.userspace));
}

std::string blame_text(const BootRecord& record) {
  std::vector<const UnitTimes*> units;
  for (const UnitTimes& unit : record.units) {
    if (unit.took() > Duration(0)) units.push_back(&unit);
  }
  std::ranges::sort(units, [](const UnitTimes* a, const UnitTimes* b) {
    return a->took() != b->took() ? a->took() > b->took() : a->name < b->name;
  });
  std::string text;
  for (const UnitTimes* unit : units)
    text += format("{:>16} {}\n", lasting(unit->took()), printable(unit->name));
  return text;
}

std::string chain_text(const BootRecord& record, const std::string& unit, Duration fuzz,
                       const Palette& palette) {
  return Chain(record, fuzz, palette).run(unit);
}

Json times_json(const BootPhases& marks, MonoTime reached) {
  Json view = {{"userspace_usec", (marks.finish - marks.userspace).count()},
               {"finish_monotonic", marks.finish.us}};
  if (marks.has_kernel) {
    const MonoTime end = marks.initrd.us > 0 ? marks.initrd : marks.userspace;
    view["kernel_usec"] = end.us;
    if (marks.initrd.us > 0) view["initrd_usec"] = (marks.userspace - marks.initrd).count();
  }
  if (reached > marks.userspace) view["default_target_usec"] = (reached - marks.userspace).count();
  return view;
}

Json units_json(const BootRecord& record) {
  Json list = Json::array();
  for (const UnitTimes& unit : record.units) {
    list.push_back({{"name", unit.name},
                    {"activating", unit.activating.us},
                    {"activated", unit.activated.us},
                    {"deactivating", unit.deactivating.us},
                    {"deactivated", unit.deactivated.us},
                    {"time", unit.took().count()}});
  }
  return list;
}

}  // namespace onset
