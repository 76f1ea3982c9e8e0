#pragma once
// Whether this is a container or a virtual machine, and whose: the words are
// those of systemd-detect-virt(1). Empty: none.

#include <string>
#include <string_view>
#include <vector>

#include "unit/file_source.h"

namespace onset {

/// From the manager's own $container, /run/systemd/container, /proc/1/environ,
/// the marks of docker and podman, and the kernel's (wsl, openvz). An unknown
/// word is "container-other".
std::string detect_container(const std::vector<std::string>& environment, FileSource& files);

/// From CPUID, DMI, the device tree, /sys/hypervisor and /proc.
std::string detect_vm(FileSource& files);

/// Whether this is a user namespace whose ids are mapped.
bool in_user_namespace(FileSource& files);

}  // namespace onset
