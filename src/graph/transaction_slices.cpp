// ConcurrencyHardMax= of slices: of what a transaction would start, what there is no room for
// goes, or, where it matters, the transaction. A unit counts that is up or has a start queued:
// it will be up. Slices below count as well (systemd.slice(5)).
#include <unordered_map>

#include "base/format.h"
#include "graph/slices.h"
#include "graph/transaction_draft.h"

namespace onset {
namespace {

bool leads_up(JobType type) {
  return type == JobType::Start || type == JobType::Restart || type == JobType::ReloadOrStart;
}

/// How many are in each slice that has a limit; looked at once, for they do not change meanwhile.
class SliceRoom {
 public:
  SliceRoom(const UnitGraph& graph, const UnitStates& states) : graph_(graph), states_(states) {}

  [[nodiscard]] bool is_counted(UnitId unit) const {
    if (!is_inactive_or_failed(states_.active_state(unit))) return true;
    const auto queued = states_.queued(unit);
    return queued && leads_up(queued->type);
  }

  /// The slice that has no room for one more; not valid: it is in.
  UnitId take(UnitId unit) {
    const UnitId full = full_for(unit);
    if (full.valid()) return full;
    for (UnitId s = slice_of(graph_, unit); s.valid(); s = slice_of(graph_, s)) {
      if (limit_of(s) != kNoCountLimit) ++counts_[s.value];
    }
    return {};
  }

  [[nodiscard]] unsigned limit_of(UnitId slice) const {
    const SliceConfig* config = graph_.unit(slice).slice.get();
    return config == nullptr ? kNoCountLimit : config->concurrency_hard_max;
  }

 private:
  UnitId full_for(UnitId unit) {
    for (UnitId s = slice_of(graph_, unit); s.valid(); s = slice_of(graph_, s)) {
      if (limit_of(s) != kNoCountLimit && count_in(s) >= limit_of(s)) return s;
    }
    return {};
  }

  unsigned count_in(UnitId slice) {
    const auto known = counts_.find(slice.value);
    if (known != counts_.end()) return known->second;
    unsigned count = 0;
    for_each_in_slice(graph_, slice, [&](UnitId u) { count += is_counted(u) ? 1 : 0; });
    counts_.emplace(slice.value, count);
    return count;
  }

  const UnitGraph& graph_;
  const UnitStates& states_;
  std::unordered_map<std::uint32_t, unsigned> counts_;
};

/// Beside the slices that lie between, which are up whenever the unit is, a soft limit has no room
/// for it: it would wait for ever. (Of 0, that is what is asked for.)
UnitId never_has_room(const UnitGraph& graph, UnitId unit) {
  unsigned taken = 1;
  for (UnitId s = slice_of(graph, unit); s.valid(); s = slice_of(graph, s), ++taken) {
    const SliceConfig* config = graph.unit(s).slice.get();
    if (config == nullptr || config->concurrency_soft_max == 0) continue;
    if (taken > config->concurrency_soft_max) return s;
  }
  return {};
}

}  // namespace

std::optional<TransactionError> TransactionDraft::keep_within_slices() {
  SliceRoom room(graph_, states_);
  for (DraftIndex i = 0; i < size(); ++i) {
    if (!jobs_[i].alive || !leads_up(jobs_[i].type)) continue;
    const UnitId unit = jobs_[i].unit;
    if (room.is_counted(unit)) continue;
    std::string text;
    if (const UnitId small = never_has_room(graph_, unit); small.valid()) {
      text = format("{} has no room in {}, whose ConcurrencySoftMax= the slices below use up.",
                    graph_.unit(unit).id, graph_.unit(small).id);
    } else if (const UnitId full = room.take(unit); full.valid()) {
      text = format("{} is one too many in {} (ConcurrencyHardMax={}).", graph_.unit(unit).id,
                    graph_.unit(full).id, room.limit_of(full));
    } else {
      continue;
    }
    if (jobs_[i].matters)
      return TransactionError{TransactionErrorKind::ConcurrencyLimit, std::move(text)};
    log.message(format("{} deleted: {}", name(i), text));
    drop(i, Dependents::Drop);
  }
  return std::nullopt;
}

}  // namespace onset
