#pragma once
// What a service is doing. Plain data without pointers or heap, so that it can
// be kept in a record of shared memory as it is. Words: systemd.service(5) and
// the sub-states that `systemctl status` shows.

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <string_view>

#include "base/time.h"
#include "graph/job_type.h"
#include "unit/service_config.h"

namespace onset {

enum class ServicePhase : std::uint8_t {
  Dead,
  Condition,
  StartPre,
  Start,
  StartPost,
  Running,
  Exited,
  Reload,
  ReloadSignal,
  ReloadNotify,
  Stop,
  StopWatchdog,
  StopSigterm,
  StopSigkill,
  StopPost,
  FinalWatchdog,
  FinalSigterm,
  FinalSigkill,
  Failed,
  DeadBeforeAutoRestart,
  FailedBeforeAutoRestart,
  AutoRestart,
  AutoRestartQueued,
};
inline constexpr unsigned kServicePhases = 23;

constexpr bool is_starting(ServicePhase p) {
  return p >= ServicePhase::Condition && p <= ServicePhase::StartPost;
}

/// A restart is certain, though for a moment the unit counts as down.
constexpr bool passes_to_restart(ServicePhase p) {
  return p == ServicePhase::DeadBeforeAutoRestart || p == ServicePhase::FailedBeforeAutoRestart;
}

enum class ServiceResult : std::uint8_t {
  Success,
  Protocol,
  Timeout,
  ExitCode,
  Signal,
  CoreDump,
  Watchdog,
  StartLimitHit,
  Resources,
  ExecCondition,
  OomKill,
  TriggerLimitHit,       ///< of sockets
  ServiceStartLimitHit,  ///< likewise
  MountStartLimitHit,    ///< of automounts
};

enum class NotifyState : std::uint8_t { Unknown, Ready, Reloading, Stopping };

/// How a process ended, in wait(2)'s words.
enum class ExitKind : std::uint8_t { None, Exited, Killed, Dumped };

struct ExitStatus {
  ExitKind kind = ExitKind::None;
  int value = 0;  ///< exit status or signal
};

/// One process of the service and how it last ended.
struct ServiceProcess {
  pid_t pid = 0;       ///< 0: none now
  pid_t last_pid = 0;  ///< whom `last` and the times tell of; kept when it has ended
  ExitStatus last;
  Timestamp started;
  Timestamp exited;
};

/// One command of the activation under way, or of the last one: when it ran, and
/// how it ended.
struct CommandRecord {
  ExecRole role = ExecRole::Start;
  std::uint16_t index = 0;  ///< in the directive's list
  pid_t pid = 0;
  Timestamp started;
  Timestamp exited;  ///< not set: it runs
  ExitStatus status;
};

/// 128 bits, new at every activation.
using InvocationId = std::array<std::uint8_t, 16>;

struct ServiceState {
  ServicePhase phase = ServicePhase::Dead;
  ServiceResult result = ServiceResult::Success;
  ServiceResult reload_result = ServiceResult::Success;
  NotifyState notify = NotifyState::Unknown;
  ExecRole control_role = ExecRole::Start;  ///< whose command the control process runs
  std::uint8_t main_pid_known : 1 = 0;      ///< main.pid is (or was) the main process
  std::uint8_t main_pid_alien : 1 = 0;      ///< not our child: its exit is seen by pidfd
  std::uint8_t forbid_restart : 1 = 0;      ///< stopped on purpose
  std::uint8_t exec_pending : 1 = 0;        ///< Type=exec: execve not confirmed yet
  std::uint8_t bus_name_good : 1 = 0;
  std::uint8_t guarded_idle : 1 = 0;       ///< Type=idle: waits for the job queue
  std::uint8_t spawn_pending : 1 = 0;      ///< a Spawn is not answered yet
  std::uint8_t kill_pending : 1 = 0;       ///< a Kill is not answered yet
  std::uint8_t main_exit_pending : 1 = 0;  ///< main has exited: PIDFile= may name another
  std::uint16_t command_index = 0;         ///< of control_role, or of ExecStart= of a oneshot
  std::uint32_t restarts = 0;              ///< NRestarts
  ServiceProcess main;
  ServiceProcess control;
  MonoTime deadline = kNever;  ///< of the phase: Timeout…Sec=, RestartSec=, RuntimeMaxSec=
  MonoTime runtime_deadline = kNever;  ///< of the activation; kept over reloads
  MonoTime watchdog_deadline = kNever;
  Duration watchdog_override{-1};  ///< WATCHDOG_USEC=, -1: none
  MonoTime reload_began;           ///< for notify-reload: RELOADING must be newer
  int status_errno = 0;            ///< ERRNO=
};

std::string_view to_string(ExitKind k);       // "exited", "" of None
std::string_view to_string(ServicePhase p);   // "start-pre"
std::string_view to_string(ServiceResult r);  // "exit-code"
/// How the process ended that the result tells of; of kind None if none has.
ExitStatus last_exit(const ServiceState& s);
/// Of a command without SuccessExitStatus=: only status 0 is a success.
ServiceResult command_result(const ExitStatus& status);
/// "active", "activating", … that `systemctl` shows for a sub-state.
ActiveState active_state(ServicePhase p, ServiceType type);

}  // namespace onset
