#pragma once
// A world from its first step to its last, and what is made of one that fails.

#include <cstdint>
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

/// Seed → world. `recording`: what happened, if it is wanted.
Outcome run_world(std::uint64_t seed, Recording* recording = nullptr);

/// The same again; `verbose` prints each event and what it led to.
Outcome replay(const Recording& recording, bool verbose = false);

/// Takes out what the failure does not need: events, units, lines. The result still
/// breaks the same invariant.
Recording shrink(Recording recording, const Violation& violation);

std::string to_text(const Recording& recording);
std::optional<Recording> parse_recording(std::string_view text);

}  // namespace onset::sim
