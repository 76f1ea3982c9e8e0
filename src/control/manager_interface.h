#pragma once
// The methods of io.onset.Manager and org.varlink.service: a table of names and
// functions, nothing is looked up by any other way. Calls that wait or stream
// are kept as PendingCall and go on when their client has room (pull).

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "control/backend.h"
#include "control/call.h"
#include "control/json.h"
#include "control/parameters.h"
#include "control/pending_call.h"
#include "control/refusal.h"
#include "engine/manager.h"

namespace onset {

/// docs/io.onset.Manager.varlink, embedded at build time.
std::string_view manager_interface_text();
/// The interface file of org.varlink.service.
std::string_view service_interface_text();

class ManagerInterface final : public CallHandler, public ManagerListener {
 public:
  /// Both outlive it. Does not register itself as the manager's listener: the
  /// composition root does, alone or behind its own.
  ManagerInterface(Manager& manager, ControlBackend& backend)
      : manager_(manager), backend_(backend) {}

  /// Where replies go; before the first call.
  void set_sink(ReplySink* sink) { sink_ = sink; }

  // ---- the server's side ----------------------------------------------------
  void handle(CallId call, const Request& request, const Json& parameters, Timestamp now) override;
  bool pull(CallId call) override;
  void gone(CallId call) override;

  // ---- the engine's side ----------------------------------------------------
  void job_queued(const Job& job) override;
  void job_done(const Job& job, JobResult result) override;
  void unit_changed(UnitId id) override;
  /// That reload, and all before it, have ended. Null: memory has run out.
  void reloaded(unsigned number, const std::shared_ptr<const Diagnostics>& found);
  /// A call that goes on holds the unit's id.
  [[nodiscard]] bool is_pinned(UnitId id) const override;

  /// The names of all methods of io.onset.Manager, for the test that holds them
  /// to the interface file.
  static std::vector<std::string_view> method_names();

  [[nodiscard]] std::size_t pending_calls() const { return pending_.size(); }

 private:
  /// One call as its method sees it.
  struct Call {
    CallId id{};
    bool more = false;
    Timestamp now;
    Parameters parameters;
  };
  using Method = void (ManagerInterface::*)(Call&);
  struct MethodRow {
    std::string_view name;
    Method method;
    bool expects_more;
  };
  /// While it lives, jobs that end are noted.
  class Queueing {
   public:
    explicit Queueing(ManagerInterface& interface) : interface_(interface) {
      interface_.ended_at_once_.clear();
      interface_.queueing_ = true;
    }
    ~Queueing() { interface_.queueing_ = false; }
    Queueing(const Queueing&) = delete;
    Queueing& operator=(const Queueing&) = delete;

   private:
    ManagerInterface& interface_;
  };
  enum class Advance : std::uint8_t { More, Wait, Done };
  static const MethodRow kMethods[];
  static const MethodRow* find_method(std::string_view name);

  // ---- methods_jobs.cpp -----------------------------------------------------
  void enqueue(Call& call);
  void kill(Call& call);
  void reset_failed(Call& call);
  void list_jobs(Call& call);
  void cancel_job(Call& call);
  void freeze(Call& call) { set_frozen(call, true); }
  void thaw(Call& call) { set_frozen(call, false); }
  void set_frozen(Call& call, bool frozen);
  JobOutcome queue_one(const std::string& name, std::string_view type, JobMode mode, Timestamp now);
  void finish_enqueue(Call& call, std::vector<JobOutcome> outcomes, bool wait);
  [[nodiscard]] Json view_outcome(const JobOutcome& outcome) const;
  [[nodiscard]] std::string failure_text(const JobOutcome& outcome) const;

  // ---- methods_transient.cpp ------------------------------------------------
  void start_transient(Call& call);
  void abandon(Call& call);
  std::optional<Refusal> make_transient(const std::string& name, const std::string& text,
                                        const std::vector<pid_t>& pids);
  Advance advance(CallId id, TransientWait& wait);

  // ---- methods_units.cpp ----------------------------------------------------
  void list_units(Call& call) { list_matching(call, false); }
  void list_unit_status(Call& call) { list_matching(call, true); }
  void list_matching(Call& call, bool full);
  [[nodiscard]] Json view_listed(UnitId id, bool full) const;
  void get_unit(Call& call);
  void get_properties(Call& call);
  void get_units(Call& call) { answer_each(call, true); }
  void list_properties(Call& call) { answer_each(call, false); }
  void answer_each(Call& call, bool full);
  [[nodiscard]] Json view_answer(const AnswerList& list, const std::string& name);
  void find_unit(Call& call);
  void list_dependencies(Call& call);
  [[nodiscard]] Json view_edges(const std::vector<DependencyEdge>& edges) const;

  // ---- methods_system.cpp ---------------------------------------------------
  void reload(Call& call);
  void tell_reload(CallId id, const Diagnostics& found);
  void get_system_state(Call& call);
  void shut_down(Call& call);
  void schedule_shutdown(Call& call);
  void cancel_shutdown(Call& call);
  void get_scheduled_shutdown(Call& call);
  void get_default(Call& call);
  void get_manager_properties(Call& call);
  void get_environment(Call& call);
  void change_environment(Call& call);
  void set_logging(Call& call);
  void subscribe(Call& call);
  void get_version(Call& call);
  void ping(Call& call);
  void get_info(Call& call);
  void get_interface_description(Call& call);

  // ---- manager_interface.cpp ------------------------------------------------
  void tell_subscribers(const Job& job, std::optional<JobResult> result);
  /// Null: there is none, or it is another one.
  template <class Kind>
  [[nodiscard]] Kind* find_pending(CallId id);
  Advance advance(CallId id, JobWait& wait);
  Advance advance(CallId id, UnitList& list);
  Advance advance(CallId id, AnswerList& list);
  Advance advance(CallId id, WalkList& list);
  Advance advance(CallId id, StateWait& wait);
  Advance advance(CallId id, ReloadWait& wait);
  Advance advance(CallId id, Subscription& subscription);

  /// Answers a call with a bad parameter; true: it did.
  bool reject(Call& call);
  void refuse(CallId id, const Refusal& refusal);
  void reply(CallId id, const Json& parameters, bool continues = false);
  /// The unit of that name, loaded if there is anything to load. bad_alloc: not wholly.
  Result<UnitId, Refusal> look_up(const std::string& name);
  /// As above; not valid: a valid name of nothing. Answers a bad name.
  std::optional<UnitId> look_up_or_answer(Call& call, const std::string& name);

  Manager& manager_;
  ControlBackend& backend_;
  ReplySink* sink_ = nullptr;
  std::map<CallId, PendingCall> pending_;
  std::unordered_multimap<std::uint32_t, CallId> job_waiters_;
  std::vector<CallId> subscribers_;
  std::vector<CallId> state_waiters_;
  std::vector<CallId> end_waiters_;  ///< of units that were made for a call
  /// Jobs that end while they are being queued.
  std::vector<std::pair<JobId, JobResult>> ended_at_once_;
  bool queueing_ = false;
};

}  // namespace onset
