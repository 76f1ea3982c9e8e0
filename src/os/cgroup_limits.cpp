#include "os/cgroup_limits.h"

#include <algorithm>

#include "base/format.h"
#include "unit/resource_parsers.h"

namespace onset {
namespace {

constexpr std::uint64_t kMillisecond = 1000;
constexpr std::uint64_t kSecond = 1000 * kMillisecond;
constexpr std::uint64_t kDefaultPeriod = 100 * kMillisecond;

std::string amount_text(std::uint64_t amount) {
  return amount == kUnlimited ? "max" : format("{}", amount);
}

class Collector {
 public:
  Collector(const ResourceConfig& config, const LimitContext& context)
      : c_(config), context_(context) {}

  GroupLimits collect() {
    count();
    cpu();
    cpuset();
    memory();
    tasks();
    io();
    return std::move(limits_);
  }

 private:
  void put(Controller controller, std::string_view file, std::string text, std::string_view setting,
           std::string device = {}) {
    limits_.required = static_cast<ControllerSet>(limits_.required | set_of(controller));
    limits_.controllers = static_cast<ControllerSet>(limits_.controllers | set_of(controller));
    limits_.writes.push_back({file, std::move(device), std::move(text), setting, controller});
  }

  /// What is counted by a controller; CPU time is without one.
  void count() {
    const ManagerSettings* defaults = context_.defaults;
    const auto wants = [&](const std::optional<bool>& own, bool otherwise) {
      return own.value_or(defaults != nullptr && otherwise);
    };
    ControllerSet set = c_.delegated;
    if (wants(c_.memory_accounting, defaults != nullptr && defaults->memory_accounting)) {
      set = static_cast<ControllerSet>(set | set_of(Controller::Memory));
    }
    if (wants(c_.tasks_accounting, defaults != nullptr && defaults->tasks_accounting)) {
      set = static_cast<ControllerSet>(set | set_of(Controller::Pids));
    }
    const auto& io = c_.io_accounting ? c_.io_accounting : c_.block_io_accounting;
    if (wants(io, defaults != nullptr && defaults->io_accounting)) {
      set = static_cast<ControllerSet>(set | set_of(Controller::Io));
    }
    limits_.controllers = set;
  }

  /// The startup value during boot and shutdown, where there is one.
  template <class T>
  const std::optional<T>& now(const std::optional<T>& startup, const std::optional<T>& always) {
    return context_.startup && startup ? startup : always;
  }

  void cpu() {
    std::optional<std::uint32_t> weight = now(c_.startup_cpu_weight, c_.cpu_weight);
    std::string_view setting = "CPUWeight";
    if (!c_.cpu_weight && !c_.startup_cpu_weight) {
      const auto& shares = now(c_.startup_cpu_shares, c_.cpu_shares);
      if (shares) weight = cpu_weight_of_shares(*shares);
      setting = "CPUShares";
    }
    if (weight == kCpuWeightIdle) {
      put(Controller::Cpu, "cpu.idle", "1", setting);
    } else if (weight) {
      put(Controller::Cpu, "cpu.weight", format("{}", *weight), setting);
    }
    if (c_.cpu_quota) put(Controller::Cpu, "cpu.max", quota_text(*c_.cpu_quota), "CPUQuota");
  }

  /// "QUOTA PERIOD" in µs. The kernel takes periods of 1 ms to 1 s, and quotas from 1 ms on.
  [[nodiscard]] std::string quota_text(std::uint64_t per_second) const {
    const std::uint64_t wanted = c_.cpu_quota_period == kInfinity
                                     ? kDefaultPeriod
                                     : static_cast<std::uint64_t>(c_.cpu_quota_period.count());
    const std::uint64_t shortest =
        std::max(kMillisecond, (kMillisecond * kSecond + per_second - 1) / per_second);
    const std::uint64_t period = std::min(std::max(wanted, shortest), kSecond);
    const std::uint64_t whole = per_second * period / kSecond;  // a percentage has 32 bits
    return format("{} {}", std::max(whole, kMillisecond), period);
  }

