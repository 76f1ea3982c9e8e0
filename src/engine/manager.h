#pragma once
// The engine as a whole: units, their states, the job queue, timers. Driven by
// events and requests; acts on the world through Os alone.
//
//   request ─→ transaction ─→ jobs ─→ run queue ─→ step() of a unit ─→ Os
//   event   ─→ step() of its unit ─→ new state ─→ job results, dependencies
//
// Nothing recurses: a state change queues its consequences, dispatch() drains
// the queues. After each event, request() or elapse() they are empty, or there is
// more to do than a call may (ManagerConfig::steps_a_call) and elapse() is due.
//
// Where memory runs out, what has begun is finished with what stands by for it
// (engine/memory_reserve). What has not, waits: an item leaves its queue only once it is
// done, and what the world tells only once is kept (owed_). Requests, datagrams and
// readings end in bad_alloc before they have changed anything.

#include <algorithm>
#include <climits>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/diagnostic.h"
#include "base/time.h"
#include "engine/automount.h"
#include "engine/job.h"
#include "engine/job_queue.h"
#include "engine/memory_reserve.h"
#include "engine/mount.h"
#include "engine/os.h"
#include "engine/scope.h"
#include "engine/service.h"
#include "engine/service_state.h"
#include "engine/socket.h"
#include "engine/timer_queue.h"
#include "engine/unit_runtime.h"
#include "graph/atoms.h"
#include "graph/builder.h"
#include "graph/transaction.h"
#include "graph/unit_graph.h"
#include "unit/boot_times.h"
#include "unit/manager_settings.h"

namespace onset {

struct ManagerConfig {
  std::string default_target = "default.target";
  bool user_manager = false;
  bool container = false;
  /// What is mounted and has no unit file gets a unit all the same.
  bool adopts_mounts = false;
  /// The kernel tells of devices; else their units are not supported.
  bool has_devices = false;
  /// Onset's own: it can be no service's main process.
  pid_t own_pid = 1;
  ManagerSettings defaults;  ///< of what units leave open: system.conf
  /// The whole of a shutdown, in a container.
  Duration shutdown_budget = kInfinity;
  /// Jobs, requests and reviews that one call works off at most; what is left is due
  /// at once, see next_deadline(): signals and clients get their turn in between.
  unsigned steps_a_call = UINT_MAX;
};

enum class RequestErrorKind : std::uint8_t {
  Transaction,
  NoSuchJob,
  NoSuchUnit,
  NotSupported,
  ShuttingDown,
  OutOfMemory,  ///< it can be asked for again
  Invalid
};
struct RequestError {
  RequestErrorKind kind{};
  TransactionErrorKind transaction{};  ///< of Transaction
  std::string message;
};

/// Who sent a notify datagram, as the kernel says.
struct NotifySender {
  pid_t pid = 0;
  uid_t uid = 0;
};

/// Told of everything that changes; the control server forwards it.
class ManagerListener {
 public:
  virtual ~ManagerListener() = default;
  virtual void job_queued(const Job& job) = 0;
  virtual void job_done(const Job& job, JobResult result) = 0;
  virtual void unit_changed(UnitId id) = 0;
  /// Somebody who is not told everything yet needs the unit: it stays loaded.
  [[nodiscard]] virtual bool is_pinned(UnitId id) const = 0;
};

enum class SystemState : std::uint8_t {
  Initializing,
  Starting,
  Running,
  Degraded,
  Maintenance,
  Stopping,
  Offline
};

class Manager final : private UnitStates, private JobGate {
 public:
  Manager(Os& os, UnitSource& source, ManagerConfig config);
  ~Manager() override;
  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;

  void set_listener(ManagerListener* listener) { listener_ = listener; }

