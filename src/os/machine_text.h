#pragma once
// What the kernel and the firmware tell of the machine as text: files of /proc (proc(5)) and
// of /sys. Pure, as process_text is: who reads the files are the conditions and
// virtualization.cpp. Any bytes are survived, as a container's /proc may be lxcfs's or a file
// that somebody has mounted there, and its command line is its runtime's.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace onset {

/// /proc/cmdline, or a container's /proc/1/cmdline with blanks for NULs: whether it has the
/// argument. "name=value" is the whole of one, "name" one with or without a value.
bool has_kernel_argument(std::string_view command_line, std::string_view wanted);
/// A switch of it: "name", or "name=BOOLEAN". The last one counts; none: not given.
std::optional<bool> kernel_switch(std::string_view command_line, std::string_view name);

/// /proc/cgroups: the controllers of v1 that are enabled, as v2 names them.
std::vector<std::string> enabled_controllers(std::string_view table);

/// /proc/device-tree/compatible: whether one of its names is this.
bool is_compatible(std::string_view names, std::string_view wanted);
/// /proc/self/mountinfo: whether a proc of it may keep processes from some (hidepid=).
bool may_hide_processes(std::string_view mountinfo);

/// uid_map or gid_map: whether ids are mapped, other than each to itself.
bool maps_ids(std::string_view map);
/// /proc/sys/kernel/osrelease of Windows' kernel.
bool is_wsl_release(std::string_view release);

// The words of systemd-detect-virt(1); empty: it says nothing.

/// The variable `container` of PID 1, or /run/systemd/container.
std::string_view container_word(std::string_view value);
/// CPUID's twelve bytes at 0x40000000, up to their first NUL.
std::string_view vm_of_cpuid(std::string_view signature);
/// A field of /sys/class/dmi/id.
std::string_view vm_of_dmi(std::string_view field);
/// /proc/device-tree's hypervisor/compatible and compatible.
std::string_view vm_of_device_tree(std::string_view hypervisor, std::string_view machine);
/// /proc/sysinfo, of IBM's machines.
std::string_view vm_of_sysinfo(std::string_view sysinfo);

}  // namespace onset
