#pragma once
// systemd-soft-reboot.service(8): everything begins anew but the kernel.

#include "init/console.h"

namespace onset {

/// What becomes the root, if it is there.
inline constexpr const char* kNextRoot = "/run/nextroot";
/// As the kernel looks for its first program, without the shell.
inline constexpr const char* kInitPrograms[] = {"/sbin/init", "/etc/init", "/bin/init"};
/// The path, below that root, of the program to go on with; without the file the kernel's choice.
inline constexpr const char* kNextInit = "/run/onset/next-init";

/// Another first process in place of this one: that of /run/nextroot, if there is one, which
/// becomes the root; else this program, with its arguments and `environment`. Returns where
/// nothing can be executed.
void begin_anew(char** environment, Console& console);

}  // namespace onset