  // ---- life ---------------------------------------------------------------
  /// Queues the default target (isolate); falls back to rescue.target. Where there is no
  /// memory for it, that is tried again by elapse() until there is, or a shutdown is wanted.
  void start_up(Timestamp now);
  /// Of the last boot, before start_up(): what orders starts that are ready. Not kept longer than
  /// this boot lasts.
  void set_boot_times(BootTimes times) { boot_times_ = std::move(times); }
  /// Ordered shutdown: queues the target that leads to `objective`, irreversibly.
  /// Called again, it forces: what is left is killed.
  void shut_down(Objective objective, int exit_status, Timestamp now);
  /// An action that no unit asks for: Ctrl-Alt-Del over and over.
  void act(EmergencyAction action, Timestamp now);
  /// What the manager is asked to end in; Run while it is not.
  [[nodiscard]] Objective objective() const { return objective_; }
  [[nodiscard]] int exit_status() const { return exit_status_; }
  /// At once, whatever that loses: an …Action= that ends in -immediate.
  [[nodiscard]] bool ends_immediately() const { return ends_immediately_; }
  /// True from the moment a shutdown is asked for.
  [[nodiscard]] bool stopping() const { return stopping_ || wanted_shutdown_ != Objective::Run; }
  /// So, or somebody has asked for shutdown.target, which everything gives way to.
  [[nodiscard]] bool going_down() const;

  // ---- requests -----------------------------------------------------------
  Result<JobId, RequestError> request(std::string_view unit, JobType type, JobMode mode,
                                      Timestamp now);
  Result<void, RequestError> cancel(JobId job, Timestamp now);
  /// systemctl kill: `who` is "main", "control" or "all". How many processes were signalled.
  Result<unsigned, RequestError> kill_unit(std::string_view unit, std::string_view who, int signal);
  Result<void, RequestError> reset_failed(std::string_view unit, Timestamp now);
  /// Of a scope: who has made it looks after it no longer.
  Result<void, RequestError> abandon(std::string_view unit, Timestamp now);
  void reset_failed_all(Timestamp now);
  /// Reads all unit files again (daemon-reload). `source` must be a fresh one. bad_alloc:
  /// nothing has changed and `source` is not in use; else it is from now on.
  void reload(UnitSource& source, Timestamp now, Diagnostics& diagnostics);
  /// What system.conf says now; holds from the next event on. For the units that
  /// run it is reload() that makes it good, so call it before that.
  void set_defaults(ManagerSettings defaults) { config_.defaults = std::move(defaults); }
  /// Before anything new is asked for: what waits for memory is tried first, else it would be
  /// refused.
  void catch_up(Timestamp now);
  /// Loads if need be. Invalid id: an invalid name, or memory ran out, or had run out and the
  /// graph has yet to be built anew. What nothing else needs is unloaded by the next collect().
  UnitId load(std::string_view name);
  /// Unloads what nothing needs any longer, out of what was loaded or went down since
  /// the last call (systemd.unit(5), UNIT GARBAGE COLLECTION). No id that the caller
  /// still holds is safe from it: call it between events.
  void collect();

  // ---- events -------------------------------------------------------------
  void process_exited(pid_t pid, ExitStatus status, Timestamp now);
  void exec_done(pid_t pid, Timestamp now);
  void unit_empty(UnitId id, Timestamp now);
  /// `unit` as found from the sender's pid; `text` as received.
  void notify(UnitId id, const NotifySender& sender, std::string_view text, Timestamp now);
  /// What went wrong with a unit, from below (a launch's failed step): kept as its
  /// problem unless an earlier cause is known.
  void note_problem(UnitId id, std::string_view text);
  void path_changed(UnitId id, Timestamp now);
  void bus_name_changed(UnitId id, const BusNameChanged& change, Timestamp now);
  void oom_killed(UnitId id, Timestamp now);
  /// What has come or gone in the kernel's tables of mounts and swaps. May be told again; where
  /// memory runs out (bad_alloc) it has to be. Os::is_mounted() knows of it already.
  void mounts_changed(std::span<const MountNews> news, Timestamp now);
  /// Something has come in on a socket that is watched. Told again as long as it is there.
  void socket_ready(UnitId id, Timestamp now);
  /// What has come or gone of devices, likewise. Os::device_found() knows of it already.
  void devices_changed(std::span<const DeviceNews> news, Timestamp now);
  /// The autofs point of an automount unit; `pid` is who asks. May be told again.
  void automount_asked(UnitId id, AutomountAsks what, pid_t pid, Timestamp now);
  /// Runs every timer that is due.
  void elapse(Timestamp now);
  [[nodiscard]] MonoTime next_deadline() const;
  /// There is more to do than the last call did: its steps were over, or memory was.
  [[nodiscard]] bool is_behind() const { return has_more_; }
  /// When the job ends if nothing else ends it: JobTimeoutSec=, JobRunningTimeoutSec=.
  [[nodiscard]] MonoTime deadline_of(const Job& job) const;
  /// JobRunningTimeoutSec=; of a device that does not say, DefaultDeviceTimeoutSec=.
  [[nodiscard]] Duration job_running_timeout(const Unit& unit) const;
  /// Something that happened has still to be told to the unit, for want of memory.
  [[nodiscard]] bool is_owed(UnitId id) const {
    return std::ranges::find(owed_, id, &Owed::unit) != owed_.end();
  }

