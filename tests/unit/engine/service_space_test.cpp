// The machine's whole space: from a dead service, every event in every state
// that can be reached, for every type and for configurations that pull in every
// phase. Not what it does, but what it never does.
#include <catch2/catch.hpp>

#include <algorithm>
#include <deque>
#include <iterator>
#include <set>

#include "support/service_space.h"

namespace onset::test {
namespace {

using std::chrono::seconds;

struct Variant {
  std::string name;
  void (*apply)(ServiceWorld&);
};

void two_of_each(ServiceWorld& w) {
  one_of_each(w);
  for (auto& list : w.service().exec) {
    if (&list == &w.service().exec[static_cast<unsigned>(ExecRole::Start)]) continue;
    list.push_back(list.front());
    list.back().ignore_failure = true;
  }
  if (w.service().type == ServiceType::Oneshot) w.commands(ExecRole::Start, {"one", "-two"});
}

const std::vector<Variant> kVariants{
    {"bare", [](ServiceWorld&) {}},
    {"two of each command", two_of_each},
    {"restarts, watchdog, runtime limit",
     [](ServiceWorld& w) {
       one_of_each(w);
       w.service().restart = ServiceRestart::Always;
       w.service().watchdog = seconds(20);
       w.service().runtime_max = seconds(1000);
     }},
    {"remains, mixed, aborts",
     [](ServiceWorld& w) {
       w.service().remain_after_exit = true;
       w.service().notify_access = NotifyAccess::All;
       w.service().timeout_stop_failure = TimeoutFailureMode::Abort;
       w.service().timeout_start_failure = TimeoutFailureMode::Abort;
       w.kill().mode = KillMode::Mixed;
       w.commands(ExecRole::StopPost, {"post"});
     }},
    {"a PID file, no SIGKILL",
     [](ServiceWorld& w) {
       one_of_each(w);
       w.service().pid_file = "/run/a.pid";
       w.service().timeout_stop_failure = TimeoutFailureMode::Kill;
       w.service().timeout_start_failure = TimeoutFailureMode::Kill;
       w.service().oom_policy = OomPolicy::Kill;
       w.service().oom_policy_written = true;
       w.kill().send_sigkill = false;
     }},
    {"lives as long as its cgroup",
     [](ServiceWorld& w) {
       if (w.service().type != ServiceType::Oneshot) w.service().exit_type = ExitType::Cgroup;
       w.service().restart = ServiceRestart::OnFailure;
       w.commands(ExecRole::StartPost, {"post"});
     }},
};

// ---- events ---------------------------------------------------------------------------

NotifyMessage message(void (*set)(NotifyMessage&)) {
  NotifyMessage m;
  set(m);
  return m;
}

/// One or more of every alternative; those of processes name the ones that live.
std::vector<ServiceEvent> all_events(const ServiceState& s) {
  std::vector<ServiceEvent> events{StartRequested{},
                                   StartLimitHit{},
                                   StopRequested{},
                                   ReloadRequested{},
                                   Spawned{kControl, true},
                                   Spawned{kControl, false},
                                   SpawnFailed{SysError{"fork", 11}},
                                   ExecDone{s.main.pid},
                                   UnitEmpty{},
                                   KillAnswer{true},
                                   KillAnswer{false},
                                   MainPidFound{0, false, true},
                                   MainPidFound{kOther, false, true},
                                   MainPidFound{kOther, true, false},
                                   DeadlineElapsed{},
                                   WatchdogElapsed{},
                                   BusNameChanged{true, kMain, false},
                                   BusNameChanged{false, 0, false},
                                   BusNameChanged{false, 0, true},
                                   OomKilled{},
                                   QueueIdle{},
                                   RestartQueued{},
                                   Passed{},
                                   ResetFailed{}};
  std::ranges::move(ends_in(s), std::back_inserter(events));
  events.emplace_back(ProcessExited{12345, {ExitKind::Exited, 1}});
  events.emplace_back(ProcessExited{0, {ExitKind::Exited, 1}});
  events.emplace_back(NotifyMessage{});
  events.emplace_back(message([](NotifyMessage& m) { m.ready = true; }));
  events.emplace_back(message([](NotifyMessage& m) { m.reloading = true; }));
  events.emplace_back(message([](NotifyMessage& m) {
    m.ready = m.reloading = true;
    m.monotonic = MonoTime{INT64_MAX - 1};
  }));
  events.emplace_back(message([](NotifyMessage& m) {
    m.reloading = true;
    m.monotonic = MonoTime{INT64_MAX - 1};
  }));
  events.emplace_back(message([](NotifyMessage& m) { m.stopping = true; }));
  events.emplace_back(message([](NotifyMessage& m) { m.watchdog = true; }));
  events.emplace_back(message([](NotifyMessage& m) { m.watchdog_period = Duration(5); }));
  events.emplace_back(message([](NotifyMessage& m) {
    m.watchdog_trigger = m.ready = m.reloading = m.stopping = true;
    m.main_pid = kOther;
  }));
  events.emplace_back(message([](NotifyMessage& m) { m.main_pid = kOther; }));
  events.emplace_back(message([](NotifyMessage& m) { m.extend_timeout = seconds(5000); }));
  return events;
}

// ---- what always holds ------------------------------------------------------------------

bool in(ServicePhase p, std::initializer_list<ServicePhase> list) {
  return std::find(list.begin(), list.end(), p) != list.end();
}

using P = ServicePhase;

bool rests(ServicePhase p) {
  return in(p, {P::Dead, P::Failed, P::Exited, P::AutoRestartQueued});
}

/// The first rule that does not hold, or nothing.
std::string broken_rule(const Unit& unit, const ServiceStep& step) {
  const ServiceState& s = step.state;
  const ServicePhase p = s.phase;
  const bool up = in(p, {P::StartPost, P::Running, P::Reload, P::ReloadSignal, P::ReloadNotify});
  const bool down = in(p, {P::Dead, P::Failed, P::DeadBeforeAutoRestart, P::FailedBeforeAutoRestart,
                           P::AutoRestart, P::AutoRestartQueued});
  if (rests(p) && s.deadline != kNever) return "a deadline at rest";
  if (s.watchdog_deadline != kNever && !up) return "a watchdog of what is not up";
  if (down && (s.main.pid != 0 || s.control.pid != 0)) return "a process of what is down";
  if (s.main.pid != 0 && in(p, {P::Condition, P::StartPre})) return "a main process before start";
  if (s.control.pid != 0 && in(p, {P::Running, P::Exited, P::ReloadSignal, P::ReloadNotify})) {
    return "a control process without a command";
  }
  if (s.main.pid != 0 && s.main.pid == s.control.pid) return "one process in two places";
  if (in(p, {P::Failed, P::FailedBeforeAutoRestart}) && s.result == ServiceResult::Success) {
    return "failed without a cause";
  }
  if (s.guarded_idle != 0 && p != P::Start) return "idle after its start";
  if (s.exec_pending != 0 && (p != P::Start || s.main.pid == 0)) return "waits for no execve";
  unsigned asked = 0;
  for (std::size_t i = 0; i < step.actions.size(); ++i) {
    const ServiceAction& action = step.actions[i];
    if (const Spawn* spawn = std::get_if<Spawn>(&action)) {
      if (spawn->index >= unit.service->commands(spawn->role).size()) return "no such command";
      if (s.spawn_pending == 0) return "a spawn that is not waited for";
    }
    if (std::holds_alternative<Kill>(action) && s.kill_pending == 0) {
      return "a kill that is not waited for";
    }
    if (!is_answered(action)) continue;
    if (++asked > 1) return "two questions at once";
    const bool last = i + 1 == step.actions.size();
    if (!last) return "an action after a question";
  }
  return {};
}

/// Rules for states in which no answer is due.
std::string broken_rest(const ServiceState& s) {
  if (s.spawn_pending != 0 || s.kill_pending != 0 || s.main_exit_pending != 0) {
    return "waits for an answer that will not come";
  }
  const bool waits = rests(s.phase) || s.phase == P::Running;
  if (!waits && s.deadline == kNever) return "a wait without an end";
  const bool has_command = in(s.phase, {P::Condition, P::StartPre, P::Stop, P::StopPost});
  if (has_command && s.control.pid == 0 && s.main.pid == 0) return "a command that does not run";
  return {};
}

/// Only what the machine can still decide by: of the failures it tells three
/// kinds apart, a command counts while it runs, a message until the stop.
std::string key(const ServiceConfig& config, const ServiceState& s, const ServiceAction* asked) {
  const unsigned kind = s.result == ServiceResult::Success         ? 0
                        : s.result == ServiceResult::ExecCondition ? 1
                                                                   : 2;
  const bool dbus = config.type == ServiceType::Dbus;
  const bool command = s.control.pid != 0 || asked != nullptr || s.phase == P::Start;
  const bool stops = s.phase >= P::Stop && s.phase <= P::FinalSigkill;
  std::string k;
  for (unsigned v :
       {unsigned(s.phase), kind, stops ? 0 : unsigned(s.notify),
        command ? unsigned(s.control_role) : 0, command ? unsigned(s.command_index) : 0,
        unsigned(s.main_pid_known), unsigned(s.forbid_restart), unsigned(s.exec_pending),
        dbus ? unsigned(s.bus_name_good) : 0, unsigned(s.guarded_idle), unsigned(s.main.pid),
        unsigned(s.control.pid != 0), unsigned(s.deadline != kNever),
        unsigned(s.watchdog_deadline != kNever), unsigned(s.main_exit_pending)}) {
    k += static_cast<char>(v & 0xffU);
    k += static_cast<char>(v >> 8U);
  }
  return k + (asked != nullptr ? to_text(*asked) : "");
}

struct Node {
  ServiceState state;
  std::optional<ServiceAction> asked;
};

/// What was asked last. That WatchEmpty is not answered means that it is not empty.
const ServiceAction* question(const ServiceStep& step) {
  if (step.actions.empty() || !is_answered(step.actions.back())) return nullptr;
  return std::holds_alternative<WatchEmpty>(step.actions.back()) ? nullptr : &step.actions.back();
}

/// What a stop goes by.
std::string stop_key(const Node& n) {
  const ServiceState& s = n.state;
  std::string k;
  for (unsigned v : {unsigned(s.phase), unsigned(s.main.pid != 0), unsigned(s.control.pid != 0),
                     unsigned(s.control_role), unsigned(s.command_index),
                     unsigned(s.main_exit_pending), unsigned(n.asked ? n.asked->index() + 1 : 0)}) {
    k += static_cast<char>(v);
  }
  return k;
}

/// Stopped, with nobody left to answer: the shortest and the longest way down.
std::string stuck_after_stop(ServiceWorld& w, const Node& from) {
  for (bool waiting : {true, false}) {
    Node node = from;
    bool asked_to_stop = false;
    for (int i = 0; i < 60; ++i) {
      if (asked_to_stop && in(node.state.phase, {P::Dead, P::Failed})) break;
      ServiceEvent event = DeadlineElapsed{};
      if (node.asked) {
        const auto answers = answers_to(*node.asked);
        event = waiting ? answers.front() : answers.back();
      } else if (!asked_to_stop) {
        event = StopRequested{};
        asked_to_stop = true;
      } else if (node.state.deadline != kNever) {
        w.context.now.mono = std::max(w.context.now.mono, node.state.deadline);
      }
      const ServiceStep result = step(w.unit, node.state, event, w.context);
      node.state = result.state;
      const ServiceAction* asked = question(result);
      node.asked = asked != nullptr ? std::optional(*asked) : std::nullopt;
    }
    if (!in(node.state.phase, {P::Dead, P::Failed}))
      return std::string(to_string(node.state.phase));
  }
  return {};
}

TEST_CASE("no event in any state that can be reached breaks a rule", "[engine][service]") {
  std::set<ServicePhase> reached;
  std::size_t steps = 0;
  for (ServiceType type : kServiceTypesInUse) {
    for (const Variant& variant : kVariants) {
      INFO("type " << static_cast<int>(type) << ", " << variant.name);
      ServiceWorld w{type};
      w.service().timeout_start = seconds(90);
      variant.apply(w);
      w.context.idle = false;
      const Timestamp began = w.context.now;
      std::set<std::string> seen{key(w.service(), ServiceState{}, nullptr)};
      std::set<std::string> stopped;
      std::deque<Node> todo{Node{}};
      while (!todo.empty()) {
        const Node node = todo.front();
        todo.pop_front();
        reached.insert(node.state.phase);
        w.context.now = began;
        const MonoTime due = std::min(node.state.deadline, node.state.watchdog_deadline);
        if (due != kNever) w.context.now.mono = std::max(due, began.mono);
        const auto events = node.asked ? answers_to(*node.asked) : all_events(node.state);
        for (const ServiceEvent& event : events) {
          ++steps;
          const ServiceStep result = step(w.unit, node.state, event, w.context);
          const ServiceAction* asked = question(result);
          std::string broken = broken_rule(w.unit, result);
          if (broken.empty() && asked == nullptr) broken = broken_rest(result.state);
          if (!broken.empty()) {
            FAIL(broken << ": " << to_string(node.state.phase) << ", event " << event.index()
                        << " → " << to_string(result.state.phase));
          }
          if (!seen.insert(key(w.service(), result.state, asked)).second) continue;
          todo.push_back(
              Node{result.state, asked != nullptr ? std::optional(*asked) : std::nullopt});
        }
        if (!stopped.insert(stop_key(node)).second) continue;
        const std::string stuck = stuck_after_stop(w, node);
        if (!stuck.empty())
          FAIL("stopped in " << to_string(node.state.phase) << ", stuck in " << stuck);
      }
      CHECK(seen.size() > 10);
    }
  }
  CHECK(reached.size() == kServicePhases);
  CHECK(steps > 100000);
}

TEST_CASE("even an answer that nobody asked for does no harm", "[engine][service]") {
  for (ServiceType type : kServiceTypesInUse) {
    for (unsigned phase = 0; phase < kServicePhases; ++phase) {
      for (unsigned bits = 0; bits < 16; ++bits) {
        ServiceWorld w{type};
        one_of_each(w);
        ServiceState s;
        s.phase = static_cast<ServicePhase>(phase);
        s.command_index = 9;  // of a list that has become shorter
        s.main.pid = (bits & 1U) != 0 ? kMain : 0;
        s.main_pid_known = bits & 1U;
        s.control.pid = (bits & 2U) != 0 ? kControl : 0;
        s.spawn_pending = (bits >> 2U) & 1U;
        s.kill_pending = (bits >> 3U) & 1U;
        s.main_exit_pending = (bits >> 3U) & 1U;
        s.deadline = w.now();
        for (const ServiceEvent& event : all_events(s)) {
          const ServiceStep result = step(w.unit, s, event, w.context);
          unsigned asked = 0;
          for (const ServiceAction& action : result.actions) {
            if (is_answered(action)) ++asked;
            if (const Spawn* spawn = std::get_if<Spawn>(&action)) {
              REQUIRE(spawn->index < w.service().commands(spawn->role).size());
            }
          }
          REQUIRE(asked <= 1);
          REQUIRE(static_cast<unsigned>(result.state.phase) < kServicePhases);
        }
        (void)adopt(w.unit, s, w.context);
      }
    }
  }
}

TEST_CASE("a unit without a service section changes nothing", "[engine][service]") {
  ServiceWorld w;
  w.unit.service.reset();
  ServiceState s;
  const ServiceStep result = step(w.unit, s, StartRequested{}, w.context);
  CHECK(result.state.phase == ServicePhase::Dead);
  CHECK(result.actions.empty());
}

}  // namespace
}  // namespace onset::test
