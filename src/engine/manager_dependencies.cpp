// What a unit's change means for the units around it. Which kind of dependency
// does what is graph/atoms' table; here is only when.
//
//   came up by itself    start what it requires and wants, stop what conflicts
//   went down by itself  stop what is bound to it
//   any change           review its neighbours: StopWhenUnneeded=, BindsTo=, Upholds=
//
// Jobs asked for here are queued in requests_ and planned by dispatch().
#include <algorithm>
#include <cerrno>

#include "base/format.h"
#include "engine/manager.h"
#include "engine/start_limit.h"
#include "graph/atoms.h"

namespace onset {
namespace {

bool is_up(ActiveState s) {
  return s == ActiveState::Active || s == ActiveState::Reloading;
}
bool is_up_or_coming(ActiveState s) {
  return is_up(s) || s == ActiveState::Activating;
}
/// Of several that may have triggered a unit none is told.
constexpr Trigger kSeveral{
    .source = {}, .several = true, .result = {}, .status = {}, .invocation = {}};

}  // namespace

void Manager::start_with(UnitId id) {
  if (stopping()) return;
  const DependencySet replace = kinds_with(Atom::RetroactiveStartReplace);
  const DependencySet gently = kinds_with(Atom::RetroactiveStartFail);
  const DependencySet stop = kinds_with(Atom::RetroactiveStopOnStart);
  for (const Dependency& d : graph_->dependencies(id)) {
    const ActiveState other = runtime_[d.other.value].active;
    if (!d.kinds.has(DependencyKind::After) && !is_up_or_coming(other)) {
      if (d.kinds.any(replace)) {
        requests_.push_back({d.other, JobType::Start, JobMode::Replace});
      } else if (d.kinds.any(gently)) {
        requests_.push_back({d.other, JobType::Start, JobMode::Fail});
      }
    }
    if (d.kinds.any(stop) && !is_inactive_or_deactivating(other)) {
      requests_.push_back({d.other, JobType::Stop, JobMode::Replace});
    }
  }
}

void Manager::stop_with(UnitId id) {
  const DependencySet bound = kinds_with(Atom::RetroactiveStopOnStop);
  for (const Dependency& d : graph_->dependencies(id)) {
    if (!d.kinds.any(bound) || is_inactive_or_deactivating(runtime_[d.other.value].active))
      continue;
    requests_.push_back({d.other, JobType::Stop, JobMode::Replace});
  }
}

void Manager::trigger(UnitId id, DependencyKind kind, JobMode mode) {
  if (stopping()) return;
  Trigger trigger;
  if (graph_->unit(id).type == UnitType::Service) {
    const UnitRuntime& rt = runtime_[id.value];
    trigger = {id, false, rt.service.result, last_exit(rt.service), rt.invocation};
  }
  for (const Dependency& d : graph_->dependencies(id)) {
    if (!d.kinds.has(kind)) continue;
    say(Say::Level::Info, id,
        format("triggers {} ({}=)", graph_->unit(d.other).id, to_string(kind)));
    requests_.push_back(
        {.unit = d.other, .type = JobType::Start, .mode = mode, .trigger = trigger});
    if (!has_one_source(d.other)) requests_.back().trigger = kSeveral;
  }
}

/// Whether one service alone may trigger it: then what $MONITOR_… says is sure.
bool Manager::has_one_source(UnitId id) const {
  const auto dependencies = graph_->dependencies(id);
  return std::count_if(dependencies.begin(), dependencies.end(), [&](const Dependency& d) {
           return (d.kinds.has(DependencyKind::OnFailureOf) ||
                   d.kinds.has(DependencyKind::OnSuccessOf)) &&
                  graph_->unit(d.other).type == UnitType::Service;
         }) <= 1;
}

/// A job may be triggered twice before its turn comes: what counts is the last end of
/// one service, and nothing where there were two.
void Manager::add_trigger(Job& job, const Trigger& trigger) {
  if (!trigger.source.valid() && !trigger.several) return;
  const bool is_other = job.trigger.source.valid() && job.trigger.source != trigger.source;
  set_trigger(job.trigger, is_other || job.trigger.several ? kSeveral : trigger);
}

/// Every change of a Trigger that lasts: its source is not unloaded meanwhile.
void Manager::set_trigger(Trigger& place, const Trigger& trigger) {
  const UnitId before = place.source;
  if (trigger.source.valid()) ++runtime_[trigger.source.value].trigger_of;
  place = trigger;
  if (before.valid() && --runtime_[before.value].trigger_of == 0) may_be_unneeded(before);
}

/// The unit has gone down. What comes and goes in one moment may trigger what starts it
/// again in the same.
void Manager::trigger_for_end(UnitId id, DependencyKind kind, JobMode mode) {
  const bool has_run = graph_->unit(id).type == UnitType::Service
                           ? !command_records(id).empty()
                           : runtime_[id.value].inactive_exit.mono != now_.mono;
  if (has_run || !trigger_is_limited(id)) trigger(id, kind, mode);
}

/// A failed job of a unit that did not itself fail: its OnFailure= is due all the same.
void Manager::trigger_for_job(UnitId id) {
  if (trigger_is_limited(id)) return;
  trigger(id, DependencyKind::OnFailure, graph_->unit(id).config.on_failure_job_mode);
}

/// Where what is triggered pulls the unit in again, a start limit may never be reached: 16
/// times in 10 s, then no more until these are over.
bool Manager::trigger_is_limited(UnitId id) {
  constexpr StartLimit kLimit{std::chrono::seconds(10), 16};
  StartCount& count = trigger_counts_[id.value];
  if (count_start(kLimit, now_.mono, count.begin, count.count)) return false;
  if (count.count == kLimit.burst) {
    ++count.count;  // said once
    say(Say::Level::Warning, id,
        "OnFailure= or OnSuccess= was due 16 times within 10 s, not triggered again until they "
        "are over");
  }
  return true;
}

void Manager::queue_reviews(UnitId id) {
  const DependencySet kinds = kinds_with(Atom::ReviewWhenDown);
  reviews_.push_back(id);
  for (const Dependency& d : graph_->dependencies(id)) {
    if (d.kinds.any(kinds) || d.kinds.has(DependencyKind::TriggeredBy)) reviews_.push_back(d.other);
  }
}

bool Manager::is_needed(UnitId id) const {
  const DependencySet pins = kinds_with(Atom::PinsStopWhenUnneeded);
  const auto dependencies = graph_->dependencies(id);
  return std::any_of(dependencies.begin(), dependencies.end(), [&](const Dependency& d) {
    const UnitRuntime& other = runtime_[d.other.value];
    return d.kinds.any(pins) &&
           (!is_inactive_or_deactivating(other.active) || other.job.value != 0);
  });
}

bool Manager::is_unbound(UnitId id) const {
  const DependencySet binds = kinds_with(Atom::CannotBeActiveWithout);
  if (!graph_->may_have(id, binds)) return false;
  const auto dependencies = graph_->dependencies(id);
  return std::any_of(dependencies.begin(), dependencies.end(), [&](const Dependency& d) {
    const UnitRuntime& other = runtime_[d.other.value];
    return d.kinds.any(binds) && is_inactive_or_deactivating(other.active) && other.job.value == 0;
  });
}

/// StopWhenUnneeded=, BindsTo= and Upholds=: looked at once the job queue has
/// nothing to run, so that a transaction's own intermediate states do not count.
void Manager::review(UnitId id) {
  const MemoryReserve::Open finish = begin_change(id);
  const UnitRuntime& rt = runtime_[id.value];
  if (rt.job.value == 0 && rt.service.phase == ServicePhase::AutoRestartQueued) {
    // Its job has ended without it: a dependency failed, or somebody cancelled it.
    feed(id, SpawnFailed{SysError{"restart", ECANCELED}});
    return;
  }
  if (rt.accepted_by.valid() && rt.job.value == 0 && is_inactive_or_deactivating(rt.active) &&
      rt.active != ActiveState::Deactivating) {
    end_connection(id);  // its job has failed before it came to run
  }
  if (graph_->unit(id).socket != nullptr) review_socket(id);
  if (graph_->unit(id).automount != nullptr) review_automount(id);
  const auto due = due_of(id);
  if (!due || review_is_limited(id)) return;
  requests_.push_back(
      {.unit = id, .type = due->type, .mode = JobMode::Fail, .of = Request::Of::Review});
}

std::optional<Manager::Due> Manager::due_of(UnitId id) const {
  const UnitRuntime& rt = runtime_[id.value];
  if (stopping() || rt.job.value != 0) return std::nullopt;
  if (is_up_or_coming(rt.active)) {
    if (graph_->unit(id).config.stop_when_unneeded && !is_needed(id))
      return Due{JobType::Stop, "no longer needed, stopping"};
    if (is_unbound(id)) return Due{JobType::Stop, "bound to a unit that is gone, stopping"};
    return std::nullopt;
  }
  const DependencySet held = kinds_with(Atom::StartedSteadilyBy);
  if (!graph_->may_have(id, held)) return std::nullopt;
  for (const Dependency& d : graph_->dependencies(id)) {
    if (!d.kinds.any(held) || !is_up(runtime_[d.other.value].active)) continue;
    return Due{JobType::Start, format("upheld by {}, starting", graph_->unit(d.other).id)};
  }
  return std::nullopt;
}

/// What is stopped here may be started again by what its end triggers, and so on: 16
/// times in 10 s, then a pause until the window is over.
bool Manager::review_is_limited(UnitId id) {
  constexpr StartLimit kLimit{std::chrono::seconds(10), 16};
  StartCount& count = review_counts_[id.value];
  if (count_start(kLimit, now_.mono, count.begin, count.count)) return false;
  timers_.set({TimerKey::Kind::Review, id.value},
              count.begin + kLimit.interval + std::chrono::milliseconds(1));
  return true;
}

}  // namespace onset
