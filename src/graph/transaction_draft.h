#pragma once
// A transaction while it is being built: jobs, and who pulled in whom. The steps
// of graph/transaction work on it, each in its own room.
//
// A unit may have several jobs, one of a type, until they are merged at the end. A link says
// that its subject pulled in its object; it matters if the subject can't do
// without. Indices stay: what is dropped is marked, never moved.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "graph/transaction.h"

namespace onset {

using DraftIndex = std::uint32_t;
inline constexpr DraftIndex kNone = UINT32_MAX;

struct DraftJob {
  UnitId unit;
  DraftIndex next_of_unit = kNone;      ///< another job of the same unit
  DraftIndex first_as_subject = kNone;  ///< links to what it pulled in
  DraftIndex first_as_object = kNone;   ///< links to what pulled it in
  std::uint32_t pulled = 0;             ///< how many of the latter are left
  JobType type{};
  bool alive = true;
  bool matters = false;  ///< the anchor can't do without it
  bool ignore_order = false;
};

struct DraftLink {
  DraftIndex subject = kNone;
  DraftIndex object = kNone;
  DraftIndex next_of_subject = kNone;
  DraftIndex next_of_object = kNone;
  bool matters = false;
  bool conflicts = false;  ///< a stop that Conflicts= asked for
  bool gone = false;
};

/// Text for the log, bounded whatever the units look like.
class TransactionLog {
 public:
  void message(std::string text) { add(messages, std::move(text)); }
  void note(std::string text) { add(notes, std::move(text)); }
  /// True once so much was said that long lists of names are to be left out.
  [[nodiscard]] bool terse() const { return bytes_ > kBytes; }

  std::vector<std::string> messages;
  std::vector<std::string> notes;

 private:
  static constexpr std::size_t kBytes = 1U << 20;
  static constexpr std::size_t kLines = 20000;
  void add(std::vector<std::string>& to, std::string text) {
    bytes_ += text.size();
    if (to.size() < kLines) to.push_back(std::move(text));
  }
  std::size_t bytes_ = 0;
};

class TransactionDraft {
 public:
  TransactionDraft(const UnitGraph& graph, const UnitStates& states);

  // ---- parts (transaction_draft.cpp) -----------------------------------------
  /// The job of this type of the unit; `is_new` says whether it was made now.
  DraftIndex add_job(UnitId unit, JobType type, bool& is_new);
  void link(DraftIndex subject, DraftIndex object, bool matters, bool conflicts);
  enum class Dependents : std::uint8_t { Drop, Keep };
  /// Drops a job; with it the jobs that it matters to, if told so, and what only
  /// dropped jobs had pulled in. Never the anchor.
  void drop(DraftIndex job, Dependents dependents);
  [[nodiscard]] DraftIndex job_of(UnitId unit) const { return of_unit_[unit.value]; }
  /// Of a unit with jobs that do not conflict: what they are as one.
  [[nodiscard]] JobType type_of(UnitId unit) const;
  /// Whether any of the unit's jobs does.
  [[nodiscard]] bool matters(UnitId unit) const;
  [[nodiscard]] const DraftJob& job(DraftIndex i) const { return jobs_[i]; }
  [[nodiscard]] DraftIndex size() const { return static_cast<DraftIndex>(jobs_.size()); }
  /// "nginx.service/start"
  [[nodiscard]] std::string name(DraftIndex i) const;
  /// Units that lost a job since the list was last cleared.
  std::vector<UnitId> dropped;
  bool collects_garbage = true;
  TransactionLog log;

  // ---- steps -------------------------------------------------------------------
  /// transaction_closure.cpp. `requirements`: false adds the anchor alone.
  std::optional<TransactionError> add_anchor(UnitId unit, JobType type, bool requirements,
                                             bool ignore_order);
  /// Stops whatever else runs or is queued; after add_anchor.
  void add_isolation();
  /// transaction_reduce.cpp.
  void mark_what_matters();
  void minimize_impact();
  void drop_redundant();
  void drop_unreachable();
  /// transaction_slices.cpp.
  std::optional<TransactionError> keep_within_slices();
  std::optional<TransactionError> resolve_conflicts();
  void merge_jobs();
  /// transaction_cycles.cpp.
  std::optional<TransactionError> break_cycles();

  [[nodiscard]] const UnitGraph& graph() const { return graph_; }
  [[nodiscard]] const UnitStates& states() const { return states_; }

 private:
  /// A job that can't be, since one that it requires can't.
  struct Impossible {
    DraftIndex job = kNone;
    std::uint32_t cause = 0;  ///< in causes_
  };
  struct Pull {
    JobType type{};
    bool matters = false;
    bool conflicts = false;
  };

  void pull_in_all();
  void pull_in(DraftIndex by);
  void pull_for_start(DraftIndex by, const Dependency& d);
  void pull_for_stop(DraftIndex by, const Dependency& d);
  void add(DraftIndex by, UnitId unit, Pull pull);
  std::optional<TransactionError> settle_impossible();

  [[nodiscard]] bool conflicts_with_queued(const DraftJob& job) const;
  [[nodiscard]] bool is_conflicted(const DraftJob& job) const;
  std::optional<TransactionError> resolve_conflicts_of(UnitId unit);
  void merge_into_one(UnitId unit);
  void absorb(DraftIndex into, DraftIndex other);
  void detach(DraftIndex job);

  const UnitGraph& graph_;
  const UnitStates& states_;
  std::vector<DraftJob> jobs_;
  std::vector<DraftLink> links_;
  std::vector<DraftIndex> of_unit_;  ///< by UnitId::value
  DraftIndex anchor_ = kNone;
  DraftIndex pulled_in_ = 0;  ///< the jobs before it have been asked what they pull in
  bool ignore_order_ = false;
  std::vector<Impossible> impossible_;
  std::vector<TransactionError> causes_;
};

/// Why a unit in this load state can't be started; nothing for a loaded one.
std::optional<TransactionError> load_error(const Unit& unit);

}  // namespace onset
