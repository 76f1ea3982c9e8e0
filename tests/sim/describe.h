#pragma once
// What happens in a world, for those who read of one that has failed.

#include <string>

#include "sim/sim_event.h"
#include "sim/world_plan.h"

namespace onset::sim {

/// "s3.service: restart is asked for, mode fail"
std::string describe(const SimEvent& event, const WorldPlan& plan);

}  // namespace onset::sim
