#pragma once
// A world from its first step to its last, and what is made of one that fails.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "sim/invariants.h"
#include "sim/sim_event.h"
#include "sim/world_plan.h"

namespace onset::sim {

/// All that is needed to see a failure again. A shutdown, if none was among the events,
/// and a fair world follow.
struct Recording {
  WorldPlan plan;
  std::vector<SimEvent> events;
};

struct Outcome {
  std::uint64_t steps = 0;
  std::optional<Violation> violation;
};

/// Seed → world. `on_event`, if there is one, hears of each event before it happens.
Outcome run_world(std::uint64_t seed,
                  const std::function<void(const SimEvent&)>& on_event = nullptr);

/// The same again; `verbose` prints each event and what it led to.
Outcome replay(const Recording& recording, bool verbose = false);

/// Takes out what the failure does not need: events, units, lines. The result still
/// fails by that name.
Recording shrink(Recording recording, std::string_view failure);

/// "abort:SEED:EVENT", "loop:SEED:EVENT": in that world the first event of this kind is an end
/// of the process, or has none. For the test of what notices it.
bool set_trap(std::string_view text);

std::string to_text(const Recording& recording);
std::optional<Recording> parse_recording(std::string_view text);

}  // namespace onset::sim
