// docs/states.md shows the machine as tables that are made here, by running it.
// After a change of the machine: engine_tests "docs/states.md is written anew".
#include <catch2/catch.hpp>

#include <functional>

#include "base/format.h"
#include "support/service_world.h"
#include "support/states_document.h"

namespace onset::test {
namespace {

using std::chrono::seconds;

constexpr std::string_view kMaker = "service_states_test";

std::string type_name(ServiceType type) {
  switch (type) {
    case ServiceType::Simple:
      return "simple";
    case ServiceType::Exec:
      return "exec";
    case ServiceType::Forking:
      return "forking";
    case ServiceType::Oneshot:
      return "oneshot";
    case ServiceType::Dbus:
      return "dbus";
    case ServiceType::Notify:
      return "notify";
    case ServiceType::NotifyReload:
      return "notify-reload";
    case ServiceType::Idle:
      return "idle";
  }
  return "";
}

constexpr std::array kTypes{ServiceType::Simple,  ServiceType::Exec,        ServiceType::Idle,
                            ServiceType::Oneshot, ServiceType::Forking,     ServiceType::Dbus,
                            ServiceType::Notify,  ServiceType::NotifyReload};

// ---- phases by events -------------------------------------------------------------------

/// The service of the big table: Type=notify with a command in every list,
/// Restart=on-failure, WatchdogSec=, RuntimeMaxSec=.
ServiceWorld full() {
  ServiceWorld w{ServiceType::Notify};
  for (ExecRole role : {ExecRole::Condition, ExecRole::StartPre, ExecRole::StartPost,
                        ExecRole::Reload, ExecRole::Stop, ExecRole::StopPost}) {
    w.commands(role, {"command"});
  }
  w.service().restart = ServiceRestart::OnFailure;
  w.service().watchdog = seconds(2000);
  w.service().runtime_max = seconds(1000);
  return w;
}

/// How the phase is entered, with the processes that are there then.
ServiceState in_phase(const ServiceWorld& w, ServicePhase phase) {
  using P = ServicePhase;
  ServiceState s;
  s.phase = phase;
  s.deadline = w.now();
  s.reload_began = w.now();
  const auto main = [&] {
    s.main.pid = 100;
    s.main_pid_known = 1;
  };
  const auto control = [&](ExecRole role) {
    s.control.pid = 200;
    s.control_role = role;
  };
  const auto failed = [&] { s.result = ServiceResult::ExitCode; };
  switch (phase) {
    case P::Condition:
      control(ExecRole::Condition);
      break;
    case P::StartPre:
      control(ExecRole::StartPre);
      break;
    case P::Start:
    case P::ReloadSignal:
    case P::ReloadNotify:
    case P::StopWatchdog:
    case P::StopSigterm:
    case P::StopSigkill:
      main();
      break;
    case P::Running:
      main();
      s.watchdog_deadline = w.now();
      s.runtime_deadline = w.now();
      break;
    case P::StartPost:
      main();
      control(ExecRole::StartPost);
      break;
    case P::Reload:
      main();
      control(ExecRole::Reload);
      break;
    case P::Stop:
      main();
      control(ExecRole::Stop);
      break;
    case P::StopPost:
      control(ExecRole::StopPost);
      break;
    case P::Dead:
    case P::Exited:
    case P::AutoRestartQueued:
      s.deadline = kNever;
      break;
    case P::Failed:
      s.deadline = kNever;
      failed();
      break;
    case P::FailedBeforeAutoRestart:
      failed();
      break;
    case P::FinalWatchdog:
      s.result = ServiceResult::Timeout;  // nothing else leads there
      break;
    case P::FinalSigterm:
    case P::FinalSigkill:
    case P::DeadBeforeAutoRestart:
    case P::AutoRestart:
      break;
  }
  return s;
}

struct Column {
  std::string_view name;
  std::function<ServiceEvent(const ServiceState&)> event;
};

NotifyMessage message(void (*set)(NotifyMessage&)) {
  NotifyMessage m;
  m.monotonic = MonoTime{INT64_MAX - 1};
  set(m);
  return m;
}

const std::vector<Column>& columns() {
  using S = const ServiceState&;
  static const std::vector<Column> all{
      {"start", [](S) { return StartRequested{}; }},
      {"start limit", [](S) { return StartLimitHit{}; }},
      {"stop", [](S) { return StopRequested{}; }},
      {"reload", [](S) { return ReloadRequested{}; }},
      {"main exits, 0",
       [](S s) {
         return ProcessExited{s.main.pid, {ExitKind::Exited, 0}};
       }},
      {"main exits, 1",
       [](S s) {
         return ProcessExited{s.main.pid, {ExitKind::Exited, 1}};
       }},
      {"command exits, 0",
       [](S s) {
         return ProcessExited{s.control.pid, {ExitKind::Exited, 0}};
       }},
      {"command exits, 1",
       [](S s) {
         return ProcessExited{s.control.pid, {ExitKind::Exited, 1}};
       }},
      {"unit empty", [](S) { return UnitEmpty{}; }},
      {"deadline", [](S) { return DeadlineElapsed{}; }},
      {"watchdog", [](S) { return WatchdogElapsed{}; }},
      {"READY=1", [](S) { return message([](NotifyMessage& m) { m.ready = true; }); }},
      {"RELOADING=1", [](S) { return message([](NotifyMessage& m) { m.reloading = true; }); }},
      {"STOPPING=1", [](S) { return message([](NotifyMessage& m) { m.stopping = true; }); }},
      {"WATCHDOG=trigger",
       [](S) { return message([](NotifyMessage& m) { m.watchdog_trigger = true; }); }},
      {"OOM kill", [](S) { return OomKilled{}; }},
      {"restart queued", [](S) { return RestartQueued{}; }},
      {"passed", [](S) { return Passed{}; }},
      {"reset-failed", [](S) { return ResetFailed{}; }},
  };
  return all;
}

std::string row(const ServiceWorld& w, const ServiceState& before, const Column& column) {
  const ServiceStep result = step(w.unit, before, column.event(before), w.context);
  std::string actions;
  for (const ServiceAction& action : result.actions) {
    if (std::holds_alternative<Say>(action)) continue;
    actions += (actions.empty() ? "" : ", ") + to_text(action);
  }
  const bool moves = result.state.phase != before.phase;
  if (!moves && actions.empty()) return {};
  std::string outcome;
  if (result.state.result != before.result) outcome = to_string(result.state.result);
  if (result.reload_done) outcome = *result.reload_done ? "reloaded" : "not reloaded";
  return format("| {} | {} | {} | {} | {} |\n", to_string(before.phase), column.name,
                moves ? to_string(result.state.phase) : "–", actions, outcome);
}

std::string phase_table() {
  const ServiceWorld w = full();
  std::string out =
      "### Phases and events\n\n"
      "`Type=notify` with one command in every list, `Restart=on-failure`, `WatchdogSec=`,\n"
      "`RuntimeMaxSec=`. What is not in the table changes neither phase nor the world.\n\n"
      "| phase | event | next | actions | result |\n|---|---|---|---|---|\n";
  for (unsigned p = 0; p < kServicePhases; ++p) {
    const ServiceState before = in_phase(w, static_cast<ServicePhase>(p));
    for (const Column& column : columns()) out += row(w, before, column);
  }
  return out + "\n";
}

// ---- what a phase is to others ----------------------------------------------------------------

std::string active_table() {
  std::string out =
      "### Phases and unit states\n\n"
      "| phase | state | of `Type=idle` |\n|---|---|---|\n";
  for (unsigned i = 0; i < kServicePhases; ++i) {
    const auto p = static_cast<ServicePhase>(i);
    out +=
        format("| {} | {} | {} |\n", to_string(p), to_string(active_state(p, ServiceType::Simple)),
               to_string(active_state(p, ServiceType::Idle)));
  }
  return out + "\n";
}

// ---- when a type is up --------------------------------------------------------------------------

std::string type_table() {
  struct Happening {
    std::string_view name;
    void (*happen)(ServiceWorld&);
  };
  const std::vector<Happening> happenings{
      {"spawned", [](ServiceWorld&) {}},
      {"execve done", [](ServiceWorld& w) { w.feed(ExecDone{w.state.main.pid}); }},
      {"process exits, 0",
       [](ServiceWorld& w) {
         if (w.service().type == ServiceType::Forking) w.guess = w.fork();
         w.state.main.pid > 0 ? w.main_exits(0) : w.control_exits(0);
       }},
      {"READY=1", [](ServiceWorld& w) { w.notify("READY=1"); }},
      {"name owned",
       [](ServiceWorld& w) {
         w.feed(BusNameChanged{true, 0, false});
       }},
  };
  std::string out =
      "### Types: the phase after the start and one thing more\n\n"
      "| `Type=` |";
  for (const Happening& h : happenings) out += format(" {} |", h.name);
  out += "\n|---|---|---|---|---|---|\n";
  for (ServiceType type : kTypes) {
    out += format("| {} |", type_name(type));
    for (const Happening& h : happenings) {
      ServiceWorld w{type};
      w.exec_is_late = true;
      w.start();
      h.happen(w);
      out += format(" {} |", w.phase());
    }
    out += "\n";
  }
  return out + "\n";
}

// ---- Restart=
// -------------------------------------------------------------------------------------

std::string restart_table() {
  struct Cause {
    std::string_view name;
    void (*happen)(ServiceWorld&);
  };
  const std::vector<Cause> causes{
      {"exits, 0", [](ServiceWorld& w) { w.main_exits(0); }},
      {"SIGTERM", [](ServiceWorld& w) { w.main_dies(15); }},
      {"exits, 1", [](ServiceWorld& w) { w.main_exits(1); }},
      {"SIGKILL", [](ServiceWorld& w) { w.main_dies(9); }},
      {"core dump", [](ServiceWorld& w) { w.main_dies(11, true); }},
      {"`RuntimeMaxSec=`",
       [](ServiceWorld& w) {
         w.pass(seconds(60));
         w.main_dies(15);
       }},
      {"`WATCHDOG=trigger`",
       [](ServiceWorld& w) {
         w.notify("WATCHDOG=trigger");
         w.main_dies(6, true);
       }},
      {"stopped, exits 1",
       [](ServiceWorld& w) {
         w.stop();
         w.main_exits(1);
       }},
  };
  const std::vector<std::pair<std::string_view, ServiceRestart>> settings{
      {"no", ServiceRestart::No},
      {"always", ServiceRestart::Always},
      {"on-success", ServiceRestart::OnSuccess},
      {"on-failure", ServiceRestart::OnFailure},
      {"on-abnormal", ServiceRestart::OnAbnormal},
      {"on-abort", ServiceRestart::OnAbort},
      {"on-watchdog", ServiceRestart::OnWatchdog}};
  std::string out =
      "### `Restart=`: what ends the service, and the phase that follows\n\n| cause |";
  for (const auto& [name, setting] : settings) out += format(" {} |", name);
  out += "\n|---|---|---|---|---|---|---|---|\n";
  for (const Cause& cause : causes) {
    out += format("| {} |", cause.name);
    for (const auto& [name, setting] : settings) {
      ServiceWorld w;
      w.service().restart = setting;
      w.service().restart_delay = seconds(100);
      w.service().runtime_max = seconds(60);
      w.start();
      cause.happen(w);
      out += format(" {} |", w.phase());
    }
    out += "\n";
  }
  return out;
}

std::string all_tables() {
  return phase_table() + type_table() + restart_table() + "\n" + active_table();
}

// ---- the document -----------------------------------------------------------------

TEST_CASE("docs/states.md shows the service machine as it is", "[engine][service]") {
  INFO("if the change is meant: engine_tests \"docs/states.md is written anew\"");
  CHECK(shown_in_states(kMaker) == "\n" + all_tables());
}

TEST_CASE("docs/states.md is written anew", "[.][write]") {
  write_into_states(kMaker, "\n" + all_tables());
}

TEST_CASE("every phase and every result has a word of its own", "[engine][service]") {
  std::set<std::string_view> words;
  for (unsigned i = 0; i < kServicePhases; ++i)
    words.insert(to_string(static_cast<ServicePhase>(i)));
  CHECK(words.size() == kServicePhases);
  CHECK_FALSE(words.contains(""));
  std::set<std::string_view> results;
  for (unsigned i = 0; i <= static_cast<unsigned>(ServiceResult::OomKill); ++i) {
    results.insert(to_string(static_cast<ServiceResult>(i)));
  }
  CHECK(results.size() == 11);
  CHECK_FALSE(results.contains(""));
}

}  // namespace
}  // namespace onset::test
