#pragma once
// What a signal to the manager asks for: systemd(1), SIGNALS, on a machine; the
// design's shorter table in a container or a user's session.

#include <cstdint>

namespace onset {

enum class SignalRequest : std::uint8_t {
  None,
  Reap,
  Exit,  ///< stop in order, then leave
  Halt,
  Poweroff,
  Reboot,
  Kexec,
  SoftReboot,
  HaltNow,
  PoweroffNow,
  RebootNow,
  ExitNow,
  Reload,
  Reconnect,  ///< make the control socket again, where systemd joins its bus again
  CtrlAltDel,
  KeyboardRequest,
  PowerFailure,
  DefaultTarget,
  RescueTarget,
  EmergencyTarget,
  DumpState,
  StatusOn,
  StatusOff,
  LogDebug,
  LogInfo,
  Reexecute,
};

enum class Surroundings : std::uint8_t { Machine, Container, User };

/// Signal numbers of the kernel: real-time ones are 34 + n.
SignalRequest request_of_signal(int signal, Surroundings where);

}  // namespace onset
