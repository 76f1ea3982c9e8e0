#pragma once
// What the methods need and the engine does not know: files, processes, the
// machine. Implemented in init/; every answer may be "unknown".

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"
#include "base/result.h"
#include "base/time.h"
#include "engine/manager.h"

namespace onset {

struct UnitFileFacts {
  std::string state;   ///< "enabled", "static", … as is-enabled prints; empty: no file
  std::string preset;  ///< "enabled", "disabled" or empty
};

/// What the unit's processes use, or have used until its end; what can't be measured is
/// not there.
struct UnitUsage {
  std::optional<std::uint64_t> memory;  ///< bytes
  std::optional<std::uint64_t> cpu_nsec;
  std::optional<std::uint64_t> tasks;
  std::optional<std::uint64_t> memory_peak;
  std::optional<std::uint64_t> io_read_bytes;
  std::optional<std::uint64_t> io_read_operations;
  std::optional<std::uint64_t> io_write_bytes;
  std::optional<std::uint64_t> io_write_operations;
  std::optional<std::uint64_t> ip_ingress_bytes;
  std::optional<std::uint64_t> ip_ingress_packets;
  std::optional<std::uint64_t> ip_egress_bytes;
  std::optional<std::uint64_t> ip_egress_packets;
  std::optional<std::uint64_t> tasks_refused;
};

/// Where a process stands; what can't be told is empty or 0.
struct ProcessPlace {
  std::string group;  ///< its cgroup, as control_group() has them
  pid_t parent = 0;
};

struct ShutdownRequest {
  Objective objective{};  ///< any but Run and Reexecute
  int exit_status = 0;
  bool force = false;   ///< what runs is killed
  std::string message;  ///< why, for the log; hostile
};

/// One for later, shutdown(8).
struct PlannedShutdown {
  Objective objective{};
  Duration after{};
  bool announces = true;  ///< on terminals
  std::string message;    ///< hostile
};

/// Of a reload. Without `found` it has begun, and ManagerInterface::reloaded() with this number, or
/// a higher one, tells its end.
struct ReloadStep {
  std::optional<Diagnostics> found;  ///< what there is to say about files
  unsigned number = 0;
};

class ControlBackend {
 public:
  virtual ~ControlBackend() = default;

  // ---- files ----------------------------------------------------------------
  /// What file_facts() has read on the way may serve for further units until this
  /// is called: a request begins or has ended.
  virtual void forget_files() = 0;
  /// Whether loading this valid name would find anything.
  virtual bool has_unit_file(std::string_view name) = 0;
  virtual UnitFileFacts file_facts(const Unit& unit) = 0;
  /// A file of the unit has changed since it was read.
  virtual bool needs_reload(const Unit& unit) = 0;
  /// The generators, then Manager::reload() with a fresh source.
  virtual ReloadStep reload(Timestamp now) = 0;
  virtual std::string default_target() = 0;

  /// Puts the file of a unit that is made now where the manager finds it. The error is a
  /// line for people; EEXIST's is empty: there is one of that name.
  virtual Result<void, std::string> make_transient(const std::string& name,
                                                   const std::string& text) = 0;
  /// The same is not wanted after all.
  virtual void drop_transient(const std::string& name) = 0;
  /// The next start of this scope takes them over. EPERM, ESRCH, EBUSY: not to be
  /// had; EMFILE: too many wait already.
  virtual SysResult hold_processes(UnitId id, const std::vector<pid_t>& pids) = 0;

  // ---- processes ------------------------------------------------------------
  /// Of the unit, main and control first. The answer is bounded by its maker.
  virtual std::vector<pid_t> processes(UnitId id) = 0;
  /// argv joined by spaces, quoted where a shell would need it, or "[name]" of a
  /// process without; at most a few hundred bytes, hostile.
  virtual std::string command_line(pid_t pid) = 0;
  virtual ProcessPlace place(pid_t pid) = 0;
  /// Of a process that the engine did not start itself.
  virtual UnitId unit_of_pid(pid_t pid) = 0;
  /// "/system.slice/a.service"; empty: none.
  virtual std::string control_group(UnitId id) = 0;
  virtual UnitUsage usage(UnitId id) = 0;
  /// What it starves for, a line each; for people.
  virtual std::vector<std::string> starvation(UnitId id) = 0;
  /// "MemoryMax= not enforced (no memory controller)": of what it asks for in vain.
  virtual std::vector<std::string> not_enforced(UnitId id) = 0;
  /// ENOTSUP: the unit has no cgroup that could be frozen.
  virtual SysResult freeze(UnitId id, bool frozen) = 0;
  virtual bool is_frozen(UnitId id) = 0;

  // ---- the system -----------------------------------------------------------
  /// What every process is started with, before what its unit says: NAME=VALUE.
  virtual std::vector<std::string> environment() = 0;
  /// For processes that are started from now on. Names or assignments that are unset, of those
  /// that were set here; then valid assignments.
  virtual Result<void, RequestError> change_environment(const std::vector<std::string>& unset,
                                                        const std::vector<std::string>& set) = 0;
  /// Of the manager's own lines: syslog's level; "console", "kmsg" or "null", false: none of
  /// these.
  virtual void set_log_level(int level) = 0;
  virtual bool set_log_target(std::string_view target) = 0;
  /// Returns before the end, so that the reply gets out.
  virtual Result<void, RequestError> shut_down(const ShutdownRequest& request, Timestamp now) = 0;
  /// In place of what was planned before; the moment when it comes.
  virtual Result<WallTime, RequestError> plan_shutdown(const PlannedShutdown& plan,
                                                       Timestamp now) = 0;
  /// False: nothing was planned.
  virtual bool cancel_shutdown(bool announces, const std::string& message, Timestamp now) = 0;
  struct Planned {
    Objective objective{};
    WallTime at;
  };
  virtual std::optional<Planned> planned_shutdown() = 0;
  virtual std::string version() = 0;
  /// "cgroup", "seccomp", …: what this binary has and this machine allows.
  virtual std::vector<std::string> features() = 0;
  /// Properties of the manager beyond those that the engine knows, by the names
  /// of org.freedesktop.systemd1(5): Virtualization, Architecture, UnitPath, …
  virtual std::map<std::string, std::string> properties() = 0;
};

}  // namespace onset
