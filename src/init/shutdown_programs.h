#pragma once
// The programs that run last, systemd-halt.service(8).

#include "engine/os.h"
#include "init/console.h"

namespace onset {

/// All executables of /usr/lib/systemd/system-shutdown and /lib/systemd/system-shutdown, at
/// once, with "halt", "poweroff", "reboot" or "kexec"; until the last has ended, 90 s at most.
void run_shutdown_programs(Objective objective, Console& console);

}  // namespace onset
