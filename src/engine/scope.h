#pragma once
// The state machine of a scope with processes: (config, state, event, now) → (state, actions).
// Pure as that of a service is, and with its events and actions. systemd.scope(5);
// docs/states.md has its table.
//
//   dead → running → abandoned → dead, when the last process has ended
//             └─ stop, time ─→ stop-sigterm → stop-sigkill → dead
//
// Its processes are somebody else's children: how they end is not known, only that none is
// left. They are in the unit before it is started (Os::adopt_processes).

#include <vector>

#include "engine/scope_state.h"
#include "engine/service.h"

namespace onset {

/// Who has made the scope looks after it no longer.
struct ScopeAbandoned {};

struct ScopeStep {
  ScopeState state;
  std::vector<ServiceAction> actions;  ///< as ServiceStep's
};

/// Decides the next state. An event that means nothing in this state changes nothing. Of the
/// events of a service these mean something: start, start limit and stop; SpawnFailed, that
/// there are no processes to start with; UnitEmpty, answers to Kill, a deadline, OomKilled,
/// ResetFailed.
ScopeStep step(const Unit& unit, const ScopeState& state, const ServiceEvent& event,
               const ServiceContext& context);
ScopeStep step(const Unit& unit, const ScopeState& state, ScopeAbandoned event,
               const ServiceContext& context);

/// Whether the unit is moved by this machine.
[[nodiscard]] inline bool has_scope_processes(const Unit& unit) {
  return unit.scope != nullptr && unit.is_transient;
}

}  // namespace onset
