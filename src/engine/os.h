#pragma once
// The kernel as the engine sees it: what it can ask for, and what it is told.
// The real side is os/, wired in init/; the fake one (tests/support) records
// calls, fails the k-th one, ends processes and advances the clock.

#include <sys/types.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "engine/device.h"
#include "engine/service.h"
#include "graph/unit_graph.h"

namespace onset {

/// A process to start. Everything in it outlives the call only.
struct LaunchRequest {
  UnitId id;
  const Unit* unit = nullptr;
  const UnitGraph* graph = nullptr;  ///< where the unit's slices are found; null: nowhere
  bool startup = false;              ///< the machine boots or shuts down: StartupCPUWeight=, …
  const ExecCommand* command = nullptr;
  ExecRole role = ExecRole::Start;
  bool as_main = false;
  InvocationId invocation{};
  pid_t main_pid = 0;          ///< $MAINPID, 0: unset
  Duration watchdog{0};        ///< $WATCHDOG_USEC
  bool notify_socket = false;  ///< $NOTIFY_SOCKET
  /// Socket units whose descriptors it is handed, in this order; it gets LISTEN_FDS.
  std::vector<UnitId> sockets;
  bool connection = false;               ///< it is handed the one connection that its unit serves
  std::vector<std::string> environment;  ///< what the engine adds: SERVICE_RESULT=… and so on
};

struct Launch {
  pid_t pid = 0;
  bool exec_done = false;  ///< false: ExecDone follows, or an exit with a 2xx status
};

struct KillRequest {
  UnitId id;
  const Unit* unit = nullptr;
  pid_t main_pid = 0;
  bool main_alien = false;
  pid_t control_pid = 0;
  int signal = 0;
  bool to_main = false;
  bool to_control = false;
  bool to_rest = false;        ///< every other process of the unit
  bool then_continue = false;  ///< SIGCONT after it
  bool then_hangup = false;    ///< SIGHUP after it
};

struct KillReport {
  unsigned main = 0;  ///< processes signalled
  unsigned control = 0;
  unsigned rest = 0;
  int error = 0;  ///< the first errno that was not "no such process"
};

struct PidFileReading {
  pid_t pid = 0;        ///< 0: no usable one
  bool alien = false;   ///< not our child
  std::string problem;  ///< why not, if the file is there and bad
};

/// Of Accept=yes.
struct AcceptedConnection {
  std::string instance;      ///< what the service's instance is called: "0-10.0.0.1:22-…"
  std::string source;        ///< whom it comes from, for people; empty: not known
  unsigned from_source = 0;  ///< connections of that one that are served already
};

/// What the kernel tells of an autofs point.
enum class AutomountAsks : std::uint8_t {
  Access,  ///< somebody waits for the mount
  Expiry,  ///< the kernel waits for it to be unmounted: it was idle
  Gone,    ///< somebody else has unmounted the point
};

/// A mount or swap that has come or gone, by its unit's name.
struct MountNews {
  std::string unit;
  bool is_there = false;
};

/// What is known of a device by the name of one of its units.
struct DeviceFound {
  bool is_plugged = false;
  bool is_used = false;  ///< something on it is mounted, or swapped to
};

/// What the manager ends in.
enum class Objective : std::uint8_t {
  Run,
  Exit,
  Poweroff,
  Reboot,
  Halt,
  Kexec,
  SoftReboot,  ///< all but the kernel begins anew
  Reexecute
};
std::string_view to_string(Objective o);  // "poweroff"; "" of Run and Reexecute

class Os {
 public:
  virtual ~Os() = default;

