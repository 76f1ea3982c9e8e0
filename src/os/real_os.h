#pragma once
// The Os of engine/os.h on a Linux kernel: what the engine asks for is done
// here, and what the kernel has to tell comes back through an OsListener.
//
// The composition root owns the loop. It watches poll_fd(), calls drain() when
// that is readable, and tells of its children: reaped() for each one, before the
// engine hears of it, then after_reap() once for the batch.

#include <sys/types.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/unique_fd.h"
#include "engine/managed_oom.h"
#include "engine/os.h"
#include "os/accounts.h"
#include "os/autofs.h"
#include "os/bpf_attach.h"
#include "os/bus.h"
#include "os/cgroup.h"
#include "os/cgroup_limits.h"
#include "os/conditions.h"
#include "os/device_watch.h"
#include "os/files.h"
#include "os/launch.h"
#include "os/launch_builder.h"
#include "os/log_sink.h"
#include "os/mount_watch.h"
#include "os/path_watch.h"
#include "os/process_table.h"
#include "os/socket_table.h"
#include "os/unit_filters.h"
#include "unit/pressure.h"

namespace onset {

/// Told by drain(), reaped() and after_reap(), never from within a call of the engine's.
class OsListener {
 public:
  virtual ~OsListener() = default;
  /// The child of a launch reached execve.
  virtual void exec_done(pid_t pid) = 0;
  virtual void unit_empty(UnitId id) = 0;
  /// The kernel has killed a process of the unit for want of memory.
  virtual void unit_oom(UnitId id) = 0;
  /// Onset has, by ManagedOOM…= of the unit or of a slice above it; `why` is for people.
  virtual void unit_killed_for_memory(UnitId id, const std::string& why) = 0;
  virtual void path_changed(UnitId id) = 0;
  /// A process that is not our child has ended; how is not known.
  virtual void alien_exited(pid_t pid) = 0;
  virtual void bus_name_changed(UnitId id, const BusNameChanged& change) = 0;
  virtual void socket_ready(UnitId id) = 0;
  virtual void automount_asked(UnitId id, AutomountAsks what, pid_t pid) = 0;
};

/// Watches the kernel's pressure triggers in the loop itself: what such a one has to tell is told
/// once, and lost where an epoll instance within another asks first.
class TriggerLoop {
 public:
  virtual ~TriggerLoop() = default;
  /// RealOs::trigger_ready() from now on, whenever it is.
  virtual SysResult watch_trigger(BorrowedFd trigger) = 0;
  /// It is closed next.
  virtual void unwatch_trigger(BorrowedFd trigger) = 0;
};

/// A group whose pressure is watched, by the descriptor of its trigger.
struct PressureWatching {
  UniqueFd trigger;
  std::string group;
  unsigned limit = 0;  ///< hundredths of a percent
  Duration duration{};
  PressureSpell spell;
  std::unordered_map<std::string, std::uint64_t> reclaimed;  ///< when the spell began, by group
};

struct RealOsConfig {
  bool user_manager = false;
  HostFacts host;
  std::string notify_socket;             ///< $NOTIFY_SOCKET of services; empty: none
  std::vector<std::string> environment;  ///< the manager's own, NAME=VALUE
  LaunchDefaults defaults;               ///< what a service gets where its unit says nothing
  BorrowedFd output{1};                  ///< of services whose output is the journal's
  BorrowedFd error_output{2};
  bool use_cgroups = true;
  CgroupPlace cgroup_place;
  const char* proc = "/proc";
};

class RealOs final : public Os {
 public:
  /// `log` outlives it. Fails only where nothing could run at all (no epoll).
  /// What the machine lacks is said through `log`, a line each.
  static Result<std::unique_ptr<RealOs>> create(RealOsConfig config, LogSink& log);
  ~RealOs() override;

