#pragma once
// systemd-soft-reboot.service(8): everything begins anew but the kernel.

#include "init/console.h"

namespace onset {

/// Another first process in place of this one: that of /run/nextroot, if there is one, which
/// becomes the root; else this program, with its arguments and `environment`. Returns where
/// nothing can be executed.
void begin_anew(char** environment, Console& console);

}  // namespace onset