  // ---- looking ------------------------------------------------------------
  [[nodiscard]] const UnitGraph& graph() const { return *graph_; }
  [[nodiscard]] const UnitRuntime& runtime(UnitId id) const { return runtime_[id.value]; }
  [[nodiscard]] ActiveState active_state(UnitId id) const override {
    return runtime_[id.value].active;
  }
  [[nodiscard]] std::string_view sub_state(UnitId id) const;
  [[nodiscard]] const Job* job(JobId id) const;
  [[nodiscard]] std::vector<const Job*> jobs() const { return queue_.in_order(); }
  [[nodiscard]] std::size_t job_count() const { return queue_.all().size(); }
  /// What a waiting job waits for; value 0: nothing.
  [[nodiscard]] JobId blocker_of(const Job& job) const { return queue_.blocker_of(job, *graph_); }
  /// All that it waits for.
  [[nodiscard]] std::vector<JobId> blockers_of(const Job& job) const {
    return queue_.blockers_of(job, *graph_);
  }
  /// Where a job that waits for a slot will get it: "a.slice (ConcurrencySoftMax=3)". Of others
  /// empty.
  [[nodiscard]] std::string holder_text(const Job& job) const;
  [[nodiscard]] SystemState system_state() const;
  /// Jobs of the boot are still in the queue.
  [[nodiscard]] bool starting() const {
    return !started_up_ && !stopping() && objective_ == Objective::Run;
  }
  /// When the boot had ended: its last job; not set before.
  [[nodiscard]] const Timestamp& finished() const { return finished_; }
  /// The commands that the last activation of a service has run, in order; one
  /// that ran twice (ExecReload=) is there once, as it ran last.
  [[nodiscard]] std::span<const CommandRecord> command_records(UnitId id) const;
  /// STATUS= of a service, hostile text: escape before showing.
  [[nodiscard]] std::string_view status_text(UnitId id) const;
  /// Why this unit is not up, for people: the first cause since its last start.
  /// Empty for one that is.
  [[nodiscard]] std::string_view problem(UnitId id) const;
  [[nodiscard]] UnitId unit_of_pid(pid_t pid) const;
  /// Not valid: it has none.
  [[nodiscard]] UnitId mount_of_automount(UnitId id) const;
  /// Of a device, its path in sysfs; empty of any other unit, and of one that is not there.
  [[nodiscard]] std::string syspath(UnitId id) const;
  /// The unit by its path in sysfs, where that is another one of the same device.
  [[nodiscard]] std::string following(UnitId id) const;
  [[nodiscard]] const TimerQueue& timers() const { return timers_; }
  [[nodiscard]] const ManagerConfig& config() const { return config_; }
  [[nodiscard]] Duration start_timeout(const Unit& unit) const;
  [[nodiscard]] Duration stop_timeout(const Unit& unit) const;
  [[nodiscard]] Duration abort_timeout(const Unit& unit) const;
  [[nodiscard]] const Diagnostics& load_diagnostics() const { return load_diagnostics_; }

 private:
  // ---- life (manager.cpp) ---------------------------------------------------
  [[nodiscard]] std::optional<QueuedJob> queued(UnitId id) const override;
  std::unique_ptr<UnitGraph> empty_graph();
  void make_room_for_units(std::size_t units);
  void take_new_units();
  template <class Load>
  bool add_to_graph(Load load);
  void read_again(UnitSource& source, Diagnostics& found);
  bool load_what_they_name(const std::vector<UnitId>& units, Diagnostics& found);
  void adopt_graph();
  void retry_missing();
  void report_load(const Diagnostics& diagnostics);
  void break_rings();
  void begin_start_up();
  /// Who asks for a job: a user, or the engine for a change of state; or what comes in numbers, a
  /// boot and restarts. Only these wait for StartConcurrencyMax=.
  enum class Asker : std::uint8_t { User, Change, Many };
  Result<JobId, RequestError> enqueue(UnitId id, JobType type, JobMode mode, Asker asker);
  JobId install(const Transaction& transaction);
  void cancel_others(const Transaction& transaction);