  void cpuset() {
    const auto choose = [&](const NumberSet& startup, const NumberSet& always) -> const NumberSet& {
      return context_.startup && !startup.empty() ? startup : always;
    };
    const NumberSet& cpus = choose(c_.startup_allowed_cpus, c_.allowed_cpus);
    if (!cpus.empty()) {
      put(Controller::Cpuset, "cpuset.cpus", format_numbers(cpus, ","), "AllowedCPUs");
    }
    const NumberSet& nodes = choose(c_.startup_allowed_memory_nodes, c_.allowed_memory_nodes);
    if (!nodes.empty()) {
      put(Controller::Cpuset, "cpuset.mems", format_numbers(nodes, ","), "AllowedMemoryNodes");
    }
  }

  void memory() {
    constexpr auto kMemory = Controller::Memory;
    const std::uint64_t least = c_.memory_min.value_or(context_.default_memory_min);
    const std::uint64_t low = c_.memory_low.value_or(context_.default_memory_low);
    if (least != 0) put(kMemory, "memory.min", amount_text(least), "MemoryMin");
    if (low != 0) put(kMemory, "memory.low", amount_text(low), "MemoryLow");
    const auto limit = [&](std::uint64_t amount, std::string_view file, std::string_view setting) {
      if (amount != kUnlimited) put(kMemory, file, amount_text(amount), setting);
    };
    limit(c_.memory_high, "memory.high", "MemoryHigh");
    // An old MemoryLimit= counts where none of the new settings does.
    const bool is_new = least != 0 || low != 0 || c_.memory_high != kUnlimited ||
                        c_.memory_max != kUnlimited || c_.memory_swap_max != kUnlimited;
    if (is_new) {
      limit(c_.memory_max, "memory.max", "MemoryMax");
    } else {
      limit(c_.memory_limit, "memory.max", "MemoryLimit");
    }
    if (context_.oom_group) {  // where it can't be had the manager kills the rest
      const ControllerSet required = limits_.required;
      put(kMemory, "memory.oom.group", "1", {});
      limits_.required = required;
    }
    limit(c_.memory_swap_max, "memory.swap.max", "MemorySwapMax");
    limit(c_.memory_zswap_max, "memory.zswap.max", "MemoryZSwapMax");
  }

  void tasks() {
    if (c_.tasks_max) {
      if (*c_.tasks_max == kUnlimited) return;
      put(Controller::Pids, "pids.max", amount_text(*c_.tasks_max), "TasksMax");
      return;
    }
    const ManagerSettings* defaults = context_.defaults;
    if (context_.is_slice || defaults == nullptr || !defaults->tasks_max) return;
    if (*defaults->tasks_max == kUnlimited) return;
    // Nobody asked for it: where it can't be had nothing is missed.
    const ControllerSet required = limits_.required;
    put(Controller::Pids, "pids.max", amount_text(*defaults->tasks_max), {});
    limits_.required = required;
  }

  /// Nothing where the device is not there, which is noted.
  std::optional<std::string> device(const std::string& path, std::string_view setting) {
    auto number = context_.device_of(path);
    if (number) return std::move(*number);
    limits_.not_enforced.push_back({setting, std::move(number).error()});
    return std::nullopt;
  }

  void io_limits(const std::vector<DeviceLimits>& list, std::string_view read_setting,
                 std::string_view write_setting) {
    for (const DeviceLimits& limits : list) {
      const bool is_read = limits.read_bandwidth != kUnlimited || limits.read_iops != kUnlimited;
      const std::string_view setting = is_read ? read_setting : write_setting;
      const auto number = device(limits.path, setting);
      if (!number) continue;
      put(Controller::Io, "io.max",
          format("rbps={} wbps={} riops={} wiops={}", amount_text(limits.read_bandwidth),
                 amount_text(limits.write_bandwidth), amount_text(limits.read_iops),
                 amount_text(limits.write_iops)),
          setting, *number);
    }
  }

