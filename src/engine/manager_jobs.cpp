// The queues: which job runs next, what running it means, and how it ends.
//
//   dispatch:  what waited for memory → failing jobs → runnable jobs
//              → requests of state changes → reviews
//
// until all are empty. Nothing below calls dispatch() again.
#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "base/format.h"
#include "engine/manager.h"
#include "engine/start_limit.h"
#include "graph/atoms.h"

namespace onset {
namespace {

/// Of what a unit that is required tells to those that require it: a longer cause is passed on
/// as it is, without whom it came by.
constexpr std::size_t kLongestCause = 512;

}  // namespace

void Manager::dispatch() {
  if (dispatching_) return;
  dispatching_ = true;
  has_more_ = true;
  hold_until_ = MonoTime{0};
  try {
    for (unsigned step = 0; step < config_.steps_a_call && has_more_ && !holds(); ++step)
      has_more_ = dispatch_one();
  } catch (const std::bad_alloc&) {
    out_of_memory();
  }
  if (queue_.empty() && !wants_start_up_) note_started_up();
  note_startup();
  // Its jobs have failed or were cancelled on the way: the end comes all the same, whatever
  // else is queued.
  const auto is_shutdowns = [](const auto& entry) { return entry.second.irreversible; };
  if (stopping_ && !has_more_ && std::ranges::none_of(queue_.all(), is_shutdowns))
    objective_ = shutdown_goal_;
  dispatching_ = false;
}

/// The first time that nothing is left to do.
void Manager::note_started_up() {
  if (std::exchange(started_up_, true)) return;
  finished_ = now_;
  boot_times_ = {};
}

/// The next of what is to be done; false: nothing. It leaves its queue when it is done:
/// bad_alloc before is no loss.
bool Manager::dispatch_one() {
  if (graph_is_torn_) {
    Diagnostics found;
    os_.log(Say::Level::Warning, "",
            "all unit files are read again, memory ran out while some were");
    read_again(*source_, found);
    return true;
  }
  if (may_have_rings_) {
    break_rings();
    may_have_rings_ = false;
    return true;
  }
  if (!new_devices_.empty()) {
    start_with_device(new_devices_.back());
    return true;
  }
  if (!owed_.empty()) {
    feed_owed(owed_.front().unit);
    return true;
  }
  if (wanted_shutdown_ != Objective::Run) {
    begin_shutdown();
    return true;
  }
  if (wants_start_up_) {
    begin_start_up();
    return true;
  }
  if (!failing_.empty()) {
    finish_job(failing_.front(), JobResult::Dependency, Invalidate::Yes);
    failing_.pop_front();
    return true;
  }
  if (const auto id = queue_.next_runnable(*graph_, *this, now_)) {
    run_job(*id);
    return true;
  }
  if (queue_.release(*this)) return true;
  if (!requests_.empty()) {
    work_off_request();
    return true;
  }
  if (!reviews_.empty()) {
    review(reviews_.front());
    reviews_.pop_front();
    return true;
  }
  if (apply_next_resources()) return true;
  return wake_idle();
}

void Manager::work_off_request() {
  const Request r = requests_.front();
  if (r.of == Request::Of::Restart &&
      runtime_[r.unit.value].service.phase != ServicePhase::AutoRestartQueued) {
    requests_.pop_front();  // a start that had waited for it has had its turn first
    return;
  }
  if (r.of == Request::Of::Accept) {
    if (accept_one(r.unit)) requests_.pop_front();
    return;
  }
  if (r.of == Request::Of::Review) {
    const auto due = due_of(r.unit);
    if (!due || due->type != r.type) {
      requests_.pop_front();  // what has happened since the review has changed its mind
      return;
    }
    say(Say::Level::Info, r.unit, due->why);
  }
  auto job =
      enqueue(r.unit, r.type, r.mode, r.of == Request::Of::Restart ? Asker::Many : Asker::Change);
  if (!job) {
    os_.log(Say::Level::Warning, graph_->unit(r.unit).id,
            format("cannot queue a {} job: {}", to_string(r.type), job.error().message));
    if (r.of == Request::Of::Review) refused_.push_back(r.unit);
    if (r.of == Request::Of::Socket) feed(r.asker, SocketNews{SocketNews::What::TriggerRefused});
    if (r.of == Request::Of::Automount) feed(r.asker, AutomountNews{AutomountNews::What::Refused});
    if (r.of == Request::Of::Restart) feed(r.unit, SpawnFailed{SysError{"restart", ECANCELED}});
  } else if (Job* queued = queue_.find(*job)) {
    add_trigger(*queued, r.trigger);
  }
  requests_.pop_front();
}

void Manager::run_job(JobId id) {
  /// Where memory runs out before the unit has moved, the job comes again.
  struct PutBack {
    JobQueue& queue;
    JobId id;
    bool is_armed = false;
    bool is_run = false;
    ~PutBack() {
      if (!is_run) queue.put_back(id, is_armed);
    }
  } put_back{queue_, id};
  arm_job(*queue_.find(id));
  put_back.is_armed = true;
  run_job_once(id);
  put_back.is_run = true;
}

void Manager::run_job_once(JobId id) {
  Job* job = queue_.find(id);
  const UnitId unit = job->unit;
  Outcome outcome = Outcome::Invalid;
  switch (job->type) {
    case JobType::Start:
      outcome = start_unit(unit);
      break;
    case JobType::VerifyActive:
      outcome = verify_active(unit);
      break;
    case JobType::Stop:
    case JobType::Restart:
      outcome = stop_unit(unit);
      break;
    case JobType::Reload:
      outcome = reload_unit(unit);
      break;
    case JobType::Nop:
      outcome = Outcome::Already;
      break;
    case JobType::TryRestart:
    case JobType::TryReload:
    case JobType::ReloadOrStart:
      outcome = Outcome::Invalid;  // collapsed before they are planned
      break;
  }
  if (queue_.find(id) == nullptr) return;  // its unit's state change has ended it
  JobResult result = JobResult::Done;
  switch (outcome) {
    case Outcome::Underway:
      return;
    case Outcome::NotNow:
      queue_.find(id)->state = JobState::Waiting;
      return;
    case Outcome::Already:
    case Outcome::Unmet:
      result = JobResult::Done;
      break;
    case Outcome::Skipped:
      result = JobResult::Skipped;
      break;
    case Outcome::Failed:
      result = JobResult::Failed;
      break;
    case Outcome::Dependency:
      result = JobResult::Dependency;
      break;
    case Outcome::Concurrency:
      result = JobResult::Concurrency;
      break;
    case Outcome::Assert:
      result = JobResult::Assert;
      break;
    case Outcome::Unsupported:
      result = JobResult::Unsupported;
      break;
    case Outcome::Invalid:
      result = JobResult::Invalid;
      break;
  }
  finish_job(id, result, Invalidate::Yes);
}

// ---- what a job does to its unit ----------------------------------------------

bool Manager::test_conditions(UnitId id, const std::vector<Condition>& conditions,
                              std::uint64_t& failed) {
  failed = 0;
  bool any_trigger = false;
  bool triggered = false;
  for (std::size_t i = 0; i < conditions.size(); ++i) {
    const Condition& c = conditions[i];
    auto answer = os_.test(c, graph_->unit(id));
    if (!answer) {
      say(Say::Level::Warning, id,
          format("cannot evaluate a condition, taken as not met: {}", to_string(answer.error())));
    }
    const bool holds = answer.ok() && *answer != c.negate;
    if (!holds && i < 64) failed |= std::uint64_t{1} << i;
    if (!c.trigger && !holds) return false;
    any_trigger |= c.trigger;
    triggered |= c.trigger && holds;
  }
  return !any_trigger || triggered;
}

/// Conditions, asserts, start limit, support and BindsTo=: false with the
/// outcome of the job where the unit must not start.
bool Manager::may_start(UnitId id, Outcome& outcome) {
  const Unit& unit = graph_->unit(id);
  UnitRuntime& rt = runtime_[id.value];
  rt.condition_time = now_;
  rt.condition_result = test_conditions(id, unit.config.conditions, rt.failed_conditions);
  if (!rt.condition_result) {
    say(Say::Level::Info, id, "skipped, a condition is not met");
    outcome = Outcome::Unmet;
    return false;
  }
  rt.assert_time = now_;
  rt.assert_result = test_conditions(id, unit.config.asserts, rt.failed_asserts);
  if (!rt.assert_result) {
    problems_[id.value] = "an Assert…= is not met";
    say(Say::Level::Warning, id, "not started, an assertion is not met");
    outcome = Outcome::Assert;
    return false;
  }
  const DependencySet binds = kinds_with(Atom::CannotBeActiveWithout);
  for (const Dependency& d : graph_->dependencies(id)) {
    if (!d.kinds.any(binds) || !d.kinds.has(DependencyKind::After)) continue;
    const ActiveState other = runtime_[d.other.value].active;
    if (other == ActiveState::Active || other == ActiveState::Reloading) continue;
    problems_[id.value] = format("bound to {}, which is not active", graph_->unit(d.other).id);
    say(Say::Level::Warning, id, problems_[id.value]);
    outcome = Outcome::Dependency;
    return false;
  }
  return true;
}

Manager::Outcome Manager::start_unit(UnitId id) {
  const Unit& unit = graph_->unit(id);
  UnitRuntime& rt = runtime_[id.value];
  find_mounted(id);  // its file has come after it
  find_device(id);
  if (rt.active == ActiveState::Active || rt.active == ActiveState::Reloading) {
    return Outcome::Already;
  }
  if (rt.active == ActiveState::Deactivating || rt.active == ActiveState::Maintenance) {
    return Outcome::NotNow;
  }
  if (unit.load_state != LoadState::Loaded) {
    problems_[id.value] = unit.load_error;
    return Outcome::Failed;
  }
  if (passes_to_restart(rt.service.phase)) return Outcome::NotNow;
  const bool restart_is_due = rt.service.phase == ServicePhase::AutoRestartQueued;
  if (rt.active == ActiveState::Activating && !restart_is_due) {
    // In RestartSec= the start waits for the restart that is coming.
    return rt.service.phase == ServicePhase::AutoRestart ? Outcome::NotNow : Outcome::Underway;
  }

  Outcome outcome = Outcome::Failed;
  if ((!restart_is_due && !has_room(id, outcome)) || !may_start(id, outcome)) {
    if (restart_is_due) feed(id, StopRequested{});
    return outcome;
  }

  if (unit.socket != nullptr && refuses_to_listen(id)) return Outcome::Failed;
  if (unit.automount != nullptr && refuses_to_automount(id)) return Outcome::Failed;
  if (has_scope_processes(unit) && !adopt_scope_processes(id)) return Outcome::Failed;
  return has_machine(id) ? start_machine(id) : start_plain(id);
}

/// Units that have come up since it was queued may have taken its place.
bool Manager::has_room(UnitId id, Outcome& outcome) {
  const UnitId slice = slice_without_room(id, &SliceConfig::concurrency_hard_max);
  if (!slice.valid() || stopping()) return true;
  problems_[id.value] = format("one too many in {} (ConcurrencyHardMax=)", graph_->unit(slice).id);
  say(Say::Level::Warning, id, problems_[id.value]);
  outcome = Outcome::Concurrency;
  return false;
}

/// A unit without processes is up at once, or of a type that is not run; a device is waited for.
Manager::Outcome Manager::start_plain(UnitId id) {
  const UnitType type = graph_->unit(id).type;
  bool can_start = false;
  switch (type) {
    case UnitType::Target:
    case UnitType::Slice:
    case UnitType::Scope:
      can_start = true;
      break;
    case UnitType::Device:
      if (config_.has_devices) return Outcome::Underway;
      problems_[id.value] = "devices are not told of here: by no kernel to a container or a user";
      say(Say::Level::Info, id, problems_[id.value]);
      return Outcome::Unsupported;
    case UnitType::Mount:
    case UnitType::Service:
    case UnitType::Socket:
    case UnitType::Automount:
    case UnitType::Swap:
    case UnitType::Timer:
    case UnitType::Path:
      break;
  }
  if (!can_start) {
    problems_[id.value] = format("{} units are not run yet", to_string(type));
    say(Say::Level::Debug, id, problems_[id.value]);  // the loader has warned of it
    return Outcome::Unsupported;
  }
  problems_.erase(id.value);
  if (type == UnitType::Slice) os_.apply_resources(*graph_, id, starting() || stopping());
  set_plain(id, true);
  return Outcome::Underway;
}

Manager::Outcome Manager::start_machine(UnitId id) {
  settle(id);
  bool is_within_limit = false;
  std::optional<ServiceEvent> answer;
  {
    // A start counts once, and its first step is part of it.
    const MemoryReserve::Open finish = begin_change(id, 2);
    is_within_limit = is_within_start_limit(id);
    answer = is_within_limit ? begin_start(id) : refuse_start(id);
  }
  feed_or_owe(id, std::move(answer));
  return is_within_limit ? Outcome::Underway : Outcome::Failed;
}

bool Manager::is_within_start_limit(UnitId id) {
  const UnitConfig& config = graph_->unit(id).config;
  UnitRuntime& rt = runtime_[id.value];
  StartLimit limit;
  limit.interval = config.start_limit_interval.value_or(config_.defaults.start_limit_interval);
  limit.burst = config.start_limit_burst.value_or(config_.defaults.start_limit_burst);
  if (!count_start(limit, now_.mono, rt.limit_begin, rt.limit_count)) {
    rt.start_limit_hit = true;
    problems_[id.value] = format("started {} times within {} s, the start limit", limit.burst,
                                 limit.interval.count() / 1000000);
    return false;
  }
  rt.start_limit_hit = false;
  return true;
}

std::optional<ServiceEvent> Manager::refuse_start(UnitId id) {
  const UnitConfig& config = graph_->unit(id).config;
  say(Say::Level::Warning, id, problems_[id.value]);
  auto answer = take_step(id, StartLimitHit{});
  emergency(config.start_limit_action, id, std::nullopt, "start limit hit");
  return answer;
}

std::optional<ServiceEvent> Manager::begin_start(UnitId id) {
  UnitRuntime& rt = runtime_[id.value];
  if (std::exchange(rt.watches_leftovers, false)) os_.watch_empty(id, false);
  const Job* job = queue_.of_unit(id);
  const bool goes_on = rt.service.phase == ServicePhase::AutoRestartQueued;
  if (!goes_on) set_trigger(rt.trigger, job != nullptr ? job->trigger : Trigger{});
  problems_.erase(id.value);
  status_texts_.erase(id.value);
  command_records_.erase(id.value);
  rt.invocation = os_.new_invocation();
  return take_step(id, StartRequested{});
}

Manager::Outcome Manager::stop_unit(UnitId id) {
  const Unit& unit = graph_->unit(id);
  const UnitRuntime& rt = runtime_[id.value];
  if (is_inactive_or_failed(rt.active) && !passes_to_restart(rt.service.phase))
    return Outcome::Already;
  if (unit.id == "-.mount" || unit.type == UnitType::Device) return Outcome::Skipped;  // nobody can
  if (!has_machine(id)) {
    if (unit.type == UnitType::Scope || unit.id == "-.slice") return Outcome::Skipped;
    set_plain(id, false);
    os_.release(id, unit, false);
    return Outcome::Underway;
  }
  const Job* job = queue_.of_unit(id);
  if (job != nullptr && job->type == JobType::Restart &&
      rt.service.phase == ServicePhase::AutoRestartQueued) {
    return Outcome::Already;  // it is down: the restart goes on as a start
  }
  if (job != nullptr && pending_spawns_.contains(id.value)) {
    // What is given up for the stop is no answer to its job, and would fail it.
    queue_.retry(job->id);
    settle(id);
    return Outcome::Underway;
  }
  feed(id, StopRequested{});
  return Outcome::Underway;
}

Manager::Outcome Manager::reload_unit(UnitId id) {
  const Unit& unit = graph_->unit(id);
  switch (runtime_[id.value].active) {
    case ActiveState::Reloading:
    case ActiveState::Activating:
      return Outcome::NotNow;
    case ActiveState::Active:
      // Type=idle counts as active before it is up.
      if (is_starting(runtime_[id.value].service.phase)) return Outcome::NotNow;
      break;
    case ActiveState::Inactive:
    case ActiveState::Failed:
    case ActiveState::Deactivating:
    case ActiveState::Maintenance:
      problems_[id.value] = "not active, cannot be reloaded";
      return Outcome::Invalid;
  }
  if (unit.service == nullptr && unit.mount == nullptr) return Outcome::Already;
  feed(id, ReloadRequested{});
  return Outcome::Underway;
}

Manager::Outcome Manager::verify_active(UnitId id) const {
  switch (runtime_[id.value].active) {
    case ActiveState::Active:
    case ActiveState::Reloading:
      return Outcome::Already;
    case ActiveState::Activating:
      return Outcome::NotNow;
    case ActiveState::Inactive:
    case ActiveState::Failed:
    case ActiveState::Deactivating:
    case ActiveState::Maintenance:
      break;
  }
  return Outcome::Skipped;
}

// ---- how a job ends -------------------------------------------------------------

void Manager::announce(const Job& job, JobResult result) {
  const Unit& unit = graph_->unit(job.unit);
  if (listener_ != nullptr) listener_->job_done(job, result);
  if (result == JobResult::Dependency) {
    if (!problems_.contains(job.unit.value)) problems_[job.unit.value] = "a dependency failed";
    os_.log(Say::Level::Error, unit.id, format("dependency failed for {}", unit.id));
  } else if (result == JobResult::Timeout) {
    os_.log(Say::Level::Error, unit.id, format("{} job timed out", to_string(job.type)));
  }
}

void Manager::finish_job(JobId id, JobResult result, Invalidate invalidate) {
  Job* found = queue_.find(id);
  if (found == nullptr) return;
  const MemoryReserve::Open finish = part_of_change(found->unit);
  if (result == JobResult::Done && found->type == JobType::Restart) {
    queue_.change_type(id, JobType::Start);
    return;
  }
  set_trigger(found->trigger, {});
  const Job job = queue_.remove(id);
  timers_.set({TimerKey::Kind::Job, id.value}, kNever);
  announce(job, result);
  if (invalidate == Invalidate::Yes) {
    if (result != JobResult::Done) {
      fail_dependents(
          job.unit,
          job.type == JobType::Stop ? Atom::PropagateStopFailure : Atom::PropagateStartFailure,
          job.type);
    } else if (job.type == JobType::Start &&
               runtime_[job.unit.value].active != ActiveState::Active) {
      // Requisite= merged into this start: done is not enough, it had to be up after it.
      fail_dependents(job.unit, Atom::PropagateInactiveStartAsFailure, job.type);
    }
  }
  if (result == JobResult::Timeout || result == JobResult::Dependency) trigger_for_job(job.unit);
  may_be_unneeded(job.unit);
  queue_reviews(job.unit);
  reviews_.insert(reviews_.end(), refused_.begin(), refused_.end());
  refused_.clear();
}

void Manager::fail_dependents(UnitId id, Atom atom, JobType type) {
  if (type != JobType::Start && type != JobType::VerifyActive && type != JobType::Stop) return;
  const DependencySet kinds = kinds_with(atom);
  for (const Dependency& d : graph_->dependencies(id)) {
    if (!d.kinds.any(kinds)) continue;
    const Job* job = queue_.of_unit(d.other);
    if (job == nullptr) continue;
    if (job->type != JobType::Start && job->type != JobType::VerifyActive) continue;
    std::string problem = format("dependency {} failed", graph_->unit(id).id);
    if (const auto cause = problems_.find(id.value); cause != problems_.end()) {
      // Each of a long chain would keep all that is before it.
      if (cause->second.size() > kLongestCause) problem.clear();
      problem += (problem.empty() ? "" : ": ") + cause->second;
    }
    problems_[d.other.value] = std::move(problem);
    failing_.push_back(job->id);
  }
}

void Manager::arm_job(const Job& job) {
  const MemoryReserve::Open finish = part_of_change(job.unit);
  timers_.set({TimerKey::Kind::Job, job.id.value}, deadline_of(job));
}

MonoTime Manager::deadline_of(const Job& job) const {
  const Unit& unit = graph_->unit(job.unit);
  const MonoTime when = job.queued.mono + unit.config.job_timeout;
  if (!job.began.is_set()) return when;
  return std::min(when, job.began.mono + job_running_timeout(unit));
}

Duration Manager::job_running_timeout(const Unit& unit) const {
  if (unit.config.job_running_timeout) return *unit.config.job_running_timeout;
  return unit.type == UnitType::Device ? config_.defaults.device_timeout : kInfinity;
}

void Manager::job_timed_out(JobId id) {
  const Job* job = queue_.find(id);
  if (job == nullptr) return;
  const UnitId unit = job->unit;
  const MemoryReserve::Open finish = begin_change(unit);
  note_late_device(unit);
  finish_job(id, JobResult::Timeout, Invalidate::Yes);
  const UnitConfig& config = graph_->unit(unit).config;
  emergency(config.job_timeout_action, unit, std::nullopt, "job timed out");
}

/// Type=idle starts when nothing else is queued: jobs of services that are
/// themselves waiting so do not count.
bool Manager::wake_idle() {
  if (idle_waiters_.empty()) return false;
  const auto waits = [&](UnitId id) { return runtime_[id.value].service.guarded_idle != 0; };
  const bool busy = std::any_of(queue_.all().begin(), queue_.all().end(), [&](const auto& entry) {
    return entry.second.state == JobState::Running && !waits(entry.second.unit);
  });
  if (busy) return false;
  while (!idle_waiters_.empty()) {
    const UnitId id = idle_waiters_.front();
    if (waits(id)) feed(id, QueueIdle{});
    std::erase(idle_waiters_, id);
  }
  return true;
}

}  // namespace onset