  // ---- for the composition root ---------------------------------------------
  /// For every process that is started from now on. `environment` is the manager's own.
  void set_defaults(std::vector<std::string> environment, LaunchDefaults defaults);
  /// What units count and how many tasks they may have where they say nothing; outlives it.
  void set_resource_defaults(const ManagerSettings* defaults) { resource_defaults_ = defaults; }
  /// What every service has in its environment, before what its unit says.
  [[nodiscard]] const Environment& base_environment() const { return builder_->base(); }
  [[nodiscard]] BorrowedFd poll_fd() const { return epoll_; }
  /// A process that was started has not said yet how its launch went.
  [[nodiscard]] bool is_launching() const { return !launches_.empty(); }
  /// At each turn of the loop, before anything else.
  void new_turn() { launcher_->new_turn(); }
  /// What is cut off by a bad_alloc comes once more: poll_fd() is readable.
  void drain(OsListener& listener);
  /// A child was waited for. Whose it was; invalid if no unit's. What its launch
  /// has not told yet is told first.
  UnitId reaped(pid_t pid, OsListener& listener);
  /// After the batch: units that are watched and have lost their last process. Until it has
  /// come to its end it may be called once more.
  void after_reap(OsListener& listener);
  /// Before the end of a process that was killed is told: whether it was for want of memory.
  void tell_if_oom(UnitId id, OsListener& listener);
  /// The unit of any process, for a notification's sender.
  UnitId unit_of_process(pid_t pid);
  /// A unit's processes are found by this: "cgroup v2 at …", "process tree (…)".
  [[nodiscard]] const std::string& backend() const { return backend_; }
  /// The group of the whole, "/" at the top; empty without cgroups.
  [[nodiscard]] std::string root_group() const;
  /// Path of the unit's cgroup below the mount, empty without one.
  [[nodiscard]] std::string control_group(UnitId id, const Unit& unit) const;
  /// Of its cgroup, or what was left of the last one; nothing without.
  [[nodiscard]] CgroupUsage usage(UnitId id, const Unit& unit) const;
  /// Of its cgroup; 0 without one, or where the kernel does not measure.
  [[nodiscard]] unsigned pressure(UnitId id, const Unit& unit, Scarce what) const;
  /// Of onset's own group, in the file system; empty without cgroups.
  [[nodiscard]] std::string root_folder() const { return cgroups_ ? cgroups_->root_path() : ""; }
  /// What the unit asks for and does not get.
  [[nodiscard]] const std::vector<NotEnforced>& not_enforced(UnitId id) const;
  /// Lets the unit's processes stand still, or go on. ENOTSUP without a cgroup.
  SysResult freeze(UnitId id, const Unit& unit, bool frozen);
  [[nodiscard]] bool is_frozen(UnitId id) const;
  /// Outlives it; null: pressure can't be watched.
  void set_trigger_loop(TriggerLoop* loop) { trigger_loop_ = loop; }
  /// What is told to `listener` may come once more where memory has run out.
  void trigger_ready(BorrowedFd trigger, std::uint32_t events, OsListener& listener);
  /// For a scope that is started next: processes of anybody's, by their numbers as they are now.
  /// EPERM: onset itself, a thread of the kernel, or another user's where onset is no root. EMFILE:
  /// of all scopes kHeldProcessesMax wait already, and each takes a descriptor.
  SysResult hold_processes(UnitId id, std::span<const pid_t> pids);
  /// `mounts` outlives it; null: nothing is known to be mounted.
  void set_mount_watch(const MountWatch* mounts) { mounts_ = mounts; }
  /// Likewise of devices.
  void set_device_watch(const DeviceWatch* devices) { devices_ = devices; }
  [[nodiscard]] bool has_proc() const { return table_.has_proc(); }
  [[nodiscard]] RealFiles& files() { return files_; }
  [[nodiscard]] Accounts& accounts() { return accounts_; }