  void io_weights(const std::optional<std::uint32_t>& weight,
                  const std::vector<DeviceAmount>& devices, std::string_view setting,
                  std::string_view device_setting, std::uint32_t (*convert)(std::uint64_t)) {
    if (weight) {
      put(Controller::Io, "io.weight", format("{}", convert(*weight)), setting, "default");
    }
    for (const DeviceAmount& entry : devices) {
      if (const auto number = device(entry.path, device_setting)) {
        put(Controller::Io, "io.weight", format("{}", convert(entry.amount)), device_setting,
            *number);
      }
    }
  }

  void io() {
    const bool is_new = c_.io_accounting || c_.io_weight || c_.startup_io_weight ||
                        !c_.io_device_weights.empty() || !c_.io_limits.empty() ||
                        !c_.io_latency_targets.empty();
    if (!is_new) {
      io_weights(now(c_.startup_block_io_weight, c_.block_io_weight), c_.block_io_device_weights,
                 "BlockIOWeight", "BlockIODeviceWeight", io_weight_of_block_io);
      io_limits(c_.block_io_limits, "BlockIOReadBandwidth", "BlockIOWriteBandwidth");
      return;
    }
    io_weights(now(c_.startup_io_weight, c_.io_weight), c_.io_device_weights, "IOWeight",
               "IODeviceWeight",
               [](std::uint64_t weight) { return static_cast<std::uint32_t>(weight); });
    io_limits(c_.io_limits, "IOReadBandwidthMax", "IOWriteBandwidthMax");
    for (const DeviceAmount& target : c_.io_latency_targets) {
      if (const auto number = device(target.path, "IODeviceLatencyTargetSec")) {
        put(Controller::Io, "io.latency", format("target={}", target.amount),
            "IODeviceLatencyTargetSec", *number);
      }
    }
  }

  const ResourceConfig& c_;
  const LimitContext& context_;
  GroupLimits limits_;
};

bool is_same_place(const CgroupWrite& a, const CgroupWrite& b) {
  return a.file == b.file && a.device == b.device;
}

}  // namespace

GroupLimits limits_of(const ResourceConfig& config, const LimitContext& context) {
  return Collector(config, context).collect();
}

std::string_view default_text(std::string_view file) {
  struct Row {
    std::string_view file;
    std::string_view text;
  };
  static constexpr Row kRows[] = {
      {"cpu.idle", "0"},          {"cpu.weight", "100"},
      {"cpu.max", "max 100000"},  {"cpuset.cpus", "\n"},
      {"cpuset.mems", "\n"},      {"memory.min", "0"},
      {"memory.low", "0"},        {"memory.oom.group", "0"},
      {"memory.high", "max"},     {"memory.max", "max"},
      {"memory.swap.max", "max"}, {"memory.zswap.max", "max"},
      {"pids.max", "max"},        {"io.weight", "default"},
      {"io.latency", "target=0"}, {"io.max", "rbps=max wbps=max riops=max wiops=max"}};
  for (const Row& row : kRows) {
    if (row.file == file) return row.text;
  }
  return {};
}

std::vector<CgroupWrite> difference(const std::vector<CgroupWrite>& before,
                                    const std::vector<CgroupWrite>& after) {
  std::vector<CgroupWrite> writes;
  for (const CgroupWrite& old : before) {
    const bool stays = std::ranges::any_of(
        after, [&](const CgroupWrite& write) { return is_same_place(old, write); });
    if (stays) continue;
    CgroupWrite& back = writes.emplace_back(old);
    // The weight of all devices has no word for the kernel's own.
    back.text = old.file == "io.weight" && old.device == "default" ? "100" : default_text(old.file);
  }
  for (const CgroupWrite& write : after) {
    if (std::ranges::find(before, write) == before.end()) writes.push_back(write);
  }
  return writes;
}

}  // namespace onset
