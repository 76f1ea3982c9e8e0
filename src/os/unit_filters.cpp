#include "os/unit_filters.h"

#include <net/if.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>

#include "base/text.h"
#include "os/bpf_filters.h"
#include "os/kernel.h"

namespace onset {
namespace {

constexpr std::string_view kBySymlink[] = {"/dev/char/", "/dev/block/"};

bool guards_devices(const ResourceConfig& c) {
  return c.device_policy != DevicePolicy::Auto || !c.device_allow.empty();
}

/// "/dev/char/1:3" names a device that need not be there.
std::optional<dev_t> number_in_path(std::string_view path, bool& is_block) {
  for (const std::string_view folder : kBySymlink) {
    if (!path.starts_with(folder)) continue;
    const std::string_view number = path.substr(folder.size());
    const std::size_t colon = number.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const auto major_number = parse_uint<unsigned>(number.substr(0, colon));
    const auto minor_number = parse_uint<unsigned>(number.substr(colon + 1));
    if (!major_number || !minor_number) return std::nullopt;
    is_block = folder == kBySymlink[1];
    return makedev(*major_number, *minor_number);
  }
  return std::nullopt;
}

/// A device that is not there is not let pass, as nothing else is.
void add_device(std::vector<DeviceMatch>& to, const DeviceRule& rule) {
  bool is_block = false;
  std::optional<dev_t> device = number_in_path(rule.device, is_block);
  struct stat st {};
  if (!device && ::stat(rule.device.c_str(), &st) == 0 &&
      (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))) {
    device = st.st_rdev;
    is_block = S_ISBLK(st.st_mode);
  }
  if (!device) return;
  to.push_back({is_block, major(*device), minor(*device), rule.read, rule.write, rule.create});
}

BpfProgram device_filter(const ResourceConfig& c) {
  std::vector<DeviceMatch> allowed;
  if (c.device_policy != DevicePolicy::Strict) {
    const auto pseudo = pseudo_devices();
    allowed.assign(pseudo.begin(), pseudo.end());
  }
  std::string groups;
  for (const DeviceRule& rule : c.device_allow) {
    if (rule.device.starts_with('/')) {
      add_device(allowed, rule);
      continue;
    }
    if (groups.empty()) groups = read_kernel_file("/proc/devices").value_or("\n");
    const auto matches = match_device_group(rule, groups);
    allowed.insert(allowed.end(), matches.begin(), matches.end());
  }
  return device_program(allowed);
}

/// Of what is there now: one that comes later is in no list.
std::vector<unsigned> numbers_of(const InterfaceList& list) {
  std::vector<unsigned> numbers;
  for (const std::string& name : list.names) {
    if (const unsigned number = ::if_nametoindex(name.c_str()); number != 0) {
      numbers.push_back(number);
    }
  }
  return numbers;
}

/// The same program at the same place is attached once, whichever settings name it.
void add_pinned(std::vector<UnitFilter>& filters, const ResourceConfig& config) {
  const auto add = [&](BpfHook hook, std::string_view setting, const std::string& path) {
    const auto is_same = [&](const UnitFilter& f) { return f.hook == hook && f.path == path; };
    if (std::ranges::none_of(filters, is_same)) filters.push_back({hook, setting, {}, path});
  };
  for (const std::string& path : config.ingress_filters) {
    add(BpfHook::Ingress, "IPIngressFilterPath", path);
  }
  for (const std::string& path : config.egress_filters) {
    add(BpfHook::Egress, "IPEgressFilterPath", path);
  }
  for (const PinnedProgram& program : config.programs) {
    add(program.hook, "BPFProgram", program.path);
  }
}

}  // namespace

std::vector<std::string_view> guards_of(const ResourceConfig& config) {
  std::vector<std::string_view> settings;
  if (guards_devices(config)) {
    settings.push_back(config.device_policy == DevicePolicy::Auto ? "DeviceAllow" : "DevicePolicy");
  }
  if (!config.ip_deny.empty()) settings.push_back("IPAddressDeny");
  if (!config.bind_deny.empty()) settings.push_back("SocketBindDeny");
  if (config.interfaces) settings.push_back("RestrictNetworkInterfaces");
  if (!config.ingress_filters.empty()) settings.push_back("IPIngressFilterPath");
  if (!config.egress_filters.empty()) settings.push_back("IPEgressFilterPath");
  if (!config.programs.empty()) settings.push_back("BPFProgram");
  if (config.ip_accounting.value_or(false)) settings.push_back("IPAccounting");
  return settings;
}

std::vector<UnitFilter> filters_of(const ResourceConfig& config,
                                   const std::vector<AddressPrefix>& allow,
                                   const std::vector<AddressPrefix>& deny) {
  std::vector<UnitFilter> filters;
  if (guards_devices(config)) {
    filters.push_back({BpfHook::Device, guards_of(config).front(), device_filter(config), {}});
  }
  if (!deny.empty()) {
    constexpr std::string_view kSetting = "IPAddressDeny";
    filters.push_back(
        {BpfHook::Ingress, kSetting, address_program(allow, deny, Traffic::Ingress), {}});
    filters.push_back(
        {BpfHook::Egress, kSetting, address_program(allow, deny, Traffic::Egress), {}});
  }
  if (!config.bind_deny.empty()) {
    constexpr std::string_view kSetting = "SocketBindDeny";
    filters.push_back(
        {BpfHook::Bind4, kSetting, bind_program(config.bind_allow, config.bind_deny, AF_INET), {}});
    filters.push_back({BpfHook::Bind6,
                       kSetting,
                       bind_program(config.bind_allow, config.bind_deny, AF_INET6),
                       {}});
  }
  if (config.interfaces) {
    constexpr std::string_view kSetting = "RestrictNetworkInterfaces";
    const BpfProgram program =
        interface_program(numbers_of(*config.interfaces), config.interfaces->is_denied);
    filters.push_back({BpfHook::Ingress, kSetting, program, {}});
    filters.push_back({BpfHook::Egress, kSetting, program, {}});
  }
  add_pinned(filters, config);
  return filters;
}

}  // namespace onset
