#pragma once
// A transaction: everything that must be done with a request for one job, or
// the reason why it can't be. Pure: reads a graph and each unit's present state.
//
//   1. closure    the anchor job and, over the dependencies, all jobs it pulls
//   2. redundant  drop what is so already
//   3. merge      one job a unit, or drop one of two that conflict
//   4. cycles     break an ordering cycle at a job that may go; name it in full
//   5. garbage    drop what nothing needs any longer
//   6. mode       fail, replace, isolate, … against the jobs that are queued
//
// No step recurses: 10,000 units in a row are no deeper than one.

#include <functional>
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
  JobType type{};
  bool irreversible = false;
  bool ignore_order = false;   ///< ignore-dependencies
  bool is_anchor = false;
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
  };
  [[nodiscard]] virtual std::optional<QueuedJob> queued(UnitId id) const = 0;
};

enum class TransactionErrorKind : std::uint8_t {
  NoSuchUnit,
  LoadFailed,
  Masked,
  BadSetting,
  JobTypeNotApplicable,  ///< e.g. reload of a unit that can't reload
  OrderIsCyclic,
  JobsConflicting,
  Destructive,           ///< mode fail, and a queued job would be replaced
  NoIsolation,
  ManualRefused,
};

struct TransactionError {
  TransactionErrorKind kind{};
  std::string message;  ///< names the units
};

struct TransactionRequest {
  UnitId unit;
  JobType type{};
  JobMode mode = JobMode::Replace;
};

struct Transaction {
  std::vector<PlannedJob> jobs;              ///< at most one a unit; anchor included
  std::vector<std::string> messages;         ///< cycles broken, jobs dropped: for the log
};

Result<Transaction, TransactionError> build_transaction(const UnitGraph& graph,
                                                        const UnitStates& states,
                                                        const TransactionRequest& request);

/// Whether job `a` has to wait for job `b` while both are queued, given that
/// the unit of `a` has this ordering towards that of `b`: start waits for what
/// is before it; a stop goes before a start whichever way they are ordered;
/// two stops run in reverse.
bool must_wait(JobType a, DependencySet a_to_b, JobType b);

}  // namespace onset
