// The steps in their order; each is in a room of its own (transaction_*.cpp).
#include "graph/transaction.h"

#include "base/format.h"
#include "graph/applicable.h"
#include "graph/transaction_draft.h"

namespace onset {
namespace {

using Kind = TransactionErrorKind;

bool is_stop(JobType t) {
  return t == JobType::Stop || t == JobType::Restart;
}

std::optional<TransactionError> refuse_isolation(const Unit& unit,
                                                 const TransactionRequest& request) {
  if (request.mode != JobMode::Isolate) return std::nullopt;
  if (request.type != JobType::Start) {
    return TransactionError{Kind::JobTypeNotApplicable, "Isolate is only valid for start."};
  }
  if (unit.load_state == LoadState::Loaded && !unit.config.allow_isolate) {
    return TransactionError{Kind::NoIsolation,
                            format("Operation refused, unit {} may not be isolated "
                                   "(AllowIsolate= is not set).",
                                   unit.id)};
  }
  return std::nullopt;
}

std::optional<TransactionError> refuse_manual(const Unit& unit, const TransactionRequest& request,
                                              JobType type, ActiveState state) {
  if (!request.manual) return std::nullopt;
  if (type == JobType::Stop && unit.load_state == LoadState::NotFound &&
      is_inactive_or_failed(state)) {
    return TransactionError{Kind::NoSuchUnit, format("Unit {} not loaded.", unit.id)};
  }
  const bool restarts = request.type == JobType::Restart || request.type == JobType::TryRestart;
  const bool starts = type == JobType::Start || restarts;
  const bool stops = type == JobType::Stop || restarts;
  const char* setting = starts && unit.config.refuse_manual_start ? "RefuseManualStart"
                        : stops && unit.config.refuse_manual_stop ? "RefuseManualStop"
                                                                  : nullptr;
  if (setting == nullptr) return std::nullopt;
  return TransactionError{Kind::ManualRefused,
                          format("Operation refused, unit {} may be requested by dependency only "
                                 "({}= is set).",
                                 unit.id, setting)};
}

/// Step 7: a queued job that would be turned round.
std::optional<TransactionError> check_destruction(const TransactionDraft& draft, JobMode mode) {
  for (DraftIndex i = 0; i < draft.size(); ++i) {
    const DraftJob& job = draft.job(i);
    if (!job.alive) continue;
    const auto queued = draft.states().queued(job.unit);
    if (!queued || !conflicts(queued->type, job.type)) continue;
    if (mode != JobMode::Fail && !queued->irreversible) continue;
    const std::string& id = draft.graph().unit(job.unit).id;
    return TransactionError{
        Kind::Destructive,
        format("Transaction for {} is destructive ({} has '{}' job queued{}, but '{}' is included "
               "in transaction).",
               draft.name(0), id, to_string(queued->type),
               queued->irreversible ? " irreversibly" : "", to_string(job.type))};
  }
  return std::nullopt;
}

Transaction finish(TransactionDraft& draft, JobMode mode) {
  Transaction transaction;
  for (DraftIndex i = 0; i < draft.size(); ++i) {
    const DraftJob& job = draft.job(i);
    if (!job.alive) continue;
    PlannedJob planned;
    planned.unit = job.unit;
    planned.type = job.type;
    planned.irreversible = mode == JobMode::ReplaceIrreversibly;
    planned.ignore_order = job.ignore_order;
    planned.is_anchor = i == 0;
    transaction.jobs.push_back(planned);
  }
  transaction.messages = std::move(draft.log.messages);
  transaction.notes = std::move(draft.log.notes);
  return transaction;
}

}  // namespace

Result<Transaction, TransactionError> build_transaction(const UnitGraph& graph,
                                                        const UnitStates& states,
                                                        const TransactionRequest& request) {
  if (!request.unit.valid() || request.unit.value >= graph.size()) {
    return Failure{TransactionError{Kind::NoSuchUnit, "No such unit."}};
  }
  const Unit& unit = graph.unit(request.unit);
  const ActiveState state = states.active_state(request.unit);
  const JobType type = collapse(request.type, state);
  if (auto error = refuse_isolation(unit, request)) return Failure{std::move(*error)};
  if (auto error = refuse_manual(unit, request, type, state)) return Failure{std::move(*error)};

  const bool alone = request.mode == JobMode::IgnoreDependencies;
  const bool requirements = !alone && request.mode != JobMode::IgnoreRequirements;
  TransactionDraft draft(graph, states);
  if (auto error = draft.add_anchor(request.unit, type, requirements, alone)) {
    return Failure{std::move(*error)};
  }
  if (request.mode == JobMode::Isolate) {
    draft.collects_garbage = false;
    draft.add_isolation();
  }
  draft.mark_what_matters();
  if (request.mode == JobMode::Fail) draft.minimize_impact();
  draft.drop_redundant();
  if (draft.collects_garbage) draft.drop_unreachable();
  if (auto error = draft.keep_within_slices()) return Failure{std::move(*error)};
  if (auto error = draft.resolve_conflicts()) return Failure{std::move(*error)};
  do {
    draft.drop_redundant();  // what a job that went made so
    draft.dropped.clear();
    if (auto error = draft.break_cycles()) return Failure{std::move(*error)};
  } while (!draft.dropped.empty());
  draft.merge_jobs();
  if (auto error = check_destruction(draft, request.mode)) return Failure{std::move(*error)};
  return finish(draft, request.mode);
}

bool must_wait(JobType a, DependencySet a_to_b, JobType b) {
  if (a == JobType::Nop || b == JobType::Nop) return false;
  return (a_to_b.has(DependencyKind::After) && !is_stop(a)) ||
         (a_to_b.has(DependencyKind::Before) && is_stop(b));
}

}  // namespace onset
