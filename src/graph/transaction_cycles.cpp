// Step 5: the order of the jobs must have no cycle, the queued jobs counted in.
//
// A restart is a stop first and a start then: its order is looked at as both. A stop
// never waits for a start, so that no ring can be of the one and the other.
//
// A depth-first walk over "runs before", on a path of its own instead of the
// stack. A step back onto the path is a cycle: walking back from the end, the
// first unit that does not matter loses its jobs, with what depends on them. The walk
// goes on from what is left of the path, so that each cycle costs its own length
// and not another look at everything.
#include "base/format.h"
#include "graph/transaction_draft.h"

namespace onset {
namespace {

constexpr DependencySet kOrdering{DependencyKind::Before, DependencyKind::After};

/// The order that the other end of an edge has towards this one.
DependencySet reversed(DependencySet kinds) {
  DependencySet seen_from_there;
  if (kinds.has(DependencyKind::Before)) seen_from_there.add(DependencyKind::After);
  if (kinds.has(DependencyKind::After)) seen_from_there.add(DependencyKind::Before);
  return seen_from_there;
}

class OrderCheck {
 public:
  explicit OrderCheck(TransactionDraft& draft)
      : draft_(draft), graph_(draft.graph()), marks_(graph_.size(), Mark::New) {}

  std::optional<TransactionError> run();

 private:
  enum class Mark : std::uint8_t { New, OnPath, Done };
  struct Step {
    UnitId unit;
    std::uint32_t next_edge = 0;
  };
  struct Present {
    JobType type{};
    bool ignore_order = false;
  };

  [[nodiscard]] std::optional<Present> job_of(UnitId unit);
  void enter(UnitId unit);
  std::optional<TransactionError> walk(UnitId root);
  [[nodiscard]] UnitId next_after(Step& step);
  std::optional<TransactionError> break_cycle(UnitId at);
  [[nodiscard]] std::string describe(std::size_t first);
  [[nodiscard]] std::string name(UnitId unit);
  void rewind(std::size_t first_dropped);