  virtual Result<Launch> spawn(const LaunchRequest& request) = 0;
  virtual KillReport kill(const KillRequest& request) = 0;
  /// False only when it is known that no process of the unit is left.
  virtual bool has_processes(UnitId id) = 0;
  /// The unit's processes, main and control first; for status and guesses.
  virtual std::vector<pid_t> processes(UnitId id) = 0;
  /// Ask for unit_empty events of this unit from now on (or no longer).
  virtual void watch_empty(UnitId id, bool on) = 0;
  /// The activation ended: remove the cgroup; unless preserved, runtime directories.
  virtual void release(UnitId id, const Unit& unit, bool remove_runtime_directories) = 0;
  /// The unit is unloaded, without a process left: remove its cgroup, a slice's too.
  /// Its id may come back as another's.
  virtual void forget(UnitId id, const Unit& unit) = 0;

  /// The groups of a slice and of those above it are made and get their limits; any other
  /// unit's own gets what holds now, if it is there. What can't be had is told below.
  virtual void apply_resources(const UnitGraph& graph, UnitId id, bool startup) = 0;

  /// PIDFile= with its checks: a regular file, owned as the manual says, a live
  /// process of this unit (or a file only root could write).
  virtual PidFileReading read_pid_file(UnitId id, const Unit& unit, std::string_view path) = 0;
  /// The only plausible main process below the unit, 0 if none or several.
  virtual pid_t guess_main_pid(UnitId id, pid_t control_pid) = 0;
  virtual void remove_file(std::string_view path) = 0;
  /// Ask for path_changed events of this unit's PID file; empty: no longer.
  virtual void watch_path(UnitId id, std::string_view path) = 0;
  virtual void watch_bus_name(UnitId id, std::string_view name) = 0;
  /// A process that is not our child: tell its exit by process_exited.
  /// False if it is our child, whose exit is seen anyway.
  virtual bool watch_alien(UnitId id, pid_t pid) = 0;
  virtual bool is_alive(pid_t pid) = 0;

  /// Whether the kernel has this mount or swap, as far as it was told by mounts_changed().
  virtual bool is_mounted(const Unit& unit) = 0;
  /// Whether the device is there, as far as that was told by devices_changed().
  virtual DeviceFound device_found(const Unit& unit) = 0;
  /// Its path in sysfs; empty: it is not there.
  virtual std::string device_syspath(const Unit& unit) const = 0;

  /// The processes that are held for a scope become the unit's, in its group, which gets its
  /// limits. ESRCH: none is left.
  virtual SysResult adopt_processes(const UnitGraph& graph, UnitId id, bool startup) = 0;

  /// Opens all that the unit listens on, none of it if one fails: what went wrong, with
  /// its address. What is open already stays.
  virtual Result<void, std::string> open_sockets(UnitId id, const Unit& unit) = 0;
  /// Ask for Manager::socket_ready() as long as there is something on one of them.
  virtual SysResult watch_sockets(UnitId id, bool on) = 0;
  virtual void flush_sockets(UnitId id) = 0;
  virtual void close_sockets(UnitId id, const Unit& unit) = 0;
  /// Takes one connection, number `count` of the unit's; it is the next one again until it
  /// was given to an instance or dropped. EAGAIN: there is none.
  virtual Result<AcceptedConnection> accept_connection(UnitId id, std::uint32_t count) = 0;
  virtual void give_connection(UnitId socket, UnitId instance) = 0;
  /// Closes the one that the instance serves; of a socket unit the one that is not given yet.
  virtual void drop_connection(UnitId id) = 0;

  /// Of an automount unit whose process has made its autofs point: it is heard from now on, by
  /// Manager::automount_asked().
  virtual SysResult take_automount(UnitId id) = 0;
  /// To all who have asked so (Access or Expiry); 0 or an errno.
  virtual void answer_automount(UnitId id, AutomountAsks what, int error) = 0;
  /// Lets go who waits, with EHOSTDOWN; nothing is told any more.
  virtual void drop_automount(UnitId id) = 0;

  virtual Result<bool> test(const Condition& condition, const Unit& unit) = 0;
  virtual InvocationId new_invocation() = 0;
  virtual void log(Say::Level level, std::string_view unit, std::string_view text) = 0;
};

}  // namespace onset
