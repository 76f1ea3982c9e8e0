#pragma once
// Condition…= and Assert…= as data (systemd.unit(5), CONDITIONS AND ASSERTS).
// Looking at the machine is os/'s work; combining the answers is engine/'s.

#include <cstdint>
#include <string>

namespace onset {

enum class ConditionType : std::uint8_t {
  Architecture,
  Firmware,
  Virtualization,
  Host,
  KernelCommandLine,
  KernelVersion,
  Credential,
  Environment,
  Security,
  Capability,
  AcPower,
  NeedsUpdate,
  FirstBoot,
  PathExists,
  PathExistsGlob,
  PathIsDirectory,
  PathIsSymbolicLink,
  PathIsMountPoint,
  PathIsReadWrite,
  PathIsEncrypted,
  DirectoryNotEmpty,
  FileNotEmpty,
  FileIsExecutable,
  User,
  Group,
  ControlGroupController,
  Memory,
  Cpus,
  CpuFeature,
  OsRelease,
  MemoryPressure,
  CpuPressure,
  IoPressure,
};

struct Condition {
  ConditionType type{};
  bool trigger = false;   ///< "|": one of the triggering ones must hold
  bool negate = false;    ///< "!"
  std::string parameter;  ///< specifiers already expanded
  unsigned line = 0;
};

}  // namespace onset