  // ---- the queues (manager_jobs.cpp) ----------------------------------------
  void dispatch();
  bool dispatch_one();
  void note_started_up();
  void work_off_request();
  void run_job(JobId id);
  void run_job_once(JobId id);
  enum class Outcome : std::uint8_t {
    Underway,  ///< a state change will tell
    Already,
    NotNow,  ///< looked at again when the unit's state changes
    Skipped,
    Unmet,  ///< a Condition…= does not hold: done, but not started
    Failed,
    Dependency,
    Concurrency,  ///< ConcurrencyHardMax= of a slice
    Assert,
    Unsupported,
    Invalid,
  };
  Outcome start_unit(UnitId id);
  Outcome start_plain(UnitId id);
  Outcome start_machine(UnitId id);
  bool is_within_start_limit(UnitId id);
  std::optional<ServiceEvent> begin_start(UnitId id);
  std::optional<ServiceEvent> refuse_start(UnitId id);
  Outcome stop_unit(UnitId id);
  Outcome reload_unit(UnitId id);
  Outcome verify_active(UnitId id) const;
  bool may_start(UnitId id, Outcome& outcome);
  bool has_room(UnitId id, Outcome& outcome);
  /// `failed`: bit i, the i-th was looked at and did not hold.
  bool test_conditions(UnitId id, const std::vector<Condition>& conditions, std::uint64_t& failed);
  /// Whether jobs of units that depend on this one's fail with it.
  enum class Invalidate : bool { No, Yes };
  void finish_job(JobId id, JobResult result, Invalidate invalidate);
  void fail_dependents(UnitId id, Atom atom, JobType type);
  void announce(const Job& job, JobResult result);
  bool wake_idle();
  // ---- slots (manager_slots.cpp) ----------------------------------------------
  HeldBy full_for(const Job& job) override;
  [[nodiscard]] bool counts_in_slices(UnitId id) const;
  [[nodiscard]] bool is_coming_up(UnitId id) const;
  void note_slots(UnitId id);
  void forget_slots();
  [[nodiscard]] unsigned others_in(UnitId slice, UnitId but);
  [[nodiscard]] UnitId slice_without_room(UnitId id, unsigned SliceConfig::*limit);
  // ---- limits (manager_resources.cpp) ----------------------------------------
  void note_startup();
  void apply_all_resources();
  bool apply_next_resources();
  void arm_job(const Job& job);
  void job_timed_out(JobId id);

  // ---- one unit (manager_units.cpp) -----------------------------------------
  void feed(UnitId id, const ServiceEvent& event);
  void feed_owed(UnitId id);
  std::optional<ServiceEvent> feed_one(UnitId id, const ServiceEvent& event);
  std::optional<ServiceEvent> take_step(UnitId id, const ServiceEvent& event);
  [[nodiscard]] MemoryReserve::Open begin_change(UnitId id, std::size_t steps = 1);
  [[nodiscard]] MemoryReserve::Open part_of_change(UnitId id);
  void make_room_for_change(UnitId id);
  [[nodiscard]] std::size_t room_for(UnitId id) const;
  [[nodiscard]] std::size_t room_for_jobs(std::size_t jobs) const;
  ServiceContext context(UnitId id) const;
  void set_plain(UnitId id, bool active);
  // ---- mounts and swaps (manager_mounts.cpp) ----------------------------------
  /// Moved by a state machine, that of a service, a socket, a scope, a mount or an automount.
  [[nodiscard]] bool has_machine(UnitId id) const {
    const Unit& unit = graph_->unit(id);
    return unit.service != nullptr || unit.socket != nullptr || is_mount_like(unit) ||
           unit.automount != nullptr || has_scope_processes(unit);
  }
  template <class State, class Step>
  std::optional<ServiceEvent> take_over(UnitId id, State UnitRuntime::*machine, const Step& result,
                                        bool was_coming);
  std::optional<ServiceEvent> take_mount_step(UnitId id, const MountStep& step, bool starts);
  [[nodiscard]] MonoTime deadline_of(UnitId id) const;
  void feed_mount(UnitId id, MountChanged change);
  void load_found(std::vector<std::string> found);
  void find_mounted(UnitId id);
  // ---- devices (manager_devices.cpp) ----------------------------------------------
  void feed_device(UnitId id, DeviceChanged change);
  void find_device(UnitId id);
  void start_with_device(UnitId id);
  void add_wants(UnitId id, const std::vector<std::string>& wants);
  void note_late_device(UnitId id);
  struct Processes {
    pid_t main = 0;
    pid_t control = 0;
    bool operator==(const Processes&) const = default;
  };
  [[nodiscard]] Processes processes_of(UnitId id) const;
  [[nodiscard]] ServiceResult result_of(UnitId id) const;
  [[nodiscard]] ActiveState state_of(UnitId id) const;
  void apply_active(UnitId id, ActiveState before);
  void settle_job(UnitId id, ActiveState state, bool& unexpected);
  void index_pids(UnitId id, Processes before);
  void arm_unit(UnitId id);
  void say(Say::Level level, UnitId id, std::string_view text);