  // ---- Os ---------------------------------------------------------------------
  Result<Launch> spawn(const LaunchRequest& request) override;
  KillReport kill(const KillRequest& request) override;
  bool has_processes(UnitId id) override;
  std::vector<pid_t> processes(UnitId id) override;
  void watch_empty(UnitId id, bool on) override;
  void release(UnitId id, const Unit& unit, bool remove_runtime_directories) override;
  void forget(UnitId id, const Unit& unit) override;
  void apply_resources(const UnitGraph& graph, UnitId id, bool startup) override;
  PidFileReading read_pid_file(UnitId id, const Unit& unit, std::string_view path) override;
  pid_t guess_main_pid(UnitId id, pid_t control_pid) override;
  void remove_file(std::string_view path) override;
  void watch_path(UnitId id, std::string_view path) override;
  void watch_bus_name(UnitId id, std::string_view name) override;
  bool watch_alien(UnitId id, pid_t pid) override;
  bool is_alive(pid_t pid) override;
  SysResult adopt_processes(const UnitGraph& graph, UnitId id, bool startup) override;
  bool is_mounted(const Unit& unit) override {
    return mounts_ != nullptr && mounts_->is_mounted(unit);
  }
  Result<void, std::string> open_sockets(UnitId id, const Unit& unit) override {
    return sockets_.open(id, unit);
  }
  SysResult watch_sockets(UnitId id, bool on) override;
  void flush_sockets(UnitId id) override { sockets_.flush(id); }
  void close_sockets(UnitId id, const Unit& unit) override;
  Result<AcceptedConnection> accept_connection(UnitId id, std::uint32_t count) override {
    return sockets_.accept(id, count);
  }
  void give_connection(UnitId socket, UnitId instance) override { sockets_.give(socket, instance); }
  void drop_connection(UnitId id) override { sockets_.drop(id); }
  DeviceFound device_found(const Unit& unit) override {
    return devices_ != nullptr ? devices_->found(unit.id) : DeviceFound{};
  }
  std::string device_syspath(const Unit& unit) const override {
    return devices_ != nullptr ? devices_->syspath(unit.id) : std::string();
  }
  SysResult take_automount(UnitId id) override;
  void answer_automount(UnitId id, AutomountAsks what, int error) override {
    automounts_.answer(id, what, error);
  }
  void drop_automount(UnitId id) override;
  Result<bool> test(const Condition& condition, const Unit& unit) override;
  InvocationId new_invocation() override;
  void log(Say::Level level, std::string_view unit, std::string_view text) override;

 private:
  /// A launch whose child has not said yet how it went.
  struct PendingLaunch {
    StartedProcess process;
    std::unique_ptr<LaunchPlan> plan;
  };
  using Launches = std::unordered_map<int, PendingLaunch>;
  struct Alien {
    UniqueFd pidfd;
    UnitId unit;
  };
  /// What is known of a unit beyond its processes; one that has no group and is not
  /// watched needs none.
  struct UnitRecord {
    std::string cgroup;           ///< path below the tree's root
    int empty_watch = -1;         ///< inotify, of cgroup.events
    int oom_watch = -1;           ///< inotify, of memory.events
    int tasks_watch = -1;         ///< inotify, of pids.events
    std::uint64_t oom_kills = 0;  ///< that were told
    std::uint64_t refusals = 0;   ///< of forks, that were seen
    MonoTime last_refusal;
    bool watched = false;  ///< unit_empty is wanted
    bool told = false;     ///< and was told, with nothing started since
    bool frozen = false;   ///< the group stands still
  };
  struct AttachedFilter {
    BpfHook hook{};
    UniqueFd program;
    std::string path;  ///< of a pinned one
  };
  struct TrafficCounters {
    UniqueFd map;
    UniqueFd ingress;
    UniqueFd egress;
  };
  /// What a group was given.
  struct GroupState {
    std::vector<CgroupWrite> written;
    std::vector<AttachedFilter> filters;
    std::optional<TrafficCounters> counters;  ///< IPAccounting=
    bool is_whole = false;                    ///< nothing kept it from coming to its end
    bool is_given_away = false;
    bool kills_on_swap = false;  ///< ManagedOOMSwap=kill
    OomPreference oom_preference = OomPreference::None;
  };
  /// A unit in its place: what the slices above it say.
  struct Placement {
    const UnitGraph* graph = nullptr;
    UnitId id;
    const Unit& unit;
    bool startup = false;
  };
  enum class Source : std::uint8_t { Inotify, Launch, Alien, Bus, Wake, Socket, Automount };

