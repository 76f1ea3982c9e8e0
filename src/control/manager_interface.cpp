// Dispatch, the answers that take more than one step, and what the engine tells.
// The engine's calls only note what is new and wake the call: replies are made
// in pull(), once the engine has come to rest.
#include "control/manager_interface.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <span>

#include "base/format.h"
#include "base/out_of_memory.h"
#include "control/json_object.h"
#include "control/unit_view.h"

namespace onset {

namespace {

using json = Json;

constexpr std::string_view kInterface = "io.onset.Manager.";
constexpr std::string_view kService = "org.varlink.service.";
constexpr std::size_t kUnitsAReply = 256;
constexpr std::size_t kStatusesAReply = 32;
constexpr std::size_t kEdgesAReply = 512;
constexpr unsigned kEventsAPull = 64;

/// What a unit takes of a reply: one with many processes fills it alone.
std::size_t share_of(const json& unit) {
  constexpr std::size_t kProcessesAShare = 16;
  const auto processes = unit.find("processes");
  return 1 + (processes == unit.end() ? 0 : processes->size() / kProcessesAShare);
}

}  // namespace

// ---- dispatch ---------------------------------------------------------------

constexpr ManagerInterface::MethodRow ManagerInterface::kMethods[] = {
    {"Enqueue", &ManagerInterface::enqueue, false},
    {"StartTransient", &ManagerInterface::start_transient, false},
    {"Abandon", &ManagerInterface::abandon, false},
    {"Kill", &ManagerInterface::kill, false},
    {"Freeze", &ManagerInterface::freeze, false},
    {"Thaw", &ManagerInterface::thaw, false},
    {"ResetFailed", &ManagerInterface::reset_failed, false},
    {"ListUnits", &ManagerInterface::list_units, false},
    {"ListUnitStatus", &ManagerInterface::list_unit_status, false},
    {"GetUnit", &ManagerInterface::get_unit, false},
    {"GetUnits", &ManagerInterface::get_units, false},
    {"GetProperties", &ManagerInterface::get_properties, false},
    {"ListProperties", &ManagerInterface::list_properties, false},
    {"GetManagerProperties", &ManagerInterface::get_manager_properties, false},
    {"FindUnit", &ManagerInterface::find_unit, false},
    {"ListJobs", &ManagerInterface::list_jobs, false},
    {"CancelJob", &ManagerInterface::cancel_job, false},
    {"ListDependencies", &ManagerInterface::list_dependencies, false},
    {"Reload", &ManagerInterface::reload, false},
    {"GetSystemState", &ManagerInterface::get_system_state, false},
    {"Shutdown", &ManagerInterface::shut_down, false},
    {"ScheduleShutdown", &ManagerInterface::schedule_shutdown, false},
    {"CancelShutdown", &ManagerInterface::cancel_shutdown, false},
    {"GetScheduledShutdown", &ManagerInterface::get_scheduled_shutdown, false},
    {"GetDefault", &ManagerInterface::get_default, false},
    {"GetEnvironment", &ManagerInterface::get_environment, false},
    {"ChangeEnvironment", &ManagerInterface::change_environment, false},
    {"SetLogging", &ManagerInterface::set_logging, false},
    {"Subscribe", &ManagerInterface::subscribe, true},
    {"GetVersion", &ManagerInterface::get_version, false},
    {"Ping", &ManagerInterface::ping, false},
};

std::vector<std::string_view> ManagerInterface::method_names() {
  std::vector<std::string_view> names;
  for (const MethodRow& row : kMethods) names.push_back(row.name);
  return names;
}

const ManagerInterface::MethodRow* ManagerInterface::find_method(std::string_view name) {
  static constexpr MethodRow kServiceMethods[] = {
      {"GetInfo", &ManagerInterface::get_info, false},
      {"GetInterfaceDescription", &ManagerInterface::get_interface_description, false},
  };
  auto find_in = [&](const auto& rows, std::string_view interface) -> const MethodRow* {
    if (!name.starts_with(interface)) return nullptr;
    for (const MethodRow& row : rows) {
      if (name.substr(interface.size()) == row.name) return &row;
    }
    return nullptr;
  };
  const MethodRow* row = find_in(kMethods, kInterface);
  return row != nullptr ? row : find_in(kServiceMethods, kService);
}

void ManagerInterface::handle(CallId id, const Request& request, const json& parameters,
                              Timestamp now) {
  const MethodRow* row = find_method(request.method);
  if (row == nullptr) {
    const std::string_view name = request.method;
    if (name.starts_with(kInterface) || name.starts_with(kService)) {
      sink_->fail(id, "org.varlink.service.MethodNotFound",
                  json_object({{"method", request.method}}));
    } else {
      const std::size_t dot = name.rfind('.');
      sink_->fail(id, "org.varlink.service.InterfaceNotFound",
                  json_object({{"interface", name.substr(0, dot == name.npos ? 0 : dot)}}));
    }
    return;
  }
  if (row->expects_more && !request.more) {
    sink_->fail(id, "org.varlink.service.ExpectedMore", json::object());
    return;
  }
  Call call{id, request.more, now, Parameters(parameters)};
  backend_.forget_files();
  manager_.catch_up(now);
  (this->*row->method)(call);
  if (!pending_.contains(id)) backend_.forget_files();
}

bool ManagerInterface::reject(Call& call) {
  const std::string bad = call.parameters.bad();
  if (bad.empty()) return false;
  sink_->fail(call.id, "org.varlink.service.InvalidParameter", json_object({{"parameter", bad}}));
  return true;
}

void ManagerInterface::refuse(CallId id, const Refusal& refusal) {
  sink_->fail(id, error_name(refusal.kind), error_parameters(refusal));
}

void ManagerInterface::reply(CallId id, const json& parameters, bool continues) {
  sink_->reply(id, parameters, continues);
}

Result<UnitId, Refusal> ManagerInterface::look_up(const std::string& name) {
  const auto form = name_form(name);
  if (!form) {
    return Failure{
        Refusal{RefusalKind::InvalidName, name, format("\"{}\" is not a unit name", name)}};
  }
  if (*form == NameForm::Template) {
    return Failure{Refusal{RefusalKind::InvalidName, name,
                           format("Unit name {} is missing the instance name.", name)}};
  }
  // A name that nothing has is not loaded: asking must not make the graph grow.
  const auto type = unit_type_of(name);
  const bool needs_no_file =
      type == UnitType::Slice || (type == UnitType::Device && manager_.config().has_devices);
  const bool known =
      manager_.graph().find(name).valid() || needs_no_file || backend_.has_unit_file(name);
  const UnitId id = known ? manager_.load(name) : UnitId{};
  if (id.valid()) return id;
  if (known) throw_out_of_memory();  // the load was cut short
  return Failure{Refusal{RefusalKind::NoSuchUnit, name, not_found_text(name)}};
}

std::optional<UnitId> ManagerInterface::look_up_or_answer(Call& call, const std::string& name) {
  auto found = look_up(name);
  if (found) return *found;
  if (found.error().kind == RefusalKind::NoSuchUnit) return UnitId{};
  refuse(call.id, found.error());
  return std::nullopt;
}

// ---- what the engine tells --------------------------------------------------

template <class Kind>
Kind* ManagerInterface::find_pending(CallId id) {
  const auto it = pending_.find(id);
  return it == pending_.end() ? nullptr : std::get_if<Kind>(&it->second);
}

void ManagerInterface::job_queued(const Job& job) {
  tell_subscribers(job, std::nullopt);
}

void ManagerInterface::job_done(const Job& job, JobResult result) {
  if (queueing_) ended_at_once_.emplace_back(job.id, result);
  const auto [first, last] = job_waiters_.equal_range(job.id.value);
  for (auto it = first; it != last; ++it) {
    if (auto* made = find_pending<TransientWait>(it->second)) {
      made->outcome.result = result;
      sink_->wake(it->second);
      continue;
    }
    auto* wait = find_pending<JobWait>(it->second);
    if (wait == nullptr) continue;
    for (std::size_t i = 0; i < wait->outcomes.size(); ++i) {
      JobOutcome& outcome = wait->outcomes[i];
      if (!outcome.is_pending() || outcome.job != job.id) continue;
      outcome.result = result;
      wait->fresh.push_back(i);
      --wait->pending;
    }
    sink_->wake(it->second);
  }
  job_waiters_.erase(first, last);
  tell_subscribers(job, result);
  for (CallId id : state_waiters_) sink_->wake(id);
}

/// Where all together are too far behind, the one that is so most is let go.
void ManagerInterface::tell_subscribers(const Job& job, std::optional<JobResult> result) {
  std::size_t untold = 0;
  CallId last{};
  Subscription* last_of_all = nullptr;
  for (CallId id : subscribers_) {
    auto* subscription = find_pending<Subscription>(id);
    if (subscription == nullptr) continue;
    if (subscription->job_event(job, result)) sink_->wake(id);
    untold += subscription->job_events();
    if (last_of_all != nullptr && last_of_all->job_events() >= subscription->job_events()) continue;
    last_of_all = subscription;
    last = id;
  }
  if (untold <= Subscription::kMaxJobEventsOfAll) return;
  last_of_all->let_go();
  sink_->wake(last);
}

void ManagerInterface::unit_changed(UnitId unit) {
  for (CallId id : subscribers_) {
    auto* subscription = find_pending<Subscription>(id);
    if (subscription != nullptr && subscription->unit_changed(unit)) sink_->wake(id);
  }
  for (CallId id : state_waiters_) sink_->wake(id);
  for (CallId id : end_waiters_) {
    const auto* made = find_pending<TransientWait>(id);
    if (made != nullptr && made->outcome.unit == unit) sink_->wake(id);
  }
}

bool ManagerInterface::is_pinned(UnitId unit) const {
  struct Holds {
    UnitId unit;
    bool operator()(const JobWait& wait) const {
      return std::ranges::any_of(wait.outcomes,
                                 [&](const JobOutcome& o) { return o.unit == unit; });
    }
    bool operator()(const TransientWait& wait) const { return wait.outcome.unit == unit; }
    bool operator()(const UnitList& list) const {
      const std::span untold = std::span(list.units).subspan(list.told);
      return std::ranges::find(untold, unit) != untold.end();
    }
    bool operator()(const AnswerList&) const { return false; }  // it has names alone
    bool operator()(const WalkList& list) const { return list.walk && list.walk->holds(unit); }
    bool operator()(const StateWait&) const { return false; }
    bool operator()(const ReloadWait&) const { return false; }
    bool operator()(const Subscription& subscription) const { return subscription.holds(unit); }
  };
  return std::ranges::any_of(
      pending_, [&](const auto& call) { return std::visit(Holds{unit}, call.second); });
}

// ---- calls that go on -------------------------------------------------------

bool ManagerInterface::pull(CallId id) {
  auto it = pending_.find(id);
  if (it == pending_.end()) return false;
  const Advance step = std::visit([&](auto& call) { return advance(id, call); }, it->second);
  switch (step) {
    case Advance::More:
      return true;
    case Advance::Wait:
      return false;
    case Advance::Done:
      gone(id);
      return false;
  }
  return false;
}

void ManagerInterface::gone(CallId id) {
  auto it = pending_.find(id);
  if (it == pending_.end()) return;
  backend_.forget_files();
  if (const auto* wait = std::get_if<JobWait>(&it->second)) {
    for (const JobOutcome& outcome : wait->outcomes) {
      const auto [first, last] = job_waiters_.equal_range(outcome.job.value);
      for (auto w = first; w != last;) w = w->second == id ? job_waiters_.erase(w) : std::next(w);
    }
  }
  if (const auto* made = std::get_if<TransientWait>(&it->second)) {
    const auto [first, last] = job_waiters_.equal_range(made->outcome.job.value);
    for (auto w = first; w != last;) w = w->second == id ? job_waiters_.erase(w) : std::next(w);
  }
  std::erase(subscribers_, id);
  std::erase(state_waiters_, id);
  std::erase(end_waiters_, id);
  pending_.erase(it);
}

ManagerInterface::Advance ManagerInterface::advance(CallId id, JobWait& wait) {
  const bool done = wait.pending == 0;
  if (!wait.more && !done) return Advance::Wait;
  json jobs = json::array();
  if (wait.more) {
    for (std::size_t i : wait.fresh) jobs.push_back(view_outcome(wait.outcomes[i]));
    wait.fresh.clear();
  } else {
    for (const JobOutcome& outcome : wait.outcomes) jobs.push_back(view_outcome(outcome));
  }
  reply(id, json_object({{"jobs", std::move(jobs)}}), !done);
  return done ? Advance::Done : Advance::Wait;
}

ManagerInterface::Advance ManagerInterface::advance(CallId id, UnitList& list) {
  const std::size_t room = list.full ? kStatusesAReply : kUnitsAReply;
  json units = json::array();
  for (std::size_t taken = 0; taken < room && list.told < list.units.size(); ++list.told) {
    units.push_back(view_listed(list.units[list.told], list.full));
    taken += share_of(units.back());
  }
  const bool done = list.told == list.units.size();
  reply(id, json_object({{"units", std::move(units)}}), !done);
  return done ? Advance::Done : Advance::More;
}

ManagerInterface::Advance ManagerInterface::advance(CallId id, AnswerList& list) {
  json units = json::array();
  for (std::size_t taken = 0; taken < kStatusesAReply && list.told < list.units.size();
       ++list.told) {
    units.push_back(view_answer(list, list.units[list.told]));
    taken += list.full ? share_of(units.back()["unit"]) : 1;
  }
  const bool done = list.told == list.units.size();
  reply(id, json_object({{"units", std::move(units)}}), !done);
  return done ? Advance::Done : Advance::More;
}

ManagerInterface::Advance ManagerInterface::advance(CallId id, WalkList& list) {
  const std::string& name = list.units[list.told];
  std::vector<DependencyEdge> edges;
  if (!list.walk) {
    if (const auto root = look_up(name)) list.walk.emplace(*root, list.direction, list.all);
  }
  if (list.walk) edges = list.walk->next(manager_.graph(), kEdgesAReply);
  if (!list.walk || list.walk->done()) {
    list.walk.reset();
    ++list.told;
  }
  const bool done = list.told == list.units.size();
  reply(id, json_object({{"unit", name}, {"edges", view_edges(edges)}}), !done);
  return done ? Advance::Done : Advance::More;
}

ManagerInterface::Advance ManagerInterface::advance(CallId id, StateWait&) {
  const SystemState state = manager_.system_state();
  if (state == SystemState::Initializing || state == SystemState::Starting) return Advance::Wait;
  reply(id, json_object({{"state", to_string(state)}}));
  return Advance::Done;
}

ManagerInterface::Advance ManagerInterface::advance(CallId id, Subscription& subscription) {
  if (subscription.fell_behind()) {
    refuse(id, {RefusalKind::LimitReached, {}, "events came faster than they were read"});
    return Advance::Done;
  }
  for (unsigned i = 0; i < kEventsAPull && !subscription.empty(); ++i) {
    json event =
        json_object({{"event", "unit"}, {"unit", nullptr}, {"job", nullptr}, {"result", nullptr}});
    if (auto job = subscription.next_job()) {
      event["event"] = job->result ? "job-done" : "job-queued";
      event["job"] = view_ended_job(manager_.graph(), job->job());
      if (job->result) event["result"] = to_string(*job->result);
    } else if (auto unit = subscription.next_unit()) {
      event["unit"] = view_summary(manager_, *unit);
    }
    reply(id, event, true);
  }
  return subscription.empty() ? Advance::Wait : Advance::More;
}

}  // namespace onset