  // ---- scopes (manager_scopes.cpp) --------------------------------------------
  bool adopt_scope_processes(UnitId id);
  // ---- sockets (manager_sockets.cpp) ------------------------------------------
  std::optional<ServiceEvent> work_on_sockets(UnitId id, const SocketWork& action);
  std::optional<ServiceEvent> open_sockets(UnitId id);
  void watch_sockets(UnitId id);
  void trigger_service(UnitId id);
  [[nodiscard]] UnitId triggered_by_socket(UnitId id) const;
  [[nodiscard]] bool refuses_to_listen(UnitId id);
  void review_socket(UnitId id);
  bool accept_one(UnitId socket);
  void refuse_connection(UnitId socket, std::string_view why);
  enum class Served : std::uint8_t { Yes, No, NotNow };
  Served serve(UnitId socket, const std::string& instance);
  void end_connection(UnitId instance);
  void hand_over_sockets(LaunchRequest& request) const;

  // ---- automounts (manager_automounts.cpp) ------------------------------------
  std::optional<ServiceEvent> work_on_automount(UnitId id, const AutomountWork& action);
  void ask_of_mount(UnitId id, JobType type);
  [[nodiscard]] bool refuses_to_automount(UnitId id);
  void review_automount(UnitId id);

  // ---- what its machine asks for (manager_actions.cpp) ------------------------
  std::optional<ServiceEvent> perform(UnitId id, const ServiceAction& action);
  std::optional<ServiceEvent> spawn(UnitId id, const Spawn& action);
  void complete_launch(LaunchRequest& request, const Unit& unit, const UnitRuntime& rt) const;
  void record_start(UnitId id, const Spawn& action, pid_t pid);
  void record_exit(UnitId id, pid_t pid, const ExitStatus& status);
  void tell_trigger(std::vector<std::string>& environment, const Trigger& trigger) const;
  Result<Launch> launch(const LaunchRequest& request);
  void retry_spawn(UnitId id);
  ServiceEvent kill_processes(UnitId id, const Kill& action);
  void signal_main(UnitId id, const SignalMain& action);
  void kill_control(UnitId id, const KillControl& action);
  std::optional<ServiceEvent> find_main_pid(UnitId id, const FindMainPid& action);
  std::optional<ServiceEvent> watch_empty(UnitId id);
  void release(UnitId id, const Release& action);

  // ---- what a change means for others (manager_dependencies.cpp) ------------
  void start_with(UnitId id);
  void stop_with(UnitId id);
  void trigger(UnitId id, DependencyKind kind, JobMode mode);
  [[nodiscard]] bool has_one_source(UnitId id) const;
  void add_trigger(Job& job, const Trigger& trigger);
  void set_trigger(Trigger& place, const Trigger& trigger);
  void queue_reviews(UnitId id);
  void review(UnitId id);
  struct Due {
    JobType type{};
    std::string why;
  };
  /// What StopWhenUnneeded=, BindsTo= and Upholds= ask of the unit as it is now.
  [[nodiscard]] std::optional<Due> due_of(UnitId id) const;
  [[nodiscard]] bool is_needed(UnitId id) const;
  [[nodiscard]] bool is_unbound(UnitId id) const;
  bool review_is_limited(UnitId id);
  void trigger_for_end(UnitId id, DependencyKind kind, JobMode mode);
  void trigger_for_job(UnitId id);
  bool trigger_is_limited(UnitId id);
  bool accept_main_pid(UnitId id, const NotifySender& sender, pid_t pid);

