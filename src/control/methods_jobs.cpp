// Enqueue and its neighbours: requests of the engine, one after the other.
#include <cerrno>
#include <csignal>
#include <nlohmann/json.hpp>

#include "base/format.h"
#include "base/out_of_memory.h"
#include "base/text.h"
#include "control/json_object.h"
#include "control/manager_interface.h"
#include "control/unit_view.h"
#include "graph/applicable.h"
#include "unit/enum_words.h"
#include "unit/signals.h"

namespace onset {

namespace {

using json = Json;

constexpr std::string_view kJobWords[] = {"start",
                                          "stop",
                                          "restart",
                                          "try-restart",
                                          "reload",
                                          "reload-or-restart",
                                          "try-reload-or-restart"};

bool is_job_word(std::string_view word) {
  for (std::string_view known : kJobWords) {
    if (word == known) return true;
  }
  return false;
}

/// The last two depend on what the unit can do, org.freedesktop.systemd1(5)
/// ReloadOrRestartUnit.
JobType job_type_of(std::string_view word, bool reloadable) {
  if (word == "stop") return JobType::Stop;
  if (word == "restart") return JobType::Restart;
  if (word == "try-restart") return JobType::TryRestart;
  if (word == "reload") return JobType::Reload;
  if (word == "reload-or-restart") return reloadable ? JobType::ReloadOrStart : JobType::Restart;
  if (word == "try-reload-or-restart") return reloadable ? JobType::TryReload : JobType::TryRestart;
  return JobType::Start;
}

/// What is only to be had of a unit that is there: none of its files is looked for.
Refusal as_not_loaded(Refusal refusal) {
  if (refusal.kind == RefusalKind::NoSuchUnit) {
    refusal.message = format("Unit {} not loaded.", refusal.subject);
  }
  return refusal;
}

/// A stop of what was never there, and is not running, is refused rather than done.
bool is_nothing_to_stop(const Manager& manager, UnitId id) {
  const ActiveState state = manager.active_state(id);
  if (state != ActiveState::Inactive && state != ActiveState::Failed) return false;
  switch (manager.graph().unit(id).load_state) {
    case LoadState::NotFound:
    case LoadState::BadSetting:
    case LoadState::Error:
      return true;
    case LoadState::Stub:
    case LoadState::Loaded:
    case LoadState::Merged:
    case LoadState::Masked:
      return false;
  }
  return false;
}

}  // namespace

void ManagerInterface::enqueue(Call& call) {
  const auto units = call.parameters.texts("units");
  const std::string type = call.parameters.text("type");
  const std::string mode_word = call.parameters.optional_text("mode").value_or("replace");
  const bool wait = call.parameters.flag("wait");
  const auto mode = from_string<JobMode>(mode_word);
  if (units.empty()) call.parameters.refuse("units");
  if (!is_job_word(type)) call.parameters.refuse("type");
  if (!mode) call.parameters.refuse("mode");
  if (mode == JobMode::Isolate && (type != "start" || units.size() != 1)) {
    call.parameters.refuse("mode");
  }
  if (reject(call)) return;
  std::vector<JobOutcome> outcomes;
  outcomes.reserve(units.size());
  for (const std::string& unit : units) outcomes.push_back(queue_one(unit, type, *mode, call.now));
  finish_enqueue(call, std::move(outcomes), wait);
}

JobOutcome ManagerInterface::queue_one(const std::string& name, std::string_view word, JobMode mode,
                                       Timestamp now) {
  JobOutcome outcome;
  outcome.asked = name;
  auto id = look_up(name);
  if (!id) {
    outcome.refusal = word == "stop" ? as_not_loaded(id.error()) : id.error();
    return outcome;
  }
  outcome.unit = *id;
  const std::string primary = manager_.graph().unit(*id).id;
  outcome.type = job_type_of(word, can_reload(manager_.graph(), *id));
  if (outcome.type == JobType::Stop && is_nothing_to_stop(manager_, *id)) {
    outcome.refusal =
        Refusal{RefusalKind::NoSuchUnit, primary, format("Unit {} not loaded.", primary)};
    return outcome;
  }
  // A job may be done before the request returns.
  auto job = [&] {
    const Queueing queueing(*this);
    return manager_.request(name, outcome.type, mode, now);
  }();
  if (!job) {
    if (job.error().kind == RequestErrorKind::OutOfMemory) throw_out_of_memory();
    outcome.refusal = refusal_of(job.error(), primary, RefusalKind::InvalidName);
    return outcome;
  }
  outcome.job = *job;
  outcome.needs_reload = backend_.needs_reload(manager_.graph().unit(*id));
  if (const Job* queued = manager_.job(*job)) {
    outcome.type = queued->type;
    return outcome;
  }
  outcome.result = JobResult::Done;
  for (const auto& [ended, result] : ended_at_once_) {
    if (ended == *job) outcome.result = result;
  }
  return outcome;
}

void ManagerInterface::finish_enqueue(Call& call, std::vector<JobOutcome> outcomes, bool wait) {
  if (outcomes.size() == 1 && outcomes.front().refusal) {
    refuse(call.id, *outcomes.front().refusal);
    return;
  }
  JobWait waiting;
  waiting.more = call.more;
  for (JobOutcome& outcome : outcomes) {
    // A later unit's request may have ended an earlier one's job.
    if (outcome.is_pending() && manager_.job(outcome.job) == nullptr) {
      outcome.result = JobResult::Canceled;
    }
    if (outcome.is_pending()) ++waiting.pending;
  }
  waiting.outcomes = std::move(outcomes);
  const bool waits = wait && waiting.pending > 0;
  if (!waits || call.more) {
    json jobs = json::array();
    for (const JobOutcome& outcome : waiting.outcomes) jobs.push_back(view_outcome(outcome));
    reply(call.id, json_object({{"jobs", std::move(jobs)}}), waits);
  }
  if (!waits) return;
  waiting.fresh.reserve(waiting.outcomes.size());
  // The call first: gone() finds the waiters by it, should memory run out among them.
  const auto kept = pending_.emplace(call.id, std::move(waiting)).first;
  for (const JobOutcome& outcome : std::get_if<JobWait>(&kept->second)->outcomes) {
    if (outcome.is_pending()) job_waiters_.emplace(outcome.job.value, call.id);
  }
}

json ManagerInterface::view_outcome(const JobOutcome& outcome) const {
  json view = json_object({{"asked", outcome.asked},
                           {"unit", outcome.asked},
                           {"job", nullptr},
                           {"type", nullptr},
                           {"result", nullptr},
                           {"unit_result", nullptr},
                           {"error", nullptr},
                           {"message", nullptr},
                           {"needs_reload", outcome.needs_reload}});
  if (outcome.unit.valid()) view["unit"] = manager_.graph().unit(outcome.unit).id;
  if (outcome.refusal) {
    view["error"] = error_name(outcome.refusal->kind);
    view["message"] = outcome.refusal->message;
    return view;
  }
  view["job"] = outcome.job.value;
  view["type"] = to_string(outcome.type);
  if (!outcome.result) return view;
  view["result"] = to_string(*outcome.result);
  if (*outcome.result == JobResult::Done || *outcome.result == JobResult::Canceled) return view;
  if (manager_.graph().unit(outcome.unit).type == UnitType::Service) {
    view["unit_result"] = to_string(manager_.runtime(outcome.unit).service.result);
  } else if (has_scope_processes(manager_.graph().unit(outcome.unit))) {
    view["unit_result"] = to_string(manager_.runtime(outcome.unit).scope.result);
  } else if (manager_.graph().unit(outcome.unit).socket != nullptr) {
    view["unit_result"] = to_string(manager_.runtime(outcome.unit).socket.result);
  } else if (manager_.graph().unit(outcome.unit).automount != nullptr) {
    view["unit_result"] = to_string(manager_.runtime(outcome.unit).automount.result);
  } else if (is_mount_like(manager_.graph().unit(outcome.unit))) {
    view["unit_result"] = to_string(manager_.runtime(outcome.unit).mount.result);
  }
  const std::string text = failure_text(outcome);
  if (!text.empty()) view["message"] = text;
  return view;
}

/// What the engine has to say about the unit; a condition, where that is why
/// nothing was done.
std::string ManagerInterface::failure_text(const JobOutcome& outcome) const {
  const std::string_view problem = manager_.problem(outcome.unit);
  if (!problem.empty()) return std::string(problem);
  const Unit& unit = manager_.graph().unit(outcome.unit);
  const auto checks = failed_conditions(unit, manager_.runtime(outcome.unit));
  return checks.empty() ? std::string() : format("{} was not met", checks.front());
}

void ManagerInterface::kill(Call& call) {
  const std::string name = call.parameters.text("unit");
  const std::string who = call.parameters.optional_text("who").value_or("all");
  const auto signal = call.parameters.optional_number("signal", 1, kSigRtMax);
  const bool fail = call.parameters.flag("fail");
  if (who != "all" && who != "main" && who != "control") call.parameters.refuse("who");
  if (reject(call)) return;
  auto id = look_up(name);
  if (!id) {
    refuse(call.id, as_not_loaded(id.error()));
    return;
  }
  auto killed = manager_.kill_unit(name, who, static_cast<int>(signal.value_or(SIGTERM)));
  if (!killed) {
    refuse(call.id,
           refusal_of(killed.error(), manager_.graph().unit(*id).id, RefusalKind::KillFailed));
    return;
  }
  if (fail && *killed == 0) {
    refuse(call.id, {RefusalKind::KillFailed, name, "No matching processes to kill"});
    return;
  }
  reply(call.id, json::object());
}

void ManagerInterface::set_frozen(Call& call, bool frozen) {
  const std::string name = call.parameters.text("unit");
  if (reject(call)) return;
  auto id = look_up(name);
  if (!id) {
    refuse(call.id, id.error());
    return;
  }
  const Unit& unit = manager_.graph().unit(*id);
  const auto no = [&](std::string message) {
    refuse(call.id, {RefusalKind::NotApplicable, unit.id, std::move(message)});
  };
  const bool can = unit.type == UnitType::Service || unit.type == UnitType::Scope ||
                   unit.type == UnitType::Slice;
  if (!can) return no(format("Unit '{}' does not support freezing.", unit.id));
  const ActiveState state = manager_.active_state(*id);
  if (is_inactive_or_failed(state)) {
    return no("Unit is inactive.");
  }
  if (auto done = backend_.freeze(*id, frozen); !done) {
    return no(done.error().err == ENOTSUP
                  ? format("Unit '{}' does not support freezing: it has no cgroup.", unit.id)
                  : to_string(done.error()));
  }
  reply(call.id, json::object());
}

void ManagerInterface::reset_failed(Call& call) {
  const auto name = call.parameters.optional_text("unit");
  if (reject(call)) return;
  if (!name) {
    manager_.reset_failed_all(call.now);
    reply(call.id, json::object());
    return;
  }
  auto id = look_up(*name);
  if (!id) {
    refuse(call.id, as_not_loaded(id.error()));
    return;
  }
  auto reset = manager_.reset_failed(*name, call.now);
  if (!reset) {
    refuse(call.id, refusal_of(reset.error(), *name, RefusalKind::InvalidName));
    return;
  }
  reply(call.id, json::object());
}

void ManagerInterface::list_jobs(Call& call) {
  const bool with_order = call.parameters.flag("order");
  if (reject(call)) return;
  json jobs = json::array();
  json order;
  if (with_order) order = json::array();
  for (const Job* job : manager_.jobs()) {
    jobs.push_back(view_job(manager_, *job));
    if (!with_order || job->state != JobState::Waiting) continue;
    for (const JobId blocker : manager_.blockers_of(*job))
      order.push_back(json_object({{"job", job->id.value}, {"waits_for", blocker.value}}));
  }
  reply(call.id, json_object({{"jobs", std::move(jobs)}, {"order", std::move(order)}}));
}

void ManagerInterface::cancel_job(Call& call) {
  const auto number = call.parameters.optional_number("id", 0, UINT32_MAX);
  if (reject(call)) return;
  std::vector<JobId> ids;
  if (number) {
    ids.push_back(JobId{static_cast<std::uint32_t>(*number)});
  } else {
    for (const Job* job : manager_.jobs()) ids.push_back(job->id);
  }
  for (JobId id : ids) {
    auto cancelled = manager_.cancel(id, call.now);
    // Without a number: the end of one job may have been that of others.
    if (cancelled || !number) continue;
    refuse(call.id, refusal_of(cancelled.error(), format("{}", id.value), RefusalKind::NoSuchJob));
    return;
  }
  reply(call.id, json::object());
}

}  // namespace onset
