#pragma once
// The state machine of a socket unit: (config, state, event, now) → (state, actions). Pure as
// that of a service is, and with its events and actions. systemd.socket(5); docs/states.md
// has its table.
//
//   dead → start-pre → start-chown → start-post → listening ⇄ running
//        → stop-pre → stop-post → dead
//
// While it listens, something on a socket triggers the service: a start job, and nobody
// watches the sockets until the service is down again. With Accept=yes it goes on listening,
// and each connection gets an instance of its own.

#include <optional>
#include <vector>

#include "engine/service.h"
#include "engine/socket_state.h"

namespace onset {

struct SocketStep {
  SocketState state;
  std::vector<ServiceAction> actions;  ///< as ServiceStep's
};

/// Decides the next state. An event that means nothing in this state changes nothing. Of the
/// events of a service these mean something: a job's requests but reload, answers to Spawn and
/// Kill, the end of the control process, a deadline, ResetFailed; and those of sockets alone.
SocketStep step(const Unit& unit, const SocketState& state, const ServiceEvent& event,
                const ServiceContext& context);

}  // namespace onset
