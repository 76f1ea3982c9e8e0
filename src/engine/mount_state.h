#pragma once
// What a mount or a swap is doing. Plain data, as ServiceState is. Words:
// systemd.mount(5), systemd.swap(5) and the sub-states that `systemctl status` shows.

#include <cstdint>
#include <string_view>

#include "base/time.h"
#include "engine/service_state.h"
#include "graph/job_type.h"

namespace onset {

/// A swap is mounted when it is active; it is never remounted.
enum class MountPhase : std::uint8_t {
  Dead,
  Mounting,      ///< mount(8) runs
  MountingDone,  ///< and the kernel has it already
  Mounted,
  Remounting,
  Unmounting,
  RemountingSigterm,
  RemountingSigkill,
  UnmountingSigterm,
  UnmountingSigkill,
  Failed,
};
inline constexpr unsigned kMountPhases = 11;

struct MountState {
  MountPhase phase = MountPhase::Dead;
  ServiceResult result = ServiceResult::Success;
  ServiceResult reload_result = ServiceResult::Success;
  std::uint8_t is_there : 1 = 0;       ///< the kernel's table has it
  std::uint8_t spawn_pending : 1 = 0;  ///< a Spawn is not answered yet
  std::uint8_t kill_pending : 1 = 0;   ///< a Kill is not answered yet
  std::uint8_t attempts = 0;           ///< of umount(8), where mounts lie on each other
  ServiceProcess control;
  MonoTime deadline = kNever;
};

std::string_view to_string(MountPhase p);  // "mounting-done"
std::string_view swap_word(MountPhase p);  // "activating-done"
ActiveState active_state(MountPhase p);

}  // namespace onset
