#pragma once
// The engine as a whole: units, their states, the job queue, timers. Driven by
// events and requests; acts on the world through Os alone.
//
//   request ─→ transaction ─→ jobs ─→ run queue ─→ step() of a unit ─→ Os
//   event   ─→ step() of its unit ─→ new state ─→ job results, dependencies
//
// Nothing recurses: a state change queues its consequences, dispatch() drains
// the queues. After each handle(), request() or elapse() the queues are empty.

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/diagnostic.h"
#include "base/time.h"
#include "engine/job.h"
#include "engine/os.h"
#include "engine/service.h"
#include "engine/service_state.h"
#include "graph/builder.h"
#include "graph/transaction.h"
#include "graph/unit_graph.h"

namespace onset {

struct ManagerConfig {
  std::string default_target = "default.target";
  bool user_manager = false;
  bool container = false;
  Duration default_timeout_start = std::chrono::seconds(90);
  Duration default_timeout_stop = std::chrono::seconds(90);
  Duration default_start_limit_interval = std::chrono::seconds(10);
  unsigned default_start_limit_burst = 5;
  /// The whole of a shutdown, in a container.
  Duration shutdown_budget = kInfinity;
};

/// One unit at run time, beside its config in the graph.
struct UnitRuntime {
  ServiceState service;               ///< of services; others use `plain_active`
  bool plain_active = false;          ///< of targets, slices and other units without processes
  bool plain_failed = false;
  ActiveState active = ActiveState::Inactive;  ///< cached: what the last step led to
  InvocationId invocation{};
  Timestamp state_change;
  Timestamp active_enter;
  Timestamp active_exit;
  Timestamp inactive_enter;
  Timestamp inactive_exit;
  Timestamp condition_time;
  bool condition_result = false;
  bool assert_result = false;
  int failed_condition = -1;          ///< index in config.conditions
  JobId job{};                        ///< 0: none
  JobId nop_job{};
  // StartLimit…=
  MonoTime limit_begin;
  unsigned limit_count = 0;
  bool start_limit_hit = false;
};

enum class RequestErrorKind : std::uint8_t { Transaction, NoSuchJob, NoSuchUnit, NotSupported, ShuttingDown, Invalid };
struct RequestError {
  RequestErrorKind kind{};
  TransactionErrorKind transaction{};   ///< of Transaction
  std::string message;
};

/// Told of everything that changes; the control server forwards it.
class ManagerListener {
 public:
  virtual ~ManagerListener() = default;
  virtual void job_queued(const Job& job) = 0;
  virtual void job_done(const Job& job, JobResult result) = 0;
  virtual void unit_changed(UnitId id) = 0;
};

enum class SystemState : std::uint8_t { Initializing, Starting, Running, Degraded, Maintenance, Stopping, Offline };

class Manager final : private UnitStates {
 public:
  Manager(Os& os, UnitSource& source, ManagerConfig config);
  ~Manager() override;
  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;

  void set_listener(ManagerListener* listener) { listener_ = listener; }

  // ---- life ---------------------------------------------------------------
  /// Queues the default target (isolate); falls back to rescue.target.
  void start_up(Timestamp now);
  /// Ordered shutdown: queues the target that leads to `objective`, irreversibly.
  /// Called again, it forces: what is left is killed.
  void shut_down(Objective objective, int exit_status, Timestamp now);
  /// What the manager is asked to end in; Run while it is not.
  [[nodiscard]] Objective objective() const { return objective_; }
  [[nodiscard]] int exit_status() const { return exit_status_; }
  /// True from the moment a shutdown is asked for.
  [[nodiscard]] bool stopping() const { return stopping_; }

  // ---- requests -----------------------------------------------------------
  Result<JobId, RequestError> request(std::string_view unit, JobType type, JobMode mode, Timestamp now);
  Result<void, RequestError> cancel(JobId job, Timestamp now);
  /// systemctl kill: `who` is "main", "control" or "all".
  Result<void, RequestError> kill_unit(std::string_view unit, std::string_view who, int signal);
  Result<void, RequestError> reset_failed(std::string_view unit, Timestamp now);
  void reset_failed_all(Timestamp now);
  /// Reads all unit files again (daemon-reload). `source` must be a fresh one.
  void reload(UnitSource& source, Timestamp now, Diagnostics& diagnostics);
  /// Loads if need be. Invalid id only for an invalid name.
  UnitId load(std::string_view name);

  // ---- events -------------------------------------------------------------
  void process_exited(pid_t pid, ExitStatus status, Timestamp now);
  void exec_done(pid_t pid, Timestamp now);
  void unit_empty(UnitId id, Timestamp now);
  /// `unit` as found from the sender's pid; `text` as received.
  void notify(UnitId id, pid_t sender, std::string_view text, unsigned fd_count, Timestamp now);
  void path_changed(UnitId id, Timestamp now);
  void bus_name_changed(UnitId id, const BusNameChanged& change, Timestamp now);
  void oom_killed(UnitId id, Timestamp now);
  /// Runs every timer that is due.
  void elapse(Timestamp now);
  [[nodiscard]] MonoTime next_deadline() const;

  // ---- looking ------------------------------------------------------------
  [[nodiscard]] const UnitGraph& graph() const { return *graph_; }
  [[nodiscard]] const UnitRuntime& runtime(UnitId id) const { return runtime_[id.value]; }
  [[nodiscard]] ActiveState active_state(UnitId id) const override { return runtime_[id.value].active; }
  [[nodiscard]] std::string_view sub_state(UnitId id) const;
  [[nodiscard]] const Job* job(JobId id) const;
  [[nodiscard]] const std::map<std::uint32_t, Job>& jobs() const { return jobs_; }
  [[nodiscard]] SystemState system_state() const;
  /// STATUS= of a service, hostile text: escape before showing.
  [[nodiscard]] std::string_view status_text(UnitId id) const;
  /// Why the last start of this unit failed, for people; empty: it did not.
  [[nodiscard]] std::string_view problem(UnitId id) const;
  [[nodiscard]] UnitId unit_of_pid(pid_t pid) const;
  [[nodiscard]] const ManagerConfig& config() const { return config_; }
  /// True if a file of the unit changed since it was loaded is not known here:
  /// the control server asks the file source.
  [[nodiscard]] Duration start_timeout(const Unit& unit) const;
  [[nodiscard]] Duration stop_timeout(const Unit& unit) const;
  [[nodiscard]] const Diagnostics& load_diagnostics() const { return load_diagnostics_; }

 private:
  [[nodiscard]] std::optional<QueuedJob> queued(UnitId id) const override;

  Os& os_;
  UnitSource* source_;
  ManagerConfig config_;
  ManagerListener* listener_ = nullptr;
  std::unique_ptr<UnitGraph> graph_;
  std::vector<UnitRuntime> runtime_;
  std::map<std::uint32_t, Job> jobs_;
  Diagnostics load_diagnostics_;
  Objective objective_ = Objective::Run;
  int exit_status_ = 0;
  bool stopping_ = false;
};

}  // namespace onset
