#pragma once
// The kernel's own file systems, which a machine's first process mounts before anything else can
// be done: file-hierarchy(7), VIRTUAL KERNEL FILE SYSTEMS, and systemd's API File Systems page.
// What is mounted already, by an initramfs, stays as it is.

#include <string>
#include <vector>

namespace onset {

/// Mounts /proc, /sys, /dev and what belongs below them, /run and cgroup v2 at /sys/fs/cgroup;
/// makes the links in /dev. One line for each that this kernel should have and can't be had.
std::vector<std::string> mount_api_file_systems();

/// Whether this process is in the kernel's first PID namespace, with /proc mounted or without.
bool in_initial_pid_namespace();

}  // namespace onset
