#pragma once
// The steps of starting a process, and what a failure of each means to the
// user: systemd's exit status and its name (systemd.exec(5), PROCESS EXIT
// CODES). The step travels from the child to PID 1 as one byte.

#include <cstdint>
#include <string_view>

namespace onset {

enum class LaunchStep : std::uint8_t {
  None,
  Cgroup,
  Stdin,
  Stdout,
  Stderr,
  SetSid,
  OomAdjust,
  Nice,
  Scheduler,
  CpuAffinity,
  NumaPolicy,
  IoPriority,
  TimerSlack,
  Limits,
  Chroot,
  Group,
  Capabilities,
  SecureBits,
  User,
  Chdir,
  Fds,
  NoNewPrivileges,
  SignalMask,
  Exec,
  RuntimeDirectory,
  StateDirectory,
  CacheDirectory,
  LogsDirectory,
  ConfigurationDirectory,
  Memory,
};
inline constexpr unsigned kLaunchSteps = 30;

struct LaunchStepInfo {
  LaunchStep step{};
  std::string_view name;      ///< "EXEC"
  int status = 0;             ///< 203
  std::string_view sentence;  ///< "cannot execute"
};

const LaunchStepInfo& describe(LaunchStep step) noexcept;

}  // namespace onset