  // ---- what nothing needs (manager_collect.cpp) -------------------------------
  void may_be_unneeded(UnitId id);
  [[nodiscard]] bool is_collectable(UnitId id);
  [[nodiscard]] std::vector<UnitId> find_garbage(const std::vector<UnitId>& candidates);
  [[nodiscard]] std::vector<UnitId> next_candidates(const std::vector<UnitId>& garbage) const;
  void forget(UnitId id);

  // ---- the end (manager_shutdown.cpp) ---------------------------------------
  void emergency(EmergencyAction action, UnitId id, std::optional<int> status,
                 std::string_view why);
  void want_shutdown(Objective objective);
  void end_at_once(Objective objective, bool immediately);
  void begin_shutdown();
  [[nodiscard]] Duration stop_budget(UnitId id) const;
  [[nodiscard]] int exit_status_of(UnitId id) const;

  /// A spawn that found no process or memory left: tried again, later.
  struct PendingSpawn {
    Spawn action;
    unsigned attempts = 0;
  };

  // ---- what waits for memory (manager_owed.cpp) --------------------------------
  /// What is told or answered once. There is room for all that can be owed at a time: of a
  /// process its launch and its end; of a unit its PID file, a bus name's change, the loss of
  /// the bus, an OOM kill and its emptiness, the last of each, and two answers.
  static constexpr std::size_t kOwedOfProcess = 2;
  static constexpr std::size_t kOwedOfUnit = 7;
  static constexpr std::size_t kNewProcesses = 3;  ///< of a step: main, control, launched
  struct PidFileChanged {};
  using Once = std::variant<PidFileChanged, Spawned, SpawnFailed, ExecDone, ProcessExited,
                            UnitEmpty, KillAnswer, MainPidFound, BusNameChanged, OomKilled,
                            RestartQueued, SocketsOpened>;
  struct Owed {
    Once event;
    UnitId unit;
    bool is_late = false;  ///< memory had run out when it came
  };
  static std::optional<Once> once(const ServiceEvent& event);
  bool forget_spawn(UnitId id);
  bool drop_pending_spawn(UnitId id);
  void settle(UnitId id);
  void feed_answer(UnitId id, std::optional<ServiceEvent> answer);
  void feed_or_owe(UnitId id, std::optional<ServiceEvent> answer);
  template <class Event>
  std::optional<ServiceEvent> feed_one_of(UnitId id, const Event& event);
  void make_room_for_owed(std::size_t units);
  void out_of_memory();
  /// Memory has run out since dispatch() began: what is left waits.
  [[nodiscard]] bool holds() const { return hold_until_ > now_.mono; }
  void owe(UnitId id, const Once& event);
  [[nodiscard]] std::vector<Owed>::iterator first_owed(UnitId id);
  void fire(TimerKey key);

  Os& os_;
  UnitSource* source_;
  ManagerConfig config_;
  ManagerListener* listener_ = nullptr;
  std::unique_ptr<UnitGraph> graph_;
  std::deque<UnitRuntime> runtime_;  ///< what was referred to stays when units come
  std::uint32_t known_units_ = 0;    ///< of the graph: collect() has looked at them, or will
  JobQueue queue_;
  TimerQueue timers_;
  MemoryReserve reserve_;
  MemoryReserve launch_reserve_;  ///< a launch uses up none of what its change needs
  std::vector<Owed> owed_;        ///< in the order in which it came
  MonoTime hold_until_{0};        ///< memory ran out: what is due comes then
  bool graph_is_torn_ = false;    ///< a load ended half way: built anew before anything else
  bool may_have_rings_ = false;
  Timestamp now_;
  Diagnostics load_diagnostics_;