  TransactionDraft& draft_;
  const UnitGraph& graph_;
  std::vector<Mark> marks_;
  std::vector<Step> path_;
  bool start_over_ = false;
  bool has_restarts_ = false;
  bool restarts_start_ = false;  ///< second look: they have stopped
};

std::optional<OrderCheck::Present> OrderCheck::job_of(UnitId unit) {
  std::optional<Present> present;
  if (const auto queued = draft_.states().queued(unit))
    present = Present{queued->type, queued->ignore_order};
  if (const DraftIndex i = draft_.job_of(unit); i != kNone) {
    const JobType ours = draft_.type_of(unit);
    const JobType type = present ? merge(present->type, ours).value_or(ours) : ours;
    present = Present{type, draft_.job(i).ignore_order};
  }
  if (present && present->type == JobType::Restart) {
    has_restarts_ = true;
    if (restarts_start_) present->type = JobType::Start;
  }
  return present;
}

void OrderCheck::enter(UnitId unit) {
  marks_[unit.value] = Mark::OnPath;
  path_.push_back({unit, 0});
}

/// The next unit whose job must wait for that of this step; invalid: no more.
UnitId OrderCheck::next_after(Step& step) {
  const auto dependencies = graph_.dependencies(step.unit);
  const auto job = job_of(step.unit);
  if (!job || job->ignore_order) return {};
  while (step.next_edge < dependencies.size()) {
    const Dependency& d = dependencies[step.next_edge++];
    if (!d.kinds.any(kOrdering) || marks_[d.other.value] == Mark::Done) continue;
    const auto other = job_of(d.other);
    if (!other || other->ignore_order) continue;
    if (must_wait(other->type, reversed(d.kinds), job->type)) return d.other;
  }
  return {};
}

std::optional<TransactionError> OrderCheck::walk(UnitId root) {
  enter(root);
  while (!path_.empty()) {
    const UnitId next = next_after(path_.back());
    if (!next.valid()) {
      marks_[path_.back().unit.value] = Mark::Done;
      path_.pop_back();
    } else if (marks_[next.value] == Mark::New) {
      enter(next);
    } else if (auto error = break_cycle(next)) {
      return error;
    }
  }
  return std::nullopt;
}

std::string OrderCheck::name(UnitId unit) {
  const auto job = job_of(unit);
  return format("{}/{}", graph_.unit(unit).id, job ? to_string(job->type) : "");
}

/// The cycle from the end of the path back to its beginning and round: an arrow
/// reads "waits for".
std::string OrderCheck::describe(std::size_t first) {
  if (draft_.log.terse()) return format("{} units", path_.size() - first);
  std::string text;
  for (std::size_t i = path_.size(); i-- > first;) {
    text += name(path_[i].unit);
    text += " → ";
  }
  return text + name(path_.back().unit);
}

std::optional<TransactionError> OrderCheck::break_cycle(UnitId at) {
  std::size_t first = path_.size();
  UnitId goes;
  bool ours = false;
  do {
    const UnitId unit = path_[--first].unit;
    if (draft_.job_of(unit) == kNone) continue;
    ours = true;
    if (!goes.valid() && !draft_.matters(unit)) goes = unit;
  } while (path_[first].unit != at);

  // A cycle among jobs that were queued before is none of this transaction's.
  if (!ours) return std::nullopt;
  if (!goes.valid()) {
    return TransactionError{
        TransactionErrorKind::OrderIsCyclic,
        format("Transaction order is cyclic, and every job in it is required: {}",
               describe(first))};
  }
  draft_.log.message(format("Found ordering cycle on {}: {}; job {}/{} deleted to break it",
                            name(path_.back().unit), describe(first), graph_.unit(goes).id,
                            to_string(draft_.type_of(goes))));
  const std::size_t known = draft_.dropped.size();
  while (draft_.job_of(goes) != kNone) {
    draft_.drop(draft_.job_of(goes), TransactionDraft::Dependents::Drop);
  }
  rewind(known);
  return std::nullopt;
}

/// Cuts the path before the first unit that lost a job: what is left of a restart may be a
/// start, which the second look sees as well. A unit whose job of an earlier transaction
/// counts instead has another order now: from the beginning.
void OrderCheck::rewind(std::size_t first_dropped) {
  for (std::size_t i = first_dropped; i < draft_.dropped.size(); ++i) {
    const UnitId unit = draft_.dropped[i];
    if (draft_.states().queued(unit)) start_over_ = true;
    if (marks_[unit.value] == Mark::OnPath) marks_[unit.value] = Mark::New;
  }
  std::size_t kept = 0;
  const auto stays = [&](const Step& step) { return marks_[step.unit.value] == Mark::OnPath; };
  while (!start_over_ && kept < path_.size() && stays(path_[kept])) ++kept;
  for (std::size_t i = kept; i < path_.size(); ++i) marks_[path_[i].unit.value] = Mark::New;
  path_.resize(kept);
  if (kept > 0) --path_.back().next_edge;  // there may be a job left at its end
}

std::optional<TransactionError> OrderCheck::run() {
  do {
    restarts_start_ = !start_over_ && has_restarts_;
    start_over_ = false;
    marks_.assign(graph_.size(), Mark::New);
    for (DraftIndex i = 0; i < draft_.size() && !start_over_; ++i) {
      const DraftJob& job = draft_.job(i);
      if (!job.alive || marks_[job.unit.value] != Mark::New) continue;
      if (auto error = walk(job.unit)) return error;
    }
  } while (start_over_ || (has_restarts_ && !restarts_start_));
  return std::nullopt;
}

}  // namespace

std::optional<TransactionError> TransactionDraft::break_cycles() {
  return OrderCheck(*this).run();
}

}  // namespace onset
