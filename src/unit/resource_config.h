#pragma once
// What a unit may use, systemd.resource-control(5). Sparse: a unit without any
// of these settings has none of this struct, and one with some an empty
// optional or vector for the rest.
//
// Amounts are kept as they hold for the kernel: percentages are of the machine
// that the file was read on, the settings of cgroup v1 stand beside those that
// took their place, which come first (effective_… below).

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/time.h"

namespace onset {

/// Of any amount: no limit.
inline constexpr std::uint64_t kUnlimited = UINT64_MAX;
/// CPUWeight=idle.
inline constexpr std::uint32_t kCpuWeightIdle = 0;

/// What a group can have of the kernel's controllers, as bits.
enum class Controller : std::uint8_t { Cpu = 1, Cpuset = 2, Io = 4, Memory = 8, Pids = 16 };
inline constexpr std::array<Controller, 5> kControllers = {
    Controller::Cpu, Controller::Cpuset, Controller::Io, Controller::Memory, Controller::Pids};
using ControllerSet = std::uint8_t;
inline constexpr ControllerSet kAllControllers = 31;
constexpr ControllerSet set_of(Controller c) {
  return static_cast<ControllerSet>(c);
}

/// Numbers of CPUs or NUMA nodes, as rising ranges that do not touch.
using NumberSet = std::vector<std::pair<unsigned, unsigned>>;

/// "PATH VALUE": a device, or any file on it.
struct DeviceAmount {
  std::string path;
  std::uint64_t amount = 0;
  bool operator==(const DeviceAmount&) const = default;
};
/// The four limits that io.max has for a device.
struct DeviceLimits {
  std::string path;
  std::uint64_t read_bandwidth = kUnlimited;  ///< bytes a second
  std::uint64_t write_bandwidth = kUnlimited;
  std::uint64_t read_iops = kUnlimited;
  std::uint64_t write_iops = kUnlimited;
  bool operator==(const DeviceLimits&) const = default;
};

enum class DevicePolicy : std::uint8_t { Auto, Closed, Strict };
/// DeviceAllow=: a path below /dev, "char-GLOB" or "block-GLOB".
struct DeviceRule {
  std::string device;
  bool read = true;
  bool write = true;
  bool create = true;  ///< mknod
};

/// An address with the number of its leading bits that count.
struct AddressPrefix {
  bool is_v6 = false;
  std::uint8_t length = 0;
  std::array<std::uint8_t, 16> bytes{};  ///< in the network's order, the rest is 0
  bool operator==(const AddressPrefix&) const = default;
  auto operator<=>(const AddressPrefix&) const = default;
};

/// SocketBindAllow= and SocketBindDeny=.
struct BindRule {
  int family = 0;    ///< AF_INET, AF_INET6; 0: both
  int protocol = 0;  ///< IPPROTO_TCP, IPPROTO_UDP; 0: both
  std::uint16_t first = 0;
  std::uint16_t last = 65535;
  bool operator==(const BindRule&) const = default;
};

/// Where a program can be attached to a group. Words: bpftool(8).
enum class BpfHook : std::uint8_t {
  Ingress,
  Egress,
  SockCreate,
  SockOps,
  Device,
  Bind4,
  Bind6,
  Connect4,
  Connect6,
  PostBind4,
  PostBind6,
  SendMsg4,
  SendMsg6,
  Sysctl,
  RecvMsg4,
  RecvMsg6,
  GetSockOpt,
  SetSockOpt,
};
/// A program of somebody else's, by its place in the BPF file system.
struct PinnedProgram {
  BpfHook hook{};
  std::string path;
  bool operator==(const PinnedProgram&) const = default;
};
/// RestrictNetworkInterfaces=: the only ones that may be used, or those that may not.
struct InterfaceList {
  bool is_denied = false;
  std::vector<std::string> names;
};

/// ManagedOOMSwap=, ManagedOOMMemoryPressure=.
enum class ManagedOom : std::uint8_t { Auto, Kill };
/// ManagedOOMPreference=.
enum class OomPreference : std::uint8_t { None, Avoid, Omit };
/// MemoryPressureWatch=, systemd.resource-control(5) of version 254.
enum class PressureWatch : std::uint8_t { Off, On, Auto, Skip };

struct ResourceConfig {
  std::optional<bool> cpu_accounting;  ///< these five: unset is the manager's default
  std::optional<bool> memory_accounting;
  std::optional<bool> tasks_accounting;
  std::optional<bool> io_accounting;
  std::optional<bool> ip_accounting;

