// Step 1: the anchor and all that it pulls in, breadth first, so that jobs are
// queued in the order in which units name one another.
//
// A unit that can't have its job (not found, masked, a bad setting) makes the job
// impossible that requires it, and so on upwards; where it was only wanted, the
// climb ends with a message. systemd.unit(5), Wants=: what "cannot be added to
// the transaction" has no impact on the transaction as a whole.
#include "base/format.h"
#include "graph/applicable.h"
#include "graph/atoms.h"
#include "graph/transaction_draft.h"

namespace onset {
namespace {

constexpr DependencySet kPullInStart = kinds_with(Atom::PullInStart);
constexpr DependencySet kPullInStartIgnored = kinds_with(Atom::PullInStartIgnored);
constexpr DependencySet kPullInVerify = kinds_with(Atom::PullInVerify);
constexpr DependencySet kPullInStop = kinds_with(Atom::PullInStop);
constexpr DependencySet kPullInStopIgnored = kinds_with(Atom::PullInStopIgnored);
constexpr DependencySet kPropagateStop = kinds_with(Atom::PropagateStop);
constexpr DependencySet kPropagateRestart = kinds_with(Atom::PropagateRestart);
constexpr DependencySet kPropagateReload = kinds_with(Atom::PropagateReload);

}  // namespace

std::optional<TransactionError> load_error(const Unit& unit) {
  using Kind = TransactionErrorKind;
  const auto because = [&](const char* what) {
    return unit.load_error.empty() ? format("Unit {} {}.", unit.id, what)
                                   : format("Unit {} {}: {}", unit.id, what, unit.load_error);
  };
  switch (unit.load_state) {
    case LoadState::Loaded:
      return std::nullopt;
    case LoadState::NotFound:
      return TransactionError{Kind::NoSuchUnit, format("Unit {} not found.", unit.id)};
    case LoadState::Masked:
      return TransactionError{Kind::Masked, format("Unit {} is masked.", unit.id)};
    case LoadState::BadSetting:
      return TransactionError{Kind::BadSetting, because("has a bad unit file setting")};
    case LoadState::Error:
      return TransactionError{Kind::LoadFailed, because("failed to load properly")};
    case LoadState::Stub:
    case LoadState::Merged:
      return TransactionError{Kind::LoadFailed, because("is not loaded")};
  }
  return std::nullopt;
}

std::optional<TransactionError> TransactionDraft::add_anchor(UnitId unit, JobType type,
                                                             bool requirements, bool ignore_order) {
  if (type != JobType::Stop) {
    if (auto error = load_error(graph_.unit(unit))) return error;
  }
  if (!is_applicable(graph_, unit, type)) {
    return TransactionError{TransactionErrorKind::JobTypeNotApplicable,
                            format("Job type {} is not applicable for unit {}.", to_string(type),
                                   graph_.unit(unit).id)};
  }
  ignore_order_ = ignore_order;
  bool is_new = false;
  anchor_ = add_job(unit, type, is_new);
  if (!requirements) return std::nullopt;
  pull_in_all();
  return settle_impossible();
}

void TransactionDraft::add_isolation() {
  for (std::uint32_t u = 0; u < graph_.size(); ++u) {
    const UnitId id{u};
    if (of_unit_[u] != kNone || graph_.unit(id).config.ignore_on_isolate) continue;
    if (is_inactive_or_failed(states_.active_state(id)) && !states_.queued(id)) continue;
    add(anchor_, id, {JobType::Stop, true, false});
    pull_in_all();
  }
}

/// Jobs that are added on the way are at the end, and their turn comes.
void TransactionDraft::pull_in_all() {
  for (; pulled_in_ < size(); ++pulled_in_) pull_in(pulled_in_);
}

void TransactionDraft::pull_in(DraftIndex by) {
  const JobType type = jobs_[by].type;
  const auto dependencies = graph_.dependencies(jobs_[by].unit);
  if (type == JobType::Start || type == JobType::Restart) {
    for (const Dependency& d : dependencies) pull_for_start(by, d);
  }
  if (type == JobType::Stop || type == JobType::Restart) {
    for (const Dependency& d : dependencies) pull_for_stop(by, d);
  }
  if (type == JobType::Reload) {
    for (const Dependency& d : dependencies) {
      if (!d.kinds.any(kPropagateReload)) continue;
      add(by, d.other, {collapse(JobType::TryReload, states_.active_state(d.other)), false, false});
    }
  }
}

void TransactionDraft::pull_for_start(DraftIndex by, const Dependency& d) {
  if (d.kinds.any(kPullInStart)) {
    add(by, d.other, {JobType::Start, true, false});
  } else if (d.kinds.any(kPullInStartIgnored)) {
    add(by, d.other, {JobType::Start, false, false});
  }
  if (d.kinds.any(kPullInVerify)) add(by, d.other, {JobType::VerifyActive, true, false});
  if (d.kinds.any(kPullInStop)) {
    add(by, d.other, {JobType::Stop, true, true});
  } else if (d.kinds.any(kPullInStopIgnored)) {
    add(by, d.other, {JobType::Stop, false, false});
  }
}

/// A stop is passed on as it is; a restart only to those that run, so as not to
/// start what is not around.
void TransactionDraft::pull_for_stop(DraftIndex by, const Dependency& d) {
  if (jobs_[by].type == JobType::Stop) {
    if (d.kinds.any(kPropagateStop)) add(by, d.other, {JobType::Stop, true, false});
  } else if (d.kinds.any(kPropagateRestart)) {
    add(by, d.other, {collapse(JobType::TryRestart, states_.active_state(d.other)), true, false});
  }
}

void TransactionDraft::add(DraftIndex by, UnitId unit, Pull pull) {
  if (pull.type == JobType::Nop) return;
  if (pull.type != JobType::Stop) {
    if (auto error = load_error(graph_.unit(unit))) {
      const std::string& whose = graph_.unit(jobs_[by].unit).id;
      if (pull.matters) {
        error->message += format(" It is required by {}.", whose);
        impossible_.push_back({by, static_cast<std::uint32_t>(causes_.size())});
        causes_.push_back(std::move(*error));
      } else if (error->kind == TransactionErrorKind::NoSuchUnit ||
                 error->kind == TransactionErrorKind::Masked) {
        log.note(format("{}: ignoring what is wanted only: {}", whose, error->message));
      } else {
        log.message(format("{}: ignoring what is wanted only: {}", whose, error->message));
      }
      return;
    }
  }
  // What can't be done to a unit of this kind is not missed: no stop of a
  // perpetual slice, no reload of what has none.
  if (!is_applicable(graph_, unit, pull.type)) return;
  bool is_new = false;
  const DraftIndex object = add_job(unit, pull.type, is_new);
  link(by, object, pull.matters, pull.conflicts);
}

std::optional<TransactionError> TransactionDraft::settle_impossible() {
  for (std::size_t n = 0; n < impossible_.size(); ++n) {
    const Impossible it = impossible_[n];
    if (it.job == anchor_) return causes_[it.cause];
    if (!jobs_[it.job].alive) continue;
    for (DraftIndex l = jobs_[it.job].first_as_object; l != kNone; l = links_[l].next_of_object) {
      if (links_[l].gone) continue;
      if (links_[l].matters) {
        impossible_.push_back({links_[l].subject, it.cause});
      } else {
        log.message(format("{}: ignoring {}, which cannot be: {}",
                           graph_.unit(jobs_[links_[l].subject].unit).id, name(it.job),
                           causes_[it.cause].message));
      }
    }
    drop(it.job, Dependents::Keep);
  }
  return std::nullopt;
}

}  // namespace onset
