#pragma once
// What busybox's halt, poweroff and reboot ask PID 1 for, as its own init is asked: by SIGUSR1,
// SIGUSR2 and SIGTERM. Its shell runs them in place of ours, whatever $PATH has.

#include <sys/types.h>

#include "init/signal_table.h"

namespace onset {

/// By the name of the process that has sent the signal, which mostly is there for long enough;
/// None: it is none of these. Takes no memory.
SignalRequest request_of_busybox(int signal, pid_t sender) noexcept;

}  // namespace onset
