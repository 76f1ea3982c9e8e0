#pragma once
// Calls that are not answered at once, as data: what each waits for or has
// still to send.

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/diagnostic.h"
#include "control/dependency_walk.h"
#include "control/refusal.h"
#include "control/subscription.h"
#include "engine/job.h"
#include "graph/unit_graph.h"

namespace onset {

/// One unit of Enqueue: a job, or the reason why there is none.
struct JobOutcome {
  std::string asked;
  UnitId unit;  ///< not valid: refused before there was one
  JobId job;
  JobType type{};
  std::optional<JobResult> result;
  std::optional<Refusal> refusal;
  bool needs_reload = false;
  [[nodiscard]] bool is_pending() const { return !refusal && !result; }
};

/// Enqueue with `wait`.
struct JobWait {
  std::vector<JobOutcome> outcomes;
  std::size_t pending = 0;
  std::vector<std::size_t> fresh;  ///< have ended and are not told
  bool more = false;
};

/// StartTransient, until its job or its unit has ended.
struct TransientWait {
  JobOutcome outcome;
  bool until_end = false;
  bool more = false;
  bool is_told = false;  ///< how the job has ended
};

/// ListUnits and ListUnitStatus with `more`.
struct UnitList {
  bool full = false;  ///< everything that status shows
  std::vector<UnitId> units;
  std::size_t told = 0;
};

/// GetUnits and ListProperties: the names as asked, and of each the properties that
/// are wanted.
struct AnswerList {
  bool full = false;  ///< everything that status shows, in place of properties
  std::vector<std::string> units;
  std::optional<std::vector<std::string>> names;
  std::size_t told = 0;
};

/// ListDependencies with `more`: one walk after the other.
struct WalkList {
  WalkDirection direction{};
  bool all = false;
  std::vector<std::string> units;                     ///< as asked
  std::size_t told = 0;                               ///< of these
  std::optional<DependencyWalk> walk = std::nullopt;  ///< the one of units[told], once it has begun
};

/// GetSystemState with `wait`.
struct StateWait {};

/// Reload, while the generators run.
struct ReloadWait {
  unsigned number = 0;  ///< of the reload that answers it
  bool ended = false;
  std::shared_ptr<const Diagnostics> found;  ///< null at its end: there was no memory for it
};

using PendingCall = std::variant<JobWait, TransientWait, UnitList, AnswerList, WalkList, StateWait,
                                 ReloadWait, Subscription>;

}  // namespace onset
