#include "sim/run.h"

#include <charconv>
#include <cstdio>
#include <cstdlib>

#include "base/format.h"
#include "base/text.h"
#include "sim/describe.h"
#include "sim/schedule.h"
#include "sim/sim_world.h"

namespace onset::sim {
namespace {

/// Every world is shut down: at a random point, once or twice, or when its steps are over.
SimEvent shut_down(Random& random) {
  SimEvent e;
  e.what = What::ShutDown;
  e.number = static_cast<int>(random.pick({Objective::Exit, Objective::Exit, Objective::Poweroff,
                                           Objective::Reboot, Objective::Halt, Objective::Kexec}));
  return e;
}

struct Trap {
  bool is_set = false;
  bool loops = false;
  std::uint64_t seed = 0;
  What what{};
};
Trap trap;

void fall_into_trap(const WorldPlan& plan, const SimEvent& event) {
  if (!trap.is_set || plan.seed != trap.seed || event.what != trap.what) return;
  if (!trap.loops) std::abort();
  for (volatile bool goes_on = true; goes_on;) {
  }
}

void bring_to_the_end(SimWorld& world, Outcome& outcome) {
  if (outcome.violation || world.has_ended()) return;
  if (!world.manager().stopping()) {
    SimEvent e;
    e.what = What::ShutDown;
    e.number = static_cast<int>(Objective::Exit);
    world.apply(e);
  }
  if (!world.run_to_the_end() && !world.violation())
    outcome.violation = Violation{"shutdown", "the shutdown does not end\n" + world.picture()};
  if (world.violation()) outcome.violation = world.violation();
}

}  // namespace

bool set_trap(std::string_view text) {
  const auto words = split(text, ':');
  if (words.size() != 3 || (words[0] != "abort" && words[0] != "loop")) return false;
  const auto event = parse_event(format("{} 0 0 0 0 0 0 ", words[2]));
  if (!event) return false;
  trap = {true, words[0] == "loop", 0, event->what};
  const std::string_view seed = words[1];
  return std::from_chars(seed.data(), seed.data() + seed.size(), trap.seed).ec == std::errc{};
}

Outcome run_world(std::uint64_t seed, const std::function<void(const SimEvent&)>& on_event) {
  const WorldPlan plan = make_plan(seed);
  SimWorld world(plan);
  Schedule schedule(plan);
  Random random(seed ^ 0xd1ce);
  const unsigned shutdown_at = random.chance(40) ? random.below(plan.steps) : plan.steps;
  Outcome outcome;
  world.boot();
  for (unsigned i = 0; i < plan.steps && !world.violation() && !world.has_ended(); ++i) {
    const bool ends = i == shutdown_at || (i > shutdown_at && random.chance(1));
    const SimEvent event = ends ? shut_down(random) : schedule.next(world);
    if (on_event) on_event(event);
    fall_into_trap(plan, event);
    world.apply(event);
  }
  outcome.violation = world.violation();
  bring_to_the_end(world, outcome);
  outcome.steps = world.steps();
  return outcome;
}

Outcome replay(const Recording& recording, bool verbose) {
  SimWorld world(recording.plan);
  world.os.writes_log = verbose;
  Outcome outcome;
  world.boot();
  if (verbose) std::printf("boot\n%s\n", world.picture().c_str());
  for (const SimEvent& event : recording.events) {
    if (world.violation() || world.has_ended()) break;
    if (verbose) std::printf("%s\n", describe(event, recording.plan).c_str());
    fall_into_trap(recording.plan, event);
    world.apply(event);
    if (verbose) std::printf("%s\n", world.picture().c_str());
  }
  outcome.violation = world.violation();
  bring_to_the_end(world, outcome);
  outcome.steps = world.steps();
  return outcome;
}

// ---- a recording as a file --------------------------------------------------------

std::string to_text(const Recording& r) {
  std::string text = format("world {} {} {} {}\n", r.plan.seed, r.plan.steps_a_call,
                            r.plan.container ? 1 : 0, r.plan.shutdown_budget.count());
  for (const PlannedUnit& unit : r.plan.units) {
    text += format("unit {}\n", unit.name);
    for (const std::string& line : unit.lines) text += format("  {}\n", line);
  }
  for (const SimEvent& event : r.events)
    text += format("# {}\nevent {}\n", describe(event, r.plan), to_text(event));
  return text;
}

std::optional<Recording> parse_recording(std::string_view text) {
  Recording r;
  for (const std::string_view line : split(text, '\n')) {
    if (line.starts_with("world ")) {
      const auto words = split(line.substr(6), ' ');
      if (words.size() != 4) return std::nullopt;
      const auto number = [&](std::size_t i, auto& value) {
        const std::string_view word = words[i];
        std::from_chars(word.data(), word.data() + word.size(), value);
      };
      std::int64_t budget = 0;
      number(0, r.plan.seed);
      number(1, r.plan.steps_a_call);
      number(3, budget);
      r.plan.container = words[2] == "1";
      r.plan.shutdown_budget = Duration(budget);
    } else if (line.starts_with("unit ")) {
      r.plan.units.push_back({std::string(line.substr(5)), {}});
    } else if (line.starts_with("  ") && !r.plan.units.empty()) {
      r.plan.units.back().lines.emplace_back(line.substr(2));
    } else if (line.starts_with("event ")) {
      auto event = parse_event(line.substr(6));
      if (!event) return std::nullopt;
      r.events.push_back(std::move(*event));
    } else if (!line.empty() && !line.starts_with("#")) {
      return std::nullopt;
    }
  }
  if (r.plan.units.empty()) return std::nullopt;
  return r;
}

}  // namespace onset::sim
