#include "engine/device.h"

namespace onset {

std::string_view to_string(DevicePhase p) {
  switch (p) {
    case DevicePhase::Dead:
      return "dead";
    case DevicePhase::Tentative:
      return "tentative";
    case DevicePhase::Plugged:
      return "plugged";
  }
  return "";
}

ActiveState active_state(DevicePhase p) {
  switch (p) {
    case DevicePhase::Dead:
      return ActiveState::Inactive;
    case DevicePhase::Tentative:
      return ActiveState::Activating;
    case DevicePhase::Plugged:
      return ActiveState::Active;
  }
  return ActiveState::Inactive;
}

DeviceState step(const DeviceState& state, DeviceChanged event) {
  DeviceState next = state;
  switch (event.by) {
    case DeviceSource::Plugged:
      next.is_plugged = event.is_there;
      if (state.is_plugged != event.is_there)
        next.phase = event.is_there ? DevicePhase::Plugged : DevicePhase::Dead;
      break;
    case DeviceSource::Used:
      next.is_used = event.is_there;
      if (state.is_used != event.is_there && !state.is_plugged)
        next.phase = event.is_there ? DevicePhase::Tentative : DevicePhase::Dead;
      break;
  }
  return next;
}

}  // namespace onset
