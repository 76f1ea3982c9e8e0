#pragma once
// What a world is made of, before anything happens: units as text, read by the real
// loader, and how the manager is set up. A plan is a function of its seed; lines and
// units can be taken out of it, which is how a failing world is made small.

#include <cstdint>
#include <string>
#include <vector>

#include "engine/manager.h"
#include "sim/random.h"

namespace onset::sim {

struct PlannedUnit {
  std::string name;
  /// Lines of the file, section lines among them; "-> NAME" alone is an alias,
  /// "/dev/null" a mask. None: there is no such file, though others may name it. "== FILE"
  /// begins a further file, a drop-in or an [Install] link.
  std::vector<std::string> lines;
};

/// How likely each kind of thing is here: worlds differ in what goes on in them.
struct Mood {
  unsigned requests = 10;
  unsigned exits = 12;
  unsigned notifications = 8;
  unsigned time = 10;
  unsigned faults = 3;
  unsigned reloads = 1;
  unsigned memory = 0;  ///< allocations that fail
  unsigned odd = 2;     ///< cancel, kill, reset-failed, conditions, OOM, clock jumps
};

/// More than any of these small worlds can have to do at one moment.
inline constexpr unsigned kManySteps = 5000;

/// What a world is about, where it is about one thing: the states that come of it are rare
/// elsewhere.
enum class Theme : std::uint8_t {
  None,
  ReloadByNotify,
  StubbornAtTheEnd,
  Remains,
  NoMemory,
  Lingers
};

struct WorldPlan {
  std::uint64_t seed = 0;
  Theme theme = Theme::None;
  std::vector<PlannedUnit> units;
  Mood mood;
  unsigned steps = 300;
  unsigned steps_a_call = kManySteps;
  unsigned slots = 0;  ///< StartConcurrencyMax=, and slices with limits; 0: none
  bool container = true;
  Duration shutdown_budget = kInfinity;
};

WorldPlan make_plan(std::uint64_t seed);

/// One unit's text, as it could also be: what a reload finds.
std::vector<std::string> make_unit_lines(const WorldPlan& plan, unsigned index, Random& random);

std::string text_of(const PlannedUnit& unit);

}  // namespace onset::sim