  RealOs(RealOsConfig config, LogSink& log);
  SysResult open_descriptors(const RealOsConfig& config);
  void open_null();
  void choose_backend(const RealOsConfig& config);

  SysResult poll(BorrowedFd fd, Source source);
  void unpoll(BorrowedFd fd);
  void check_soon(UnitId id);
  void wake_up();
  void drain_inotify(OsListener& listener);
  void tell_automounts(OsListener& listener);
  Launch wait_for_report(StartedProcess started, Launches::node_type launch);
  void drain_launch(int fd, OsListener& listener);
  void end_launch(int fd, const PendingLaunch& launch, OsListener& listener);
  void drop_launch(int fd);
  void settle_launch(pid_t pid, OsListener& listener);
  void drain_alien(int fd, OsListener& listener);
  void drain_bus(OsListener& listener);
  void cgroup_event(int wd, OsListener& listener);
  void watch_events(UnitId id, bool is_new);
  void watch_oom(UnitId id, bool is_new);
  void watch_tasks(UnitId id, bool is_new);
  void unwatch_events(UnitRecord& unit);
  void tell_refusals(UnitId id);
  [[nodiscard]] CgroupUsage usage_of_group(const std::string& group,
                                           CgroupTree::Measure what) const;
  // ---- ManagedOOM…= (real_os_oom.cpp) ----
  void watch_managed_oom(const Placement& place, const std::string& group,
                         std::vector<NotEnforced>& failed);
  SysResult watch_pressure(const ResourceConfig& config, const std::string& group);
  void unwatch_managed_oom(const std::string& group);
  SysResult watch_trigger(BorrowedFd trigger);
  void hear_pressure(PressureWatching& watch, OsListener& listener);
  void drain_swap(OsListener& listener);
  [[nodiscard]] std::vector<OomCandidate> oom_candidates(const std::string& group) const;
  [[nodiscard]] std::string owner_of(std::string path) const;
  void kill_for_memory(const std::vector<OomCandidate>& candidates, OomCause cause,
                       const std::string& why, OsListener& listener);
  void keep_usage(UnitId id, const Unit& unit, const std::string& group);
  void tell_if_empty(UnitId id, OsListener& listener);

  SysResult place_in_cgroup(LaunchPlan& plan, const LaunchRequest& request);
  SysResult prepare_group(const Placement& place);
  struct HeldProcess {
    pid_t pid = 0;
    UniqueFd pidfd;  ///< where the kernel has them
  };
  [[nodiscard]] SysResult may_hold(pid_t pid) const;
  SysResult adopt(UnitId id, HeldProcess& process);
  void lose_adopted(pid_t pid);
  [[nodiscard]] std::string group_of(UnitId id, const Unit& unit) const;
  void apply_slices(const Placement& place);
  SysResult apply_limits(const Placement& place, const std::string& group);
  SysResult apply_filters(const Placement& place, const std::string& group,
                          std::vector<NotEnforced>& failed);
  SysResult attach_filters(const UniqueFd& folder, const std::vector<UnitFilter>& filters,
                           GroupState& state, std::vector<NotEnforced>& failed);
  [[nodiscard]] OomPolicy oom_policy_of(const ServiceConfig& service) const;
  [[nodiscard]] bool counts_traffic(const ResourceConfig& config) const;
  static void count_traffic(GroupState& state, const UniqueFd& folder,
                            std::vector<NotEnforced>& failed);
  std::vector<CgroupWrite> grant(GroupLimits& limits, const std::string& group,
                                 ControllerSet disabled);
  void write_limits(const std::string& group, const std::vector<CgroupWrite>& wanted,
                    std::vector<NotEnforced>& failed);
  void note_not_enforced(UnitId id, const Unit& unit, std::vector<NotEnforced> found);
  void note_no_cgroups(UnitId id, const Unit& unit);
  [[nodiscard]] bool is_limited(const std::string& group) const;
  [[nodiscard]] bool has_memory_limit(const std::string& group) const;
  void give_pressure_file(const LaunchPlan& plan, const Unit& unit, const std::string& group) const;
  void give_away(const LaunchPlan& plan, const Unit& unit, const std::string& group);
  void keep_slice_group(UnitId id, const Unit& unit);
  bool remove_group(const std::string& group, const Unit& unit);
  void thaw_if_frozen(UnitId id);
  void report_failure(const LaunchPlan& plan, const ChildReport& report);
  void report_notes(const LaunchPlan& plan, std::uint8_t notes);
  std::vector<pid_t> rest_of(const KillRequest& request);
  void kill_groups(const KillRequest& request, KillReport& report);
  void kill_rest(const KillRequest& request, std::vector<pid_t> rest, KillReport& report);
  bool kill_group(const KillRequest& request, KillReport& report);
  void remove_runtime_directories(const Unit& unit);

