#pragma once
// When and where a unit's processes run: SCHEDULING of systemd.exec(5) but for
// Nice=. Sparse: a unit without any of these settings has none of this struct.

#include <cstdint>
#include <optional>

#include "unit/resource_config.h"

namespace onset {

struct SchedulingConfig {
  std::optional<int> policy;  ///< SCHED_…, of sched_setscheduler(2)
  std::optional<int> priority;
  bool reset_on_fork = false;

  NumberSet affinity;
  bool affinity_of_nodes = false;  ///< CPUAffinity=numa: the CPUs of the nodes below

  std::optional<int> numa_policy;  ///< MPOL_…, of set_mempolicy(2)
  NumberSet numa_nodes;
  bool all_numa_nodes = false;

  std::optional<int> io_class;  ///< IOPRIO_CLASS_…, of ioprio_set(2)
  std::optional<int> io_priority;
  std::optional<std::uint64_t> timer_slack_ns;
};

}  // namespace onset
