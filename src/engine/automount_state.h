#pragma once
// What an automount is doing. Plain data, as ServiceState is; its descriptors, and who waits at
// it, are below Os. Words: systemd.automount(5) and the sub-states that `systemctl status` shows,
// and those of its own processes.

#include <cstdint>
#include <string_view>

#include "base/time.h"
#include "engine/service_state.h"
#include "graph/job_type.h"

namespace onset {

enum class AutomountPhase : std::uint8_t {
  Dead,
  Mounting,  ///< the autofs point is being made
  Waiting,   ///< for somebody to look
  Running,   ///< somebody has: it is mounted, or is being mounted
  Ending,    ///< a process of its own is killed first
  Unmounting,
  UnmountingSigkill,
  Failed,
};
inline constexpr unsigned kAutomountPhases = 8;

struct AutomountState {
  AutomountPhase phase = AutomountPhase::Dead;
  ServiceResult result = ServiceResult::Success;
  std::uint8_t spawn_pending : 1 = 0;  ///< a Spawn is not answered yet
  std::uint8_t take_pending : 1 = 0;   ///< an AutomountWork::Take is not answered yet
  std::uint8_t kill_pending : 1 = 0;   ///< a Kill is not answered yet
  std::uint8_t is_up : 1 = 0;          ///< the mount was seen to be up
  ServiceProcess control;
  MonoTime deadline = kNever;
};

std::string_view to_string(AutomountPhase p);  // "waiting"
ActiveState active_state(AutomountPhase p);

}  // namespace onset
