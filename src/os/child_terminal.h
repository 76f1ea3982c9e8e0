#pragma once
// A terminal for a service: StandardInput=tty, TTYReset= and their kin
// (systemd.exec(5)). Runs in the child, before it is the service.

#include "os/launch_plan.h"

namespace onset {

/// TTYVHangup=, TTYReset=, TTYVTDisallocate=: done before the terminal is
/// claimed. What a terminal does not know is left undone.
void prepare_terminal(const TerminalPlan& plan) noexcept;

/// Opens the terminal for reading and writing and makes it the controlling
/// one. With Claim::Wait it waits until the present owner lets go: for as long
/// as the unit's start may take, since it is the service's own process that
/// waits. The descriptor, or a negative errno.
int claim_terminal(const TerminalPlan& plan) noexcept;

/// Opens a terminal that stays uncontrolling. The descriptor, or a negative
/// errno; something that is no terminal is ENOTTY.
int open_terminal(const char* path, int flags) noexcept;

}  // namespace onset
