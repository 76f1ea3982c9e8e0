#pragma once
// What a unit may reach, as programs of the kernel's: devices, addresses, ports
// (systemd.resource-control(5): DevicePolicy=, IPAddressDeny=, SocketBindDeny= and
// their kin). Pure; bpf_attach puts them to work.

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "os/bpf_program.h"
#include "unit/resource_config.h"

namespace onset {

/// Devices that a rule lets pass: of a kind, and of these numbers where given.
struct DeviceMatch {
  bool is_block = false;
  std::optional<unsigned> major;
  std::optional<unsigned> minor;
  bool read = true;
  bool write = true;
  bool create = true;
  bool operator==(const DeviceMatch&) const = default;
};

/// What DevicePolicy=closed lets pass: /dev/null and its kin, terminals of one's own.
std::span<const DeviceMatch> pseudo_devices();
/// "char-GLOB" and "block-GLOB" by /proc/devices: the majors of what matches.
std::vector<DeviceMatch> match_device_group(const DeviceRule& rule, std::string_view proc_devices);

/// BPF_PROG_TYPE_CGROUP_DEVICE
BpfProgram device_program(std::span<const DeviceMatch> allowed);

enum class Traffic : bool { Ingress, Egress };
/// An entry of the map.
struct TrafficCount {
  std::uint64_t bytes = 0;
  std::uint64_t packets = 0;
};
/// BPF_PROG_TYPE_CGROUP_SKB. What is in no list passes, what is in both too.
BpfProgram address_program(std::span<const AddressPrefix> allow,
                           std::span<const AddressPrefix> deny, Traffic traffic);

/// BPF_PROG_TYPE_CGROUP_SKB: only these interfaces, by number, or all but these.
BpfProgram interface_program(std::span<const unsigned> interfaces, bool is_denied);

/// The same: counts in the entry of `traffic` in a map as make_traffic_map() has made it, and
/// lets pass.
BpfProgram counting_program(BorrowedFd map, Traffic traffic);

/// BPF_PROG_TYPE_CGROUP_SOCK_ADDR at bind(2); `family` is AF_INET or AF_INET6.
BpfProgram bind_program(std::span<const BindRule> allow, std::span<const BindRule> deny,
                        int family);

}  // namespace onset
