#pragma once
// What a scope is doing. Plain data, as ServiceState is. Words: systemd.scope(5) and the
// sub-states that `systemctl status` shows.

#include <cstdint>
#include <string_view>

#include "base/time.h"
#include "engine/service_state.h"
#include "graph/job_type.h"

namespace onset {

enum class ScopePhase : std::uint8_t {
  Dead,
  Running,
  Abandoned,  ///< who has made it looks after it no longer
  StopSigterm,
  StopSigkill,
  Failed,
};
inline constexpr unsigned kScopePhases = 6;

struct ScopeState {
  ScopePhase phase = ScopePhase::Dead;
  ServiceResult result = ServiceResult::Success;
  std::uint8_t kill_pending : 1 = 0;  ///< a Kill is not answered yet
  MonoTime deadline = kNever;
};

std::string_view to_string(ScopePhase p);  // "stop-sigterm"
ActiveState active_state(ScopePhase p);

}  // namespace onset
