#pragma once
// What a socket unit is doing. Plain data, as ServiceState is; its descriptors are below Os.
// Words: systemd.socket(5) and the sub-states that `systemctl status` shows.

#include <cstdint>
#include <string_view>

#include "base/time.h"
#include "engine/service_state.h"
#include "graph/job_type.h"

namespace onset {

enum class SocketPhase : std::uint8_t {
  Dead,
  StartPre,
  StartChown,  ///< the sockets are being opened: lasts no time
  StartPost,
  Listening,
  Running,  ///< the service has the sockets, nobody watches them
  StopPre,
  StopPreSigterm,
  StopPreSigkill,
  StopPost,
  FinalSigterm,
  FinalSigkill,
  Failed,
};
inline constexpr unsigned kSocketPhases = 13;

struct SocketState {
  SocketPhase phase = SocketPhase::Dead;
  ServiceResult result = ServiceResult::Success;
  ExecRole control_role = ExecRole::StartPre;  ///< whose command the control process runs
  std::uint8_t spawn_pending : 1 = 0;          ///< a Spawn is not answered yet
  std::uint8_t kill_pending : 1 = 0;           ///< a Kill is not answered yet
  std::uint8_t open_pending : 1 = 0;           ///< a SocketWork::Open is not answered yet
  std::uint16_t command_index = 0;             ///< of control_role
  std::uint32_t accepted = 0;                  ///< NAccepted, of Accept=yes
  std::uint32_t connections = 0;               ///< NConnections, that are served now
  std::uint32_t refused = 0;                   ///< NRefused
  unsigned trigger_count = 0;                  ///< TriggerLimitBurst=
  MonoTime trigger_begin;
  ServiceProcess control;
  MonoTime deadline = kNever;
};

std::string_view to_string(SocketPhase p);  // "start-pre"
ActiveState active_state(SocketPhase p);

}  // namespace onset
