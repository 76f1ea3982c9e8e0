#include "sim/schedule.h"

#include <array>
#include <cerrno>
#include <string_view>

namespace onset::sim {
namespace {

using namespace std::string_view_literals;

constexpr std::int64_t kSecond = 1000000;

SimEvent event(What what, unsigned unit) {
  SimEvent e;
  e.what = what;
  e.unit = unit;
  return e;
}

/// What the process is to its unit.
Who who_is(const SimWorld& world, const Process& p) {
  if (!p.unit.valid()) return Who::Alien;
  const ServiceState& s = world.manager().runtime(p.unit).service;
  return p.pid == s.main.pid ? Who::Main : p.pid == s.control.pid ? Who::Control : Who::Rest;
}

}  // namespace

SimEvent Schedule::next(const SimWorld& world) {
  // What is under way goes on most of the time.
  if (!world.empties().empty() && random_.chance(60)) {
    if (const auto unit = world.place(world.empties().back())) return event(What::Empty, *unit);
  }
  if (world.manager().next_deadline() <= world.now().mono && random_.chance(70)) {
    return event(What::PassLate, 0);
  }
  if (plan_.mood.memory > 0 && random_.chance(50)) {
    if (auto job = job_before_a_restart(world)) return *job;
  }
  const bool is_nudged = plan_.theme == Theme::Lingers || plan_.theme == Theme::ReloadByNotify;
  if (is_nudged && !world.os.alive().empty() && random_.chance(40)) return nudge(world);
  const Mood& m = plan_.mood;
  const std::array<unsigned, 8> weights{m.requests, m.exits,   m.notifications, m.time,
                                        m.faults,   m.reloads, m.memory,        m.odd};
  unsigned total = 0;
  for (const unsigned w : weights) total += w;
  unsigned at = random_.below(total);
  unsigned choice = 0;
  while (choice < weights.size() - 1 && at >= weights[choice]) at -= weights[choice++];
  switch (choice) {
    case 0:
      return some_request();
    case 1:
      return some_exit(world);
    case 2:
      return some_notification(world);
    case 3:
      return some_time(world);
    case 4:
      return some_fault();
    case 5:
      return some_reload();
    case 6:
      return no_memory();
    default:
      return something_odd(world);
  }
}

SimEvent Schedule::some_request() {
  using enum JobType;
  SimEvent e = event(What::Request, some_unit());
  e.number =
      static_cast<int>(random_.pick({Start, Start, Start, Stop, Stop, Restart, Restart, Reload,
                                     TryRestart, TryReload, ReloadOrStart, VerifyActive, Nop}));
  e.second = static_cast<int>(random_.pick(
      {JobMode::Replace, JobMode::Replace, JobMode::Replace, JobMode::Replace, JobMode::Fail,
       JobMode::Fail, JobMode::Isolate, JobMode::Flush, JobMode::IgnoreDependencies,
       JobMode::IgnoreRequirements, JobMode::ReplaceIrreversibly}));
  // What can't be replaced holds the whole world up: seldom.
  if (e.second == static_cast<int>(JobMode::ReplaceIrreversibly) && random_.chance(80))
    e.second = static_cast<int>(JobMode::Replace);
  if (e.second == static_cast<int>(JobMode::Isolate)) e.number = static_cast<int>(Start);
  // What a service can be reloaded by is reloaded.
  if (plan_.theme == Theme::ReloadByNotify && random_.chance(60))
    e.number = static_cast<int>(random_.chance(60) ? Reload : any_job());
  return e;
}

ExitStatus Schedule::some_status(const Process& p) {
  if (p.doom > 0) return {ExitKind::Killed, p.doom};
  if (p.doom < 0 || random_.chance(50)) return {ExitKind::Exited, 0};
  if (random_.chance(60)) return {ExitKind::Exited, random_.pick({1, 2, 3, 203, 255})};
  if (random_.chance(70)) return {ExitKind::Killed, random_.pick({9, 15, 1, 2, 11, 13, 10})};
  return {ExitKind::Dumped, random_.pick({6, 11})};
}

SimEvent Schedule::some_exit(const SimWorld& world) {
  const auto& alive = world.os.alive();
  const unsigned count = static_cast<unsigned>(alive.size());
  if (count == 0) return some_request();
  const Process* chosen = &alive[random_.below(count)];
  // Who is told to end comes first, most of the time.
  if (chosen->doom == 0 && random_.chance(60)) {
    for (const Process& p : alive) {
      if (p.doom != 0) chosen = &p;
    }
  }
  const auto unit = chosen->unit.valid() ? world.place(chosen->unit) : std::nullopt;
  SimEvent e = event(What::Exit, unit.value_or(0));
  e.who = unit ? who_is(world, *chosen) : Who::Alien;
  e.status = some_status(*chosen);
  e.number = random_.chance(20) ? 1 : 0;
  return e;
}

/// A unit that something runs in, if there is one.
unsigned Schedule::busy_unit(const SimWorld& world) {
  const auto& alive = world.os.alive();
  if (alive.empty()) return some_unit();
  const Process& p = alive[random_.below(static_cast<unsigned>(alive.size()))];
  return (p.unit.valid() ? world.place(p.unit) : std::nullopt).value_or(some_unit());
}

template <class Is>
std::optional<unsigned> Schedule::unit_that(const SimWorld& world, Is is) {
  const unsigned first = some_unit();
  const auto units = static_cast<unsigned>(plan_.units.size());
  for (unsigned i = 0; i < units; ++i) {
    const unsigned unit = (first + i) % units;
    if (const UnitId id = world.id(unit); id.valid() && is(id)) return unit;
  }
  return std::nullopt;
}

/// One service, and what leads it from one rare phase to the next.
SimEvent Schedule::nudge(const SimWorld& world) {
  const unsigned unit = busy_unit(world);
  SimEvent e = event(What::Notify, unit);
  switch (random_.below(10)) {
    case 0:
    case 1:
    case 2:
      e.who = random_.pick({Who::Main, Who::Control, Who::Rest});
      e.text = random_.pick({"READY=1"sv, "RELOADING=1"sv, "READY=1\nRELOADING=1"sv});
      break;
    case 3:
    case 4:
      e.what = What::Exit;
      e.who = random_.pick({Who::Main, Who::Control});
      e.status = {ExitKind::Exited, random_.pick({0, 0, 1})};
      break;
    case 5:
      e.what = What::Request;
      e.number = static_cast<int>(random_.pick({JobType::Reload, JobType::Reload, JobType::Stop}));
      e.second = static_cast<int>(JobMode::Replace);
      break;
    case 6:
      e.what = What::Fork;
      break;
    case 7:
      e.what = random_.pick({What::ToDeadline, What::Oom, What::ExecDone});
      break;
    default:  // one in five
      e.what = random_.pick({What::PidFile, What::Bus, What::Bus});
      e.who = random_.pick({Who::Rest, Who::Rest, Who::Main, Who::Alien});
      e.number = random_.below(4);
      break;
  }
  return e;
}

SimEvent Schedule::some_notification(const SimWorld& world) {
  const auto& alive = world.os.alive();
  if (alive.empty()) return some_request();
  if (random_.chance(15)) {
    for (const Process& p : alive) {
      if (p.exec_done || !p.unit.valid() || who_is(world, p) != Who::Main) continue;
      if (const auto unit = world.place(p.unit)) return event(What::ExecDone, *unit);
    }
  }
  const Process& sender = alive[random_.below(static_cast<unsigned>(alive.size()))];
  const auto unit = sender.unit.valid() ? world.place(sender.unit) : std::nullopt;
  SimEvent e = event(What::Notify, unit.value_or(some_unit()));
  e.who = unit && random_.chance(92) ? who_is(world, sender)
                                     : random_.pick({Who::Alien, Who::Foreign, Who::Main});
  e.text = random_.pick({"READY=1"sv,
                         "READY=1"sv,
                         "READY=1"sv,
                         "READY=1\nSTATUS=up"sv,
                         "RELOADING=1"sv,
                         "RELOADING=1"sv,
                         "STOPPING=1"sv,
                         "WATCHDOG=1"sv,
                         "WATCHDOG=1"sv,
                         "WATCHDOG=trigger"sv,
                         "WATCHDOG_USEC=1000000"sv,
                         "WATCHDOG_USEC=0"sv,
                         "EXTEND_TIMEOUT_USEC=3000000"sv,
                         "ERRNO=2"sv,
                         "MAINPID"sv,
                         "MAINPID"sv,
                         "READY=1\nRELOADING=1"sv,
                         ""sv,
                         "\n\n"sv,
                         "READY=2"sv,
                         "STATUS=\x01"sv});
  if (e.text == "MAINPID") {
    e.number = static_cast<int>(random_.pick(
        {Who::Main, Who::Control, Who::Rest, Who::Rest, Who::Rest, Who::Alien, Who::Foreign}));
    e.second = random_.chance(40) ? 1 : 0;
  }
  return e;
}

SimEvent Schedule::some_time(const SimWorld& world) {
  const MonoTime due = world.manager().next_deadline();
  if (due == kNever && random_.chance(90)) return some_request();
  if (random_.chance(75)) return event(What::ToDeadline, 0);
  SimEvent e = event(random_.chance(80) ? What::Pass : What::PassLate, 0);
  e.number = random_.pick<std::int64_t>(
      {1, 1000, 100000, kSecond, kSecond, 2 * kSecond, 5 * kSecond, 11 * kSecond, 100 * kSecond});
  return e;
}

SimEvent Schedule::some_fault() {
  const unsigned unit = some_unit();
  if (random_.chance(30)) {
    SimEvent e = event(What::Trouble, unit);
    e.number = 1 + random_.below(random_.chance(20) ? 20 : 3);
    e.second = random_.pick({EAGAIN, EAGAIN, ENOMEM, EPERM, ENOENT});
    return e;
  }
  if (random_.chance(50)) {
    SimEvent e = event(What::Temper, unit);
    e.number =
        static_cast<int>(random_.pick({Temper::Obeys, Temper::Obeys, Temper::Exits, Temper::Ignores,
                                       Temper::Ignores, Temper::Unkillable}));
    e.second = random_.chance(30) ? 1 : 0;
    return e;
  }
  SimEvent e = event(What::Fork, unit);
  if (plan_.theme == Theme::StubbornAtTheEnd) {
    e.number = static_cast<int>(Temper::Ignores);
    return e;
  }
  e.number = static_cast<int>(random_.pick({Temper::Obeys, Temper::Exits, Temper::Ignores}));
  return e;
}

SimEvent Schedule::some_reload() {
  SimEvent e = event(random_.chance(40) ? What::File : What::Reload, some_unit());
  if (e.what == What::Reload && random_.chance(20)) e.number = 1 + random_.below(1000);
  // The boot target has a file: a world without one is no world.
  if (e.unit != 0 && random_.chance(15)) {
    e.text = "-";
  } else {
    PlannedUnit changed = plan_.units[e.unit];
    changed.lines = make_unit_lines(plan_, e.unit, random_);
    e.text = text_of(changed);
    if (e.text.empty()) e.text = "-";
  }
  return e;
}

JobType Schedule::any_job() {
  return static_cast<JobType>(random_.below(kJobTypes));
}

/// A restart whose first step memory did not suffice for, and a job that comes before it.
std::optional<SimEvent> Schedule::job_before_a_restart(const SimWorld& world) {
  for (unsigned i = 0; i < plan_.units.size(); ++i) {
    const UnitId id = world.id(i);
    if (!id.valid()) continue;
    const ServicePhase phase = world.manager().runtime(id).service.phase;
    if (phase != ServicePhase::DeadBeforeAutoRestart &&
        phase != ServicePhase::FailedBeforeAutoRestart)
      continue;
    SimEvent e = event(What::Request, i);
    e.number = static_cast<int>(random_.chance(50) ? JobType::Stop : any_job());
    e.second = static_cast<int>(JobMode::Replace);
    return e;
  }
  return std::nullopt;
}

/// Most of what a call allocates it allocates early.
SimEvent Schedule::no_memory() {
  SimEvent e = event(What::NoMemory, random_.below(random_.pick({4U, 16U, 16U, 60U, 200U})));
  e.number = random_.pick({0, 0, 1, 1, 3});
  e.second = 1 + random_.below(random_.pick({1U, 2U, 6U}));
  return e;
}

SimEvent Schedule::something_odd(const SimWorld& world) {
  SimEvent e = event(What::Cancel, busy_unit(world));
  const bool is_oom = plan_.theme == Theme::Remains || plan_.theme == Theme::ReloadByNotify;
  switch (is_oom && random_.chance(60) ? 4 : random_.below(9)) {
    case 0:
      if (world.manager().job_count() == 0) return some_request();
      e.number = random_.below(16);
      break;
    case 1:
      e.what = What::Kill;
      e.who = random_.pick({Who::Main, Who::Control, Who::Rest});
      e.number = random_.pick({9, 15, 1, 10});
      break;
    case 2:
      e = event(random_.chance(20) ? What::ResetAll : What::ResetFailed, some_unit());
      break;
    case 3:
      if (random_.chance(30)) {
        e.what = What::Problem;
        e.text = "a step of the launch failed";
        break;
      }
      e.what = What::Flag;
      e.number = random_.below(kFlags);
      break;
    case 4:
      e.what = What::Oom;
      break;
    case 5:
      e.what = What::JumpClock;
      e.number = (random_.chance(50) ? 1 : -1) * 10LL * 365 * 86400 * kSecond;
      break;
    case 6: {
      const auto unit = unit_that(world, [&](UnitId id) { return world.os.watches_bus(id); });
      if (!unit) return some_request();
      e = event(What::Bus, *unit);
      e.number = random_.below(4);
      break;
    }
    default: {  // the likeliest
      const auto unit = unit_that(world, [&](UnitId id) {
        const Unit& config = world.manager().graph().unit(id);
        return config.service != nullptr && !config.service->pid_file.empty();
      });
      if (!unit) return some_request();
      e = event(What::PidFile, *unit);
      e.who = random_.pick(
          {Who::Main, Who::Rest, Who::Rest, Who::Rest, Who::Alien, Who::Foreign, Who::Control});
      break;
    }
  }
  return e;
}

}  // namespace onset::sim
