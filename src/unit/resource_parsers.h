#pragma once
// The values of systemd.resource-control(5) that have a syntax of their own; the
// rows are in directives_resource.cpp. What a machine's share is measured by
// comes from HostFacts: where that is not known a percentage is no limit.

#include <string>
#include <string_view>

#include "unit/directive_codecs.h"
#include "unit/resource_config.h"

namespace onset {

// ---- amounts ------------------------------------------------------------------
/// Bytes, a percentage or "infinity".
Parsed<std::uint64_t> parse_memory(const HostFacts& host, std::string_view text);
/// As parse_memory, and more than nothing.
Parsed<std::uint64_t> parse_memory_limit(const HostFacts& host, std::string_view text);
/// A number, a percentage of what the machine can have, or "infinity".
Parsed<std::uint64_t> parse_tasks(const HostFacts& host, std::string_view text);
Parsed<std::uint32_t> parse_cpu_weight(std::string_view text);
std::string format_amount(std::uint64_t amount);  ///< or "infinity"

// ---- sets of numbers ------------------------------------------------------------
/// "0-3 5,7", added to what is there.
std::string parse_numbers(const ParseContext& context, std::string_view value, NumberSet& to);
void add_range(NumberSet& set, unsigned first, unsigned last);
/// "0-3 5" with the given separator.
std::string format_numbers(const NumberSet& set, std::string_view separator = " ");

// ---- controllers ----------------------------------------------------------------
/// The names that systemd takes; those of cgroup v1 and of BPF are no bits.
Parsed<ControllerSet> parse_controllers(std::string_view text);
std::string_view controller_name(Controller c);
std::string format_controllers(ControllerSet set);

// ---- devices ----------------------------------------------------------------------
enum class IoLimit : std::uint8_t { ReadBandwidth, WriteBandwidth, ReadIops, WriteIops };
std::uint64_t DeviceLimits::*member_of(IoLimit limit);
std::string parse_device_weight(const ParseContext& context, std::string_view value,
                                std::vector<DeviceAmount>& to, unsigned lowest, unsigned highest);
std::string parse_device_limit(const ParseContext& context, std::string_view value,
                               std::vector<DeviceLimits>& to, IoLimit which);
std::string parse_device_latency(const ParseContext& context, std::string_view value,
                                 std::vector<DeviceAmount>& to);
std::string parse_device_rule(const ParseContext& context, std::string_view value,
                              std::vector<DeviceRule>& to);
/// A line for each.
std::string format_device_amounts(const std::vector<DeviceAmount>& list);
std::string format_device_latencies(const std::vector<DeviceAmount>& list);
std::string format_device_limits(const std::vector<DeviceLimits>& list, IoLimit which);
std::string format_device_rules(const std::vector<DeviceRule>& list);

// ---- programs and interfaces (resource_programs.cpp) --------------------------------
/// An absolute path more; an empty value takes all back.
std::string parse_path_list(const ParseContext& context, std::string_view value,
                            std::vector<std::string>& to);
/// A line for each.
std::string format_lines(const std::vector<std::string>& list);
/// "HOOK:PATH", once each.
std::string parse_pinned_program(const ParseContext& context, std::string_view value,
                                 std::vector<PinnedProgram>& to);
std::string format_pinned_programs(const std::vector<PinnedProgram>& list);
/// "NAME…" or "~NAME…": the first says which list it is, later ones add to it or take from it.
std::string parse_interfaces(ParseContext& context, std::string_view value,
                             std::optional<InterfaceList>& to);
std::string format_interfaces(const std::optional<InterfaceList>& list);

// ---- addresses (resource_addresses.cpp) ---------------------------------------------
/// "ADDRESS[/LENGTH]…", any, localhost, link-local, multicast; added to what is there.
std::string parse_addresses(const ParseContext& context, std::string_view value,
                            std::vector<AddressPrefix>& to);
std::string format_addresses(const std::vector<AddressPrefix>& list);
/// "[ipv4:|ipv6:][tcp:|udp:]PORT|PORT-PORT|any".
std::string parse_bind_rule(const ParseContext& context, std::string_view value,
                            std::vector<BindRule>& to);
std::string format_bind_rules(const std::vector<BindRule>& list);

}  // namespace onset
