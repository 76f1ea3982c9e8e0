#pragma once
// What a machine's first process gives the machine before it starts the first unit: its console,
// its time, its name, its identity, its loopback. systemd(1), and machine-id(5), hostname(5).

#include <string>
#include <vector>

#include "unit/file_source.h"
#include "unit/kernel_command_line.h"

namespace onset {

/// Standard streams that the kernel could not open, before there was a /dev; a session of our own;
/// the keys that ask for something become signals.
void take_console();

/// One line for each that could not be done. The file systems of os/api_mounts are mounted.
std::vector<std::string> set_up_machine(const KernelRequest& request, FileSource& files);

}  // namespace onset
