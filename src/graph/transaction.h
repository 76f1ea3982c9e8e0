#pragma once
// A transaction: everything that must be done with a request for one job, or
// the reason why it can't be. Pure: reads a graph and each unit's present state.
//
//   1. closure    the anchor job and, over the dependencies, all jobs it pulls;
//                 a job that cannot be takes those along that require it
//   2. impact     mode fail: drop what is optional and would disturb what runs
//   3. redundant  drop what is so already, and what only that pulled in
//   -  slices     drop, or refuse, what ConcurrencyHardMax= of a slice leaves no room for
//   4. conflicts  drop one of two jobs for one unit that can't be one
//   5. cycles     break an ordering cycle at a unit whose jobs may go; name it in full
//   6. merge      one job a unit
//   7. mode       against the jobs that are queued: replace, fail, irreversible
//
// A job matters if the anchor can't do without it: only jobs that do not matter
// are dropped in 2, 4 and 5. With a dropped job go those that require it
// and those that nothing else pulled in (except under isolate, which has a word
// on every unit); what pulls in one another in a ring stays. Only before they are
// merged is it known which of a unit's jobs required the one that goes. No step
// recurses: 10,000 units in a row are no deeper than one.

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "graph/job_type.h"
#include "graph/unit_graph.h"
#include "unit/unit.h"

namespace onset {

struct PlannedJob {
  UnitId unit;
  /// Of a start: the longest path of starts that wait for it, itself included; what makes a
  /// transaction does not set it (graph/longest_path).
  Duration remaining{0};
  JobType type{};
  bool irreversible = false;
  bool ignore_order = false;  ///< ignore-dependencies
  bool is_anchor = false;
  /// Of a start that what is starting may itself wait for: it is not held up for being one of
  /// many (StartConcurrencyMax=). Set by who asks.
  bool is_urgent = false;
};

/// What the transaction must know of the present.
class UnitStates {
 public:
  virtual ~UnitStates() = default;
  [[nodiscard]] virtual ActiveState active_state(UnitId id) const = 0;
  /// The queued job of a unit, if any.
  struct QueuedJob {
    JobType type{};
    bool irreversible = false;
    bool running = false;
    bool ignore_order = false;
  };
  [[nodiscard]] virtual std::optional<QueuedJob> queued(UnitId id) const = 0;
};

enum class TransactionErrorKind : std::uint8_t {
  NoSuchUnit,
  LoadFailed,
  Masked,
  BadSetting,
  JobTypeNotApplicable,  ///< e.g. reload of a unit that can't reload, isolate of a stop
  OrderIsCyclic,
  JobsConflicting,
  Destructive,  ///< mode fail, and a queued job would be replaced
  NoIsolation,
  ManualRefused,
  ConcurrencyLimit,  ///< ConcurrencyHardMax= of a slice
};

struct TransactionError {
  TransactionErrorKind kind{};
  std::string message;  ///< names the units
};

struct TransactionRequest {
  UnitId unit;
  JobType type{};
  JobMode mode = JobMode::Replace;
  bool manual = false;  ///< a user asks: RefuseManualStart=, RefuseManualStop= count
};

struct Transaction {
  std::vector<PlannedJob> jobs;       ///< at most one a unit; the anchor comes first
  std::vector<std::string> messages;  ///< for the log: cycles broken, jobs dropped
  /// For the log when it is asked for details: optional units that are not there.
  std::vector<std::string> notes;
};

Result<Transaction, TransactionError> build_transaction(const UnitGraph& graph,
                                                        const UnitStates& states,
                                                        const TransactionRequest& request);

/// Whether job `a` has to wait for job `b` while both are queued, given the
/// dependencies of the unit of `a` towards that of `b` (systemd.unit(5), Before=
/// and After=). Whichever way the two are ordered, a stop goes before what is not
/// one; two stops run in reverse; anything else waits for what it is after. A
/// restart counts as the stop that it begins with. A nop waits for nothing.
bool must_wait(JobType a, DependencySet a_to_b, JobType b);

}  // namespace onset
