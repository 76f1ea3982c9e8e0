#include "os/machine_text.h"

#include <algorithm>
#include <array>

#include "base/format.h"
#include "base/text.h"
#include "unit/values.h"
#include "unit/words.h"

namespace onset {
namespace {

constexpr auto npos = std::string_view::npos;

struct Word {
  std::string_view mark;
  std::string_view name;
};

constexpr std::array<std::string_view, 11> kContainers{
    "lxc", "lxc-libvirt", "systemd-nspawn", "docker", "podman",         "rkt",
    "wsl", "proot",       "pouch",          "openvz", "container-other"};

constexpr std::array<Word, 10> kCpuVendors{{
    {"XenVMMXenVMM", "xen"},
    {"KVMKVMKVM", "kvm"},
    {"Linux KVM Hv", "kvm"},
    {"TCGTCGTCGTCG", "qemu"},
    {"VMwareVMware", "vmware"},
    {"Microsoft Hv", "microsoft"},
    {"bhyve bhyve ", "bhyve"},
    {"QNXQVMBSQG", "qnx"},
    {"ACRNACRNACRN", "acrn"},
    {"SRESRESRESRE", "sre"},
}};

constexpr std::array<Word, 15> kDmiVendors{{
    {"KVM", "kvm"},
    {"OpenStack", "kvm"},
    {"KubeVirt", "kvm"},
    {"Amazon EC2", "amazon"},
    {"QEMU", "qemu"},
    {"VMware", "vmware"},
    {"VMW", "vmware"},
    {"innotek GmbH", "oracle"},
    {"VirtualBox", "oracle"},
    {"Oracle Corporation", "oracle"},
    {"Xen", "xen"},
    {"Bochs", "bochs"},
    {"Parallels", "parallels"},
    {"BHYVE", "bhyve"},
    {"Apple Virtualization", "apple"},
}};

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != npos;
}

/// Controllers of v1 as v2 names them.
std::string_view controller_name(std::string_view name) {
  if (name == "blkio") return "io";
  if (name == "cpuacct") return "cpu";
  return name;
}

/// "name", or "name=…".
bool is_argument(std::string_view argument, std::string_view name) {
  return argument.starts_with(name) &&
         (argument.size() == name.size() || argument[name.size()] == '=');
}

}  // namespace

bool has_kernel_argument(std::string_view command_line, std::string_view wanted) {
  const bool is_assignment = contains(wanted, "=");
  const auto is_it = [&](std::string_view argument) {
    return is_assignment ? argument == wanted : is_argument(argument, wanted);
  };
  constexpr auto kFlags = WordFlags::Unquote | WordFlags::RetainEscapes | WordFlags::Relax;
  if (const auto words = split_words(command_line, kFlags)) {
    return std::ranges::any_of(*words, is_it);
  }
  return std::ranges::any_of(split_whitespace(command_line), is_it);
}

std::optional<bool> kernel_switch(std::string_view command_line, std::string_view name) {
  std::optional<bool> answer;
  for (const std::string_view argument : split_whitespace(command_line)) {
    if (!is_argument(argument, name)) continue;
    if (argument.size() == name.size()) {
      answer = true;
    } else if (const auto on = parse_bool(argument.substr(name.size() + 1))) {
      answer = *on;
    }
  }
  return answer;
}

std::vector<std::string> enabled_controllers(std::string_view table) {
  std::vector<std::string> found;
  for (const std::string_view line : split(table, '\n')) {
    const auto words = split_whitespace(line);  // "name hierarchy groups enabled"
    if (words.size() == 4 && words[3] == "1") found.emplace_back(controller_name(words[0]));
  }
  return found;
}

bool is_compatible(std::string_view names, std::string_view wanted) {
  return std::ranges::any_of(split(names, '\0'),
                             [wanted](std::string_view name) { return name == wanted; });
}

bool may_hide_processes(std::string_view mountinfo) {
  return contains(mountinfo, "hidepid=");
}

bool maps_ids(std::string_view map) {
  const auto words = split_whitespace(map);
  const bool is_whole =
      words.size() == 3 && words[0] == "0" && words[1] == "0" && words[2] == "4294967295";
  return !words.empty() && !is_whole;
}

bool is_wsl_release(std::string_view release) {
  return contains(release, "Microsoft") || contains(release, "WSL");
}

std::string_view container_word(std::string_view value) {
  if (value.empty()) return {};
  if (value == "oci") return "docker";  // what an OCI runtime says of itself
  const auto known = std::ranges::find(kContainers, value);
  return known != kContainers.end() ? *known : "container-other";
}

std::string_view vm_of_cpuid(std::string_view signature) {
  const auto vendor = std::ranges::find(kCpuVendors, signature, &Word::mark);
  return vendor != kCpuVendors.end() ? vendor->name : "vm-other";
}

std::string_view vm_of_dmi(std::string_view field) {
  const auto vendor = std::ranges::find_if(
      kDmiVendors, [field](const Word& word) { return field.starts_with(word.mark); });
  return vendor != kDmiVendors.end() ? vendor->name : std::string_view();
}

std::string_view vm_of_device_tree(std::string_view hypervisor, std::string_view machine) {
  if (hypervisor.starts_with("linux,kvm")) return "kvm";
  if (contains(hypervisor, "xen")) return "xen";
  if (contains(hypervisor, "vmware")) return "vmware";
  if (!hypervisor.empty()) return "vm-other";
  if (contains(machine, "qemu,pseries")) return "qemu";
  if (contains(machine, "linux,dummy-virt")) return "kvm";
  return {};
}

std::string_view vm_of_sysinfo(std::string_view sysinfo) {
  if (!contains(sysinfo, "VM00 Control Program")) return {};
  return contains(sysinfo, "z/VM") ? "zvm" : "kvm";
}

}  // namespace onset
