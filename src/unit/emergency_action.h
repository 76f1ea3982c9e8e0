#pragma once
// What the manager does when a unit ends, fails, starts too often or a job
// takes too long: SuccessAction=, FailureAction=, StartLimitAction=,
// JobTimeoutAction= (systemd.unit(5)).

#include <cstdint>

namespace onset {

enum class EmergencyAction : std::uint8_t {
  None,
  Reboot,
  RebootForce,
  RebootImmediate,
  Poweroff,
  PoweroffForce,
  PoweroffImmediate,
  Exit,
  ExitForce,
  Halt,
  HaltForce,
  HaltImmediate,
  Kexec,
  KexecForce,
  SoftReboot,
  SoftRebootForce,
};

}  // namespace onset
