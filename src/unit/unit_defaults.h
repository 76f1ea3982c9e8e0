#pragma once
// What a unit's files leave open and its own settings decide, and the rules
// that systemd.service(5) has for a service as a whole. Run once, when all files
// of the unit are read.

#include <string>

#include "base/diagnostic.h"
#include "unit/specifiers.h"
#include "unit/unit.h"

namespace onset {

/// Fills in: Description=, JobRunningTimeoutSec=, the slice; leaves one Environment=
/// assignment a name; StandardOutput= where StandardInput= decides it; of services Type=,
/// NotifyAccess=, the endless start of a oneshot, StandardInput=data. Of a
/// user's services the working directory; of mounts Where=, of swaps What=, of sockets the
/// name of their descriptors and, without Accept=, Service=.
void complete_unit(Unit& unit, bool user_manager, const HostFacts& host);

/// MountConfig::device, SwapConfig::device, where devices have units. `links_are_made`: there is
/// udev; else what is no node of the kernel's own (UUID=…) is left to mount(8), which finds it.
void set_device_to_wait_for(Unit& unit, bool links_are_made);

/// Why the unit can't be accepted as a whole; empty if it can. What systemd only
/// grumbles about is appended to `diagnostics`. After complete_unit().
std::string unit_problem(const Unit& unit, Diagnostics& diagnostics);

}  // namespace onset