  LogSink& log_;
  const MountWatch* mounts_ = nullptr;
  const DeviceWatch* devices_ = nullptr;
  RealFiles files_;
  LaunchSettings settings_;
  Accounts accounts_;
  SocketTable sockets_{accounts_, log_};
  AutomountTable automounts_;
  std::unique_ptr<LaunchBuilder> builder_;
  std::unique_ptr<Launcher> launcher_;
  std::unique_ptr<ConditionTester> conditions_;
  std::unique_ptr<CgroupTree> cgroups_;
  std::unique_ptr<BusClient> bus_;
  pid_t self_ = ::getpid();
  ProcessTable table_;
  std::vector<UnitId> reaped_;  ///< whose process ended in this batch; without cgroups
  PathWatches paths_;
  std::string backend_;

  UniqueFd epoll_;
  UniqueFd inotify_;
  UniqueFd wake_;
  std::vector<UniqueFd> streams_;           ///< the descriptors of settings_
  std::array<std::uint8_t, 256> random_{};  ///< for new_invocation()
  std::size_t random_left_ = 0;

  Launches launches_;           ///< by the pipe's reading end
  unsigned late_launches_ = 0;  ///< those on a stack of PID 1's memory
  std::unordered_map<pid_t, Alien> aliens_;
  std::unordered_map<std::uint32_t, std::vector<HeldProcess>> held_;  ///< for scopes
  std::unordered_map<std::uint32_t, UnitRecord> units_;
  std::unordered_map<std::string, GroupState> groups_;  ///< by path
  std::unordered_map<std::uint32_t, std::vector<NotEnforced>> not_enforced_;
  const ManagerSettings* resource_defaults_ = nullptr;
  std::unordered_map<int, UnitId> oom_watches_;                 ///< by inotify watch
  std::unordered_map<int, UnitId> task_watches_;                ///< likewise
  std::unordered_map<int, PressureWatching> pressure_watches_;  ///< by descriptor
  UniqueFd swap_trigger_;
  TriggerLoop* trigger_loop_ = nullptr;
  std::unordered_map<std::uint32_t, CgroupUsage> last_usages_;   ///< of activations that ended
  std::unordered_map<int, UnitId> empty_watches_;                ///< by inotify watch
  std::unordered_map<std::string_view, UnitId> unit_by_cgroup_;  ///< by the record's text
  std::unordered_set<std::uint32_t> check_empty_;  ///< to be looked at by the next drain()
  std::unordered_set<std::uint32_t> checking_;     ///< by the one that is under way, or was cut off
  bool is_inotify_torn_ = false;                   ///< what was read of it was not told to its end
};

}  // namespace onset
