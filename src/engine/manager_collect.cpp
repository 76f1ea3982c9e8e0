// What nothing needs is unloaded (systemd.unit(5), UNIT GARBAGE COLLECTION): a unit
// that is down, without a job, without processes, and that only such units refer
// to. So a manager that runs a million instances in its life stays as small as
// those that run now, and an edited file of a stopped unit is read by its next start.
//
//   candidates ─→ all that refer to them, as far as these could go too
//              ─→ those that one which stays refers to, and what they refer to, stay
//              ─→ the rest goes; what it referred to are the next candidates
#include <algorithm>
#include <unordered_map>

#include "engine/manager.h"

namespace onset {

void Manager::may_be_unneeded(UnitId id) {
  if (runtime_[id.value].may_be_unneeded) return;
  collect_.push_back(id);  // has room for every unit, once: make_room_for_units()
  runtime_[id.value].may_be_unneeded = true;
}

/// Nothing but a reference by another unit would keep it.
bool Manager::is_collectable(UnitId id) {
  const UnitRuntime& rt = runtime_[id.value];
  const bool flushes_failures =
      graph_->unit(id).config.collect_mode == CollectMode::InactiveOrFailed;
  if (rt.active != ActiveState::Inactive && !(rt.active == ActiveState::Failed && flushes_failures))
    return false;
  if (rt.job.value != 0 || rt.nop_job.value != 0 || pending_spawns_.contains(id.value))
    return false;
  if (passes_to_restart(rt.service.phase)) return false;
  if (processes_of(id) != Processes{} || rt.trigger_of != 0) return false;
  if (listener_ != nullptr && listener_->is_pinned(id)) return false;
  if (!os_.has_processes(id)) return true;
  // What KillMode= left running keeps it until it ends.
  runtime_[id.value].watches_leftovers = true;
  os_.watch_empty(id, true);
  return false;
}

std::vector<UnitId> Manager::find_garbage(const std::vector<UnitId>& candidates) {
  enum class Fate : std::uint8_t { Open, Stays, Elsewhere };
  std::unordered_map<std::uint32_t, Fate> fates;
  std::vector<UnitId> seen;
  const auto look_at = [&](UnitId id) {
    const auto [at, is_new] = fates.try_emplace(id.value, Fate::Open);
    if (!is_new) return at->second;
    if (!is_collectable(id)) return at->second = Fate::Elsewhere;
    seen.push_back(id);
    return Fate::Open;
  };
  for (const UnitId id : candidates) {
    if (!graph_->is_free(id)) look_at(id);
  }

  std::vector<UnitId> staying;
  for (std::size_t i = 0; i < seen.size(); ++i) {  // grows
    for (const Dependency& d : graph_->dependencies(seen[i])) {
      if (!d.kinds.has(DependencyKind::ReferencedBy)) continue;
      if (look_at(d.other) != Fate::Elsewhere) continue;
      fates[seen[i].value] = Fate::Stays;
      staying.push_back(seen[i]);
      break;
    }
  }
  while (!staying.empty()) {
    const UnitId id = staying.back();
    staying.pop_back();
    for (const Dependency& d : graph_->dependencies(id)) {
      const auto other = fates.find(d.other.value);
      if (!d.kinds.has(DependencyKind::References) || other == fates.end() ||
          other->second != Fate::Open)
        continue;
      other->second = Fate::Stays;
      staying.push_back(d.other);
    }
  }
  std::erase_if(seen, [&](UnitId id) { return fates[id.value] != Fate::Open; });
  return seen;
}

/// Behind Os::forget(). Erases, and so needs no memory.
void Manager::forget(UnitId id) {
  if (runtime_[id.value].socket.accepted > 0) {  // whoever outlives it
    for (UnitRuntime& rt : runtime_) {
      if (rt.accepted_by == id) rt.accepted_by = {};
    }
  }
  if (runtime_[id.value].accepted_by.valid()) end_connection(id);
  runtime_[id.value] = UnitRuntime{};
  status_texts_.erase(id.value);
  problems_.erase(id.value);
  command_records_.erase(id.value);
  review_counts_.erase(id.value);
  trigger_counts_.erase(id.value);
  for (const auto kind : {TimerKey::Kind::Unit, TimerKey::Kind::Retry, TimerKey::Kind::Review}) {
    timers_.set({kind, id.value}, kNever);
  }
  std::erase(idle_waiters_, id);
  std::erase(new_devices_, id);
}

/// Who is to be looked at once these are gone: what they referred to, and candidates
/// that somebody pins.
std::vector<UnitId> Manager::next_candidates(const std::vector<UnitId>& garbage) const {
  std::vector<UnitId> next;
  for (const UnitId id : collect_) {
    if (listener_ != nullptr && listener_->is_pinned(id)) next.push_back(id);
  }
  for (const UnitId id : garbage) {
    for (const Dependency& d : graph_->dependencies(id)) {
      if (d.kinds.has(DependencyKind::References)) next.push_back(d.other);
    }
  }
  const auto by_number = [](UnitId a, UnitId b) { return a.value < b.value; };
  std::sort(next.begin(), next.end(), by_number);
  next.erase(std::unique(next.begin(), next.end()), next.end());
  std::vector<UnitId> gone = garbage;
  std::sort(gone.begin(), gone.end(), by_number);
  std::erase_if(
      next, [&](UnitId id) { return std::binary_search(gone.begin(), gone.end(), id, by_number); });
  return next;
}

/// Each round first makes sure of all that it needs. Where memory runs out before,
/// its candidates are still there for the next call.
void Manager::collect() {
  if (stopping_ || has_more_) return;
  bool is_done = collect_.empty();
  while (!is_done) {
    const std::vector<UnitId> garbage = find_garbage(collect_);
    const std::vector<UnitId> next = next_candidates(garbage);
    for (const UnitId id : garbage) os_.forget(id, graph_->unit(id));
    graph_->remove(garbage);
    // From here on nothing fails.
    for (const UnitId id : collect_) runtime_[id.value].may_be_unneeded = false;
    for (const UnitId id : garbage) forget(id);
    collect_.clear();
    for (const UnitId id : next) may_be_unneeded(id);
    is_done = garbage.empty();
  }
}

}  // namespace onset
