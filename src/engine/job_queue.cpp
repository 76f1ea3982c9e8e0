// See job_queue.h. Ordering dependencies are decided by graph/transaction's must_wait() alone.
#include "engine/job_queue.h"

#include <algorithm>
#include <tuple>

namespace onset {

bool JobQueue::Ready::operator<(const Ready& other) const {
  return std::tuple(rank, -remaining, sequence) <
         std::tuple(other.rank, -other.remaining, other.sequence);
}

JobQueue::Ready JobQueue::ready_of(const Job& job, std::uint64_t sequence) {
  Ready ready;
  ready.sequence = sequence;
  ready.id = job.id;
  if (job.type == JobType::VerifyActive) return ready;  // Requisite= fails at once
  ready.rank = job.type == JobType::Start ? kStarts : 1;
  if (job.type == JobType::Start) ready.remaining = job.remaining;
  return ready;
}

Job* JobQueue::find(JobId id) {
  auto it = jobs_.find(id.value);
  return it == jobs_.end() ? nullptr : &it->second;
}

const Job* JobQueue::find(JobId id) const {
  auto it = jobs_.find(id.value);
  return it == jobs_.end() ? nullptr : &it->second;
}

std::vector<const Job*> JobQueue::in_order() const {
  std::vector<const Job*> jobs;
  jobs.reserve(jobs_.size());
  for (const auto& [number, job] : jobs_) jobs.push_back(&job);
  std::ranges::sort(jobs, {}, [](const Job* job) { return job->id.value; });
  return jobs;
}

JobId JobQueue::conflict_of(const PlannedJob& planned) const {
  if (planned.type == JobType::Nop) return {};
  const Job* present = find(runtime_[planned.unit.value].job);
  return present != nullptr && conflicts(present->type, planned.type) ? present->id : JobId{};
}

JobId JobQueue::install(const PlannedJob& planned, Timestamp now) {
  UnitRuntime& rt = runtime_[planned.unit.value];
  JobId& slot = planned.type == JobType::Nop ? rt.nop_job : rt.job;

  if (Job* present = find(slot)) {
    const JobType both = merge(present->type, planned.type).value_or(planned.type);
    const JobType merged = collapse(both, rt.active);  // a start and a reload are either
    present->irreversible |= planned.irreversible;
    present->ignore_order |= planned.ignore_order;
    present->is_urgent |= planned.is_urgent;
    // A reload that runs may have read the old configuration: it runs again.
    const bool does_it_already = merged == present->type && planned.type != JobType::Reload;
    present->type = merged;
    if (present->state == JobState::Running && !does_it_already) present->state = JobState::Waiting;
    if (present->state == JobState::Waiting) enqueue(*present);
    wake_parked(present->id);
    return present->id;
  }

  do {
    ++last_id_;
  } while (last_id_ == 0 || jobs_.contains(last_id_));
  Job job;
  job.id = JobId{last_id_};
  job.unit = planned.unit;
  job.type = planned.type;
  job.irreversible = planned.irreversible;
  job.ignore_order = planned.ignore_order;
  job.is_urgent = planned.is_urgent;
  job.remaining = planned.remaining;
  job.queued = now;
  slot = job.id;
  enqueue(jobs_.emplace(last_id_, job).first->second);
  return slot;
}

Job JobQueue::remove(JobId id) {
  auto it = jobs_.find(id.value);
  if (it == jobs_.end()) return {};
  Job job = it->second;
  UnitRuntime& rt = runtime_[job.unit.value];
  if (rt.job == id) rt.job = {};
  if (rt.nop_job == id) rt.nop_job = {};
  let_go(it->second);
  jobs_.erase(it);
  wake_parked(id);
  return job;
}

void JobQueue::enqueue(Job& job) {
  if (job.in_run_queue) return;
  run_queue_.insert(ready_of(job, ++sequence_));
  job.in_run_queue = true;
  let_go(job);
}

/// bad_alloc: it is not held.
void JobQueue::hold(Job& job, HeldBy by) {
  const Ready ready = ready_of(job, ++sequence_);
  held_[by].insert(ready);
  job.held_by = by;
  job.place = ready.sequence;
}

/// It is held no longer, if it was. Needs no memory.
void JobQueue::let_go(Job& job) noexcept {
  if (!job.held_by.is_set()) return;
  const auto held = held_.find(job.held_by);
  job.held_by = {};
  if (held == held_.end()) return;
  Ready ready;
  ready.rank = kStarts;
  ready.remaining = job.remaining;
  ready.sequence = job.place;
  held->second.erase(ready);
  if (held->second.empty()) held_.erase(held);
}

bool JobQueue::release(JobGate& gate) {
  for (auto& [by, jobs] : held_) {
    if (jobs.empty()) continue;  // memory ran out as the first came
    Job& job = *find(jobs.begin()->id);
    if (gate.full_for(job) == by) continue;
    enqueue(job);
    return true;
  }
  return false;
}

void JobQueue::wake_parked(JobId id) {
  auto it = parked_.find(id.value);
  if (it == parked_.end()) return;
  std::vector<JobId> waiting = std::move(it->second);
  parked_.erase(it);
  for (JobId w : waiting) {
    Job* job = find(w);
    if (job != nullptr && job->state == JobState::Waiting) enqueue(*job);
  }
}

void JobQueue::put_back(JobId id, bool has_begun) noexcept {
  Job* job = find(id);
  if (job == nullptr || job->state != JobState::Running) return;
  job->state = JobState::Waiting;
  if (!has_begun && first_begun_ == id) job->began = {};
  put_back_ = id;
}

void JobQueue::retry(JobId id) {
  Job* job = find(id);
  if (job == nullptr) return;
  enqueue(*job);  // first: without memory it goes on running, and is put back
  job->state = JobState::Waiting;
}

void JobQueue::change_type(JobId id, JobType type) {
  Job* job = find(id);
  if (job == nullptr) return;
  job->type = type;
  job->state = JobState::Waiting;
  enqueue(*job);
  wake_parked(id);
}

void JobQueue::allow_replacing() noexcept {
  for (auto& [number, job] : jobs_) job.irreversible = false;
}

void JobQueue::retry_all() {
  parked_.clear();
  for (auto& [number, job] : jobs_) job.held_by = {};
  held_.clear();
  for (const Job* job : in_order()) {
    if (job->state == JobState::Waiting) enqueue(*find(job->id));
  }
}

/// The job on the dependency's other end, if this one has to wait for it.
JobId JobQueue::blocker_by(const Job& job, const Dependency& d) const {
  if (!d.kinds.has(DependencyKind::After) && !d.kinds.has(DependencyKind::Before)) return {};
  const JobId other = runtime_[d.other.value].job;
  const Job* waited = other.value == 0 ? nullptr : find(other);
  return waited != nullptr && must_wait(job.type, d.kinds, waited->type) ? other : JobId{};
}

JobId JobQueue::blocker_of(const Job& job, const UnitGraph& graph) const {
  if (job.ignore_order || job.type == JobType::Nop) return {};
  // From the back: what was named last tends to end last, so a parked job is
  // seldom parked twice.
  const auto dependencies = graph.dependencies(job.unit);
  for (auto it = dependencies.rbegin(); it != dependencies.rend(); ++it) {
    if (const JobId blocker = blocker_by(job, *it); blocker.value != 0) return blocker;
  }
  return {};
}

std::vector<JobId> JobQueue::blockers_of(const Job& job, const UnitGraph& graph) const {
  std::vector<JobId> blockers;
  if (job.ignore_order || job.type == JobType::Nop) return blockers;
  for (const Dependency& d : graph.dependencies(job.unit)) {
    if (const JobId blocker = blocker_by(job, d); blocker.value != 0) blockers.push_back(blocker);
  }
  return blockers;
}

std::optional<JobId> JobQueue::next_runnable(const UnitGraph& graph, JobGate& gate, Timestamp now) {
  while (put_back_.value != 0 || !run_queue_.empty()) {
    const bool is_again = put_back_.value != 0;
    const JobId id = is_again ? put_back_ : run_queue_.begin()->id;
    Job* job = find(id);
    const bool waits = job != nullptr && job->state == JobState::Waiting;
    const JobId blocker = waits ? blocker_of(*job, graph) : JobId{};
    const HeldBy full = waits && blocker.value == 0 ? gate.full_for(*job) : HeldBy{};
    // First: these need memory.
    if (blocker.value != 0) parked_[blocker.value].push_back(id);
    if (full.is_set() && !job->held_by.is_set()) hold(*job, full);
    if (is_again) {
      put_back_ = {};
    } else {
      run_queue_.erase(run_queue_.begin());
      if (job != nullptr) job->in_run_queue = false;
    }
    if (!waits || blocker.value != 0 || full.is_set()) continue;
    job->state = JobState::Running;
    first_begun_ = job->began.is_set() ? JobId{} : id;
    if (!job->began.is_set()) job->began = now;
    return id;
  }
  return std::nullopt;
}

}  // namespace onset
