#pragma once
// The [Service] section, systemd.service(5). Immutable once loaded. What the
// files leave open and the unit's own settings decide is filled in by the
// loader (unit/unit_defaults.h): type, notify_access, and timeout_start, which a
// oneshot has at infinity. What stays unset is the manager's to decide.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "unit/emergency_action.h"
#include "unit/exec_line.h"
#include "unit/exit_status.h"

namespace onset {

enum class ServiceType : std::uint8_t {
  Simple,
  Exec,
  Forking,
  Oneshot,
  Dbus,
  Notify,
  NotifyReload,
  Idle,
};

enum class ServiceRestart : std::uint8_t {
  No,
  OnSuccess,
  OnFailure,
  OnAbnormal,
  OnWatchdog,
  OnAbort,
  Always,
};

enum class NotifyAccess : std::uint8_t { None, Main, Exec, All };

enum class ExitType : std::uint8_t { Main, Cgroup };

enum class OomPolicy : std::uint8_t { Continue, Stop, Kill };

enum class TimeoutFailureMode : std::uint8_t { Terminate, Abort, Kill };

/// The seven command lists of a service.
enum class ExecRole : std::uint8_t {
  Condition,
  StartPre,
  Start,
  StartPost,
  Reload,
  Stop,
  StopPost,
};
inline constexpr unsigned kExecRoles = 7;

struct ServiceConfig {
  ServiceType type = ServiceType::Simple;
  bool type_written = false;        ///< Type= is in a file
  bool oom_policy_written = false;  ///< or Delegate= says it; else the manager's default holds
  ServiceRestart restart = ServiceRestart::No;
  ExitType exit_type = ExitType::Main;
  OomPolicy oom_policy = OomPolicy::Stop;
  NotifyAccess notify_access = NotifyAccess::None;  ///< after the loader: what holds
  bool remain_after_exit = false;
  bool guess_main_pid = true;
  bool root_directory_start_only = false;
  bool non_blocking = false;
  bool permissions_start_only = false;  ///< the old name's meaning: User= etc. for ExecStart= alone

  std::array<std::vector<ExecCommand>, kExecRoles> exec;
  [[nodiscard]] const std::vector<ExecCommand>& commands(ExecRole r) const {
    return exec[static_cast<unsigned>(r)];
  }

  std::string pid_file;  ///< absolute; empty: none
  std::string bus_name;

  std::optional<Duration> restart_delay;  ///< unset: the manager's default
  unsigned restart_steps = 0;
  Duration restart_max_delay = kInfinity;
  std::optional<Duration> timeout_start;  ///< unset: the manager's default; 0 is read as infinity
  std::optional<Duration> timeout_stop;   ///< likewise
  std::optional<Duration> timeout_abort;  ///< unset: the manager's default, else timeout_stop
  TimeoutFailureMode timeout_start_failure = TimeoutFailureMode::Terminate;
  TimeoutFailureMode timeout_stop_failure = TimeoutFailureMode::Terminate;
  Duration runtime_max = kInfinity;
  Duration runtime_randomized_extra{0};
  Duration watchdog{0};  ///< 0: off

  ExitStatusSet success_status;
  ExitStatusSet restart_prevent_status;
  ExitStatusSet restart_force_status;
  int reload_signal = 1;
};

}  // namespace onset
