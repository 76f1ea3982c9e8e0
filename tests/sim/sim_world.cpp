#include "sim/sim_world.h"

#include <algorithm>
#include <array>
#include <climits>
#include <cstdio>
#include <iterator>
#include <new>

#include "base/format.h"
#include "sim/coverage.h"
#include "support/failing_new.h"

namespace onset::sim {
namespace {

ManagerConfig config_of(const WorldPlan& plan) {
  ManagerConfig config;
  config.container = plan.container;
  config.shutdown_budget = plan.shutdown_budget;
  config.steps_a_call = plan.steps_a_call;
  if (plan.slots > 0) config.defaults.start_concurrency_max = plan.slots;
  return config;
}

}  // namespace

// ---- the world ----------------------------------------------------------------------

SimWorld::SimWorld(const WorldPlan& plan)
    : plan_(plan),
      units_(plan),
      invariants_(os),
      plain_jobs_(invariants_),
      manager_(os, units_, config_of(plan)) {
  invariants_.watch(manager_);
  plain_jobs_.watch(manager_);
  manager_.set_listener(&plain_jobs_);
}

void PlainJobs::unit_changed(UnitId id) {
  {
    const test::UnfailingNew ours;
    if (id.value >= changes_.size()) changes_.resize(id.value + std::size_t{1});
    const UnitRuntime& rt = manager_->runtime(id);
    changes_[id.value] = {rt.job, changes_[id.value].to, rt.active};
  }
  next_.unit_changed(id);
}

void PlainJobs::job_done(const Job& job, JobResult result) {
  const Unit& unit = manager_->graph().unit(job.unit);
  if (Coverage* c = coverage(); c != nullptr && unit.service == nullptr) {
    const ActiveState now = manager_->active_state(job.unit);
    const bool is_its_doing =
        job.unit.value < changes_.size() && changes_[job.unit.value].job == job.id;
    c->plain_job(unit, is_its_doing ? changes_[job.unit.value].from : now, job.type, now, result);
  }
  next_.job_done(job, result);
}

UnitId SimWorld::id(unsigned unit) const {
  if (unit >= plan_.units.size()) return {};
  const UnitId found = manager_.graph().find(plan_.units[unit].name);
  return found.valid() && found.value < manager_.graph().size() ? found : UnitId{};
}

std::optional<unsigned> SimWorld::place(UnitId id) const {
  for (unsigned i = 0; i < plan_.units.size(); ++i) {
    if (this->id(i) == id) return i;
  }
  return std::nullopt;
}

void SimWorld::boot() {
  invariants_.before_event(now_);
  manager_.start_up(now_);
  settle();
}

/// As the loop of PID 1 does between events.
void SimWorld::settle() {
  if (!has_ended()) attempt([&] { manager_.collect(); });
  invariants_.after_event();
}

void SimWorld::apply(const SimEvent& event) {
  if (has_ended()) return;
  invariants_.before_event(now_);
  act(event);
  settle();
}

/// What is of the world, or of a unit that need not be there.
void SimWorld::act(const SimEvent& event) {
  switch (event.what) {
    case What::Request:
      request(event);
      break;
    case What::Cancel: {
      const auto jobs = manager_.jobs();
      if (!jobs.empty())
        tell([&] {
          const auto which = static_cast<std::size_t>(event.number) % jobs.size();
          (void)manager_.cancel(jobs[which]->id, now_);
        });
      break;
    }
    case What::Pass:
    case What::PassLate:
      pass(Duration(event.number), event.what == What::PassLate);
      break;
    case What::ToDeadline:
      if (manager_.next_deadline() != kNever)
        pass(std::max(manager_.next_deadline() - now_.mono, Duration(0)), true);
      break;
    case What::JumpClock:
      now_.wall.us += event.number;
      break;
    case What::Flag:
      os.flags[static_cast<std::size_t>(event.number) % kFlags] ^= true;
      break;
    case What::Reload:
      reload(event);
      break;
    case What::File:
      change_file(event);
      break;
    case What::ResetAll:
      reset_all();
      break;
    case What::NoMemory:
      no_memory_ = NoMemory{static_cast<unsigned>(event.unit), static_cast<unsigned>(event.number),
                            static_cast<unsigned>(event.second)};
      break;
    case What::ShutDown:
      invariants_.shutdown_is_asked_for();
      tell([&] { manager_.shut_down(static_cast<Objective>(event.number), 0, now_); });
      break;
    case What::Kill:
    case What::ResetFailed:
    case What::Exit:
    case What::ExecDone:
    case What::Empty:
    case What::Notify:
    case What::Fork:
    case What::Trouble:
    case What::Temper:
    case What::PidFile:
    case What::Bus:
    case What::Oom:
    case What::Problem:
      if (const UnitId unit = id(event.unit); unit.valid()) act_on(unit, event);
      break;
  }
}

void SimWorld::act_on(UnitId unit, const SimEvent& event) {
  SimOs::Trouble& trouble = os.trouble(unit);
  switch (event.what) {
    case What::Kill:
      kill(event);
      break;
    case What::ResetFailed:
      reset_failed(unit);
      break;
    case What::Exit:
      end(process_of(unit, event.who), event.status, event.number == 1);
      break;
    case What::ExecDone:
      tell_exec_done(unit);
      break;
    case What::Empty:
      tell_empty(unit);
      break;
    case What::Notify:
      send(event);
      break;
    case What::Fork:
      if (os.can_fork(unit) && os.count(unit) < 6)
        os.add(unit).temper = static_cast<Temper>(event.number);
      break;
    case What::Trouble:
      trouble.spawns = static_cast<unsigned>(event.number);
      trouble.error = static_cast<int>(event.second);
      break;
    case What::Temper:
      trouble.temper = static_cast<Temper>(event.number);
      trouble.late_exec = event.second != 0;
      break;
    case What::PidFile:
      write_pid_file(event);
      break;
    case What::Bus:
      change_bus(event);
      break;
    case What::Oom:
      if (os.count(unit) > 0) tell([&] { manager_.oom_killed(unit, now_); });
      break;
    case What::Problem:
      tell([&] { manager_.note_problem(unit, event.text); });
      break;
    case What::Request:
    case What::Cancel:
    case What::Pass:
    case What::PassLate:
    case What::ToDeadline:
    case What::JumpClock:
    case What::Flag:
    case What::Reload:
    case What::File:
    case What::ResetAll:
    case What::ShutDown:
    case What::NoMemory:
      break;
  }
}

/// The manager is told, as by the loop of PID 1, which drops what memory does not suffice
/// for (init/manager_process.cpp).
template <class Call>
void SimWorld::tell(Call call) {
  ++steps_;
  attempt(call);
}

template <class Call>
void SimWorld::attempt(Call call) {
  if (no_memory_.calls == 0) {
    call();
    return;
  }
  --no_memory_.calls;
  try {
    const test::FailingNew failing(no_memory_.left,
                                   no_memory_.failures == 0 ? UINT_MAX : no_memory_.failures);
    call();
  } catch (const std::bad_alloc&) {
    if (os.writes_log) std::printf("      out of memory, a request was dropped\n");
  }
  if (test::FailingNew::count() > 0) invariants_.memory_ran_out();
}

void SimWorld::kill(const SimEvent& event) {
  const std::string_view who = event.who == Who::Main      ? "main"
                               : event.who == Who::Control ? "control"
                                                           : "all";
  os.is_asked_to_kill = true;
  tell([&] {
    (void)manager_.kill_unit(plan_.units[event.unit].name, who, static_cast<int>(event.number));
  });
  os.is_asked_to_kill = false;
}

void SimWorld::tell_exec_done(UnitId unit) {
  Process* p = os.find(manager_.runtime(unit).service.main.pid);
  if (p == nullptr || p->exec_done) return;
  p->exec_done = true;
  tell([&] { manager_.exec_done(p->pid, now_); });
}

void SimWorld::request(const SimEvent& event) {
  if (event.unit >= plan_.units.size()) return;
  const std::string& name = plan_.units[event.unit].name;
  const auto mode = static_cast<JobMode>(event.second);
  UnitId unit;
  attempt([&] { unit = manager_.load(name); });
  invariants_.requested(mode);
  if (Coverage* c = coverage();
      c != nullptr && unit.valid() && manager_.graph().unit(unit).service != nullptr)
    c->requested(static_cast<JobType>(event.number), manager_.runtime(unit).service.phase);
  const auto type = static_cast<JobType>(event.number);
  const ActiveState was = unit.valid() ? manager_.active_state(unit) : ActiveState::Inactive;
  bool is_taken = false;
  tell([&] {
    is_taken = manager_.request(name, type, mode, now_).ok();
    if (Coverage* c = coverage(); c != nullptr && !is_taken && unit.valid() &&
                                  manager_.graph().unit(unit).service == nullptr) {
      const ActiveState state = manager_.active_state(unit);
      c->plain_job(manager_.graph().unit(unit), state, type, state, std::nullopt);
    }
  });
  invariants_.request_is_over(unit, type, is_taken, was);
}

pid_t SimWorld::process_of(UnitId id, Who who) {
  const ServiceState& s = manager_.runtime(id).service;
  switch (who) {
    case Who::Main:
      return s.main.pid;
    case Who::Control:
      return s.control.pid;
    case Who::Rest:
      for (const Process& p : os.alive()) {
        if (p.unit == id && p.pid != s.main.pid && p.pid != s.control.pid) return p.pid;
      }
      break;
    case Who::Alien: {
      for (const Process& p : os.alive()) {
        if (p.is_alien) return p.pid;
      }
      Process& p = os.add(UnitId{});
      p.is_alien = true;
      return p.pid;
    }
    case Who::Foreign:
      for (const Process& p : os.alive()) {
        if (p.unit.valid() && p.unit != id) return p.pid;
      }
      break;
  }
  return 0;
}

/// A process ends: PID 1 reaps it, and is told of a unit's emptiness by and by, or before.
void SimWorld::end(pid_t pid, ExitStatus status, bool empty_first) {
  if (pid <= 0 || os.find(pid) == nullptr) return;
  const Process p = os.take(pid);
  const bool is_last = p.unit.valid() && os.count(p.unit) == 0;
  if (empty_first && is_last && os.watches_empty(p.unit))
    tell([&] { manager_.unit_empty(p.unit, now_); });
  tell([&] { manager_.process_exited(pid, status, now_); });
  if (is_last && os.count(p.unit) == 0 && os.watches_empty(p.unit) &&
      std::ranges::find(empties_, p.unit) == empties_.end())
    empties_.push_back(p.unit);
}

void SimWorld::tell_empty(UnitId id) {
  std::erase(empties_, id);
  if (os.watches_empty(id) && os.count(id) == 0) tell([&] { manager_.unit_empty(id, now_); });
}

void SimWorld::send(const SimEvent& event) {
  const UnitId unit = id(event.unit);
  const pid_t sender = process_of(unit, event.who);
  if (sender == 0) return;
  std::string text = event.text;
  if (text == "MAINPID") {
    const pid_t named = process_of(unit, static_cast<Who>(event.number));
    text = format("MAINPID={}", named);
  }
  if (text.find("RELOADING=1") != std::string::npos)
    text += format("\nMONOTONIC_USEC={}", now_.mono.us);
  invariants_.datagram_comes(unit, sender, text);
  tell([&] {
    manager_.notify(unit, NotifySender{sender, event.second != 0 ? 0U : 1000U}, text, now_);
  });
  invariants_.datagram_is_over(unit, text);
}

void SimWorld::write_pid_file(const SimEvent& event) {
  const UnitId unit = id(event.unit);
  const Unit& config = manager_.graph().unit(unit);
  if (config.service == nullptr || config.service->pid_file.empty()) return;
  const pid_t pid = process_of(unit, event.who);
  os.set_pid_file(config.service->pid_file, {pid, false, {}});
  if (os.watches_path(unit)) tell([&] { manager_.path_changed(unit, now_); });
}

void SimWorld::change_bus(const SimEvent& event) {
  const UnitId unit = id(event.unit);
  if (!os.watches_bus(unit)) return;
  BusNameChanged change;
  change.owned = event.number == 1 || event.number == 2;
  if (event.number != 3) invariants_.name_changed(unit, change.owned);  // else nobody knows
  if (event.number == 1) change.owner = process_of(unit, Who::Main);
  change.bus_gone = event.number == 3;
  tell([&] { manager_.bus_name_changed(unit, change, now_); });
}

void SimWorld::change_file(const SimEvent& event) {
  if (event.unit >= plan_.units.size()) return;
  has_reloaded_ = true;
  const std::string_view text = event.text == "-" ? std::string_view{} : event.text;
  std::ranges::move(units_.set(plan_.units[event.unit].name, text), std::back_inserter(changed_));
}

/// As system.conf says it now: times and limits that units leave open.
ManagerSettings other_defaults(std::int64_t number) {
  constexpr std::array kTimes{std::chrono::seconds(90), std::chrono::seconds(1),
                              std::chrono::seconds(5), std::chrono::seconds(0)};
  ManagerSettings settings;
  const auto draw = [&](unsigned shift) {
    return kTimes[static_cast<std::size_t>(number >> shift) % kTimes.size()];
  };
  settings.timeout_start = draw(0);
  settings.timeout_stop = draw(2);
  if ((number >> 4) % 2 == 1) settings.timeout_abort = draw(3);
  settings.restart_delay = draw(5);
  settings.start_limit_interval = draw(6);
  settings.start_limit_burst = static_cast<unsigned>(number) % 7;
  if ((number >> 8) % 4 == 1)
    settings.start_concurrency_max = 1 + static_cast<unsigned>(number >> 10) % 3;
  return settings;
}

void SimWorld::reload(const SimEvent& event) {
  change_file(event);
  Diagnostics diagnostics;
  has_reloaded_ = true;
  invariants_.files_changed(std::exchange(changed_, {}), event.number != 0);
  if (event.number != 0) manager_.set_defaults(other_defaults(event.number));
  tell([&] { manager_.reload(units_, now_, diagnostics); });
}

void SimWorld::reset_failed(UnitId unit) {
  invariants_.reset_failed_comes(unit);
  bool is_done = false;
  tell([&] { is_done = manager_.reset_failed(manager_.graph().unit(unit).id, now_).ok(); });
  if (is_done) invariants_.reset_failed_is_over(unit);
}

void SimWorld::reset_all() {
  for (std::uint32_t i = 0; i < manager_.graph().size(); ++i) {
    if (manager_.active_state(UnitId{i}) == ActiveState::Failed)
      invariants_.forget_starts(UnitId{i});
  }
  tell([&] { manager_.reset_failed_all(now_); });
}

void SimWorld::pass(Duration span, bool late) {
  const MonoTime end = now_.mono + span;
  const auto move_to = [&](MonoTime when) {
    now_.wall.us += when.us - now_.mono.us;
    now_.mono = when;
    invariants_.before_event(now_);
  };
  constexpr unsigned kDeadlinesMax = 200;
  for (unsigned i = 0; !late && i < kDeadlinesMax && !has_ended(); ++i) {
    if (manager_.next_deadline() > end) break;
    move_to(std::max(manager_.next_deadline(), now_.mono));
    tell([&] { manager_.elapse(now_); });
    settle();
    if (violation()) return;
  }
  move_to(std::max(end, now_.mono));
  if (manager_.next_deadline() <= now_.mono && !has_ended()) tell([&] { manager_.elapse(now_); });
}

// ---- the end ------------------------------------------------------------------------

/// Somebody that is told to end does; or, not `fairly`, anybody.
bool SimWorld::end_one(bool fairly) {
  for (const Process& p : os.alive()) {
    if (fairly && p.doom == 0) continue;
    const bool exits = p.doom <= 0;
    invariants_.before_event(now_);
    end(p.pid, exits ? ExitStatus{ExitKind::Exited, 0} : ExitStatus{ExitKind::Killed, p.doom});
    return true;
  }
  return false;
}

/// On a machine a shutdown takes what the units' timeouts add up to, one after the other at
/// worst: each command has its own, a stop besides those of its signals, and a launch that
/// finds no process left is tried again for 13 s. A drop-in of a whole type is also one of the
/// units that end a shutdown: where these have to wait for what it names, or would have to be
/// stopped with it, JobTimeoutSec= of their target is what ends it, as in systemd.
Duration SimWorld::most_of_a_shutdown() const {
  constexpr unsigned kSignals = 8;
  constexpr Duration kPause = std::chrono::milliseconds(100);  // till memory is asked for again
  constexpr Duration kJobTimeout = std::chrono::minutes(30);
  Duration most = manager_.is_behind() ? kPause : Duration::zero();
  const auto has_dropin = [&](std::string_view type) { return units_.has_dropin_of(type); };
  if (std::ranges::any_of(std::array{"service", "target", "slice"}, has_dropin))
    most += kJobTimeout;
  for (std::uint32_t i = 0; i < manager_.graph().size(); ++i) {
    const Unit& unit = manager_.graph().unit(UnitId{i});
    if (unit.service == nullptr || manager_.active_state(UnitId{i}) == ActiveState::Inactive)
      continue;
    std::size_t commands = 0;
    for (const auto& list : unit.service->exec) commands += list.size();
    Duration longest{0};
    for (const Duration timeout : {manager_.start_timeout(unit), manager_.stop_timeout(unit),
                                   manager_.abort_timeout(unit)}) {
      if (timeout == kInfinity || timeout.count() == 0) return kInfinity;
      longest = std::max(longest, timeout);
    }
    most += longest * static_cast<Duration::rep>(commands + kSignals) +
            std::chrono::seconds(20) * static_cast<Duration::rep>(commands);
  }
  return most;
}

bool SimWorld::run_to_the_end() {
  no_memory_ = {};
  const MonoTime began = now_.mono;
  // What runs under files that have changed since has the old ones' deadlines.
  const Duration most = has_reloaded_ ? kInfinity : most_of_a_shutdown();
  constexpr unsigned kMost = 20000;
  for (unsigned i = 0; i < kMost && !has_ended() && !violation(); ++i) {
    if (!empties_.empty()) {
      invariants_.before_event(now_);
      tell_empty(empties_.back());
    } else if (manager_.next_deadline() <= now_.mono) {
      tell([&] { manager_.elapse(now_); });
    } else if (end_one(true)) {
    } else if (manager_.next_deadline() != kNever) {
      pass(manager_.next_deadline() - now_.mono, true);
    } else if (!end_one(false)) {
      return false;
    }
    settle();
  }
  if (most != kInfinity && now_.mono > began + most)
    invariants_.shutdown_is_late(now_.mono - began, most);
  return has_ended();
}

std::string SimWorld::picture() const {
  std::string out = format("      at {} s:", static_cast<double>(now_.mono.us) / 1e6);
  for (std::uint32_t i = 0; i < manager_.graph().size(); ++i) {
    const UnitRuntime& rt = manager_.runtime(UnitId{i});
    if (rt.active == ActiveState::Inactive && rt.job.value == 0) continue;
    const Job* job = manager_.job(rt.job);
    out += format(" {}={}", manager_.graph().unit(UnitId{i}).id, manager_.sub_state(UnitId{i}));
    for (const pid_t pid : {rt.service.main.pid, rt.service.control.pid}) {
      if (pid > 0) out += format("({})", pid);
    }
    if (job != nullptr)
      out += format("[{} {}]", to_string(job->type),
                    job->state == JobState::Running ? "runs" : "waits");
  }
  return out;
}

}  // namespace onset::sim
