#pragma once
// The state machine of an automount unit: (config, state, event, now) → (state, actions). Pure as
// that of a service is, and with its events and actions. systemd.automount(5), and the kernel's
// filesystems/autofs; docs/states.md has its table.
//
//   dead → mounting → waiting ⇄ running → unmounting → dead
//
// The autofs point is made, looked over for what is idle, and removed by processes of the
// binary's own: each of these may wait. Who looks below it waits for an answer: the mount unit is
// started, and what it comes to is the answer. What is idle the kernel says as well: the mount
// unit is stopped, and that is answered too.

#include <vector>

#include "engine/automount_state.h"
#include "engine/service.h"

namespace onset {

struct AutomountStep {
  AutomountState state;
  std::vector<ServiceAction> actions;  ///< as ServiceStep's
};

/// Decides the next state. An event that means nothing in this state changes nothing. Of the
/// events of a service these mean something: a job's requests but reload, answers to Spawn and
/// Kill, the end of the control process, a deadline, ResetFailed; and those of automounts alone.
AutomountStep step(const Unit& unit, const AutomountState& state, const ServiceEvent& event,
                   const ServiceContext& context);

/// What a Spawn runs: Start makes the point, Stop has the kernel look for what is idle, StopPost
/// removes the point. The words are those of os/mount_applet.
ExecCommand automount_command(const Unit& unit, ExecRole role);

}  // namespace onset
