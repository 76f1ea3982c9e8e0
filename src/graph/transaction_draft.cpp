// The parts that every step uses: adding jobs and links, dropping a job with all
// that follows from it. Dropping works off a list, so that a chain of 10,000
// dependents needs no stack.
#include "graph/transaction_draft.h"

#include "base/format.h"

namespace onset {

TransactionDraft::TransactionDraft(const UnitGraph& graph, const UnitStates& states)
    : graph_(graph), states_(states), of_unit_(graph.size(), kNone) {}

DraftIndex TransactionDraft::add_job(UnitId unit, JobType type, bool& is_new) {
  for (DraftIndex i = of_unit_[unit.value]; i != kNone; i = jobs_[i].next_of_unit) {
    if (jobs_[i].type != type) continue;
    is_new = false;
    return i;
  }
  const DraftIndex i = size();
  DraftJob job;
  job.unit = unit;
  job.type = type;
  job.ignore_order = ignore_order_;
  job.next_of_unit = of_unit_[unit.value];
  jobs_.push_back(job);
  of_unit_[unit.value] = i;
  is_new = true;
  return i;
}

void TransactionDraft::link(DraftIndex subject, DraftIndex object, bool matters, bool conflicts) {
  DraftLink l;
  l.subject = subject;
  l.object = object;
  l.matters = matters;
  l.conflicts = conflicts;
  l.next_of_subject = jobs_[subject].first_as_subject;
  l.next_of_object = jobs_[object].first_as_object;
  const auto i = static_cast<DraftIndex>(links_.size());
  links_.push_back(l);
  jobs_[subject].first_as_subject = i;
  jobs_[object].first_as_object = i;
  ++jobs_[object].pulled;
}

void TransactionDraft::detach(DraftIndex job) {
  DraftIndex* at = &of_unit_[jobs_[job].unit.value];
  while (*at != job) at = &jobs_[*at].next_of_unit;
  *at = jobs_[job].next_of_unit;
  jobs_[job].next_of_unit = kNone;
  jobs_[job].alive = false;
}

void TransactionDraft::drop(DraftIndex first, Dependents dependents) {
  std::vector<DraftIndex> work{first};
  while (!work.empty()) {
    const DraftIndex i = work.back();
    work.pop_back();
    if (!jobs_[i].alive || i == anchor_) continue;
    detach(i);
    dropped.push_back(jobs_[i].unit);
    for (DraftIndex l = jobs_[i].first_as_object; l != kNone; l = links_[l].next_of_object) {
      if (links_[l].gone) continue;
      links_[l].gone = true;
      if (links_[l].matters && dependents == Dependents::Drop) work.push_back(links_[l].subject);
    }
    for (DraftIndex l = jobs_[i].first_as_subject; l != kNone; l = links_[l].next_of_subject) {
      if (links_[l].gone) continue;
      links_[l].gone = true;
      const DraftIndex object = links_[l].object;
      if (--jobs_[object].pulled == 0 && collects_garbage) work.push_back(object);
    }
    jobs_[i].pulled = 0;
  }
}

JobType TransactionDraft::type_of(UnitId unit) const {
  JobType type = JobType::Nop;
  for (DraftIndex i = of_unit_[unit.value]; i != kNone; i = jobs_[i].next_of_unit) {
    type = merge(type, jobs_[i].type).value_or(type);
  }
  return collapse(type, states_.active_state(unit));
}

bool TransactionDraft::matters(UnitId unit) const {
  for (DraftIndex i = of_unit_[unit.value]; i != kNone; i = jobs_[i].next_of_unit) {
    if (jobs_[i].matters) return true;
  }
  return false;
}

std::string TransactionDraft::name(DraftIndex i) const {
  return format("{}/{}", graph_.unit(jobs_[i].unit).id, to_string(jobs_[i].type));
}

}  // namespace onset
