#include "os/launch_scheduling.h"

#include <linux/ioprio.h>
#include <linux/mempolicy.h>
#include <sched.h>

#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "unit/resource_parsers.h"

namespace onset {
namespace {

constexpr std::size_t kListMax = 65536;
constexpr unsigned kWordBits = 8 * sizeof(unsigned long);
constexpr int kBestEffortPriority = 4;

/// A file of the kernel's: "0-3,8".
NumberSet read_numbers(FileSource& files, std::string_view path) {
  NumberSet set;
  const auto text = files.read(path, kListMax);
  if (!text) return set;
  for (const std::string_view part : split(trim(*text), ',')) {
    const std::size_t dash = part.find('-');
    const auto first = parse_uint<unsigned>(part.substr(0, dash));
    const auto last =
        dash == std::string_view::npos ? first : parse_uint<unsigned>(part.substr(dash + 1));
    if (first && last && *first <= *last) add_range(set, *first, *last);
  }
  return set;
}

std::vector<unsigned long> mask_of(const NumberSet& set) {
  std::vector<unsigned long> mask;
  for (const auto& [first, last] : set) {
    mask.resize(std::max<std::size_t>(mask.size(), last / kWordBits + 1));
    for (unsigned n = first; n <= last; ++n) mask[n / kWordBits] |= 1UL << (n % kWordBits);
  }
  return mask;
}

NumberSet nodes_of(const SchedulingConfig& config, FileSource& files) {
  return config.all_numa_nodes ? read_numbers(files, "/sys/devices/system/node/online")
                               : config.numa_nodes;
}

NumberSet cpus_of(const NumberSet& nodes, FileSource& files) {
  NumberSet cpus;
  for (const auto& [first, last] : nodes) {
    for (unsigned node = first; node <= last; ++node) {
      for (const auto& [from, to] :
           read_numbers(files, format("/sys/devices/system/node/node{}/cpulist", node))) {
        add_range(cpus, from, to);
      }
    }
  }
  return cpus;
}

void plan_policy(LaunchPlan& plan, const SchedulingConfig& config) {
  if (!config.policy && !config.priority && !config.reset_on_fork) return;
  plan.set_scheduler = true;
  const int policy = config.policy.value_or(SCHED_OTHER);
  plan.scheduler = policy | (config.reset_on_fork ? SCHED_RESET_ON_FORK : 0);
  const bool is_realtime = policy == SCHED_FIFO || policy == SCHED_RR;
  plan.scheduler_priority = is_realtime ? std::clamp(config.priority.value_or(1), 1, 99) : 0;
}

}  // namespace

void plan_scheduling(LaunchPlan& plan, const SchedulingConfig& config, FileSource& files) {
  plan_policy(plan, config);
  const NumberSet nodes = nodes_of(config, files);
  plan.cpu_mask = mask_of(config.affinity_of_nodes ? cpus_of(nodes, files) : config.affinity);
  if (config.numa_policy) {
    plan.numa_policy = *config.numa_policy;
    // These two take no nodes.
    if (plan.numa_policy != MPOL_DEFAULT && plan.numa_policy != MPOL_LOCAL) {
      plan.numa_mask = mask_of(nodes);
    }
  }
  if (config.io_class || config.io_priority) {
    int io_class = config.io_class.value_or(IOPRIO_CLASS_BE);
    int level = config.io_priority.value_or(kBestEffortPriority);
    if (io_class == IOPRIO_CLASS_IDLE || io_class == IOPRIO_CLASS_NONE) level = 0;
    plan.io_priority = (io_class << IOPRIO_CLASS_SHIFT) | level;
    plan.set_io_priority = true;
  }
  if (config.timer_slack_ns) {
    plan.set_timer_slack = true;
    plan.timer_slack_ns = *config.timer_slack_ns;
  }
}

}  // namespace onset
