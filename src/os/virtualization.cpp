#include "os/virtualization.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

#include "base/text.h"
#include "os/kernel.h"
#include "os/process_text.h"
#include "unit/environment.h"

namespace onset {
namespace {

constexpr std::size_t kLimit = 65536;

struct Word {
  std::string_view mark;
  std::string_view name;
};

constexpr std::array<std::string_view, 11> kContainers{
    "lxc", "lxc-libvirt", "systemd-nspawn", "docker", "podman",         "rkt",
    "wsl", "proot",       "pouch",          "openvz", "container-other"};

std::string container_word(std::string_view value) {
  if (value.empty()) return {};
  if (value == "oci") return "docker";  // what an OCI runtime says of itself
  const bool known = std::ranges::find(kContainers, value) != kContainers.end();
  return std::string(known ? value : "container-other");
}

bool exists(const char* path) {
  return ::access(path, F_OK) == 0;
}

std::string read_text(FileSource& files, std::string_view path) {
  auto text = files.read(path, kLimit);
  return text ? std::string(without_line_end(*text)) : std::string();
}

/// The variable `container` of PID 1, where that is not us.
std::string of_process_one(FileSource& files) {
  auto text = files.read("/proc/1/environ", 4U << 20U);
  if (!text) return {};
  return std::string(find_variable(*text, "container").value_or(""));
}

std::string by_marks() {
  if (exists("/run/.containerenv")) return "podman";
  if (exists("/.dockerenv")) return "docker";
  return {};
}

std::string vm_by_cpuid() {
#if defined(__x86_64__) || defined(__i386__)
  constexpr unsigned kHypervisorBit = 1U << 31U;
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & kHypervisorBit) == 0) return {};
  __cpuid(0x40000000U, a, b, c, d);
  char signature[13] = {};
  std::memcpy(signature, &b, 4);
  std::memcpy(signature + 4, &c, 4);
  std::memcpy(signature + 8, &d, 4);
  static constexpr std::array<Word, 10> kVendors{{
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
  for (const Word& vendor : kVendors) {
    if (vendor.mark == signature) return std::string(vendor.name);
  }
  return "vm-other";
#else
  return {};
#endif
}

std::string vm_by_dmi(FileSource& files) {
  static constexpr std::array<const char*, 5> kFields{
      "/sys/class/dmi/id/product_name", "/sys/class/dmi/id/sys_vendor",
      "/sys/class/dmi/id/board_vendor", "/sys/class/dmi/id/bios_vendor",
      "/sys/class/dmi/id/product_version"};
  static constexpr std::array<Word, 15> kVendors{{
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
  for (const char* field : kFields) {
    const std::string value = read_text(files, field);
    for (const Word& vendor : kVendors) {
      if (value.starts_with(vendor.mark)) return std::string(vendor.name);
    }
  }
  return {};
}

std::string vm_by_device_tree(FileSource& files) {
  const std::string hypervisor = read_text(files, "/proc/device-tree/hypervisor/compatible");
  if (hypervisor.starts_with("linux,kvm")) return "kvm";
  if (hypervisor.find("xen") != std::string::npos) return "xen";
  if (hypervisor.find("vmware") != std::string::npos) return "vmware";
  if (!hypervisor.empty()) return "vm-other";
  const std::string machine = read_text(files, "/proc/device-tree/compatible");
  if (machine.find("qemu,pseries") != std::string::npos) return "qemu";
  if (machine.find("linux,dummy-virt") != std::string::npos) return "kvm";
  return {};
}

/// Dom0 of Xen is the machine itself.
bool is_xen_host(FileSource& files) {
  return read_text(files, "/proc/xen/capabilities").find("control_d") != std::string::npos;
}

}  // namespace

std::string detect_container(const std::vector<std::string>& environment, FileSource& files) {
  if (exists("/proc/vz") && !exists("/proc/bc")) return "openvz";
  const std::string release = read_text(files, "/proc/sys/kernel/osrelease");
  if (release.find("Microsoft") != std::string::npos || release.find("WSL") != std::string::npos) {
    return "wsl";
  }
  if (::getpid() == 1) {
    const Environment own(environment);
    if (const auto value = own.get("container")) return container_word(*value);
    return by_marks();
  }
  std::string word = container_word(read_text(files, "/run/systemd/container"));
  if (word.empty()) word = container_word(of_process_one(files));
  return word.empty() ? by_marks() : word;
}

std::string detect_vm(FileSource& files) {
  // A hypervisor that names itself in DMI says more than the CPU does, where
  // the two differ: Amazon, Oracle, Xen and Apple run on KVM's or none.
  const std::string dmi = vm_by_dmi(files);
  if (dmi == "oracle" || dmi == "xen" || dmi == "amazon" || dmi == "parallels") return dmi;
  if (read_text(files, "/proc/cpuinfo").find("User Mode Linux") != std::string::npos) return "uml";
  std::string vm = vm_by_cpuid();
  if (vm == "xen" && is_xen_host(files)) return {};
  if (!vm.empty() && vm != "vm-other") return vm;
  if (!dmi.empty()) return dmi;
  if (read_text(files, "/sys/hypervisor/type") == "xen") return is_xen_host(files) ? "" : "xen";
  if (const std::string tree = vm_by_device_tree(files); !tree.empty()) return tree;
  const std::string control = read_text(files, "/proc/sysinfo");
  if (control.find("VM00 Control Program") != std::string::npos) {
    return control.find("z/VM") != std::string::npos ? "zvm" : "kvm";
  }
  return vm;
}

bool in_user_namespace(FileSource& files) {
  for (const char* path : {"/proc/self/uid_map", "/proc/self/gid_map"}) {
    auto text = files.read(path, kLimit);
    if (!text) continue;
    const auto words = split_whitespace(*text);
    const bool whole =
        words.size() == 3 && words[0] == "0" && words[1] == "0" && words[2] == "4294967295";
    if (!words.empty() && !whole) return true;
  }
  return read_text(files, "/proc/self/setgroups") == "deny";
}

}  // namespace onset
