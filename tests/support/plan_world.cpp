#include "support/plan_world.h"

#include <algorithm>

#include "base/format.h"

namespace onset::test {
namespace {

UnitTable::Rows without_defaults(UnitTable::Rows rows) {
  for (auto& [name, text] : rows) {
    text = unit_text(name, text, false);
  }
  return rows;
}

}  // namespace

PlanWorld::PlanWorld(UnitTable::Rows rows) : table(without_defaults(rows)) {
  for (const auto& [name, text] : rows) load(name);
}

UnitId PlanWorld::load(std::string_view name) {
  return ensure_loaded(graph, table, name, false, diagnostics);
}

ActiveState PlanWorld::active_state(UnitId id) const {
  if (auto it = states_.find(id.value); it != states_.end()) return it->second;
  return graph.unit(id).type == UnitType::Slice ? ActiveState::Active : ActiveState::Inactive;
}

std::optional<UnitStates::QueuedJob> PlanWorld::queued(UnitId id) const {
  auto it = queued_.find(id.value);
  if (it == queued_.end()) return std::nullopt;
  return it->second;
}

Result<Transaction, TransactionError> PlanWorld::build(std::string_view name, JobType type,
                                                       JobMode mode, bool manual) {
  const UnitId id = load(name);
  return build_transaction(graph, *this, {id, type, mode, manual});
}

std::string PlanWorld::name(const PlannedJob& job) const {
  return format("{}/{}", graph.unit(job.unit).id, to_string(job.type));
}

Names PlanWorld::plan(std::string_view name_, JobType type, JobMode mode) {
  auto transaction = build(name_, type, mode);
  if (!transaction) return {transaction.error().message};
  Names names;
  for (const PlannedJob& job : transaction->jobs) names.push_back(name(job));
  std::sort(names.begin(), names.end());
  messages = transaction->messages;
  notes = transaction->notes;
  return names;
}

}  // namespace onset::test
