// Steps 2 to 4 and 6: what may go goes, and one job a unit is left.
#include <algorithm>

#include "base/format.h"
#include "graph/transaction_draft.h"

namespace onset {

void TransactionDraft::mark_what_matters() {
  std::vector<DraftIndex> work{anchor_};
  jobs_[anchor_].matters = true;
  while (!work.empty()) {
    const DraftIndex i = work.back();
    work.pop_back();
    for (DraftIndex l = jobs_[i].first_as_subject; l != kNone; l = links_[l].next_of_subject) {
      DraftJob& object = jobs_[links_[l].object];
      if (links_[l].gone || !links_[l].matters || object.matters) continue;
      object.matters = true;
      work.push_back(links_[l].object);
    }
  }
}

bool TransactionDraft::conflicts_with_queued(const DraftJob& job) const {
  const auto queued = states_.queued(job.unit);
  return queued && conflicts(queued->type, job.type);
}

/// Mode fail: nothing optional stops what runs or turns round what is queued.
void TransactionDraft::minimize_impact() {
  for (DraftIndex i = 0; i < size(); ++i) {
    const DraftJob& job = jobs_[i];
    if (!job.alive || job.matters) continue;
    const ActiveState state = states_.active_state(job.unit);
    const bool stops = job.type == JobType::Stop &&
                       (is_active_or_reloading(state) || state == ActiveState::Activating);
    if (!stops && !conflicts_with_queued(job)) continue;
    log.note(format("{} deleted: optional, and it would disturb what runs", name(i)));
    drop(i, Dependents::Drop);
  }
}

/// A unit's jobs go if all of them are so already: a start and a stop of one unit
/// stay both until it is decided which.
void TransactionDraft::drop_redundant() {
  for (DraftIndex n = 0; n < size(); ++n) {
    if (!jobs_[n].alive) continue;
    const UnitId unit = jobs_[n].unit;
    const ActiveState state = states_.active_state(unit);
    bool keep = false;
    for (DraftIndex i = of_unit_[unit.value]; i != kNone && !keep; i = jobs_[i].next_of_unit) {
      keep = i == anchor_ || !is_redundant(jobs_[i].type, state) || conflicts_with_queued(jobs_[i]);
    }
    if (keep) continue;
    while (of_unit_[unit.value] != kNone) drop(of_unit_[unit.value], Dependents::Keep);
  }
}

/// What is pulled in only by jobs that pull in each other in a ring.
void TransactionDraft::drop_unreachable() {
  std::vector<bool> reached(jobs_.size(), false);
  std::vector<DraftIndex> work{anchor_};
  reached[anchor_] = true;
  while (!work.empty()) {
    const DraftIndex i = work.back();
    work.pop_back();
    for (DraftIndex l = jobs_[i].first_as_subject; l != kNone; l = links_[l].next_of_subject) {
      const DraftIndex object = links_[l].object;
      if (links_[l].gone || reached[object]) continue;
      reached[object] = true;
      work.push_back(object);
    }
  }
  for (DraftIndex i = 0; i < size(); ++i) {
    if (jobs_[i].alive && !reached[i]) drop(i, Dependents::Keep);
  }
}

// ---- one job a unit ---------------------------------------------------------------

bool TransactionDraft::is_conflicted(const DraftJob& job) const {
  for (DraftIndex l = job.first_as_object; l != kNone; l = links_[l].next_of_object) {
    if (!links_[l].gone && links_[l].conflicts) return true;
  }
  return false;
}

/// Of a stop and another job for one unit, what does not matter goes. If neither
/// does: the stop, unless another unit's Conflicts= asks for it (systemd.unit(5):
/// "the unit that conflicts will be started and the unit that is conflicted is
/// stopped").
std::optional<TransactionError> TransactionDraft::resolve_conflicts_of(UnitId unit) {
  while (true) {
    DraftIndex stop = kNone;
    DraftIndex other = kNone;
    bool others_matter = false;
    for (DraftIndex i = of_unit_[unit.value]; i != kNone; i = jobs_[i].next_of_unit) {
      if (jobs_[i].type == JobType::Stop) {
        stop = i;
      } else if (jobs_[i].type != JobType::Nop) {
        if (other == kNone || !jobs_[other].matters) other = i;
        others_matter |= jobs_[i].matters;
      }
    }
    if (stop == kNone || other == kNone) return std::nullopt;
    if (jobs_[stop].matters && others_matter) {
      return TransactionError{
          TransactionErrorKind::JobsConflicting,
          format("Transaction contains conflicting jobs '{}' and '{}' for {}: "
                 "what is required contradicts itself.",
                 to_string(jobs_[other].type), to_string(JobType::Stop), graph_.unit(unit).id)};
    }
    const bool stop_stays = jobs_[stop].matters || (!others_matter && is_conflicted(jobs_[stop]));
    const DraftIndex goes = stop_stays ? other : stop;
    log.message(
        format("conflicting jobs {} and {}: {} deleted", name(stop), name(other), name(goes)));
    drop(goes, Dependents::Drop);
  }
}

void TransactionDraft::absorb(DraftIndex into, DraftIndex other) {
  DraftJob& job = jobs_[into];
  DraftJob& gone = jobs_[other];
  job.matters |= gone.matters;
  job.ignore_order |= gone.ignore_order;
  job.pulled += gone.pulled;
  for (DraftIndex* l = &gone.first_as_subject; *l != kNone;) {
    const DraftIndex i = *l;
    *l = links_[i].next_of_subject;
    links_[i].subject = into;
    links_[i].next_of_subject = job.first_as_subject;
    job.first_as_subject = i;
  }
  for (DraftIndex* l = &gone.first_as_object; *l != kNone;) {
    const DraftIndex i = *l;
    *l = links_[i].next_of_object;
    links_[i].object = into;
    links_[i].next_of_object = job.first_as_object;
    job.first_as_object = i;
  }
  gone.pulled = 0;
  detach(other);
}

void TransactionDraft::merge_into_one(UnitId unit) {
  const DraftIndex first = of_unit_[unit.value];
  if (first == kNone || jobs_[first].next_of_unit == kNone) return;
  const JobType type = type_of(unit);
  DraftIndex into = first;
  for (DraftIndex i = first; i != kNone; i = jobs_[i].next_of_unit) into = std::min(into, i);
  while (true) {
    DraftIndex other = of_unit_[unit.value];
    if (other == into) other = jobs_[into].next_of_unit;
    if (other == kNone) break;
    absorb(into, other);
  }
  jobs_[into].type = type;
}

/// First where a Conflicts= is, since the stops that it passed on go with it.
std::optional<TransactionError> TransactionDraft::resolve_conflicts() {
  for (const bool at_origin : {true, false}) {
    for (DraftIndex i = 0; i < size(); ++i) {
      if (!jobs_[i].alive || jobs_[i].type != JobType::Stop) continue;
      if (is_conflicted(jobs_[i]) != at_origin) continue;
      if (auto error = resolve_conflicts_of(jobs_[i].unit)) return error;
    }
  }
  return std::nullopt;
}

void TransactionDraft::merge_jobs() {
  for (DraftIndex i = 0; i < size(); ++i) {
    if (jobs_[i].alive) merge_into_one(jobs_[i].unit);
  }
}

}  // namespace onset
