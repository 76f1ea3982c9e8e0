#include <catch2/catch.hpp>

#include "support/service_world.h"

namespace onset::test {
namespace {

using Trail = std::vector<std::string>;
using std::chrono::milliseconds;
using std::chrono::seconds;

bool restarts(const ServiceWorld& w) {
  return w.phase() == "auto-restart";
}

// ---- the manual's table: Restart= by cause ------------------------------------------------

struct Cause {
  std::string name;
  void (*happen)(ServiceWorld&);
};

constexpr auto kClean = [](ServiceWorld& w) { w.main_exits(0); };
constexpr auto kCleanSignal = [](ServiceWorld& w) { w.main_dies(15); };
constexpr auto kUncleanCode = [](ServiceWorld& w) { w.main_exits(1); };
constexpr auto kUncleanSignal = [](ServiceWorld& w) { w.main_dies(9); };
constexpr auto kDump = [](ServiceWorld& w) { w.main_dies(11, true); };
constexpr auto kTimeout = [](ServiceWorld& w) {
  w.pass(seconds(60));  // RuntimeMaxSec=
  w.main_dies(15);
};
constexpr auto kWatchdog = [](ServiceWorld& w) {
  w.pass(seconds(20));  // WatchdogSec=
  w.main_dies(6, true);
};

/// Started and ready, however its type says so.
void bring_up(ServiceWorld& w) {
  const ServiceType type = w.service().type;
  if (type == ServiceType::Forking) {
    w.service().guess_main_pid = true;
    w.start();
    w.guess = w.fork();
    w.control_exits(0);
    return;
  }
  w.start();
  if (type == ServiceType::Notify || type == ServiceType::NotifyReload) w.notify("READY=1");
  if (type == ServiceType::Dbus) w.feed(BusNameChanged{true, 0, false});
}

TEST_CASE("Restart= restarts by cause as the manual's table says", "[engine][service]") {
  const std::vector<std::pair<Cause, std::string>> rows{
      // no, always, on-success, on-failure, on-abnormal, on-abort, on-watchdog
      {{"clean exit code", kClean}, "-XX----"},
      {{"clean signal", kCleanSignal}, "-XX----"},
      {{"unclean exit code", kUncleanCode}, "-X-X---"},
      {{"unclean signal", kUncleanSignal}, "-X-XXX-"},
      {{"core dump", kDump}, "-X-XXX-"},
      {{"timeout", kTimeout}, "-X-XX--"},
      {{"watchdog", kWatchdog}, "-X-XX-X"},
  };
  constexpr std::array columns{ServiceRestart::No,         ServiceRestart::Always,
                               ServiceRestart::OnSuccess,  ServiceRestart::OnFailure,
                               ServiceRestart::OnAbnormal, ServiceRestart::OnAbort,
                               ServiceRestart::OnWatchdog};
  const auto type =
      GENERATE(ServiceType::Simple, ServiceType::Exec, ServiceType::Idle, ServiceType::Forking,
               ServiceType::Notify, ServiceType::NotifyReload, ServiceType::Dbus);
  for (const auto& [cause, expected] : rows) {
    for (std::size_t i = 0; i < columns.size(); ++i) {
      ServiceWorld w{type};
      w.service().restart = columns[i];
      w.service().restart_delay = seconds(100);
      w.service().runtime_max = seconds(60);
      if (cause.name == "watchdog") w.service().watchdog = seconds(20);
      bring_up(w);
      INFO(cause.name << ", column " << i << ", type " << static_cast<int>(type));
      REQUIRE(w.phase() == "running");
      cause.happen(w);
      CHECK(restarts(w) == (expected[i] == 'X'));
    }
  }
}

// ---- exceptions to it -------------------------------------------------------------------------

TEST_CASE("SIGHUP, SIGINT, SIGTERM and SIGPIPE are clean, others are not", "[engine][service]") {
  for (int signal = 1; signal <= 64; ++signal) {
    ServiceWorld w;
    w.start();
    w.main_dies(signal);
    const bool clean = signal == 1 || signal == 2 || signal == 13 || signal == 15;
    INFO("signal " << signal);
    CHECK(w.result() == (clean ? "success" : "signal"));
  }
}

TEST_CASE("SuccessExitStatus= adds statuses and signals, core dumps never", "[engine][service]") {
  ServiceWorld w;
  w.service().success_status.add_status(75);
  w.service().success_status.add_signal(9);
  w.service().success_status.add_signal(6);
  w.start();
  SECTION("a status") {
    w.main_exits(75);
    CHECK(w.phase() == "dead");
  }
  SECTION("a signal") {
    w.main_dies(9);
    CHECK(w.phase() == "dead");
  }
  SECTION("another status") {
    w.main_exits(76);
    CHECK(w.phase() == "failed");
  }
  SECTION("a core dump") {
    w.main_dies(6, true);
    CHECK(w.phase() == "failed");
    CHECK(w.result() == "core-dump");
  }
}

TEST_CASE("a main process with a dash ends well whatever it does", "[engine][service]") {
  ServiceWorld w;
  w.commands(ExecRole::Start, {"-main"});
  w.service().restart = ServiceRestart::OnFailure;
  w.start();
  w.main_exits(1);
  CHECK(w.phase() == "dead");
  CHECK(w.result() == "success");
}

TEST_CASE("RestartPreventExitStatus= wins over Restart= and over RestartForceExitStatus=",
          "[engine][service]") {
  ServiceWorld w;
  w.service().restart = ServiceRestart::Always;
  w.service().restart_prevent_status.add_status(6);
  w.service().restart_prevent_status.add_signal(6);
  w.service().restart_force_status.add_status(6);
  w.start();
  SECTION("a status") {
    w.main_exits(6);
  }
  SECTION("a signal") {
    w.main_dies(6);
  }
  SECTION("a signal that dumps core") {
    w.main_dies(6, true);
  }
  CHECK(w.phase() == "failed");
}

TEST_CASE("RestartForceExitStatus= restarts whatever Restart= says", "[engine][service]") {
  ServiceWorld w;
  w.service().restart_force_status.add_status(133);
  w.start();
  SECTION("on its own") {
    w.main_exits(133);
    CHECK(restarts(w));
  }
  SECTION("another status") {
    w.main_exits(134);
    CHECK(w.phase() == "failed");
  }
  SECTION("not when the service is stopped on purpose") {
    w.stop();
    w.main_exits(133);
    CHECK(w.phase() == "failed");
  }
}

TEST_CASE("a oneshot is not forced to restart by a clean status", "[engine][service]") {
  ServiceWorld w{ServiceType::Oneshot};
  w.service().restart_force_status.add_status(0);
  w.start();
  w.main_exits(0);
  CHECK(w.phase() == "dead");
}

TEST_CASE("a service that is stopped on purpose is not restarted", "[engine][service]") {
  ServiceWorld w;
  w.service().restart = ServiceRestart::Always;
  w.start();
  w.feed(StopRequested{});  // the job may be gone before the process is
  w.main_exits(1);
  CHECK(w.phase() == "failed");
}

TEST_CASE("a queued stop and a shutdown keep a service from restarting", "[engine][service]") {
  ServiceWorld w;
  w.service().restart = ServiceRestart::Always;
  w.start();
  SECTION("a stop job") {
    w.context.stop_pending = true;
  }
  SECTION("a shutdown") {
    w.context.stopping = true;
  }
  w.main_exits(1);
  CHECK(w.phase() == "failed");
}

TEST_CASE("a start that fails is restarted like a run that fails", "[engine][service]") {
  ServiceWorld w;
  w.service().restart = ServiceRestart::OnFailure;
  w.commands(ExecRole::StartPre, {"pre"});
  w.start();
  w.control_exits(1);
  CHECK(restarts(w));
}

// ---- the way round
// --------------------------------------------------------------------------------

TEST_CASE("a restart is seen as failed, waits RestartSec= and starts again", "[engine][service]") {
  ServiceWorld w;
  w.service().restart = ServiceRestart::Always;
  w.service().restart_delay = seconds(3);
  w.start();
  w.main_exits(1);
  CHECK(w.phase() == "auto-restart");
  CHECK(w.did("release restarting"));
  CHECK(w.state.restarts == 0);
  w.pass(milliseconds(2999));
  CHECK(w.phase() == "auto-restart");
  w.pass(milliseconds(1));
  CHECK(w.phase() == "auto-restart-queued");
  CHECK(w.state.restarts == 1);
  CHECK(w.state.deadline == kNever);
  w.start();
  CHECK(w.phase() == "running");
  CHECK(w.result() == "success");
  CHECK(w.state.restarts == 1);
  CHECK(w.trail == Trail{"start", "running", "stop-sigterm", "failed-before-auto-restart",
                         "auto-restart", "auto-restart-queued", "start", "running"});
}

TEST_CASE("a clean end that is restarted is seen as dead in between", "[engine][service]") {
  ServiceWorld w;
  w.service().restart = ServiceRestart::Always;
  w.start();
  w.main_exits(0);
  CHECK(w.trail.at(w.trail.size() - 2) == "dead-before-auto-restart");
}

TEST_CASE("the phases before a restart mean dead and failed to others", "[engine][service]") {
  constexpr ServiceType t = ServiceType::Simple;
  CHECK(active_state(ServicePhase::DeadBeforeAutoRestart, t) == ActiveState::Inactive);
  CHECK(active_state(ServicePhase::FailedBeforeAutoRestart, t) == ActiveState::Failed);
  CHECK(active_state(ServicePhase::AutoRestart, t) == ActiveState::Activating);
  CHECK(active_state(ServicePhase::AutoRestartQueued, t) == ActiveState::Activating);
}

TEST_CASE("a passing state that is never answered goes on by its deadline", "[engine][service]") {
  ServiceWorld w;
  w.service().restart = ServiceRestart::Always;
  w.start();
  w.state.phase = ServicePhase::FailedBeforeAutoRestart;
  w.state.deadline = w.now();
  w.feed(DeadlineElapsed{});
  CHECK(w.phase() == "auto-restart");
}

TEST_CASE("a start by hand does not cut RestartSec= short", "[engine][service]") {
  ServiceWorld w;
  w.service().restart = ServiceRestart::Always;
  w.service().restart_delay = seconds(3);
  w.start();
  w.main_exits(1);
  w.start();
  CHECK(w.phase() == "auto-restart");
}

TEST_CASE("without RestartSec= it is DefaultRestartSec= that is waited for", "[engine][service]") {
  ServiceWorld w;
  w.service().restart = ServiceRestart::Always;
  w.context.default_restart_delay = seconds(7);
  SECTION("unset") {}
  SECTION("set, which wins") {
    w.service().restart_delay = seconds(9);
  }
  const auto delay = w.service().restart_delay.value_or(seconds(7));
  w.start();
  w.main_exits(1);
  w.pass(delay - seconds(1));
  CHECK(w.phase() == "auto-restart");
  w.pass(seconds(1));
  CHECK(w.phase() != "auto-restart");
}

TEST_CASE("a stop ends the wait for a restart", "[engine][service]") {
  ServiceWorld w;
  w.service().restart = ServiceRestart::Always;
  w.service().restart_delay = seconds(3);
  w.start();
  w.main_exits(1);
  SECTION("while RestartSec= passes") {}
  SECTION("when the restart is queued") {
    w.pass(seconds(3));
  }
  w.done();
  w.stop();
  CHECK(w.phase() == "dead");
  CHECK(w.done() == std::vector<std::string>{"release"});
  w.pass(seconds(100));
  CHECK(w.phase() == "dead");
}

TEST_CASE("a restart whose job is refused fails the unit", "[engine][service]") {
  ServiceWorld w;
  w.service().restart = ServiceRestart::Always;
  w.refuse_restart = true;
  w.start();
  w.main_exits(1);
  w.pass(seconds(1));
  CHECK(w.phase() == "failed");
  CHECK(w.result() == "exit-code");
}

TEST_CASE("a restart that is due while a stop is queued waits for it", "[engine][service]") {
  ServiceWorld w;
  w.service().restart = ServiceRestart::Always;
  w.start();
  w.main_exits(1);
  w.context.stop_pending = true;
  w.pass(milliseconds(500));
  CHECK(w.phase() == "auto-restart");
  SECTION("the stop comes") {
    w.stop();
    CHECK(w.phase() == "dead");
  }
  SECTION("the stop is cancelled") {
    w.context.stop_pending = false;
    w.pass(milliseconds(500));
    CHECK(w.phase() == "auto-restart-queued");
  }
}

TEST_CASE("a start by hand counts restarts from zero", "[engine][service]") {
  ServiceWorld w;
  w.service().restart = ServiceRestart::OnFailure;
  w.start();
  for (int i = 0; i < 3; ++i) {
    w.main_exits(1);
    w.pass(seconds(1));
    w.start();
  }
  CHECK(w.state.restarts == 3);
  w.main_exits(0);
  CHECK(w.state.restarts == 3);  // still to be seen
  w.start();
  CHECK(w.state.restarts == 0);
}

TEST_CASE("RestartSteps= lead from RestartSec= to RestartMaxDelaySec= by a constant factor",
          "[engine][service]") {
  ServiceWorld w;
  w.service().restart = ServiceRestart::Always;
  w.service().restart_delay = seconds(1);
  w.service().restart_max_delay = seconds(16);
  w.service().restart_steps = 4;
  w.start();
  for (int expected : {1, 2, 4, 8, 16, 16, 16}) {
    w.main_exits(1);
    const Duration delay = w.state.deadline - w.now();
    CHECK(std::abs(delay.count() - expected * 1000000) <= 1);
    w.pass(delay);
    w.start();
  }
}

TEST_CASE("without both of RestartSteps= and RestartMaxDelaySec= the delay stays",
          "[engine][service]") {
  ServiceWorld w;
  w.service().restart = ServiceRestart::Always;
  w.service().restart_delay = seconds(1);
  SECTION("no steps") {
    w.service().restart_max_delay = seconds(16);
  }
  SECTION("no maximum") {
    w.service().restart_steps = 4;
  }
  SECTION("a maximum below it") {
    w.service().restart_steps = 4;
    w.service().restart_max_delay = milliseconds(1);
  }
  w.start();
  for (int i = 0; i < 6; ++i) {
    w.main_exits(1);
    CHECK(w.state.deadline - w.now() == seconds(1));
    w.pass(seconds(1));
    w.start();
  }
}

TEST_CASE("RestartSec=infinity waits for somebody", "[engine][service]") {
  ServiceWorld w;
  w.service().restart = ServiceRestart::Always;
  w.service().restart_delay = kInfinity;
  w.start();
  w.main_exits(1);
  CHECK(w.phase() == "auto-restart");
  CHECK(w.state.deadline == kNever);
  w.stop();
  CHECK(w.phase() == "dead");
}

// ---- start limit, reset-failed ------------------------------------------------------------------

TEST_CASE("a start limit that is hit fails the unit and keeps the cause", "[engine][service]") {
  ServiceWorld w;
  w.service().restart = ServiceRestart::Always;
  SECTION("on the first start") {
    w.feed(StartLimitHit{});
    CHECK(w.result() == "start-limit-hit");
  }
  SECTION("on a restart") {
    w.start();
    w.main_exits(1);
    w.pass(seconds(1));
    w.feed(StartLimitHit{});
    CHECK(w.result() == "exit-code");
  }
  CHECK(w.phase() == "failed");
  w.start();
  CHECK(w.phase() == "running");
}

TEST_CASE("reset-failed forgets the failure and the restarts", "[engine][service]") {
  ServiceWorld w;
  w.start();
  w.state.restarts = 4;
  w.main_exits(1);
  w.feed(ResetFailed{});
  CHECK(w.phase() == "dead");
  CHECK(w.result() == "success");
  CHECK(w.state.restarts == 0);
}

TEST_CASE("reset-failed leaves what runs and what stops alone", "[engine][service]") {
  ServiceWorld w;
  w.service().timeout_stop = seconds(1);
  w.start();
  w.feed(ResetFailed{});
  CHECK(w.phase() == "running");
  w.stop();
  w.pass(seconds(1));
  w.feed(ResetFailed{});
  CHECK(w.phase() == "stop-sigkill");
  CHECK(w.result() == "timeout");
}

// ---- ExecStop= and failures --------------------------------------------------------------------

TEST_CASE("ExecStop= runs after a clean end and not after a failed one", "[engine][service]") {
  ServiceWorld w;
  w.commands(ExecRole::Stop, {"stop"});
  w.commands(ExecRole::StopPost, {"post"});
  w.start();
  SECTION("clean") {
    w.main_exits(0);
    CHECK(w.phase() == "stop");
    w.control_exits(0);
  }
  SECTION("failed") {
    w.main_exits(1);
    CHECK_FALSE(w.did("spawn ExecStop 0"));
  }
  CHECK(w.phase() == "stop-post");
}

TEST_CASE("RemainAfterExit= keeps a clean end and no failed one", "[engine][service]") {
  ServiceWorld w;
  w.service().remain_after_exit = true;
  w.start();
  SECTION("clean") {
    w.main_exits(0);
    CHECK(w.phase() == "exited");
  }
  SECTION("failed") {
    w.main_exits(1);
    CHECK(w.phase() == "failed");
  }
}

TEST_CASE("a main process that is not our child ends well when it is gone", "[engine][service]") {
  ServiceWorld w{ServiceType::Forking};
  w.service().pid_file = "/run/a.pid";
  w.start();
  w.fork();
  w.control_exits(0);
  w.feed(MainPidFound{777, true, true});
  CHECK(w.phase() == "running");
  CHECK(w.state.main_pid_alien == 1);
  w.feed(ProcessExited{777, {ExitKind::None, 0}});
  CHECK(w.phase() == "stop-sigterm");  // the rest of the unit
  CHECK(w.result() == "success");
}

}  // namespace
}  // namespace onset::test
