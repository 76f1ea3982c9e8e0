#pragma once
// What happens next, by chance: mostly something that means something now, sometimes
// what nobody expects. Looks at the world, changes nothing.

#include "sim/random.h"
#include "sim/sim_event.h"
#include "sim/sim_world.h"

namespace onset::sim {

class Schedule {
 public:
  explicit Schedule(const WorldPlan& plan) : plan_(plan), random_(plan.seed ^ 0x5eed) {}
  SimEvent next(const SimWorld& world);

 private:
  SimEvent some_request();
  SimEvent some_exit(const SimWorld& world);
  SimEvent some_notification(const SimWorld& world);
  SimEvent some_time(const SimWorld& world);
  SimEvent some_fault();
  SimEvent some_reload();
  SimEvent no_memory();
  std::optional<SimEvent> job_before_a_restart(const SimWorld& world);
  JobType any_job();
  SimEvent something_odd(const SimWorld& world);
  ExitStatus some_status(const Process& p);
  [[nodiscard]] unsigned some_unit() {
    return random_.below(static_cast<unsigned>(plan_.units.size()));
  }

  SimEvent nudge(const SimWorld& world);
  unsigned busy_unit(const SimWorld& world);
  template <class Is>
  std::optional<unsigned> unit_that(const SimWorld& world, Is is);

  const WorldPlan& plan_;
  Random random_;
};

}  // namespace onset::sim