  std::unordered_map<pid_t, UnitId> pids_;
  std::unordered_map<std::uint32_t, PendingSpawn> pending_spawns_;
  std::unordered_map<std::uint32_t, std::string> status_texts_;
  std::unordered_map<std::uint32_t, std::string> problems_;
  std::unordered_map<std::uint32_t, std::vector<CommandRecord>> command_records_;
  std::deque<JobId> failing_;  ///< jobs that end because one that they need did
  std::deque<UnitId> reviews_;
  std::vector<UnitId> collect_;  ///< to be looked at by the next collect(), once each
  struct Request {
    UnitId unit;
    JobType type{};
    JobMode mode{};
    /// Who has to hear if it is refused: the unit, of its Restart=; or the review that
    /// found it necessary, which looks again once another job has ended; or the socket that
    /// triggers it. Accept is no job: the socket unit takes a connection.
    enum class Of : std::uint8_t {
      Change,
      Restart,
      Review,
      Socket,
      Accept,
      Automount
    } of = Of::Change;
    Trigger trigger{};
    UnitId asker{};  ///< of Socket and Automount
  };
  /// Of the memory that stands by. The heap and a container add so much to each entry.
  static constexpr std::size_t kRoomOfNode = 8 * sizeof(void*);
  /// Lines of names, at most 255 bytes each, as they are made, told and kept.
  static constexpr std::size_t kRoomOfText = 1024;
  static constexpr std::size_t kRoomOfDeadline =
      2 * (sizeof(TimerKey) + sizeof(MonoTime) + kRoomOfNode);
  static constexpr std::size_t kRoomOfReady = 64 + kRoomOfNode;  ///< a job's place in a queue
  /// Of many jobs that come, end or both: the job, its places in the queues, its deadline, the
  /// reviews that follow, what is told of it.
  static constexpr std::size_t kRoomOfJob = sizeof(Job) + kRoomOfNode + 2 * kRoomOfReady +
                                            4 * sizeof(JobId) + 4 * sizeof(UnitId) +
                                            kRoomOfDeadline + 2 * kRoomOfText;
  /// Of a unit beside one that changes: it may be started and stopped, reviewed, woken, failed.
  static constexpr std::size_t kRoomOfNeighbour = 2 * sizeof(Request) + 2 * sizeof(UnitId) +
                                                  2 * sizeof(JobId) + kRoomOfNode + kRoomOfReady +
                                                  kRoomOfText;
  static constexpr std::size_t kRoomOfChange = 64 * kRoomOfText;
  std::deque<Request> requests_;  ///< jobs that state changes ask for
  std::vector<UnitId> refused_;   ///< to be reviewed when the next job has ended
  std::vector<UnitId> idle_waiters_;
  std::vector<UnitId> new_devices_;  ///< loaded while they were there: what they want starts
  struct StartCount {
    MonoTime begin;
    unsigned count = 0;
  };
  std::unordered_map<std::uint32_t, StartCount> review_counts_;
  BootTimes boot_times_;
  Timestamp finished_;
  unsigned coming_up_ = 0;           ///< units with UnitRuntime::is_coming_up
  bool has_counted_slices_ = false;  ///< some UnitRuntime::keeps_count
  std::unordered_map<std::uint32_t, StartCount> trigger_counts_;  ///< of jobs that failed
  bool dispatching_ = false;
  bool has_more_ = false;       ///< of what dispatch() works off
  bool reload_failed_ = false;  ///< of the step that is being settled

  Objective objective_ = Objective::Run;
  Objective shutdown_goal_ = Objective::Run;
  Objective wanted_shutdown_ = Objective::Run;  ///< asked for, and not begun yet
  int exit_status_ = 0;
  bool ends_immediately_ = false;
  bool stopping_ = false;
  bool wants_start_up_ = false;                 ///< asked for, and not begun yet
  bool started_up_ = false;                     ///< the first transaction has ended
  bool has_startup_limits_ = true;              ///< StartupCPUWeight= and its kin hold
  std::uint32_t apply_from_ = kNothingToApply;  ///< units whose limits are to be applied anew
  bool apply_all_ = false;                      ///< not only those with startup values
  static constexpr std::uint32_t kNothingToApply = UINT32_MAX;
  MonoTime shutdown_deadline_ = kNever;
  std::vector<unsigned> stop_chains_;
};

}  // namespace onset
