// systemd.resource-control(5). Placing a unit in the tree of cgroups is
// honoured; the limits are not yet.

#include "unit/directive_checks.h"
#include "unit/directive_codecs.h"
#include "unit/directive_rooms.h"
#include "unit/name.h"

namespace onset {
namespace {

using C = CgroupConfig;
constexpr Section S = Section::Service;

std::string parse_slice(ParseContext& context, std::string_view value) {
  std::string& slice = config_of<C>(context.unit).slice;
  auto name = expand_value(context, value, kUnitNameMax);
  if (!name) return std::move(name).error();
  if (unit_type_of(*name) != UnitType::Slice || !is_plain(*name)) return "the name of a slice";
  slice = std::move(*name);
  return {};
}

/// A boolean, or the controllers that are delegated.
std::string parse_delegate(ParseContext& context, std::string_view value) {
  bool& delegate = config_of<C>(context.unit).delegate;
  if (const auto on = parse_bool(value)) {
    delegate = *on;
    return {};
  }
  std::string expected = check_controllers(context, value);
  if (!expected.empty()) return "a boolean or " + expected;
  delegate = true;
  return {};
}

constexpr std::string_view kDevicePolicy[] = {"auto", "closed", "strict"};
constexpr std::string_view kManagedOom[] = {"auto", "kill"};
constexpr std::string_view kPreference[] = {"none", "avoid", "omit"};

std::string check_cpu_weight(ParseContext& context, std::string_view value) {
  return value == "idle" ? std::string{} : check_integer<1, 10000>(context, value);
}
std::string check_cpu_quota(ParseContext&, std::string_view value) {
  if (value.empty()) return {};
  auto quota = parse_permyriad(value, true);
  if (!quota) return std::move(quota).error();
  return *quota > 0 ? std::string{} : std::string("a percentage above 0");
}
std::string check_pressure_limit(ParseContext& context, std::string_view value) {
  return check_or_reset<[](std::string_view text) { return parse_permyriad(text); }>(context,
                                                                                     value);
}

constexpr Directive row(std::string_view name, ParseFn check, std::string_view help,
                        std::string_view inert = {}) {
  return not_yet(S, name, check, help, inert);
}

constexpr Directive kRows[] = {
    honoured(S, "Slice", {parse_slice, show_member<&C::slice>},
             "The slice in whose cgroup the unit's own lies."),
    without_effect(honoured(S, "Delegate", {parse_delegate, show_member<&C::delegate>},
                            "The unit manages the cgroups below its own."),
                   "no"),

    row("CPUAccounting", check_bool, "Count CPU time.", "no"),
    row("CPUWeight", check_cpu_weight, "Share of CPU time, 1 to 10000.", "100"),
    row("StartupCPUWeight", check_cpu_weight, "The same during boot and shutdown.", "100"),
    row("CPUQuota", check_cpu_quota, "At most this much of one CPU."),
    row("CPUQuotaPeriodSec", check_span, "Over which time that is measured."),
    row("AllowedCPUs", check_cpu_set, "The CPUs to run on."),
    row("StartupAllowedCPUs", check_cpu_set, "The same during boot and shutdown."),
    row("AllowedMemoryNodes", check_cpu_set, "The NUMA nodes to take memory from."),
    row("StartupAllowedMemoryNodes", check_cpu_set, "The same during boot and shutdown."),

    row("MemoryAccounting", check_bool, "Count memory.", "no"),
    row("MemoryMin", check_memory, "Memory that is never reclaimed.", "0"),
    row("MemoryLow", check_memory, "Memory that is reclaimed last.", "0"),
    row("DefaultMemoryMin", check_memory, "MemoryMin= of the units below.", "0"),
    row("DefaultMemoryLow", check_memory, "MemoryLow= of the units below.", "0"),
    row("MemoryHigh", check_memory_limit, "Memory above which the unit is slowed down.",
        "infinity"),
    row("MemoryMax", check_memory_limit, "Memory above which processes are killed.", "infinity"),
    row("MemorySwapMax", check_memory, "Swap space that may be used.", "infinity"),
    row("MemoryLimit", check_memory_limit, "Old form of MemoryMax=.", "infinity"),

    row("TasksAccounting", check_bool, "Count processes and threads.", "no"),
    row("TasksMax", check_tasks, "How many of them there may be.", "infinity"),

    row("IOAccounting", check_bool, "Count I/O.", "no"),
    row("IOWeight", check_integer<1, 10000>, "Share of I/O, 1 to 10000.", "100"),
    row("StartupIOWeight", check_integer<1, 10000>, "The same during boot and shutdown.", "100"),
    row("IODeviceWeight", check_device_value, "The share for one device."),
    row("IOReadBandwidthMax", check_device_value, "Bytes a second read from a device."),
    row("IOWriteBandwidthMax", check_device_value, "Bytes a second written to a device."),
    row("IOReadIOPSMax", check_device_value, "Reads a second from a device."),
    row("IOWriteIOPSMax", check_device_value, "Writes a second to a device."),
    row("IODeviceLatencyTargetSec", check_device_value, "Latency that a device should keep."),

    row("IPAccounting", check_bool, "Count network traffic.", "no"),
    not_yet_protecting(S, "IPAddressAllow", check_addresses, "Addresses that may be talked to."),
    not_yet_protecting(S, "IPAddressDeny", check_addresses, "Addresses that may not."),
    not_yet_protecting(S, "IPIngressFilterPath", check_path, "BPF programs for incoming packets."),
    not_yet_protecting(S, "IPEgressFilterPath", check_path, "BPF programs for outgoing packets."),
    not_yet_protecting(S, "BPFProgram", check_text, "BPF programs that are attached."),
    not_yet_protecting(S, "SocketBindAllow", check_text, "Ports that sockets may be bound to."),
    not_yet_protecting(S, "SocketBindDeny", check_text, "Ports that they may not."),
    not_yet_protecting(S, "RestrictNetworkInterfaces", check_words,
                       "Network interfaces that may be used."),
    not_yet_protecting(S, "DeviceAllow", check_device, "Devices that may be used, and how."),
    not_yet_protecting(S, "DevicePolicy", check_word<kDevicePolicy>,
                       "Which devices may be used besides.", "auto"),

    row("DisableControllers", check_controllers, "Controllers that are kept off below."),
    row("ManagedOOMSwap", check_word<kManagedOom>, "Whether systemd-oomd acts on swap use.",
        "auto"),
    row("ManagedOOMMemoryPressure", check_word<kManagedOom>,
        "Whether systemd-oomd acts on memory pressure.", "auto"),
    row("ManagedOOMMemoryPressureLimit", check_pressure_limit, "From which pressure on."),
    row("ManagedOOMPreference", check_word<kPreference>, "Whom systemd-oomd spares.", "none"),

    // cgroup v1.
    row("CPUShares", check_integer<2, 262144>, "Old form of CPUWeight=."),
    row("StartupCPUShares", check_integer<2, 262144>, "Old form of StartupCPUWeight=."),
    row("BlockIOAccounting", check_bool, "Old form of IOAccounting=.", "no"),
    row("BlockIOWeight", check_integer<10, 1000>, "Old form of IOWeight=."),
    row("StartupBlockIOWeight", check_integer<10, 1000>, "Old form of StartupIOWeight=."),
    row("BlockIODeviceWeight", check_device_value, "Old form of IODeviceWeight=."),
    row("BlockIOReadBandwidth", check_device_value, "Old form of IOReadBandwidthMax=."),
    row("BlockIOWriteBandwidth", check_device_value, "Old form of IOWriteBandwidthMax=."),
    obsolete(S, "NetClass", "Belonged to the net_cls controller."),
};

}  // namespace

std::span<const Directive> resource_directives() {
  return kRows;
}

}  // namespace onset
