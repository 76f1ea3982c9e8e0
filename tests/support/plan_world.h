#pragma once
// A graph from a table of units, a present that the test sets, and transactions
// as sorted words:
//
//   PlanWorld w{{{"a.service", "Requires=b.service\n"}, {"b.service", ""}}};
//   w.active("b.service");
//   CHECK(w.plan("a.service") == Names{"a.service/start"});
//
// The lines are of [Unit], and after "[Service]" of that. Units have
// DefaultDependencies=no unless their text says otherwise, and the
// slices are active, so that a test sees what it names.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "graph/transaction.h"
#include "support/unit_table.h"

namespace onset::test {

using Names = std::vector<std::string>;

class PlanWorld final : public UnitStates {
 public:
  explicit PlanWorld(UnitTable::Rows rows);

  UnitTable table;
  UnitGraph graph;
  Diagnostics diagnostics;

  UnitId load(std::string_view name);
  void set_state(std::string_view name, ActiveState state) { states_[load(name).value] = state; }
  void active(std::string_view name) { set_state(name, ActiveState::Active); }
  void queue(std::string_view name, QueuedJob job) { queued_[load(name).value] = job; }

  Result<Transaction, TransactionError> build(std::string_view name, JobType type = JobType::Start,
                                              JobMode mode = JobMode::Replace, bool manual = false);
  /// "unit/type", sorted; or the error's message alone.
  Names plan(std::string_view name, JobType type = JobType::Start, JobMode mode = JobMode::Replace);
  /// Of the last plan.
  Names messages;
  Names notes;

  [[nodiscard]] std::string name(const PlannedJob& job) const;
  [[nodiscard]] ActiveState active_state(UnitId id) const override;
  [[nodiscard]] std::optional<QueuedJob> queued(UnitId id) const override;

 private:
  std::map<std::uint32_t, ActiveState> states_;
  std::map<std::uint32_t, QueuedJob> queued_;
};

}  // namespace onset::test
