// What is asked for: jobs that pass on to others, jobs that are too old. And of which units
// nothing can be asked for the moment.
#include <algorithm>
#include <utility>

#include "graph/applicable.h"
#include "sim/invariants.h"

namespace onset::sim {
namespace {

/// What the checks of neighbours ask for by.
constexpr DependencySet kAsked{
    DependencyKind::Conflicts, DependencyKind::ConflictedBy, DependencyKind::BindsTo,
    DependencyKind::BoundBy,   DependencyKind::RequiredBy,   DependencyKind::RequisiteOf,
    DependencyKind::WantedBy,  DependencyKind::UpheldBy,     DependencyKind::Upholds};

/// Who is stopped with a unit.
constexpr DependencySet kStoppedWith{DependencyKind::RequiredBy, DependencyKind::RequisiteOf,
                                     DependencyKind::BoundBy, DependencyKind::ConsistsOf,
                                     DependencyKind::PropagatesStopTo};

/// And from the other side.
constexpr DependencySet kStopsWith{DependencyKind::Requires, DependencyKind::Requisite,
                                   DependencyKind::BindsTo, DependencyKind::PartOf,
                                   DependencyKind::StopPropagatedFrom};

/// The name that its file has: an instance has the template's.
std::string_view file_of(std::string_view name) {
  return name.substr(0, name.find('@'));
}

/// Whose the file is: a drop-in's is its folder's. Empty: a link's, which asks for nothing but
/// a dependency.
std::string_view owner_of(std::string_view file) {
  const std::size_t dropin = file.find(".d/");
  return file.find('/') == file.npos || dropin != file.npos ? file.substr(0, dropin)
                                                            : std::string_view{};
}

}  // namespace

// ---- who is excused -------------------------------------------------------------------

/// Of what its neighbours ask for, until it is down or started anew; what is queued for it
/// was planned without.
void Invariants::excuse(UnitId id) {
  if (!is_inactive_or_failed(manager_->active_state(id))) of(id).is_excused = true;
  if (QueuedJob* job = queued(manager_->runtime(id).job); job != nullptr) job->is_excused = true;
}

/// A stop that is left out takes those along that could not go without it, whatever is
/// between them.
void Invariants::excuse_left_out(UnitId id) {
  std::vector<UnitId> out{id};
  for (std::size_t i = 0; i < out.size(); ++i) {  // grows
    const Job* job = job_of(out[i]);
    // A restart was there before: it brings the unit up again.
    if (i == 0 || job == nullptr || job->type != JobType::Stop) excuse(out[i]);
    for (const Dependency& d : manager_->graph().dependencies(out[i])) {
      if (d.kinds.any(kStopsWith) && std::ranges::find(out, d.other) == out.end())
        out.push_back(d.other);
    }
  }
}

/// The manager has said of itself what it could not do, as the manuals allow.
void Invariants::excuse_what_was_refused() {
  for (const std::string& name : os_.left_out) {
    const UnitId id = manager_->graph().find(name);
    if (id.valid()) {
      excuse_left_out(id);
      continue;
    }
    // It was unloaded in the same step, and nobody knows any more who stops with it.
    for (std::uint32_t i = 0; i < manager_->graph().size(); ++i) {
      if (!manager_->graph().is_free(UnitId{i})) excuse(UnitId{i});
    }
  }
  for (const std::string& name : os_.refused) {
    const UnitId id = manager_->graph().find(name);
    if (!id.valid()) continue;
    excuse(id);
    of(id).is_start_refused = true;
    // Told later where memory runs out.
    of(id).is_refused |= of(id).phase == ServicePhase::AutoRestartQueued;
  }
  os_.left_out.clear();
  os_.refused.clear();
}

Invariants::Asked Invariants::asked_of(UnitId id) const {
  Asked asked;
  if (manager_->graph().is_free(id)) return asked;
  asked.name = name(id);
  for (const Dependency& d : manager_->graph().dependencies(id)) {
    const DependencySet kinds(d.kinds.bits() & kAsked.bits());
    if (!kinds.empty()) asked.dependencies.push_back({d.other, kinds});
  }
  asked.stop_when_unneeded = unit(id).config.stop_when_unneeded;
  return asked;
}

void Invariants::files_changed(std::vector<std::string> names, bool are_defaults_new) {
  if (!has_run_out_) new_files_.clear();
  are_defaults_new_ = are_defaults_new;
  std::ranges::move(names, std::back_inserter(new_files_));
  are_files_new_ = true;
  before_files_.clear();
  for (std::uint32_t i = 0; i < manager_->graph().size(); ++i)
    before_files_.push_back(asked_of(UnitId{i}));
}

/// What runs was started by other files: what the new ones ask for between two units holds
/// from the next start on. All else stays.
void Invariants::take_new_files() {
  const bool all = std::exchange(os_.has_read_again, false);
  if (!all && !are_files_new_) return;
  are_files_new_ = false;
  is_read_again_ = true;
  for (QueuedJob& job : queued_) job.is_old_plan = true;
  const auto units = static_cast<std::uint32_t>(manager_->graph().size());
  for (std::uint32_t i = 0; i < units; ++i) {
    const UnitId id{i};
    if (manager_->graph().is_free(id)) continue;
    const bool is_own = all || are_defaults_new_ ||
                        std::ranges::any_of(new_files_, [&](const std::string& changed) {
                          const std::string_view owner = owner_of(changed);
                          return !owner.empty() && (file_of(owner) == file_of(name(id)) ||
                                                    owner == to_string(unit(id).type) ||
                                                    manager_->graph().find(owner) == id);
                        });
    const bool is_renamed = i < before_files_.size() && before_files_[i].name != name(id);
    if (all) excuse(id);
    if (i < before_files_.size()) take_new_edges(id);
    if (!is_own && !is_renamed) continue;
    Memory& memory = of(id);
    memory.starts.clear();
    memory.is_old = true;
    for (QueuedJob& job : queued_) job.is_old |= job.unit == id;
  }
}

void Invariants::take_new_edges(UnitId id) {
  if (is_inactive_or_failed(manager_->active_state(id)) && job_of(id) == nullptr) return;
  const Asked now = asked_of(id);
  const Asked& before = before_files_[id.value];
  Memory& memory = of(id);
  memory.is_need_new |= now.stop_when_unneeded && !before.stop_when_unneeded;
  // Nothing that happens to who needed it is of its concern any more.
  for (const Dependency& d : before.dependencies)
    memory.is_need_new |=
        d.kinds.any(kNeededBy) && !manager_->graph().between(id, d.other).any(kNeededBy);
  const auto compare = [&](const Asked& one, const Asked& two) {
    for (const Dependency& d : one.dependencies) {
      const auto same = std::ranges::find(two.dependencies, d.other, &Dependency::other);
      const bool is_same = same != two.dependencies.end() && same->kinds.bits() == d.kinds.bits();
      if (!is_same && std::ranges::find(memory.new_edges, d.other) == memory.new_edges.end())
        memory.new_edges.push_back(d.other);
    }
  };
  compare(now, before);
  compare(before, now);
}

/// It is started by what the files say now, and what they ask of those around it is done.
void Invariants::forget_new_edges(UnitId id) {
  of(id).new_edges.clear();
  of(id).is_need_new = false;
  for (const Dependency& d : manager_->graph().dependencies(id)) {
    if (d.kinds.any(kAsked)) std::erase(of(d.other).new_edges, id);
  }
}

bool Invariants::is_excused(UnitId a, UnitId b) {
  const auto has = [](const Memory& memory, UnitId other) {
    return std::ranges::find(memory.new_edges, other) != memory.new_edges.end();
  };
  // What can't be stopped stays up, whatever its files say.
  const bool is_one = is_perpetual(unit(a)) || is_perpetual(unit(b));
  return is_one || of(a).is_excused || of(b).is_excused || has(of(a), b) || has(of(b), a);
}

// ---- how a job ends ------------------------------------------------------------------

/// systemctl(1) waits for jobs, and what is ordered after a unit for its job: that it is done
/// means that the unit is so. A start whose condition is not met is done too.
void Invariants::check_job_result(const Job& job, JobResult result) {
  const UnitRuntime& rt = manager_->runtime(job.unit);
  const bool is_up = is_active_or_reloading(rt.active);
  const bool is_reload = job.type == JobType::Reload && unit(job.unit).service != nullptr && is_up;
  const bool has_reloaded = rt.service.reload_result == ServiceResult::Success;
  bool is_so = true;
  if (result == JobResult::Done && job.type == JobType::Start) {
    is_so = is_up || rt.active == ActiveState::Inactive ||
            (rt.active == ActiveState::Failed && !rt.condition_result);
  } else if (result == JobResult::Done && job.type == JobType::VerifyActive) {
    is_so = is_up;
  } else if (result == JobResult::Done && job.type == JobType::Stop) {
    is_so = is_inactive_or_failed(rt.active);
  } else if (result == JobResult::Done && is_reload) {
    is_so = has_reloaded;
  }
  if (!is_so)
    fail("job-result", "the {} job of {} is done, the unit is {}", to_string(job.type),
         name(job.unit), to_string(rt.active));
}

// ---- what passes on -----------------------------------------------------------------

/// systemd.unit(5), PropagatesReloadTo=, PropagatesStopTo=, and who requires what is stopped.
void Invariants::expect_propagated(const Job& job) {
  const UnitGraph& graph = manager_->graph();
  const auto reloads = [&](UnitId id) {
    const ServiceConfig* service = unit(id).service.get();
    if (unit(id).type == UnitType::Service)
      return service != nullptr && (service->type == ServiceType::NotifyReload ||
                                    !service->commands(ExecRole::Reload).empty());
    return std::ranges::any_of(graph.dependencies(id), [](const Dependency& d) {
      return d.kinds.has(DependencyKind::PropagatesReloadTo);
    });
  };
  for (const Dependency& d : graph.dependencies(job.unit)) {
    const ActiveState other = manager_->active_state(d.other);
    if (job.type == JobType::Reload && d.kinds.has(DependencyKind::PropagatesReloadTo) &&
        other == ActiveState::Active && reloads(d.other) && job_of(d.other) == nullptr) {
      propagated_.push_back({job.unit, d.other, DependencyKind::PropagatesReloadTo});
    } else if (job.type == JobType::Stop && d.kinds.any(kStoppedWith) &&
               !is_inactive_or_failed(other)) {
      propagated_.push_back({job.unit, d.other, DependencyKind::PropagatesStopTo});
    }
  }
}

/// systemd.unit(5), Requires=, BindsTo=: "if this unit gets activated, the units listed will be
/// activated as well"; Requisite=: they are looked at. Wants= and Upholds= where nothing of the
/// transaction was left out.
void Invariants::expect_pulled_in(const Job& job) {
  // "ignore-dependencies" of a request or of OnFailureJobMode= asks for one alone.
  if (job.ignore_order || (job.type != JobType::Start && job.type != JobType::Restart)) return;
  for (const Dependency& d : manager_->graph().dependencies(job.unit)) {
    if (!is_inactive_or_failed(manager_->active_state(d.other))) continue;
    for (const DependencyKind kind :
         {DependencyKind::Requires, DependencyKind::BindsTo, DependencyKind::Requisite,
          DependencyKind::Wants, DependencyKind::Upholds}) {
      if (d.kinds.has(kind)) pulled_in_.push_back({job.unit, d.other, kind});
    }
  }
}

void Invariants::check_pulled_in() {
  for (const Owing& o : pulled_in_) {
    if (manager_->graph().is_free(o.source) || manager_->graph().is_free(o.other)) continue;
    const bool is_optional = o.kind == DependencyKind::Wants || o.kind == DependencyKind::Upholds;
    if (is_optional && os_.has_left_out) continue;
    const bool is_there = manager_->runtime(o.other).job.value != 0 ||
                          std::ranges::find(queued_now_, o.other) != queued_now_.end();
    if (!is_there)
      fail("pulled-in", "{} has a start job, {} that is its {}= has none", name(o.source),
           name(o.other), to_string(o.kind));
  }
  pulled_in_.clear();
  os_.has_left_out = false;
}

/// At the end of the event, after all of the transaction: the job is there, or was.
void Invariants::check_propagated() {
  for (const Owing& o : propagated_) {
    const bool stops = o.kind == DependencyKind::PropagatesStopTo;
    const Job* job = job_of(o.other);
    const bool is_there =
        job != nullptr && (!stops || job->type == JobType::Stop || job->type == JobType::Restart);
    if (is_there || std::ranges::find(queued_now_, o.other) != queued_now_.end()) continue;
    const bool is_perpetual = name(o.other) == "-.slice" || name(o.other) == "system.slice" ||
                              name(o.other) == "init.scope";
    const auto& left_out = os_.not_reloaded;
    const bool is_left_out = std::ranges::find(left_out, name(o.other)) != left_out.end();
    if (of(o.other).is_excused || is_perpetual || is_left_out) continue;
    fail("propagated", "the {} job of {} has not been passed on to {}", stops ? "stop" : "reload",
         name(o.source), name(o.other));
  }
  propagated_.clear();
  os_.not_reloaded.clear();
  queued_now_.clear();
  asks_for_one_ = false;
}

// ---- jobs that are too old ---------------------------------------------------------------

/// systemd.unit(5), JobTimeoutSec=, JobRunningTimeoutSec=: then it is over.
MonoTime Invariants::job_due(const QueuedJob& queued, const Job& job) const {
  const UnitConfig& config = unit(job.unit).config;
  const MonoTime due = queued.queued + config.job_timeout;
  if (!job.began.is_set() || !config.job_running_timeout) return due;
  return std::min(due, job.began.mono + *config.job_running_timeout);
}

void Invariants::check_job_timeout_is_over(const QueuedJob& queued, const Job& job) {
  if (const MonoTime due = job_due(queued, job); due > now_.mono)
    fail("job-timeout", "the {} job of {} timed out {} µs before its JobTimeoutSec= is over",
         to_string(job.type), name(job.unit), (due - now_.mono).count());
}

void Invariants::check_job_timeout(const QueuedJob& queued, const Job& job) {
  if (queued.is_old) return;
  const MonoTime due = job_due(queued, job);
  if (due <= now_.mono)
    fail("job-timeout", "the {} job of {} goes on {} µs after its JobTimeoutSec= is over",
         to_string(job.type), name(job.unit), (now_.mono - due).count());
}

}  // namespace onset::sim