  std::optional<std::uint32_t> cpu_weight;  ///< 1 to 10000, or kCpuWeightIdle
  std::optional<std::uint32_t> startup_cpu_weight;
  std::optional<std::uint64_t> cpu_quota;  ///< µs in a second
  Duration cpu_quota_period = kInfinity;   ///< kInfinity: 100 ms
  NumberSet allowed_cpus;
  NumberSet startup_allowed_cpus;
  NumberSet allowed_memory_nodes;
  NumberSet startup_allowed_memory_nodes;

  std::optional<std::uint64_t> memory_min;
  std::optional<std::uint64_t> memory_low;
  std::optional<std::uint64_t> default_memory_min;  ///< of the units below a slice
  std::optional<std::uint64_t> default_memory_low;
  std::uint64_t memory_high = kUnlimited;
  std::uint64_t memory_max = kUnlimited;
  std::uint64_t memory_swap_max = kUnlimited;
  std::uint64_t memory_zswap_max = kUnlimited;
  std::optional<std::uint64_t> tasks_max;

  std::optional<std::uint32_t> io_weight;
  std::optional<std::uint32_t> startup_io_weight;
  std::vector<DeviceAmount> io_device_weights;
  std::vector<DeviceLimits> io_limits;
  std::vector<DeviceAmount> io_latency_targets;  ///< µs

  // Of cgroup v1, in its own figures.
  std::optional<std::uint32_t> cpu_shares;  ///< 2 to 262144
  std::optional<std::uint32_t> startup_cpu_shares;
  std::uint64_t memory_limit = kUnlimited;
  std::optional<bool> block_io_accounting;
  std::optional<std::uint32_t> block_io_weight;  ///< 10 to 1000
  std::optional<std::uint32_t> startup_block_io_weight;
  std::vector<DeviceAmount> block_io_device_weights;
  std::vector<DeviceLimits> block_io_limits;

  DevicePolicy device_policy = DevicePolicy::Auto;
  std::vector<DeviceRule> device_allow;
  std::vector<AddressPrefix> ip_allow;
  std::vector<AddressPrefix> ip_deny;
  std::vector<BindRule> bind_allow;
  std::vector<BindRule> bind_deny;
  std::vector<std::string> ingress_filters;  ///< paths of pinned programs
  std::vector<std::string> egress_filters;
  std::vector<PinnedProgram> programs;
  std::optional<InterfaceList> interfaces;

  ManagedOom oom_on_swap = ManagedOom::Auto;
  ManagedOom oom_on_pressure = ManagedOom::Auto;
  unsigned oom_pressure_limit = 0;  ///< hundredths of a percent; 0: the default
  std::optional<Duration> oom_pressure_duration;
  OomPreference oom_preference = OomPreference::None;
  std::optional<PressureWatch> pressure_watch;  ///< these two: unset is the manager's default
  std::optional<Duration> pressure_threshold;

  ControllerSet delegated = 0;  ///< with CgroupConfig::delegate
  ControllerSet disabled = 0;   ///< below this unit
};

/// Of a count that has none.
inline constexpr unsigned kNoCountLimit = UINT32_MAX;

/// [Slice]: how many of the units in the slice, and in those below it, may be up at once.
struct SliceConfig {
  unsigned concurrency_soft_max = kNoCountLimit;  ///< a start beyond it waits
  unsigned concurrency_hard_max = kNoCountLimit;  ///< a start beyond it is refused
};

/// CPUWeight= in place of a CPUShares=, IOWeight= of a BlockIOWeight=: the same
/// share of the default, as systemd converts them.
constexpr std::uint32_t cpu_weight_of_shares(std::uint64_t shares) {
  const std::uint64_t weight = shares * 100 / 1024;
  return static_cast<std::uint32_t>(weight < 1 ? 1 : weight > 10000 ? 10000 : weight);
}
constexpr std::uint32_t io_weight_of_block_io(std::uint64_t block_io) {
  const std::uint64_t weight = block_io * 100 / 500;
  return static_cast<std::uint32_t>(weight < 1 ? 1 : weight > 10000 ? 10000 : weight);
}

}  // namespace onset
