// Slots: how many units may be up at once in a slice (ConcurrencySoftMax=, ConcurrencyHardMax=,
// systemd.slice(5)), and how many may be starting (StartConcurrencyMax=, onset's own).
//
// A slice counts every unit in it and below it that is not down, slices too. It begins to do so
// when a start first asks it for room, and then follows each change of state. The manager counts
// the units that are on their way up, without those that wait for RestartSec= or, as Type=idle
// does, for others' jobs: they would wait for themselves. Nothing but a start waits for a slot,
// and nothing at all while the system goes down.
#include "base/format.h"
#include "engine/manager.h"
#include "graph/slices.h"

namespace onset {

bool Manager::counts_in_slices(UnitId id) const {
  const UnitRuntime& rt = runtime_[id.value];
  return !is_inactive_or_failed(rt.active) || passes_to_restart(rt.service.phase);
}

bool Manager::is_coming_up(UnitId id) const {
  const UnitRuntime& rt = runtime_[id.value];
  if (rt.active != ActiveState::Activating) return false;
  return graph_->unit(id).service == nullptr || is_starting(rt.service.phase);
}

/// After each change of a unit's state. Needs no memory.
void Manager::note_slots(UnitId id) {
  UnitRuntime& rt = runtime_[id.value];
  if (const bool comes = is_coming_up(id); std::exchange(rt.is_coming_up, comes) != comes) {
    comes ? ++coming_up_ : --coming_up_;
  }
  const bool counts = counts_in_slices(id);
  if (std::exchange(rt.counts_in_slices, counts) == counts || !has_counted_slices_) return;
  for (UnitId s = slice_of(*graph_, id); s.valid(); s = slice_of(*graph_, s)) {
    UnitRuntime& slice = runtime_[s.value];
    if (!slice.keeps_count) continue;
    counts ? ++slice.active_below : --slice.active_below;
  }
}

/// Units may lie in other slices now: these count anew when they are asked.
void Manager::forget_slots() {
  for (UnitRuntime& rt : runtime_) rt.keeps_count = false;
  has_counted_slices_ = false;
}

unsigned Manager::others_in(UnitId slice, UnitId but) {
  UnitRuntime& rt = runtime_[slice.value];
  if (!rt.keeps_count) {
    unsigned count = 0;
    for_each_in_slice(*graph_, slice,
                      [&](UnitId u) { count += runtime_[u.value].counts_in_slices ? 1 : 0; });
    rt.active_below = count;
    rt.keeps_count = has_counted_slices_ = true;
  }
  return rt.active_below - (runtime_[but.value].counts_in_slices ? 1 : 0);
}

/// The next slice above the unit in which so many others are up as there may be; not valid: none.
UnitId Manager::slice_without_room(UnitId id, unsigned SliceConfig::*limit) {
  for (UnitId s = slice_of(*graph_, id); s.valid(); s = slice_of(*graph_, s)) {
    const SliceConfig* config = graph_->unit(s).slice.get();
    if (config == nullptr || config->*limit == kNoCountLimit) continue;
    if (others_in(s, id) >= config->*limit) return s;
  }
  return {};
}

HeldBy Manager::full_for(const Job& job) {
  if (job.type != JobType::Start || stopping()) return {};
  const UnitRuntime& rt = runtime_[job.unit.value];
  const bool goes_on = rt.service.phase == ServicePhase::AutoRestartQueued;
  // Whatever else its job waits for is the unit's matter.
  if (passes_to_restart(rt.service.phase)) return {};
  if (!goes_on && !is_inactive_or_failed(rt.active)) return {};
  if (!goes_on) {  // else it has its place in the slice still
    const UnitId slice = slice_without_room(job.unit, &SliceConfig::concurrency_soft_max);
    if (slice.valid()) return {slice.value};
  }
  const bool is_one_of_many = has_machine(job.unit) && !job.is_urgent;
  if (is_one_of_many && coming_up_ >= config_.defaults.start_concurrency_max)
    return {HeldBy::kManager};
  return {};
}

std::string Manager::holder_text(const Job& job) const {
  if (!job.held_by.is_set()) return {};
  if (job.held_by.is_manager())
    return format("the manager (StartConcurrencyMax={})", config_.defaults.start_concurrency_max);
  const Unit& slice = graph_->unit(UnitId{job.held_by.value});
  const unsigned most = slice.slice != nullptr ? slice.slice->concurrency_soft_max : kNoCountLimit;
  return format("{} (ConcurrencySoftMax={})", slice.id, most);
}

}  // namespace onset
