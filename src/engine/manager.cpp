// The manager's life: loading, requests, what it answers when looked at.
#include "engine/manager.h"

#include <algorithm>
#include <array>

#include "base/format.h"
#include "engine/job_ring.h"
#include "graph/longest_path.h"

namespace onset {

Manager::Manager(Os& os, UnitSource& source, ManagerConfig config)
    : os_(os),
      source_(&source),
      config_(std::move(config)),
      graph_(empty_graph()),
      queue_(runtime_) {
  make_room_for_owed(0);
}

Manager::~Manager() = default;

// ---- loading ----------------------------------------------------------------

/// Each unit that it gets has a runtime before.
std::unique_ptr<UnitGraph> Manager::empty_graph() {
  auto graph = std::make_unique<UnitGraph>();
  graph->set_growth([this](std::size_t units) { make_room_for_units(units); });
  return graph;
}

/// For so many units, of this graph or the one that follows it: what is kept of each. Where
/// memory runs out, what has come of it is no more than room.
void Manager::make_room_for_units(std::size_t units) {
  if (collect_.capacity() < units) {
    collect_.reserve(std::max(units, collect_.capacity() + collect_.capacity() / 2));
  }
  make_room_for_owed(units);
  while (runtime_.size() < units) runtime_.emplace_back();
}

/// What has come since is looked at by the next collect(): a name that was only asked for
/// does not stay.
void Manager::take_new_units() {
  for (; known_units_ < graph_->size(); ++known_units_) {
    may_be_unneeded(UnitId{known_units_});
    find_mounted(UnitId{known_units_});
    find_device(UnitId{known_units_});
  }
  // The root slice and the scope that PID 1 lives in exist as long as it does.
  for (const std::string_view perpetual : {"-.slice", "init.scope"}) {
    const UnitId id = graph_->find(perpetual);
    if (!id.valid() || runtime_[id.value].plain_active) continue;
    UnitRuntime& rt = runtime_[id.value];
    rt.plain_active = true;
    rt.active = ActiveState::Active;
    note_slots(id);
    rt.state_change = rt.active_enter = rt.inactive_exit = now_;
  }
}

void Manager::report_load(const Diagnostics& diagnostics) {
  for (const Diagnostic& d : diagnostics) {
    const auto level = d.severity == Severity::Error     ? Say::Level::Error
                       : d.severity == Severity::Warning ? Say::Level::Warning
                                                         : Say::Level::Info;
    os_.log(level, "", to_string(d));
  }
}

/// False: memory ran out on the way, and what was to be linked is not.
template <class Load>
bool Manager::add_to_graph(Load load) {
  { const MemoryReserve::Open ready(reserve_, 0); }  // else not begun
  bool is_whole = true;
  try {
    load();
  } catch (const std::bad_alloc&) {
    is_whole = false;
    graph_is_torn_ = true;
    out_of_memory();
  }
  take_new_units();
  return is_whole;
}

/// Files that have come since the search path was listed need no daemon-reload.
void Manager::retry_missing() {
  if (!source_->refresh()) return;
  Diagnostics diagnostics;
  if (add_to_graph(
          [&] { onset::retry_missing(*graph_, *source_, config_.user_manager, diagnostics); }))
    report_load(diagnostics);
}

/// Units of what has come and has none yet: all in one load.
void Manager::load_found(std::vector<std::string> found) {
  bool is_missing = false;
  std::erase_if(found, [&](const std::string& name) {
    const UnitId known = graph_->find(name);
    const LoadState state = known.valid() ? graph_->unit(known).load_state : LoadState::Stub;
    is_missing |= state == LoadState::NotFound;
    return state != LoadState::Stub;
  });
  if (found.empty() && !is_missing) return;
  Diagnostics diagnostics;
  const bool is_whole = add_to_graph([&] {
    if (is_missing) onset::retry_missing(*graph_, *source_, config_.user_manager, diagnostics);
    ensure_all_loaded(*graph_, *source_, found, config_.user_manager, diagnostics);
  });
  if (is_whole) report_load(diagnostics);
}

void Manager::catch_up(Timestamp now) {
  now_ = now;
  if (wants_start_up_ || graph_is_torn_) dispatch();
}

UnitId Manager::load(std::string_view name) {
  const auto is_loaded = [&](UnitId id) {
    if (!id.valid()) return false;
    const LoadState state = graph_->unit(id).load_state;
    return state != LoadState::Stub && state != LoadState::NotFound;
  };
  UnitId known = graph_->find(name);
  if (is_loaded(known)) return known;
  // Nothing is added to half a graph: a unit may have its place there and not its name, and
  // would get a second one, for an id that does not last.
  if (!graph_is_torn_) retry_missing();
  if (graph_is_torn_) return {};
  known = graph_->find(name);
  if (known.valid() && graph_->unit(known).load_state != LoadState::Stub) return known;
  Diagnostics diagnostics;
  UnitId id;
  const bool is_whole = add_to_graph(
      [&] { id = ensure_loaded(*graph_, *source_, name, config_.user_manager, diagnostics); });
  if (!is_whole) return {};
  if (id.valid()) {
    may_be_unneeded(id);
    find_mounted(id);  // its id may be one that was another's before
    find_device(id);
  }
  report_load(diagnostics);
  return id;
}

void Manager::reload(UnitSource& source, Timestamp now, Diagnostics& diagnostics) {
  now_ = now;
  Diagnostics found;
  read_again(source, found);
  try {
    diagnostics.insert(diagnostics.end(), found.begin(), found.end());
  } catch (const std::bad_alloc&) {
    out_of_memory();  // they are in the log, and in load_diagnostics()
  }
  dispatch();
}

/// A new graph beside the old one, which stays until the new one has all that it had.
/// bad_alloc: it has stayed, and with it its source. From there on the new source is in use:
/// should memory run out, all is read from it once more.
void Manager::read_again(UnitSource& source, Diagnostics& found) {
  auto graph = empty_graph();
  // The same ids for the same names: everything outside the graph is kept by id.
  graph->reserve_all_of(*graph_);
  const auto in_use = [&](UnitId id) {
    const UnitRuntime& rt = runtime_[id.value];
    if (rt.job.value != 0 || rt.active != ActiveState::Inactive || rt.watches_leftovers)
      return true;
    // Whom collect() has not looked at yet, or not to the end, may have left processes too.
    return (rt.may_be_unneeded || rt.trigger_of != 0) && os_.has_processes(id);
  };
  std::vector<std::string> names;
  for (std::uint32_t i = 0; i < graph_->size(); ++i) {
    if (in_use(UnitId{i})) names.push_back(graph_->unit(UnitId{i}).id);
  }
  names.push_back(config_.default_target);
  ensure_all_loaded(*graph, source, names, config_.user_manager, found);
  // What runs keeps the configuration it was started with if its file is gone.
  std::vector<UnitId> kept;
  for (std::uint32_t i = 0; i < graph_->size(); ++i) {
    const UnitId id{i};
    if (in_use(id) && graph->unit(id).load_state != LoadState::Loaded &&
        graph_->unit(id).load_state == LoadState::Loaded)
      kept.push_back(id);
  }
  {
    const MemoryReserve::Open finish(reserve_, room_for_jobs(graph->size()));
    for (const UnitId id : kept) graph->keep_unit(id, *graph_);
  }
  graph_ = std::move(graph);
  source_ = &source;
  graph_is_torn_ = true;
  has_more_ = true;
  take_new_units();
  try {
    if (!load_what_they_name(kept, found)) return;
    report_load(found);
    load_diagnostics_ = found;
    adopt_graph();
    apply_all_resources();
  } catch (const std::bad_alloc&) {
    out_of_memory();
  }
}

bool Manager::load_what_they_name(const std::vector<UnitId>& units, Diagnostics& found) {
  return add_to_graph([&] {
    std::vector<std::string> stubs;
    for (const UnitId id : units) {
      for (const Dependency& d : graph_->dependencies(id)) {
        const Unit& other = graph_->unit(d.other);
        if (other.load_state == LoadState::Stub) stubs.push_back(other.id);
      }
    }
    ensure_all_loaded(*graph_, *source_, stubs, config_.user_manager, found);
  });
}

/// What runs, made to fit its new configuration.
void Manager::adopt_graph() {
  const MemoryReserve::Open finish(reserve_, room_for_jobs(graph_->size()));
  for (std::uint32_t i = 0; i < graph_->size(); ++i) {
    const UnitId id{i};
    may_be_unneeded(id);
    find_mounted(id);
    find_device(id);
    if (graph_->unit(id).type != UnitType::Service || graph_->unit(id).service == nullptr) continue;
    if (runtime_[i].service.phase == ServicePhase::Dead) continue;
    UnitRuntime& rt = runtime_[i];
    const ActiveState before = rt.active;
    const ServicePhase phase = rt.service.phase;
    rt.service = adopt(graph_->unit(id), rt.service, context(id)).state;
    arm_unit(id);
    const ActiveState after = onset::active_state(rt.service.phase, graph_->unit(id).service->type);
    if (rt.service.phase != phase || after != before) {
      apply_active(id, before);
    } else if (listener_ != nullptr) {
      // Only what is known of it is new. Its job waits on for whatever it waits for.
      listener_->unit_changed(id);
    }
  }
  forget_slots();
  queue_.retry_all();
  may_have_rings_ = true;
  graph_is_torn_ = false;
}

/// Jobs were queued in an order that the new files turn into a ring: none of them would
/// ever run. One that may go goes, as in a transaction.
void Manager::break_rings() {
  for (std::vector<JobId> ring = find_job_ring(queue_, *graph_); !ring.empty();
       ring = find_job_ring(queue_, *graph_)) {
    const auto may_go = [&](JobId id) { return !queue_.find(id)->irreversible; };
    const auto last = std::find_if(ring.rbegin(), ring.rend(), may_go);
    const Job& goes = *queue_.find(last != ring.rend() ? *last : ring.back());
    std::string text;
    for (const JobId id : ring) {
      const Job& job = *queue_.find(id);
      text += format("{}/{} → ", graph_->unit(job.unit).id, to_string(job.type));
    }
    const Unit& unit = graph_->unit(goes.unit);
    say(Say::Level::Warning, goes.unit,
        format("Found ordering cycle: {}…; job {}/{} canceled to break it", text, unit.id,
               to_string(goes.type)));
    finish_job(goes.id, JobResult::Canceled, Invalidate::Yes);
  }
}

// ---- requests ---------------------------------------------------------------

namespace {

RequestError from(const TransactionError& e) {
  return RequestError{RequestErrorKind::Transaction, e.kind, e.message};
}

}  // namespace

JobId Manager::install(const Transaction& transaction) {
  JobId anchor;
  for (const PlannedJob& planned : transaction.jobs) {
    if (const JobId old = queue_.conflict_of(planned); old.value != 0) {
      finish_job(old, JobResult::Canceled, Invalidate::No);
    }
    const JobId id = queue_.install(planned, now_);
    if (planned.is_anchor) anchor = id;
    const Job* job = queue_.find(id);
    arm_job(*job);
    if (listener_ != nullptr) listener_->job_queued(*job);
  }
  return anchor;
}

/// Isolate and flush: what is queued and not part of the transaction goes. What was queued
/// irreversibly, a shutdown, goes by "cancel" alone (systemctl(1), --job-mode=).
void Manager::cancel_others(const Transaction& transaction) {
  std::vector<bool> wanted(graph_->size(), false);
  for (const PlannedJob& planned : transaction.jobs) wanted[planned.unit.value] = true;
  std::vector<JobId> unwanted;
  for (const Job* job : queue_.in_order()) {
    if (!wanted[job->unit.value] && !job->irreversible) unwanted.push_back(job->id);
  }
  for (JobId id : unwanted) finish_job(id, JobResult::Canceled, Invalidate::No);
}

Result<JobId, RequestError> Manager::enqueue(UnitId id, JobType type, JobMode mode, Asker asker) {
  TransactionRequest request;
  request.unit = id;
  request.type = type;
  request.mode = mode;
  request.manual = asker == Asker::User;
  auto transaction = build_transaction(*graph_, *this, request);
  if (!transaction) return Failure{from(transaction.error())};
  for (const std::string& message : transaction->messages) {
    os_.log(Say::Level::Warning, graph_->unit(id).id, message);
  }
  for (const std::string& note : transaction->notes) {
    os_.log(Say::Level::Debug, graph_->unit(id).id, note);
  }
  // A unit that is coming up may have asked for it, and wait for it.
  const bool is_urgent = asker == Asker::Change || (asker == Asker::User && coming_up_ > 0);
  for (PlannedJob& job : transaction->jobs) job.is_urgent = is_urgent;
  if (transaction->jobs.size() > 1) {
    measure_paths(*graph_, transaction->jobs,
                  [this](UnitId unit) { return boot_times_.of(graph_->unit(unit).id); });
  }
  // From here on nothing fails.
  const std::size_t jobs = transaction->jobs.size() + queue_.all().size();
  const MemoryReserve::Open finish(reserve_, room_for_jobs(jobs));
  if (mode == JobMode::Isolate || mode == JobMode::Flush) cancel_others(*transaction);
  return install(*transaction);
}

Result<JobId, RequestError> Manager::request(std::string_view name, JobType type, JobMode mode,
                                             Timestamp now) {
  if (objective_ != Objective::Run) {
    return Failure{
        RequestError{RequestErrorKind::ShuttingDown, {}, "the manager is shutting down"}};
  }
  catch_up(now);  // the graph is needed, and a start may cancel what else is queued
  if (wants_start_up_ || graph_is_torn_) {
    return Failure{RequestError{RequestErrorKind::OutOfMemory, {}, "out of memory"}};
  }
  retry_missing();  // also for what the unit needs
  const UnitId id = load(name);
  if (graph_is_torn_) {
    return Failure{RequestError{RequestErrorKind::OutOfMemory, {}, "out of memory"}};
  }
  if (!id.valid()) {
    return Failure{
        RequestError{RequestErrorKind::Invalid, {}, format("{} is not a unit name", name)}};
  }
  auto job = enqueue(id, type, mode, Asker::User);
  dispatch();
  return job;
}

Result<void, RequestError> Manager::cancel(JobId id, Timestamp now) {
  now_ = now;
  if (queue_.find(id) == nullptr) {
    return Failure{
        RequestError{RequestErrorKind::NoSuchJob, {}, format("Job {} does not exist.", id.value)}};
  }
  finish_job(id, JobResult::Canceled, Invalidate::Yes);
  dispatch();
  return {};
}

Result<unsigned, RequestError> Manager::kill_unit(std::string_view name, std::string_view who,
                                                  int signal) {
  const UnitId id = graph_->find(name);
  if (!id.valid() || graph_->unit(id).load_state == LoadState::Stub) {
    return Failure{
        RequestError{RequestErrorKind::NoSuchUnit, {}, format("unit {} is not loaded", name)}};
  }
  const Unit& unit = graph_->unit(id);
  KillRequest k;
  k.id = id;
  k.unit = &unit;
  k.main_pid = processes_of(id).main;
  k.main_alien = runtime_[id.value].service.main_pid_alien;
  k.control_pid = processes_of(id).control;
  k.signal = signal;
  k.to_main = who == "main" || who == "all";
  k.to_control = who == "control" || who == "all";
  k.to_rest = who == "all";
  if (!k.to_main && !k.to_control) {
    return Failure{RequestError{
        RequestErrorKind::Invalid, {}, format("\"{}\" is none of main, control, all", who)}};
  }
  const KillReport report = os_.kill(k);
  if (report.error != 0) {
    return Failure{RequestError{RequestErrorKind::Invalid,
                                {},
                                format("cannot signal {}: {}", name, errno_text(report.error))}};
  }
  // All of none is no error: a rotated log's "kill -s HUP" of a stopped service goes well.
  if (who != "all" && report.main + report.control == 0) {
    return Failure{RequestError{
        RequestErrorKind::Invalid, {}, format("{} has no {} process to kill", name, who)}};
  }
  return report.main + report.control + report.rest;
}

Result<void, RequestError> Manager::reset_failed(std::string_view name, Timestamp now) {
  now_ = now;
  const UnitId id = graph_->find(name);
  if (!id.valid() || graph_->unit(id).load_state == LoadState::Stub) {
    return Failure{
        RequestError{RequestErrorKind::NoSuchUnit, {}, format("unit {} is not loaded", name)}};
  }
  UnitRuntime& rt = runtime_[id.value];
  rt.limit_count = 0;
  rt.start_limit_hit = false;
  problems_.erase(id.value);
  may_be_unneeded(id);
  if (has_machine(id)) {
    feed(id, ResetFailed{});
  } else if (rt.plain_failed) {
    const MemoryReserve::Open finish = begin_change(id);
    const ActiveState before = rt.active;
    rt.plain_failed = false;
    apply_active(id, before);
  }
  dispatch();
  return {};
}

void Manager::reset_failed_all(Timestamp now) {
  for (std::uint32_t i = 0; i < graph_->size(); ++i) {
    if (runtime_[i].active == ActiveState::Failed)
      (void)reset_failed(graph_->unit(UnitId{i}).id, now);
  }
}

void Manager::start_up(Timestamp now) {
  now_ = now;
  wants_start_up_ = true;
  dispatch();
}

/// What is wanted, and is no longer once it has begun.
void Manager::begin_start_up() {
  if (stopping() || objective_ != Objective::Run) {
    wants_start_up_ = false;
    return;
  }
  const std::array<std::string_view, 3> candidates{config_.default_target, "rescue.target",
                                                   "emergency.target"};
  for (const std::string_view name : candidates) {
    const UnitId id = load(name);
    if (graph_is_torn_) return;
    if (!id.valid()) {
      os_.log(Say::Level::Error, name, "is not a unit name");
      continue;
    }
    // A target is isolated, as at every boot; anything else is simply started.
    const JobMode mode =
        graph_->unit(id).config.allow_isolate ? JobMode::Isolate : JobMode::Replace;
    auto job = enqueue(id, JobType::Start, mode, Asker::Many);
    if (job) {
      wants_start_up_ = false;
      return;
    }
    os_.log(Say::Level::Error, name, job.error().message);
  }
  wants_start_up_ = false;
  note_started_up();
}

// ---- looking ----------------------------------------------------------------

std::optional<UnitStates::QueuedJob> Manager::queued(UnitId id) const {
  const Job* job = queue_.find(runtime_[id.value].job);
  if (job == nullptr) return std::nullopt;
  QueuedJob q;
  q.type = job->type;
  q.irreversible = job->irreversible;
  q.running = job->state == JobState::Running;
  return q;
}

const Job* Manager::job(JobId id) const {
  return queue_.find(id);
}

std::string_view Manager::sub_state(UnitId id) const {
  const Unit& unit = graph_->unit(id);
  const UnitRuntime& rt = runtime_[id.value];
  if (unit.type == UnitType::Service) return to_string(rt.service.phase);
  if (unit.type == UnitType::Socket) return to_string(rt.socket.phase);
  if (unit.type == UnitType::Automount) return to_string(rt.automount.phase);
  if (has_scope_processes(unit)) return to_string(rt.scope.phase);
  if (unit.type == UnitType::Mount) return to_string(rt.mount.phase);
  if (unit.type == UnitType::Swap) return swap_word(rt.mount.phase);
  if (unit.type == UnitType::Device) return to_string(rt.device.phase);
  if (rt.plain_failed) return "failed";
  if (!rt.plain_active) return "dead";
  return unit.type == UnitType::Scope ? "running" : "active";
}

bool Manager::going_down() const {
  if (stopping() || objective_ != Objective::Run) return true;
  const UnitId id = graph_->find("shutdown.target");
  if (!id.valid()) return false;
  const UnitRuntime& rt = runtime_[id.value];
  const Job* job = queue_.find(rt.job);
  return rt.active == ActiveState::Active || (job != nullptr && job->type == JobType::Start);
}

SystemState Manager::system_state() const {
  if (going_down()) return SystemState::Stopping;
  if (!started_up_) return SystemState::Starting;
  for (std::string_view name : {"rescue.target", "emergency.target"}) {
    const UnitId id = graph_->find(name);
    if (id.valid() && runtime_[id.value].active == ActiveState::Active)
      return SystemState::Maintenance;
  }
  const bool failed = std::any_of(runtime_.begin(), runtime_.end(), [](const UnitRuntime& rt) {
    return rt.active == ActiveState::Failed;
  });
  return failed ? SystemState::Degraded : SystemState::Running;
}

std::string_view Manager::status_text(UnitId id) const {
  auto it = status_texts_.find(id.value);
  return it == status_texts_.end() ? std::string_view{} : std::string_view(it->second);
}

std::span<const CommandRecord> Manager::command_records(UnitId id) const {
  auto it = command_records_.find(id.value);
  return it == command_records_.end() ? std::span<const CommandRecord>{} : it->second;
}

std::string_view Manager::problem(UnitId id) const {
  const ActiveState active = runtime_[id.value].active;
  if (active == ActiveState::Active || active == ActiveState::Reloading) return {};
  auto it = problems_.find(id.value);
  return it == problems_.end() ? std::string_view{} : std::string_view(it->second);
}

UnitId Manager::unit_of_pid(pid_t pid) const {
  auto it = pids_.find(pid);
  return it == pids_.end() ? UnitId{} : it->second;
}

Duration Manager::start_timeout(const Unit& unit) const {
  if (unit.service == nullptr) return kInfinity;
  if (unit.service->timeout_start) return *unit.service->timeout_start;
  return unit.service->type == ServiceType::Oneshot ? kInfinity : config_.defaults.timeout_start;
}

Duration Manager::stop_timeout(const Unit& unit) const {
  if (unit.service == nullptr) return kInfinity;
  return unit.service->timeout_stop.value_or(config_.defaults.timeout_stop);
}

Duration Manager::abort_timeout(const Unit& unit) const {
  if (unit.service == nullptr) return kInfinity;
  if (unit.service->timeout_abort) return *unit.service->timeout_abort;
  return config_.defaults.timeout_abort.value_or(stop_timeout(unit));
}

}  // namespace onset
