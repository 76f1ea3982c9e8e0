#include "os/machine_text.h"

#include <catch2/catch.hpp>

using namespace onset;

namespace {

using namespace std::string_view_literals;
using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("an argument of the kernel is a word, with or without the value", "[os][machine_text]") {
  constexpr auto kLine = "ro quiet root=/dev/sda1 console=ttyS0 console=tty0 \"name=two words\""sv;
  for (const auto* wanted : {"ro", "quiet", "root", "root=/dev/sda1", "console=ttyS0",
                             "console=tty0", "name", "name=two words"}) {
    INFO(wanted);
    CHECK(has_kernel_argument(kLine, wanted));
  }
  for (const auto* wanted : {"r", "roo", "root=", "root=/dev/sda", "quiet=", "words", "ttyS0"}) {
    INFO(wanted);
    CHECK_FALSE(has_kernel_argument(kLine, wanted));
  }
  CHECK(has_kernel_argument("a \"b c", "a"));  // a quote that nobody closes
  CHECK_FALSE(has_kernel_argument("", "a"));
}

TEST_CASE("of a kernel switch the last that is a boolean counts", "[os][machine_text]") {
  CHECK(kernel_switch("a b", "a") == true);
  CHECK(kernel_switch("a=no b", "a") == false);
  CHECK(kernel_switch("a=no a=1", "a") == true);
  CHECK(kernel_switch("a=1 a=off", "a") == false);
  CHECK(kernel_switch("a=yes a=perhaps", "a") == true);
  CHECK_FALSE(kernel_switch("a=perhaps", "a"));
  CHECK_FALSE(kernel_switch("ab=1 ba=1", "a"));
  CHECK_FALSE(kernel_switch("", "a"));
}

TEST_CASE("controllers of v1 have the names of v2 and must be enabled", "[os][machine_text]") {
  CHECK(enabled_controllers("#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpuacct\t4\t64\t1\n"
                            "blkio\t5\t64\t1\nmemory\t8\t121\t0\npids\t10\t74\t1\npids\t10\t1\n") ==
        Names{"cpu", "io", "pids"});
  CHECK(enabled_controllers("").empty());
}

TEST_CASE("ids are mapped where a map is there and is not the whole", "[os][machine_text]") {
  CHECK_FALSE(maps_ids("         0          0 4294967295\n"));
  CHECK_FALSE(maps_ids(""));
  CHECK(maps_ids("0 100000 65536\n"));
  CHECK(maps_ids("0 0 4294967295\n1 1 1\n"));
}

TEST_CASE("a proc that hides processes is seen among the mounts", "[os][machine_text]") {
  CHECK(may_hide_processes("24 30 0:22 / /proc rw - proc proc rw,hidepid=invisible\n"));
  CHECK_FALSE(may_hide_processes("24 30 0:22 / /proc rw - proc proc rw\n"));
}

TEST_CASE("machines have the words of systemd-detect-virt", "[os][machine_text]") {
  CHECK(is_compatible("raspberrypi,4-model-b\0brcm,bcm2711\0"sv, "brcm,bcm2711"));
  CHECK_FALSE(is_compatible("brcm,bcm2711\0"sv, "brcm"));
  CHECK(is_wsl_release("5.15.90.1-microsoft-standard-WSL2"));
  CHECK(is_wsl_release("4.4.0-19041-Microsoft"));
  CHECK_FALSE(is_wsl_release("6.1.0-18-amd64"));
  CHECK(container_word("").empty());
  CHECK(container_word("oci") == "docker");
  CHECK(container_word("lxc-libvirt") == "lxc-libvirt");
  CHECK(container_word("acme") == "container-other");
  CHECK(vm_of_cpuid("KVMKVMKVM") == "kvm");
  CHECK(vm_of_cpuid("Microsoft Hv") == "microsoft");
  CHECK(vm_of_cpuid("") == "vm-other");
  CHECK(vm_of_dmi("Amazon EC2") == "amazon");
  CHECK(vm_of_dmi("QEMU Standard PC") == "qemu");
  CHECK(vm_of_dmi("ThinkPad").empty());
  CHECK(vm_of_device_tree("linux,kvm\0"sv, "") == "kvm");
  CHECK(vm_of_device_tree("xen,xen-4.11\0xen,xen\0"sv, "") == "xen");
  CHECK(vm_of_device_tree("vmware", "") == "vmware");
  CHECK(vm_of_device_tree("acme", "qemu,pseries") == "vm-other");
  CHECK(vm_of_device_tree("", "qemu,pseries") == "qemu");
  CHECK(vm_of_device_tree("", "linux,dummy-virt") == "kvm");
  CHECK(vm_of_device_tree("", "brcm,bcm2711").empty());
  CHECK(vm_of_sysinfo("VM00 Control Program: z/VM    6.4.0") == "zvm");
  CHECK(vm_of_sysinfo("VM00 Control Program: KVM/Linux") == "kvm");
  CHECK(vm_of_sysinfo("Manufacturer: IBM").empty());
}
