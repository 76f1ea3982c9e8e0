// Which phase follows which, in any configuration: the last table of services in
// docs/states.md, made by feeding each event in each state that can be reached to step().
// After a change of the machine: engine_tests "docs/states.md gets its joined phases anew".
#include <catch2/catch.hpp>

#include <algorithm>
#include <deque>
#include <iterator>
#include <map>
#include <set>
#include <tuple>

#include "base/format.h"
#include "support/event_names.h"
#include "support/service_space.h"
#include "support/states_document.h"

namespace onset::test {
namespace {

using std::chrono::seconds;
using P = ServicePhase;

constexpr std::string_view kMaker = "joined_states_test";
void abort_when_late(ServiceWorld& w) {
  w.service().timeout_stop_failure = TimeoutFailureMode::Abort;
  w.service().timeout_start_failure = TimeoutFailureMode::Abort;
}

void kill_when_late(ServiceWorld& w) {
  w.service().timeout_stop_failure = TimeoutFailureMode::Kill;
  w.service().timeout_start_failure = TimeoutFailureMode::Kill;
}

struct Variant {
  std::string_view name;
  void (*apply)(ServiceWorld&);
};

constexpr std::array kVariants{
    Variant{"`ExecStart=` alone", [](ServiceWorld&) {}},
    Variant{"a command in every list, `Restart=always`, `WatchdogSec=`, `RuntimeMaxSec=`",
            [](ServiceWorld& w) {
              one_of_each(w);
              w.service().restart = ServiceRestart::Always;
              w.service().watchdog = seconds(20);
              w.service().runtime_max = seconds(1000);
            }},
    Variant{"no other command, the same",
            [](ServiceWorld& w) {
              w.service().restart = ServiceRestart::Always;
              w.service().watchdog = seconds(20);
              w.service().runtime_max = seconds(1000);
            }},
    Variant{"`RemainAfterExit=`", [](ServiceWorld& w) { w.service().remain_after_exit = true; }},
    Variant{"`RemainAfterExit=`, a command in every list, `Timeout…FailureMode=abort`",
            [](ServiceWorld& w) {
              one_of_each(w);
              abort_when_late(w);
              w.service().remain_after_exit = true;
            }},
    Variant{"`PIDFile=`, `SendSIGKILL=no`, `Timeout…FailureMode=kill`, `OOMPolicy=kill`",
            [](ServiceWorld& w) {
              kill_when_late(w);
              w.service().pid_file = "/run/a.pid";
              w.service().oom_policy = OomPolicy::Kill;
              w.service().oom_policy_written = true;
              w.kill().send_sigkill = false;
            }},
    Variant{"`ExitType=cgroup`, `Restart=on-failure`, `KillMode=mixed`, `ExecStopPost=`",
            [](ServiceWorld& w) {
              if (w.service().type != ServiceType::Oneshot)
                w.service().exit_type = ExitType::Cgroup;
              w.service().restart = ServiceRestart::OnFailure;
              w.kill().mode = KillMode::Mixed;
              abort_when_late(w);
              w.commands(ExecRole::StopPost, {"post"});
            }}};

// ---- what may happen ------------------------------------------------------------------

struct Node {
  ServiceState state;
  std::optional<ServiceAction> asked;
  bool watches_empty = false;
};

NotifyMessage message(void (*set)(NotifyMessage&)) {
  NotifyMessage m;
  m.monotonic = MonoTime{INT64_MAX - 1};
  set(m);
  return m;
}

/// What the manager could tell the service now.
std::vector<ServiceEvent> events_in(const Node& n, const ServiceConfig& config) {
  if (n.asked) return answers_to(*n.asked);
  const ServiceState& s = n.state;
  std::vector<ServiceEvent> events{StopRequested{}};
  const bool rests = s.phase == P::Dead || s.phase == P::Failed;
  if (rests || s.phase == P::AutoRestartQueued) {
    events.emplace_back(StartRequested{});
    events.emplace_back(StartLimitHit{});
  }
  if (rests) events.emplace_back(ResetFailed{});
  events.emplace_back(ReloadRequested{});
  if (s.exec_pending != 0) events.emplace_back(ExecDone{s.main.pid});
  if (n.watches_empty) events.emplace_back(UnitEmpty{});
  if (s.deadline != kNever) events.emplace_back(DeadlineElapsed{});
  if (s.watchdog_deadline != kNever) events.emplace_back(WatchdogElapsed{});
  if (s.guarded_idle != 0) events.emplace_back(QueueIdle{});
  if (config.type == ServiceType::Dbus) {
    events.insert(events.end(), {BusNameChanged{true, kMain, false},
                                 BusNameChanged{false, 0, false}, BusNameChanged{false, 0, true}});
  }
  std::ranges::move(ends_in(s), std::back_inserter(events));
  if (rests || s.phase >= P::DeadBeforeAutoRestart) return events;
  events.emplace_back(OomKilled{});
  if (config.notify_access == NotifyAccess::None) return events;
  events.emplace_back(message([](NotifyMessage& m) { m.ready = true; }));
  events.emplace_back(message([](NotifyMessage& m) { m.reloading = true; }));
  events.emplace_back(message([](NotifyMessage& m) { m.ready = m.reloading = true; }));
  events.emplace_back(message([](NotifyMessage& m) { m.stopping = true; }));
  events.emplace_back(message([](NotifyMessage& m) { m.watchdog_trigger = true; }));
  events.emplace_back(message([](NotifyMessage& m) { m.main_pid = kOther; }));
  return events;
}

/// Only what the machine can still decide by.
std::string key(const ServiceConfig& config, const Node& n) {
  const ServiceState& s = n.state;
  const unsigned kind = s.result == ServiceResult::Success         ? 0
                        : s.result == ServiceResult::ExecCondition ? 1
                                                                   : 2;
  const bool has_command = s.control.pid != 0 || n.asked || s.phase == P::Start;
  const bool stops = s.phase >= P::Stop && s.phase <= P::FinalSigkill;
  std::string k;
  for (unsigned v :
       {unsigned(s.phase), kind, stops ? 0 : unsigned(s.notify),
        has_command ? unsigned(s.control_role) : 0, has_command ? unsigned(s.command_index) : 0,
        unsigned(s.main_pid_known), unsigned(s.forbid_restart), unsigned(s.exec_pending),
        config.type == ServiceType::Dbus ? unsigned(s.bus_name_good) : 0, unsigned(s.guarded_idle),
        unsigned(s.main.pid), unsigned(s.control.pid != 0), unsigned(s.deadline != kNever),
        unsigned(s.watchdog_deadline != kNever), unsigned(s.main_exit_pending),
        unsigned(n.watches_empty)}) {
    k += static_cast<char>(v & 0xffU);
    k += static_cast<char>(v >> 8U);
  }
  return k + (n.asked ? to_text(*n.asked) : "");
}

// ---- the space --------------------------------------------------------------------------

using Ways = std::map<std::pair<P, P>, std::set<std::size_t>>;  ///< by the numbers of events

std::size_t number_of(std::string_view event) {
  return static_cast<std::size_t>(std::ranges::find(kEventNames, event) - kEventNames.begin());
}

Node after(const Node& before, ServiceStep step) {
  Node node{std::move(step.state), std::nullopt, before.watches_empty};
  for (const ServiceAction& action : step.actions) {
    if (std::holds_alternative<WatchEmpty>(action)) node.watches_empty = true;
    if (std::holds_alternative<Release>(action)) node.watches_empty = false;
  }
  // That WatchEmpty is not answered at once means that it is not empty.
  if (!step.actions.empty() && is_answered(step.actions.back()) &&
      !std::holds_alternative<WatchEmpty>(step.actions.back()))
    node.asked = step.actions.back();
  return node;
}

void explore(ServiceWorld& w, Ways& ways) {
  const Timestamp began = w.context.now;
  std::set<std::string> seen{key(w.service(), Node{})};
  std::deque<Node> todo{Node{}};
  while (!todo.empty()) {
    const Node node = std::move(todo.front());
    todo.pop_front();
    w.context.now = began;
    const MonoTime due = std::min(node.state.deadline, node.state.watchdog_deadline);
    if (due != kNever) w.context.now.mono = std::max(due, began.mono);
    for (const ServiceEvent& event : events_in(node, w.service())) {
      Node next = after(node, step(w.unit, node.state, event, w.context));
      if (next.state.phase != node.state.phase)
        ways[{node.state.phase, next.state.phase}].insert(number_of(event_name(event, node.state)));
      if (seen.insert(key(w.service(), next)).second) todo.push_back(std::move(next));
    }
  }
}

std::string table() {
  std::string out = "Every `Type=`, each with:\n\n";
  Ways ways;
  for (const Variant& variant : kVariants) {
    out += format("- {}\n", variant.name);
    for (const ServiceType type : kServiceTypesInUse) {
      ServiceWorld w{type};
      w.service().timeout_start = seconds(90);
      w.service().notify_access = NotifyAccess::All;
      w.context.idle = false;
      variant.apply(w);
      explore(w, ways);
    }
  }
  out += "\n| phase | next | by |\n|---|---|---|\n";
  for (const auto& [phases, events] : ways) {
    std::string by;
    for (const std::size_t event : events)
      by += format("{}{}", by.empty() ? "" : "; ", kEventNames[event]);
    out += format("| {} | {} | {} |\n", to_string(phases.first), to_string(phases.second), by);
  }
  return out;
}

TEST_CASE("docs/states.md shows every way from phase to phase", "[engine][service]") {
  INFO("if the change is meant: engine_tests \"docs/states.md gets its joined phases anew\"");
  CHECK(shown_in_states(kMaker) == "\n" + table() + "\n");
}

TEST_CASE("docs/states.md gets its joined phases anew", "[.][write]") {
  write_into_states(kMaker, "\n" + table() + "\n");
}

}  // namespace
}  // namespace onset::test
