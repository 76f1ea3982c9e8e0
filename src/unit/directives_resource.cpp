// systemd.resource-control(5): where a unit's cgroup lies and what it may use.
// What the values are is in resource_parsers, what comes of them in os/cgroup_limits.

#include "unit/directive_checks.h"
#include "unit/directive_codecs.h"
#include "unit/directive_rooms.h"
#include "unit/name.h"
#include "unit/resource_parsers.h"

namespace onset {
namespace {

using C = CgroupConfig;
using R = ResourceConfig;
constexpr Section S = Section::Service;

std::string parse_slice(ParseContext& context, std::string_view value) {
  std::string& slice = config_of<C>(context.unit).slice;
  auto name = expand_value(context, value, kUnitNameMax);
  if (!name) return std::move(name).error();
  if (unit_type_of(*name) != UnitType::Slice || !is_plain(*name)) return "the name of a slice";
  slice = std::move(*name);
  return {};
}

/// A boolean, or the controllers that are delegated. "yes" is all of them.
std::string parse_delegate(ParseContext& context, std::string_view value) {
  const auto on = parse_bool(value);
  auto set = on ? Parsed<ControllerSet>(*on ? kAllControllers : ControllerSet{0})
                : parse_controllers(value);
  if (!set) return "a boolean or " + std::move(set).error();
  ControllerSet& delegated = config_of<R>(context.unit).delegated;
  config_of<C>(context.unit).delegate = !on || *on;
  delegated = on || value.empty() ? *set : static_cast<ControllerSet>(delegated | *set);
  return {};
}

std::string parse_disabled(ParseContext& context, std::string_view value) {
  ControllerSet& disabled = config_of<R>(context.unit).disabled;
  auto set = parse_controllers(value);
  if (!set) return std::move(set).error();
  disabled = value.empty() ? ControllerSet{0} : static_cast<ControllerSet>(disabled | *set);
  return {};
}

// ---- codecs -------------------------------------------------------------------

constexpr std::string_view kNotSet = "[not set]";

/// Of a setting that reads its value with what is known of the machine.
template <auto Member, auto Parse>
std::string parse_amount(ParseContext& context, std::string_view value) {
  if (value.empty()) {
    member_of<Member>(context.unit) = defaults_of<R>().*Member;
    return {};
  }
  auto amount = Parse(context.scope.host, value);
  if (!amount) return std::move(amount).error();
  member_of<Member>(context.unit) = *amount;
  return {};
}
template <auto Member>
std::string show_limit(const Unit& unit) {
  return format_amount(member_of<Member>(unit));
}
template <auto Member>
std::string show_protection(const Unit& unit) {
  return format_amount(member_of<Member>(unit).value_or(0));
}
template <auto Member>
constexpr Codec kMemoryLimit{parse_amount<Member, parse_memory_limit>, show_limit<Member>};
template <auto Member>
constexpr Codec kMemory{parse_amount<Member, parse_memory>, show_limit<Member>};
template <auto Member>
constexpr Codec kProtection{parse_amount<Member, parse_memory>, show_protection<Member>};

template <std::int64_t Lowest, std::int64_t Highest>
Parsed<std::uint32_t> weight_in(std::string_view text) {
  auto weight = parse_int(text, Lowest, Highest);
  if (!weight) return Failure{std::move(weight).error()};
  return static_cast<std::uint32_t>(*weight);
}
template <auto Member>
std::string show_weight(const Unit& unit) {
  const auto& weight = member_of<Member>(unit);
  return weight ? format("{}", *weight) : std::string(kNotSet);
}
template <auto Member>
std::string show_cpu_weight(const Unit& unit) {
  return member_of<Member>(unit) == kCpuWeightIdle ? "idle" : show_weight<Member>(unit);
}
template <auto Member>
constexpr Codec kCpuWeight{parse_or_reset<Member, parse_cpu_weight>, show_cpu_weight<Member>};
template <auto Member, std::int64_t Lowest, std::int64_t Highest>
constexpr Codec kWeight{parse_or_reset<Member, weight_in<Lowest, Highest>>, show_weight<Member>};

/// What a unit doesn't say is the manager's to say.
template <auto Member>
constexpr Codec kAccounting{parse_or_reset<Member, parse_bool>, show_member<Member>};

template <auto Member>
constexpr Codec kNumbers{[](ParseContext& context, std::string_view value) {
                           return parse_numbers(context, value, member_of<Member>(context.unit));
                         },
                         [](const Unit& unit) { return format_numbers(member_of<Member>(unit)); }};

template <auto Member, unsigned Lowest, unsigned Highest>
constexpr Codec kDeviceWeight{
    [](ParseContext& context, std::string_view value) {
      return parse_device_weight(context, value, member_of<Member>(context.unit), Lowest, Highest);
    },
    [](const Unit& unit) { return format_device_amounts(member_of<Member>(unit)); }};
template <auto Member, IoLimit Which>
constexpr Codec kDeviceLimit{
    [](ParseContext& context, std::string_view value) {
      return parse_device_limit(context, value, member_of<Member>(context.unit), Which);
    },
    [](const Unit& unit) { return format_device_limits(member_of<Member>(unit), Which); }};

template <auto Member>
constexpr Codec kAddresses{
    [](ParseContext& context, std::string_view value) {
      return parse_addresses(context, value, member_of<Member>(context.unit));
    },
    [](const Unit& unit) { return format_addresses(member_of<Member>(unit)); }};
template <auto Member>
constexpr Codec kBindRules{
    [](ParseContext& context, std::string_view value) {
      return parse_bind_rule(context, value, member_of<Member>(context.unit));
    },
    [](const Unit& unit) { return format_bind_rules(member_of<Member>(unit)); }};

// ---- settings of their own ------------------------------------------------------

constexpr std::uint64_t kSecond = 1000000;

/// A percentage of one CPU, kept as µs of it in a second.
std::string parse_cpu_quota(ParseContext& context, std::string_view value) {
  auto& quota = config_of<R>(context.unit).cpu_quota;
  if (value.empty()) {
    quota.reset();
    return {};
  }
  auto part = parse_permyriad(value, true);
  if (!part) return std::move(part).error();
  if (*part == 0) return "a percentage above 0";
  quota = std::uint64_t{*part} * (kSecond / 10000);
  return {};
}
std::string show_cpu_quota(const Unit& unit) {
  const auto& quota = config_of<R>(unit).cpu_quota;
  return quota ? format_span(Duration(static_cast<Duration::rep>(*quota))) : "infinity";
}
std::string parse_quota_period(ParseContext& context, std::string_view value) {
  auto& period = config_of<R>(context.unit).cpu_quota_period;
  if (value.empty()) {
    period = kInfinity;
    return {};
  }
  auto span = parse_span(value);
  if (!span) return std::move(span).error();
  period = *span;
  return {};
}

std::string show_tasks_max(const Unit& unit) {
  const auto& most = config_of<R>(unit).tasks_max;
  return most ? format_amount(*most) : std::string{};
}

std::string parse_io_latency(ParseContext& context, std::string_view value) {
  return parse_device_latency(context, value, config_of<R>(context.unit).io_latency_targets);
}
std::string show_io_latency(const Unit& unit) {
  return format_device_latencies(config_of<R>(unit).io_latency_targets);
}
std::string parse_device_allow(ParseContext& context, std::string_view value) {
  return parse_device_rule(context, value, config_of<R>(context.unit).device_allow);
}
std::string show_device_allow(const Unit& unit) {
  return format_device_rules(config_of<R>(unit).device_allow);
}
std::string show_disabled(const Unit& unit) {
  return format_controllers(config_of<R>(unit).disabled);
}

template <auto Member>
constexpr Codec kPaths{[](ParseContext& context, std::string_view value) {
                         return parse_path_list(context, value, member_of<Member>(context.unit));
                       },
                       [](const Unit& unit) { return format_lines(member_of<Member>(unit)); }};
std::string parse_program(ParseContext& context, std::string_view value) {
  return parse_pinned_program(context, value, config_of<R>(context.unit).programs);
}
std::string show_programs(const Unit& unit) {
  return format_pinned_programs(config_of<R>(unit).programs);
}
std::string parse_interface_rule(ParseContext& context, std::string_view value) {
  return parse_interfaces(context, value, config_of<R>(context.unit).interfaces);
}
std::string show_interfaces(const Unit& unit) {
  return format_interfaces(config_of<R>(unit).interfaces);
}

std::string parse_pressure_limit(ParseContext& context, std::string_view value) {
  unsigned& limit = config_of<R>(context.unit).oom_pressure_limit;
  if (value.empty()) {
    limit = 0;
    return {};
  }
  auto part = parse_permyriad(value);
  if (!part) return std::move(part).error();
  limit = *part;
  return {};
}
/// systemd's share of 2^32 - 1.
std::string show_pressure_limit(const Unit& unit) {
  const std::uint64_t part = config_of<R>(unit).oom_pressure_limit;
  return format("{}", (part * UINT32_MAX + 5000) / 10000);
}
/// More than the kernel's windows of two seconds can tell apart is not asked for.
Parsed<Duration> pressure_duration(std::string_view text) {
  auto span = parse_span(text);
  if (span && *span < std::chrono::seconds(1)) return Failure{std::string("at least 1s")};
  return span;
}
/// Or what is said of booleans.
Parsed<PressureWatch> pressure_watch(std::string_view text) {
  if (const auto word = from_string<PressureWatch>(text)) return *word;
  const auto on = parse_bool(text);
  if (!on) return Failure{expected_words<PressureWatch>()};
  return *on ? PressureWatch::On : PressureWatch::Off;
}

constexpr Directive guard(std::string_view name, Codec codec, std::string_view help) {
  return protecting(S, name, codec, help);
}

constexpr Directive kRows[] = {
    honoured(S, "Slice", {parse_slice, show_member<&C::slice>},
             "The slice in whose cgroup the unit's own lies."),
    honoured(S, "Delegate", {parse_delegate, show_member<&C::delegate>},
             "The unit manages the cgroups below its own; yes, or the controllers it gets."),

    honoured(S, "CPUAccounting", kAccounting<&R::cpu_accounting>, "Count CPU time."),
    honoured(S, "CPUWeight", kCpuWeight<&R::cpu_weight>, "Share of CPU time, 1 to 10000, or idle."),
    honoured(S, "StartupCPUWeight", kCpuWeight<&R::startup_cpu_weight>,
             "The same during boot and shutdown."),
    honoured(S, "CPUQuota", {parse_cpu_quota, show_cpu_quota}, "At most this much of one CPU.",
             "CPUQuotaPerSecUSec"),
    honoured(S, "CPUQuotaPeriodSec", {parse_quota_period, show_member<&R::cpu_quota_period>},
             "Over which time that is measured.", "CPUQuotaPeriodUSec"),
    honoured(S, "AllowedCPUs", kNumbers<&R::allowed_cpus>, "The CPUs to run on."),
    honoured(S, "StartupAllowedCPUs", kNumbers<&R::startup_allowed_cpus>,
             "The same during boot and shutdown."),
    honoured(S, "AllowedMemoryNodes", kNumbers<&R::allowed_memory_nodes>,
             "The NUMA nodes to take memory from."),
    honoured(S, "StartupAllowedMemoryNodes", kNumbers<&R::startup_allowed_memory_nodes>,
             "The same during boot and shutdown."),

    honoured(S, "MemoryAccounting", kAccounting<&R::memory_accounting>, "Count memory."),
    honoured(S, "MemoryMin", kProtection<&R::memory_min>, "Memory that is never reclaimed."),
    honoured(S, "MemoryLow", kProtection<&R::memory_low>, "Memory that is reclaimed last."),
    honoured(S, "DefaultMemoryMin", kProtection<&R::default_memory_min>,
             "MemoryMin= of the units below."),
    honoured(S, "DefaultMemoryLow", kProtection<&R::default_memory_low>,
             "MemoryLow= of the units below."),
    honoured(S, "MemoryHigh", kMemoryLimit<&R::memory_high>,
             "Memory above which the unit is slowed down."),
    honoured(S, "MemoryMax", kMemoryLimit<&R::memory_max>,
             "Memory above which processes are killed."),
    honoured(S, "MemorySwapMax", kMemory<&R::memory_swap_max>, "Swap space that may be used."),
    honoured(S, "MemoryZSwapMax", kMemory<&R::memory_zswap_max>,
             "Compressed swap in memory that may be used.", {}, 253),
    honoured(S, "MemoryLimit", kMemoryLimit<&R::memory_limit>, "Old form of MemoryMax=."),

    honoured(S, "TasksAccounting", kAccounting<&R::tasks_accounting>,
             "Count processes and threads."),
    honoured(S, "TasksMax", {parse_amount<&R::tasks_max, parse_tasks>, show_tasks_max},
             "How many of them there may be."),

    honoured(S, "IOAccounting", kAccounting<&R::io_accounting>, "Count I/O."),
    honoured(S, "IOWeight", kWeight<&R::io_weight, 1, 10000>, "Share of I/O, 1 to 10000."),
    honoured(S, "StartupIOWeight", kWeight<&R::startup_io_weight, 1, 10000>,
             "The same during boot and shutdown."),
    honoured(S, "IODeviceWeight", kDeviceWeight<&R::io_device_weights, 1, 10000>,
             "The share for one device."),
    honoured(S, "IOReadBandwidthMax", kDeviceLimit<&R::io_limits, IoLimit::ReadBandwidth>,
             "Bytes a second read from a device."),
    honoured(S, "IOWriteBandwidthMax", kDeviceLimit<&R::io_limits, IoLimit::WriteBandwidth>,
             "Bytes a second written to a device."),
    honoured(S, "IOReadIOPSMax", kDeviceLimit<&R::io_limits, IoLimit::ReadIops>,
             "Reads a second from a device."),
    honoured(S, "IOWriteIOPSMax", kDeviceLimit<&R::io_limits, IoLimit::WriteIops>,
             "Writes a second to a device."),
    honoured(S, "IODeviceLatencyTargetSec", {parse_io_latency, show_io_latency},
             "Latency that a device should keep.", "IODeviceLatencyTargetUSec"),

    honoured(S, "IPAccounting", kAccounting<&R::ip_accounting>, "Count network traffic."),
    guard("IPAddressAllow", kAddresses<&R::ip_allow>, "Addresses that may be talked to."),
    guard("IPAddressDeny", kAddresses<&R::ip_deny>, "Addresses that may not."),
    guard("IPIngressFilterPath", kPaths<&R::ingress_filters>, "BPF programs for incoming packets."),
    guard("IPEgressFilterPath", kPaths<&R::egress_filters>, "BPF programs for outgoing packets."),
    guard("BPFProgram", {parse_program, show_programs}, "BPF programs that are attached."),
    guard("SocketBindAllow", kBindRules<&R::bind_allow>, "Ports that sockets may be bound to."),
    guard("SocketBindDeny", kBindRules<&R::bind_deny>, "Ports that they may not."),
    guard("RestrictNetworkInterfaces", {parse_interface_rule, show_interfaces},
          "Network interfaces that may be used."),
    guard("DeviceAllow", {parse_device_allow, show_device_allow},
          "Devices that may be used, and how."),
    guard("DevicePolicy", kWord<&R::device_policy, DevicePolicy>,
          "Which devices may be used besides."),

    honoured(S, "DisableControllers", {parse_disabled, show_disabled},
             "Controllers that are kept off below."),
    honoured(S, "ManagedOOMSwap", kWord<&R::oom_on_swap, ManagedOom>,
             "Kill below the unit when the machine's swap space is used up."),
    honoured(S, "ManagedOOMMemoryPressure", kWord<&R::oom_on_pressure, ManagedOom>,
             "Kill below the unit when it waits for memory for too long."),
    honoured(S, "ManagedOOMMemoryPressureLimit", {parse_pressure_limit, show_pressure_limit},
             "From which share of its time on."),
    honoured(S, "ManagedOOMMemoryPressureDurationSec",
             {parse_or_reset<&R::oom_pressure_duration, pressure_duration>,
              show_member<&R::oom_pressure_duration>},
             "For how long it has to last.", "ManagedOOMMemoryPressureDurationUSec", 257),
    honoured(S, "ManagedOOMPreference", kWord<&R::oom_preference, OomPreference>,
             "Whether the unit is spared then."),
    honoured(S, "MemoryPressureWatch",
             {parse_or_reset<&R::pressure_watch, pressure_watch>, show_member<&R::pressure_watch>},
             "Tell the processes where they can watch the pressure on the unit's memory.", {}, 254),
    honoured(S, "MemoryPressureThresholdSec",
             {parse_or_reset<&R::pressure_threshold, span_of_seconds>,
              show_member<&R::pressure_threshold>},
             "How much waiting of 2 s they should be told of.", "MemoryPressureThresholdUSec", 254),

    // cgroup v1.
    honoured(S, "CPUShares", kWeight<&R::cpu_shares, 2, 262144>, "Old form of CPUWeight=."),
    honoured(S, "StartupCPUShares", kWeight<&R::startup_cpu_shares, 2, 262144>,
             "Old form of StartupCPUWeight=."),
    honoured(S, "BlockIOAccounting", kAccounting<&R::block_io_accounting>,
             "Old form of IOAccounting=."),
    honoured(S, "BlockIOWeight", kWeight<&R::block_io_weight, 10, 1000>, "Old form of IOWeight=."),
    honoured(S, "StartupBlockIOWeight", kWeight<&R::startup_block_io_weight, 10, 1000>,
             "Old form of StartupIOWeight=."),
    honoured(S, "BlockIODeviceWeight", kDeviceWeight<&R::block_io_device_weights, 10, 1000>,
             "Old form of IODeviceWeight=."),
    honoured(S, "BlockIOReadBandwidth", kDeviceLimit<&R::block_io_limits, IoLimit::ReadBandwidth>,
             "Old form of IOReadBandwidthMax=."),
    honoured(S, "BlockIOWriteBandwidth", kDeviceLimit<&R::block_io_limits, IoLimit::WriteBandwidth>,
             "Old form of IOWriteBandwidthMax=."),
    obsolete(S, "NetClass", "Belonged to the net_cls controller."),
};

}  // namespace

std::span<const Directive> resource_directives() {
  return kRows;
}

}  // namespace onset
