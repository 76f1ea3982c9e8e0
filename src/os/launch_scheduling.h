#pragma once
// SCHEDULING of systemd.exec(5): worked out before the launch, done by the child.

#include "os/launch_plan.h"
#include "unit/file_source.h"
#include "unit/scheduling_config.h"

namespace onset {

/// The plan's part. What the machine's nodes are is read from /sys.
void plan_scheduling(LaunchPlan& plan, const SchedulingConfig& config, FileSource& files);

}  // namespace onset
