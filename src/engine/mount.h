#pragma once
// The state machine of a mount and of a swap: (config, state, event, now) → (state, actions).
// Pure as that of a service is, and with its events and actions. systemd.mount(5),
// systemd.swap(5); docs/states.md has its table.
//
//   dead → mounting → mounting-done → mounted → unmounting → dead
//
// What is mounted the kernel says (MountChanged, from /proc/self/mountinfo and /proc/swaps),
// whoever has done it; mount(8) and umount(8) only say when they are through. What
// appears by itself is mounted, what is gone is dead.

#include <optional>
#include <vector>

#include "engine/mount_state.h"
#include "engine/service.h"

namespace onset {

/// /proc/self/mountinfo or /proc/swaps has it, or has it no more.
struct MountChanged {
  bool is_there = false;
};

struct MountStep {
  MountState state;
  std::vector<ServiceAction> actions;  ///< as ServiceStep's
  std::optional<bool> reload_done;
};

/// Decides the next state. An event that means nothing in this state changes nothing. Of the
/// events of a service these mean something: a job's requests, answers to Spawn and Kill,
/// the end of the control process, a deadline, ResetFailed.
MountStep step(const Unit& unit, const MountState& state, const ServiceEvent& event,
               const ServiceContext& context);
/// The same for what the kernel's table says now. It may be told again.
MountStep step(const Unit& unit, const MountState& state, MountChanged event,
               const ServiceContext& context);

/// Whether the unit is moved by this machine.
[[nodiscard]] inline bool is_mount_like(const Unit& unit) {
  return unit.mount != nullptr || unit.swap != nullptr;
}

/// What a Spawn runs: ExecRole::Start mounts, Reload remounts, Stop unmounts. It is the
/// binary itself that makes the mount point and then hands over to mount(8), or does the work
/// where there is none (os/mount_applet).
ExecCommand mount_command(const Unit& unit, ExecRole role);

}  // namespace onset
