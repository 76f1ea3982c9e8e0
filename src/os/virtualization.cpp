#include "os/virtualization.h"

#include <unistd.h>

#include <array>
#include <cstring>

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

#include "base/process_text.h"
#include "base/text.h"
#include "os/kernel.h"
#include "os/machine_text.h"
#include "unit/environment.h"

namespace onset {
namespace {

constexpr std::size_t kLimit = 65536;

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
  return std::string(vm_of_cpuid(signature));
#else
  return {};
#endif
}

std::string vm_by_dmi(FileSource& files) {
  static constexpr std::array<const char*, 5> kFields{
      "/sys/class/dmi/id/product_name", "/sys/class/dmi/id/sys_vendor",
      "/sys/class/dmi/id/board_vendor", "/sys/class/dmi/id/bios_vendor",
      "/sys/class/dmi/id/product_version"};
  for (const char* field : kFields) {
    const std::string_view vm = vm_of_dmi(read_text(files, field));
    if (!vm.empty()) return std::string(vm);
  }
  return {};
}

std::string vm_by_device_tree(FileSource& files) {
  return std::string(vm_of_device_tree(read_text(files, "/proc/device-tree/hypervisor/compatible"),
                                       read_text(files, "/proc/device-tree/compatible")));
}

/// Dom0 of Xen is the machine itself.
bool is_xen_host(FileSource& files) {
  return read_text(files, "/proc/xen/capabilities").find("control_d") != std::string::npos;
}

}  // namespace

std::string detect_container(const std::vector<std::string>& environment, FileSource& files) {
  if (exists("/proc/vz") && !exists("/proc/bc")) return "openvz";
  if (is_wsl_release(read_text(files, "/proc/sys/kernel/osrelease"))) return "wsl";
  if (::getpid() == 1) {
    const Environment own(environment);
    if (const auto value = own.get("container")) return std::string(container_word(*value));
    return by_marks();
  }
  std::string_view word = container_word(read_text(files, "/run/systemd/container"));
  if (word.empty()) word = container_word(of_process_one(files));
  return word.empty() ? by_marks() : std::string(word);
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
  const std::string_view ibm = vm_of_sysinfo(read_text(files, "/proc/sysinfo"));
  return ibm.empty() ? vm : std::string(ibm);
}

bool in_user_namespace(FileSource& files) {
  for (const char* path : {"/proc/self/uid_map", "/proc/self/gid_map"}) {
    auto text = files.read(path, kLimit);
    if (text && maps_ids(*text)) return true;
  }
  return read_text(files, "/proc/self/setgroups") == "deny";
}

}  // namespace onset
