#include <catch2/catch.hpp>

#include "support/service_world.h"

namespace onset::test {
namespace {

using Actions = std::vector<std::string>;
using Trail = std::vector<std::string>;
using std::chrono::milliseconds;
using std::chrono::seconds;

TEST_CASE("a service that ends at SIGTERM is dead without a wait", "[engine][service]") {
  ServiceWorld w;
  w.start();
  w.done();
  w.stop();
  CHECK(w.phase() == "stop-sigterm");
  CHECK(w.done() == Actions{"kill terminate"});
  w.main_dies(15);
  CHECK(w.phase() == "dead");
  CHECK(w.result() == "success");
  CHECK(w.done() == Actions{"kill terminate", "release"});
}

TEST_CASE("a service that ignores SIGTERM is killed when TimeoutStopSec= elapses",
          "[engine][service]") {
  ServiceWorld w;
  w.service().timeout_stop = seconds(5);
  w.start();
  w.stop();
  w.pass(milliseconds(4999));
  CHECK(w.phase() == "stop-sigterm");
  w.pass(milliseconds(1));
  CHECK(w.phase() == "stop-sigkill");
  w.main_dies(9);
  CHECK(w.phase() == "failed");
  CHECK(w.result() == "timeout");
}

TEST_CASE("ExecStop= comes before the signal, ExecStopPost= after the end", "[engine][service]") {
  ServiceWorld w;
  w.commands(ExecRole::Stop, {"stop1", "stop2"});
  w.commands(ExecRole::StopPost, {"post1", "post2"});
  w.start();
  w.done();
  w.stop();
  w.control_exits(0);
  w.control_exits(0);
  CHECK(w.phase() == "stop-sigterm");
  w.main_dies(15);
  w.control_exits(0);
  CHECK(w.phase() == "stop-post");
  w.control_exits(0);
  CHECK(w.phase() == "dead");
  CHECK(w.done() == Actions{"spawn ExecStop 0", "spawn ExecStop 1", "kill terminate",
                            "spawn ExecStopPost 0", "spawn ExecStopPost 1", "kill terminate",
                            "release"});
}

TEST_CASE("a main process that ends during ExecStop= needs no signal", "[engine][service]") {
  ServiceWorld w;
  w.commands(ExecRole::Stop, {"stop"});
  w.start();
  w.stop();
  w.main_exits(0);
  CHECK(w.phase() == "stop");
  w.control_exits(0);
  CHECK(w.phase() == "dead");
  CHECK(w.result() == "success");
}

TEST_CASE("an ExecStop= that fails skips those after it and fails the unit", "[engine][service]") {
  ServiceWorld w;
  w.commands(ExecRole::Stop, {"stop1", "stop2"});
  w.start();
  w.stop();
  w.control_exits(1);
  CHECK(w.phase() == "stop-sigterm");
  w.main_dies(15);
  CHECK(w.phase() == "failed");
  CHECK(w.result() == "exit-code");
  CHECK_FALSE(w.did("spawn ExecStop 1"));
}

TEST_CASE("an ExecStop= that takes too long gives way to SIGTERM", "[engine][service]") {
  ServiceWorld w;
  w.service().timeout_stop = seconds(5);
  w.commands(ExecRole::Stop, {"stop1", "stop2"});
  w.start();
  w.stop();
  w.pass(seconds(5));
  CHECK(w.phase() == "stop-sigterm");
  CHECK(w.result() == "timeout");
  SECTION("the command ends first") {
    w.control_exits(0);
    CHECK(w.phase() == "stop-sigterm");
    w.main_dies(15);
  }
  SECTION("the main process ends first") {
    w.main_dies(15);
    CHECK(w.phase() == "stop-sigterm");
    w.control_dies(15);
  }
  CHECK(w.phase() == "failed");
  CHECK_FALSE(w.did("spawn ExecStop 1"));
}

TEST_CASE("each ExecStop= command has the whole stop timeout", "[engine][service]") {
  ServiceWorld w;
  w.service().timeout_stop = seconds(5);
  w.commands(ExecRole::Stop, {"stop1", "stop2"});
  w.start();
  w.stop();
  w.pass(seconds(4));
  w.control_exits(0);
  w.pass(seconds(4));
  CHECK(w.phase() == "stop");
}

TEST_CASE("an ExecStop= that can't be spawned gives way to SIGTERM", "[engine][service]") {
  ServiceWorld w;
  w.commands(ExecRole::Stop, {"stop"});
  w.start();
  w.fail_spawns = 1;
  w.stop();
  CHECK(w.phase() == "stop-sigterm");
  CHECK(w.result() == "resources");
}

TEST_CASE("each command of ExecStopPost= runs behind a service that has failed, with its own time",
          "[engine][service]") {
  ServiceWorld w;
  w.commands(ExecRole::StopPost, {"one", "two"});
  w.start();
  w.main_exits(1);
  REQUIRE(w.phase() == "stop-post");
  w.pass(seconds(30));
  w.control_exits(0);
  CHECK(w.phase() == "stop-post");
  CHECK(w.state.command_index == 1);
  CHECK(w.state.deadline == w.now() + seconds(90));
  w.control_exits(0);
  CHECK(w.phase() == "failed");
}

TEST_CASE("an ExecStopPost= that can't be spawned still ends the unit", "[engine][service]") {
  ServiceWorld w;
  w.commands(ExecRole::StopPost, {"post"});
  w.start();
  w.stop();
  w.fail_spawns = 1;
  w.main_dies(15);
  CHECK(w.phase() == "failed");
  CHECK(w.result() == "resources");
}

TEST_CASE("what ExecStopPost= leaves behind gets both signals", "[engine][service]") {
  ServiceWorld w;
  w.commands(ExecRole::StopPost, {"post"});
  w.start();
  w.stop();
  w.main_dies(15);
  const pid_t child = w.fork();
  w.control_exits(0);
  CHECK(w.phase() == "final-sigterm");
  w.pass(seconds(90));
  CHECK(w.phase() == "final-sigkill");
  w.ends(child);
  CHECK(w.phase() == "failed");
  CHECK(w.result() == "timeout");
}

TEST_CASE("processes that survive SIGKILL are left behind and the unit fails",
          "[engine][service]") {
  ServiceWorld w;
  w.service().timeout_stop = seconds(5);
  w.start();
  w.stop();
  w.pass(seconds(20));
  CHECK(w.phase() == "failed");
  CHECK(w.result() == "timeout");
  CHECK(w.said("unkillable"));
  CHECK(w.trail == Trail{"start", "running", "stop-sigterm", "stop-sigkill", "final-sigterm",
                         "final-sigkill", "failed"});
}

TEST_CASE("a stop before the service is up skips ExecStop=", "[engine][service]") {
  ServiceWorld w{ServiceType::Notify};
  w.commands(ExecRole::StartPre, {"pre"});
  w.commands(ExecRole::Stop, {"stop"});
  w.start();
  SECTION("in start-pre") {
    w.stop();
    CHECK(w.phase() == "stop-sigterm");
    w.control_dies(15);
    CHECK(w.phase() == "failed");  // SIGTERM is no clean end of a command
    CHECK(w.result() == "signal");
  }
  SECTION("in start") {
    w.control_exits(0);
    w.stop();
    CHECK(w.phase() == "stop-sigterm");
    w.main_dies(15);
    CHECK(w.phase() == "dead");
  }
  CHECK_FALSE(w.did("spawn ExecStop 0"));
}

TEST_CASE("a stop during a stop changes nothing", "[engine][service]") {
  ServiceWorld w;
  w.commands(ExecRole::Stop, {"stop"});
  w.start();
  w.stop();
  w.done();
  w.stop();
  w.stop();
  CHECK(w.phase() == "stop");
  CHECK(w.done().empty());
}

TEST_CASE("a restart sends RestartKillSignal= in place of KillSignal=", "[engine][service]") {
  ServiceWorld w;
  w.start();
  w.done();
  w.context.restart_pending = true;
  w.stop();
  CHECK(w.done() == Actions{"kill terminate-for-restart"});
}

// ---- KillMode=, SendSIGKILL= ----------------------------------------------------------

TEST_CASE("KillMode=control-group waits for every process", "[engine][service]") {
  ServiceWorld w;
  w.start();
  const pid_t child = w.fork();
  w.stop();
  w.main_dies(15);
  CHECK(w.phase() == "final-sigterm");  // the main process is gone: on to what is left
  w.ends(child);
  CHECK(w.phase() == "dead");
}

TEST_CASE("KillMode=mixed kills the rest once the main process is gone", "[engine][service]") {
  ServiceWorld w;
  w.kill().mode = KillMode::Mixed;
  w.start();
  const pid_t child = w.fork();
  w.done();
  w.stop();
  w.main_dies(15);
  CHECK(w.phase() == "final-sigkill");
  CHECK(w.done() == Actions{"kill terminate", "kill terminate", "kill final"});
  w.ends(child);
  CHECK(w.phase() == "dead");
}

TEST_CASE("KillMode=process leaves the rest alone", "[engine][service]") {
  ServiceWorld w;
  w.kill().mode = KillMode::Process;
  w.start();
  w.fork();
  w.stop();
  w.main_dies(15);
  CHECK(w.phase() == "dead");
  CHECK(w.alive.size() == 1);
}

TEST_CASE("KillMode=none runs ExecStop= and waits for nothing", "[engine][service]") {
  ServiceWorld w;
  w.kill().mode = KillMode::None;
  w.commands(ExecRole::Stop, {"stop"});
  w.start();
  w.stop();
  CHECK(w.phase() == "stop");
  w.control_exits(0);
  CHECK(w.phase() == "dead");
  CHECK(w.alive.size() == 1);
}

TEST_CASE("SendSIGKILL=no never kills and goes on when time is up", "[engine][service]") {
  ServiceWorld w;
  w.kill().send_sigkill = false;
  w.service().timeout_stop = seconds(5);
  w.service().restart = ServiceRestart::Always;
  w.start();
  w.stop();
  w.pass(seconds(5));
  CHECK(w.phase() == "final-sigterm");
  w.pass(seconds(5));
  CHECK(w.phase() == "failed");
  CHECK(w.result() == "timeout");
  CHECK_FALSE(w.did("kill kill"));
  CHECK_FALSE(w.did("kill final"));
}

TEST_CASE("a unit that is found empty does not wait for its deadline", "[engine][service]") {
  ServiceWorld w{ServiceType::Forking};
  w.start();
  const pid_t child = w.fork();
  w.control_exits(0);
  w.stop();
  CHECK(w.phase() == "stop-sigterm");
  w.ends(child);
  CHECK(w.phase() == "dead");
}

TEST_CASE("an empty unit is not believed while a process is not reaped", "[engine][service]") {
  ServiceWorld w;
  w.start();
  w.stop();
  w.feed(UnitEmpty{});
  CHECK(w.phase() == "stop-sigterm");
  w.main_exits(5);
  CHECK(w.phase() == "failed");
  CHECK(w.result() == "exit-code");
}

// ---- Timeout…FailureMode= ----------------------------------------------------------------

TEST_CASE("a start that times out ends as TimeoutStartFailureMode= says", "[engine][service]") {
  struct Row {
    TimeoutFailureMode mode;
    std::string phase;
    std::string action;
  };
  for (const Row& row : {Row{TimeoutFailureMode::Terminate, "stop-sigterm", "kill terminate"},
                         Row{TimeoutFailureMode::Abort, "stop-watchdog", "kill watchdog"},
                         Row{TimeoutFailureMode::Kill, "stop-sigkill", "kill kill"}}) {
    ServiceWorld w{ServiceType::Notify};
    w.service().timeout_start = seconds(3);
    w.service().timeout_start_failure = row.mode;
    w.start();
    w.done();
    w.pass(seconds(3));
    CHECK(w.phase() == row.phase);
    CHECK(w.result() == "timeout");
    CHECK(w.done() == Actions{row.action});
  }
}

TEST_CASE("DefaultTimeoutAbortSec= holds without TimeoutAbortSec=, else TimeoutStopSec= does",
          "[engine][service]") {
  ServiceWorld w;
  w.service().timeout_stop = seconds(3);
  w.service().timeout_stop_failure = TimeoutFailureMode::Abort;
  int patience = 3;
  SECTION("neither") {}
  SECTION("the manager's") {
    w.context.default_timeout_abort = seconds(20);
    patience = 20;
  }
  SECTION("the unit's wins") {
    w.context.default_timeout_abort = seconds(20);
    w.service().timeout_abort = seconds(30);
    patience = 30;
  }
  w.start();
  w.stop();
  w.pass(seconds(3));
  REQUIRE(w.phase() == "stop-watchdog");
  w.pass(seconds(patience - 1));
  CHECK(w.phase() == "stop-watchdog");
  w.pass(seconds(1));
  CHECK(w.phase() == "stop-sigkill");
}

TEST_CASE("a stop that times out goes as TimeoutStopFailureMode= says", "[engine][service]") {
  ServiceWorld w;
  w.service().timeout_stop = seconds(3);
  w.service().timeout_abort = seconds(30);
  w.commands(ExecRole::Stop, {"stop"});
  w.start();
  SECTION("terminate") {
    w.stop();
    w.pass(seconds(3 + 3));
    CHECK(w.phase() == "stop-sigkill");
  }
  SECTION("abort: WatchdogSignal= and TimeoutAbortSec=") {
    w.service().timeout_stop_failure = TimeoutFailureMode::Abort;
    w.stop();
    w.pass(seconds(3));
    CHECK(w.phase() == "stop-watchdog");
    w.pass(seconds(29));
    CHECK(w.phase() == "stop-watchdog");
    w.pass(seconds(1));
    CHECK(w.phase() == "stop-sigkill");
  }
  SECTION("abort in stop-sigterm too") {
    w.service().timeout_stop_failure = TimeoutFailureMode::Abort;
    w.commands(ExecRole::Stop, {});
    w.stop();
    w.pass(seconds(3));
    CHECK(w.phase() == "stop-watchdog");
  }
  SECTION("kill") {
    w.service().timeout_stop_failure = TimeoutFailureMode::Kill;
    w.stop();
    w.pass(seconds(3));
    CHECK(w.phase() == "stop-sigkill");
  }
}

TEST_CASE("ExecStopPost= that times out goes as TimeoutStopFailureMode= says",
          "[engine][service]") {
  struct Row {
    TimeoutFailureMode mode;
    bool sigkill;
    std::string phase;
  };
  for (const Row& row : {Row{TimeoutFailureMode::Terminate, true, "final-sigterm"},
                         Row{TimeoutFailureMode::Abort, true, "final-watchdog"},
                         Row{TimeoutFailureMode::Kill, true, "final-sigkill"},
                         Row{TimeoutFailureMode::Kill, false, "failed"}}) {
    ServiceWorld w;
    w.service().timeout_stop = seconds(3);
    w.service().timeout_stop_failure = row.mode;
    w.kill().send_sigkill = row.sigkill;
    w.commands(ExecRole::StopPost, {"post"});
    w.start();
    w.main_exits(0);
    w.pass(seconds(3));
    CHECK(w.phase() == row.phase);
  }
}

// ---- a shutdown's budget -------------------------------------------------------------------

TEST_CASE("within a shutdown's budget SIGKILL and ExecStopPost= still come", "[engine][service]") {
  ServiceWorld w;
  w.commands(ExecRole::Stop, {"stop"});
  w.commands(ExecRole::StopPost, {"post"});
  w.start();
  const MonoTime end = w.now() + seconds(9);
  w.context.stopping = true;
  w.context.stop_budget = seconds(9);
  w.stop();
  MonoTime killed = kNever;
  MonoTime post = kNever;
  while (w.phase() != "failed") {
    const MonoTime next = w.state.deadline;
    REQUIRE(next <= end);
    w.context.stop_budget = end - next;  // what is left when the deadline is told
    w.pass(next - w.now());
    if (w.phase() == "stop-sigkill") killed = w.now();
    if (w.phase() == "stop-post") post = w.now();
  }
  CHECK(killed < end);
  CHECK(post < end);
  CHECK(w.now() <= end);
}

TEST_CASE("a shutdown shortens a stop that is under way and no message lengthens it",
          "[engine][service]") {
  ServiceWorld w;
  w.start();
  w.stop();
  CHECK(w.state.deadline == w.now() + seconds(90));
  w.context.stop_budget = seconds(8);
  w.stop();
  CHECK(w.state.deadline == w.now() + seconds(6));
  w.notify("EXTEND_TIMEOUT_USEC=60000000");
  CHECK(w.state.deadline == w.now() + seconds(6));
}

TEST_CASE("an infinite TimeoutStopSec= is within the budget too", "[engine][service]") {
  ServiceWorld w;
  w.service().timeout_stop = kInfinity;
  w.start();
  w.context.stop_budget = seconds(8);
  w.stop();
  CHECK(w.state.deadline == w.now() + seconds(6));
}

TEST_CASE("a budget that is used up leaves no wait", "[engine][service]") {
  ServiceWorld w;
  w.start();
  w.context.stop_budget = Duration(-5);
  w.stop();
  w.pass(Duration::zero());
  CHECK(w.phase() == "failed");
}

// ---- out of memory ----------------------------------------------------------------------------

TEST_CASE("OOMPolicy= decides what an OOM kill does", "[engine][service]") {
  ServiceWorld w;
  w.commands(ExecRole::Stop, {"stop"});
  w.start();
  SECTION("continue") {
    w.service().oom_policy = OomPolicy::Continue;
    w.service().oom_policy_written = true;
    w.feed(OomKilled{});
    CHECK(w.phase() == "running");
  }
  SECTION("stop") {
    w.feed(OomKilled{});
    CHECK(w.phase() == "stop");
    CHECK(w.result() == "oom-kill");
  }
  SECTION("kill") {
    w.service().oom_policy = OomPolicy::Kill;
    w.service().oom_policy_written = true;
    w.feed(OomKilled{});
    CHECK(w.phase() == "stop-sigkill");
    CHECK(w.result() == "oom-kill");
  }
}

}  // namespace
}  // namespace onset::test
