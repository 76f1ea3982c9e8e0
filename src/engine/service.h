#pragma once
// The state machine of a service: (config, state, event, now) → (state, actions).
// Reads no clock and makes no system call, so that every row of docs/states.md
// can be asserted as data. systemd.service(5), systemd.kill(5), sd_notify(3).

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "engine/service_state.h"
#include "unit/unit.h"

namespace onset {

/// What the machine must know beside the unit.
struct ServiceContext {
  Timestamp now;
  Duration default_timeout_start = std::chrono::seconds(90);
  Duration default_timeout_stop = std::chrono::seconds(90);
  std::optional<Duration> default_timeout_abort;  ///< unset: the unit's stop timeout
  Duration default_restart_delay = std::chrono::milliseconds(100);
  OomPolicy default_oom_policy = OomPolicy::Stop;
  /// Shutdown in a container: what this unit may take to stop, all told.
  Duration stop_budget = kInfinity;
  /// The manager is going down: automatic restarts are off.
  bool stopping = false;
  /// A stop or restart job of this unit is queued: no automatic restart then.
  bool stop_pending = false;
  /// It is a restart job: RestartKillSignal= takes the place of KillSignal=.
  bool restart_pending = false;
  /// Asked where the unit is down and SendSIGKILL=no: processes of an earlier
  /// activation are still there.
  bool leftover_processes = false;
  /// This activation's share of RuntimeRandomizedExtraSec=.
  Duration runtime_extra{0};
  /// The job queue is empty: Type=idle may run at once.
  bool idle = true;
};

/// What a command that stops a unit may take of a shutdown's budget; SIGKILL still has to fit.
inline Duration within_stop_budget(Duration limit, const ServiceContext& context) {
  if (context.stop_budget == kInfinity) return limit;
  return std::min(limit, std::max(context.stop_budget, Duration::zero()) / 8 * 6);
}

// ---- events ---------------------------------------------------------------

struct StartRequested {};  ///< conditions hold, limit not hit, dependencies ready
struct StartLimitHit {};   ///< a start was due, but StartLimitBurst= is used up
struct StopRequested {};
struct ReloadRequested {};
/// The answer to a Spawn action.
struct Spawned {
  pid_t pid = 0;
  bool exec_done = false;  ///< execve is known to have succeeded
};
/// The answer to a Spawn that could not be done; after EnqueueRestart: the job
/// was refused.
struct SpawnFailed {
  SysError error;
};
/// Type=exec, late: the child reached execve. (A failed one exits with 2xx.)
struct ExecDone {
  pid_t pid = 0;
};
struct ProcessExited {
  pid_t pid = 0;
  ExitStatus status;
};
/// No process of the unit is left (cgroup.events, or a look at the tree). May
/// come before the last ProcessExited.
struct UnitEmpty {};
/// The answer to a Kill action: whether there is anything to wait for.
struct KillAnswer {
  bool waiting = false;
};
/// The answer to FindMainPid (PIDFile= or a guess); 0: none yet.
struct MainPidFound {
  pid_t pid = 0;
  bool alien = false;
  bool certain = true;  ///< false: the guess was ambiguous
};
struct DeadlineElapsed {};
struct WatchdogElapsed {};
struct BusNameChanged {
  bool owned = false;
  pid_t owner = 0;
  bool bus_gone = false;  ///< no bus, or the connection was lost
};
struct OomKilled {};
struct QueueIdle {};  ///< the job queue ran empty (Type=idle), or 5 s passed

/// One datagram of sd_notify(3), already parsed and authorised (NotifyAccess=).
struct NotifyMessage {
  bool ready = false;
  bool reloading = false;
  bool stopping = false;
  std::optional<pid_t> main_pid;  ///< checked by the caller: alive, ours or from root
  bool main_pid_alien = false;
  std::optional<int> error_number;
  std::optional<MonoTime> monotonic;  ///< MONOTONIC_USEC=
  bool watchdog = false;
  bool watchdog_trigger = false;
  std::optional<Duration> watchdog_period;
  std::optional<Duration> extend_timeout;
  std::optional<int> exit_status;  ///< EXIT_STATUS= (of a nested manager)
};

struct RestartQueued {};  ///< the restart job of EnqueueRestart was accepted
struct Passed {};         ///< the answer to PassThrough
struct ResetFailed {};

/// Of socket units: the answer to SocketWork::Open. What went wrong was said.
struct SocketsOpened {
  bool opened = false;
};
/// Of socket units: what happens to their sockets and with their service.
struct SocketNews {
  enum class What : std::uint8_t {
    Incoming,        ///< there is something to read, or to accept
    ServiceUp,       ///< it is active
    ServiceDown,     ///< it is not, and no job will start it
    ServiceLimited,  ///< nor may it be, by StartLimitBurst=
    TriggerRefused,  ///< its start could not be queued, or nothing be accepted
    Accepted,        ///< a connection has its instance
    Refused,         ///< one was closed: MaxConnections=
  };
  What what{};
};

/// Of automount units: what their autofs point says, and what happens to their mount.
struct AutomountNews {
  enum class What : std::uint8_t {
    Asked,         ///< somebody has looked, and waits
    ExpiryAsked,   ///< it was idle for long enough
    Gone,          ///< nobody will hear of it any more
    MountUp,       ///< it is active, and no job will change that
    MountDown,     ///< it is not, and no job will start it
    MountLimited,  ///< nor may it be, by StartLimitBurst=
    Refused,       ///< its job could not be queued
  };
  What what{};
  pid_t pid = 0;  ///< who has looked
};

using ServiceEvent =
    std::variant<StartRequested, StartLimitHit, StopRequested, ReloadRequested, Spawned,
                 SpawnFailed, ExecDone, ProcessExited, UnitEmpty, KillAnswer, MainPidFound,
                 DeadlineElapsed, WatchdogElapsed, BusNameChanged, OomKilled, QueueIdle,
                 NotifyMessage, RestartQueued, Passed, ResetFailed, SocketsOpened, SocketNews,
                 AutomountNews>;

// ---- actions --------------------------------------------------------------

/// Run one command; answered at once by Spawned or SpawnFailed.
struct Spawn {
  ExecRole role{};
  std::uint16_t index = 0;
  bool as_main = false;
};
/// Signal the unit's processes as KillMode= says; answered at once by KillAnswer.
struct Kill {
  enum class What : std::uint8_t { Terminate, TerminateForRestart, Kill, Watchdog, FinalKill };
  What what{};
};
/// Just one signal to the main process (reload of notify-reload).
struct SignalMain {
  int signal = 0;
};
/// SIGKILL for the control process alone (a reload that took too long); the
/// machine has forgotten it. Whatever else it left runs on.
struct KillControl {
  pid_t pid = 0;
};
/// Look for the main process: PIDFile= if set, else guess; answered by
/// MainPidFound. `watch`: if there is no valid PID file yet, answer again
/// when the file changes. `quiet`: that there is none is no news.
struct FindMainPid {
  bool watch = false;
  bool quiet = false;
};
struct StopWatchingPidFile {};
struct RemovePidFile {};
/// Tell UnitEmpty when no process of the unit is left; answered at once by
/// UnitEmpty if that is so already.
struct WatchEmpty {};
/// Wait for the name on the bus; BusNameChanged tells the owner there is now, and
/// each change.
struct WatchBusName {};
/// The state lasts no time, but others must see it: answered at once by Passed.
struct PassThrough {};
/// RestartSec= is over: queue the restart (a start job with its dependencies);
/// answered by RestartQueued.
struct EnqueueRestart {};
/// The activation is over: cgroup and RuntimeDirectory= can go. With
/// `restarting`, RuntimeDirectoryPreserve=restart keeps the directory.
struct Release {
  bool restarting = false;
};
/// Of socket units. Open is answered at once by SocketsOpened.
struct SocketWork {
  enum class What : std::uint8_t {
    Open,
    Watch,  ///< tell of what comes in, from now on
    Unwatch,
    Flush,    ///< throw away what has come in
    Accept,   ///< one connection, and start its instance
    Trigger,  ///< start the service
    Close,    ///< and remove what RemoveOnStop= says
  };
  What what{};
};
/// Of automount units. Take is answered at once by Spawned (without a process) or SpawnFailed.
struct AutomountWork {
  enum class What : std::uint8_t {
    Take,          ///< what the process that has made the point hands over
    AnswerAccess,  ///< to all who wait for the mount
    AnswerExpiry,  ///< to the kernel, of what was idle
    Trigger,       ///< start the mount
    Expire,        ///< stop it
    Drop,          ///< let go who waits, and hear nothing more
  };
  What what{};
  int error = 0;  ///< of answers; 0: it is there, or is gone
};
/// One line for the log, said once.
struct Say {
  enum class Level : std::uint8_t { Debug, Info, Notice, Warning, Error };
  Level level = Level::Info;
  std::string text;
};

using ServiceAction =
    std::variant<Spawn, Kill, SignalMain, KillControl, FindMainPid, StopWatchingPidFile,
                 RemovePidFile, WatchEmpty, WatchBusName, PassThrough, EnqueueRestart, Release,
                 SocketWork, AutomountWork, Say>;

struct ServiceStep {
  ServiceState state;
  std::vector<ServiceAction>
      actions;  ///< in this order; at most one that is answered, and it is last
  /// The reload that was asked for has ended, and how.
  std::optional<bool> reload_done;
};

/// Decides the next state. An event that means nothing in this state changes
/// nothing. After an action with an answer the caller feeds the answer in
/// before any other event of this unit.
ServiceStep step(const Unit& unit, const ServiceState& state, const ServiceEvent& event,
                 const ServiceContext& context);

/// After daemon-reload: the state, made to fit the new config. No actions: the
/// processes stay, and a command list that has become shorter is left when the
/// command that runs ends. A wait that the new config no longer knows is ended
/// by a deadline that is due at once.
ServiceStep adopt(const Unit& unit, const ServiceState& state, const ServiceContext& context);

}  // namespace onset
