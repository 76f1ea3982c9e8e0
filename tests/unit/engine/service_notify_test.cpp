#include <catch2/catch.hpp>

#include "support/service_world.h"

namespace onset::test {
namespace {

using Actions = std::vector<std::string>;
using std::chrono::milliseconds;
using std::chrono::seconds;

ServiceWorld running(ServiceType type = ServiceType::Notify) {
  ServiceWorld w{type};
  w.start();
  w.notify("READY=1");
  w.done();
  return w;
}

TEST_CASE("STOPPING=1 counts as the first signal", "[engine][service]") {
  ServiceWorld w = running();
  w.notify("STOPPING=1");
  CHECK(w.phase() == "stop-sigterm");
  CHECK(w.done().empty());
  SECTION("and the service ends") {
    w.main_exits(0);
    CHECK(w.phase() == "dead");
  }
  SECTION("or is killed when it does not") {
    w.pass(seconds(90));
    CHECK(w.phase() == "stop-sigkill");
  }
}

TEST_CASE("STOPPING=1 wins over READY=1 and that over RELOADING=1", "[engine][service]") {
  ServiceWorld w = running();
  w.notify("READY=1\nRELOADING=1");
  CHECK(w.phase() == "running");
  w.notify("READY=1\nRELOADING=1\nSTOPPING=1");
  CHECK(w.phase() == "stop-sigterm");
}

TEST_CASE("STOPPING=1 during ExecReload= waits for the command", "[engine][service]") {
  ServiceWorld w = running();
  w.commands(ExecRole::Reload, {"hup"});
  w.reload();
  w.notify("STOPPING=1");
  CHECK(w.phase() == "reload");
  w.control_exits(0);
  CHECK(w.phase() == "stop-sigterm");
}

TEST_CASE("MAINPID= changes the main process while the service is up", "[engine][service]") {
  ServiceWorld w = running();
  const pid_t old = w.state.main.pid;
  const pid_t next = w.fork();
  w.notify("MAINPID=" + std::to_string(next));
  CHECK(w.state.main.pid == next);
  w.alive.erase(old);
  w.feed(ProcessExited{old, {ExitKind::Exited, 1}});
  CHECK(w.phase() == "running");
  w.main_exits(0);
  CHECK(w.phase() == "dead");
}

TEST_CASE("MAINPID= is not taken from a service that is going down", "[engine][service]") {
  ServiceWorld w = running();
  w.stop();
  w.notify("MAINPID=4242");
  CHECK(w.state.main.pid == 100);
}

TEST_CASE("MAINPID= can't name the control process", "[engine][service]") {
  ServiceWorld w;
  w.commands(ExecRole::StartPost, {"post"});
  w.start();
  w.notify("MAINPID=" + std::to_string(w.state.control.pid));
  CHECK(w.state.main.pid == 100);
}

TEST_CASE("a forking service may name its main process before its parent exits",
          "[engine][service]") {
  ServiceWorld w{ServiceType::Forking};
  w.start();
  const pid_t daemon = w.fork();
  w.guess = 4242;
  w.notify("MAINPID=" + std::to_string(daemon));
  w.control_exits(0);
  CHECK(w.phase() == "running");
  CHECK(w.state.main.pid == daemon);
}

TEST_CASE("ERRNO= is kept", "[engine][service]") {
  ServiceWorld w = running();
  w.notify("ERRNO=28");
  CHECK(w.state.status_errno == 28);
}

// ---- EXTEND_TIMEOUT_USEC= ---------------------------------------------------------------

TEST_CASE("EXTEND_TIMEOUT_USEC= puts the start off and never nearer", "[engine][service]") {
  ServiceWorld w{ServiceType::Notify};
  w.service().timeout_start = seconds(10);
  w.start();
  w.pass(seconds(9));
  w.notify("EXTEND_TIMEOUT_USEC=500000");
  w.pass(milliseconds(999));
  CHECK(w.phase() == "start");
  w.notify("EXTEND_TIMEOUT_USEC=5000000");
  w.pass(milliseconds(4999));
  CHECK(w.phase() == "start");
  w.pass(milliseconds(1));
  CHECK(w.phase() == "stop-sigterm");
  CHECK(w.result() == "timeout");
}

TEST_CASE("EXTEND_TIMEOUT_USEC= puts the stop off", "[engine][service]") {
  ServiceWorld w = running();
  w.service().timeout_stop = seconds(1);
  w.stop();
  w.notify("EXTEND_TIMEOUT_USEC=3000000");
  w.pass(milliseconds(2999));
  CHECK(w.phase() == "stop-sigterm");
  w.pass(milliseconds(1));
  CHECK(w.phase() == "stop-sigkill");
  w.notify("EXTEND_TIMEOUT_USEC=3000000");
  w.pass(seconds(1));
  CHECK(w.phase() != "stop-sigkill");  // past SIGKILL nobody asks for time
}

TEST_CASE("EXTEND_TIMEOUT_USEC= lets a service run beyond RuntimeMaxSec=, reloads included",
          "[engine][service]") {
  ServiceWorld w{ServiceType::Notify};
  w.service().runtime_max = seconds(10);
  w.start();
  w.notify("READY=1");
  w.pass(seconds(9));
  w.notify("EXTEND_TIMEOUT_USEC=5000000");
  w.notify("RELOADING=1");
  w.notify("READY=1");
  w.pass(milliseconds(4999));
  CHECK(w.phase() == "running");
  w.pass(milliseconds(1));
  CHECK(w.phase() == "stop-sigterm");
}

TEST_CASE("EXTEND_TIMEOUT_USEC= gives no deadline to a phase without one", "[engine][service]") {
  ServiceWorld w = running();
  w.notify("EXTEND_TIMEOUT_USEC=1");
  CHECK(w.state.deadline == kNever);
}

TEST_CASE("a service can't keep itself from being restarted", "[engine][service]") {
  ServiceWorld w;
  w.service().restart = ServiceRestart::Always;
  w.start();
  w.main_exits(1);
  const MonoTime due = w.state.deadline;
  w.notify("EXTEND_TIMEOUT_USEC=18446744073709551615\nSTOPPING=1\nRELOADING=1\nMAINPID=4242");
  CHECK(w.state.deadline == due);
  CHECK(w.state.main.pid == 0);
}

// ---- RuntimeMaxSec= ------------------------------------------------------------------------

TEST_CASE("RuntimeMaxSec= and its random share stop a running service with ExecStop=",
          "[engine][service]") {
  ServiceWorld w;
  w.service().runtime_max = seconds(10);
  w.context.runtime_extra = seconds(2);
  w.commands(ExecRole::Stop, {"stop"});
  w.start();
  w.pass(milliseconds(11999));
  CHECK(w.phase() == "running");
  w.pass(milliseconds(1));
  CHECK(w.phase() == "stop");
  CHECK(w.result() == "timeout");
}

TEST_CASE("a reload does not begin RuntimeMaxSec= anew", "[engine][service]") {
  ServiceWorld w;
  w.service().runtime_max = seconds(10);
  w.commands(ExecRole::Reload, {"hup"});
  w.start();
  w.pass(seconds(9));
  w.reload();
  w.pass(seconds(5));
  CHECK(w.phase() == "reload");
  w.control_exits(0);
  w.pass(seconds(0));
  CHECK(w.phase() == "stop-sigterm");
}

// ---- the watchdog ----------------------------------------------------------------------------

TEST_CASE("a service that misses WatchdogSec= is aborted", "[engine][service]") {
  ServiceWorld w{ServiceType::Notify};
  w.service().watchdog = seconds(10);
  w.service().timeout_abort = seconds(50);
  w.start();
  CHECK(w.state.watchdog_deadline == kNever);  // not before it is up
  w.notify("WATCHDOG=1");
  CHECK(w.state.watchdog_deadline == kNever);
  w.notify("READY=1");
  w.pass(seconds(8));
  w.notify("WATCHDOG=1");
  w.pass(milliseconds(9999));
  CHECK(w.phase() == "running");
  w.pass(milliseconds(1));
  CHECK(w.phase() == "stop-watchdog");
  CHECK(w.did("kill watchdog"));
  CHECK(w.state.deadline == w.now() + seconds(50));
  CHECK(w.state.watchdog_deadline == kNever);
  w.main_dies(6, true);
  CHECK(w.phase() == "failed");
  CHECK(w.result() == "watchdog");
}

TEST_CASE("WATCHDOG=1 counts in a reload, EXTEND_TIMEOUT_USEC= puts the watchdog off",
          "[engine][service]") {
  ServiceWorld w{ServiceType::Notify};
  w.service().watchdog = seconds(4);
  w.commands(ExecRole::Reload, {"hup"});
  w.start();
  w.notify("READY=1");
  REQUIRE(w.state.watchdog_deadline == w.now() + seconds(4));
  SECTION("WATCHDOG=1") {
    w.reload();
    w.pass(seconds(3));
    w.notify("WATCHDOG=1");
    CHECK(w.phase() == "reload");
    CHECK(w.state.watchdog_deadline == w.now() + seconds(4));
  }
  SECTION("EXTEND_TIMEOUT_USEC=") {
    w.notify("EXTEND_TIMEOUT_USEC=9000000");
    CHECK(w.state.watchdog_deadline == w.now() + seconds(9));
    w.notify("EXTEND_TIMEOUT_USEC=1");
    CHECK(w.state.watchdog_deadline == w.now() + seconds(9));
  }
}

TEST_CASE("ExecStartPost= has the whole of WatchdogSec= too", "[engine][service]") {
  ServiceWorld w{ServiceType::Notify};
  w.service().watchdog = seconds(4);
  w.commands(ExecRole::StartPost, {"post"});
  w.start();
  w.notify("READY=1");
  REQUIRE(w.phase() == "start-post");
  CHECK(w.state.watchdog_deadline == w.now() + seconds(4));
}

TEST_CASE("WATCHDOG=trigger acts without WatchdogSec=", "[engine][service]") {
  ServiceWorld w = running();
  w.notify("WATCHDOG=trigger");
  CHECK(w.phase() == "stop-watchdog");
  CHECK(w.result() == "watchdog");
}

TEST_CASE("WATCHDOG=trigger with READY=1 begins nothing that it would have to end",
          "[engine][service]") {
  ServiceWorld w{ServiceType::Notify};
  w.commands(ExecRole::StartPost, {"post"});
  w.start();
  w.done();
  w.notify("READY=1\nWATCHDOG=trigger");
  CHECK(w.phase() == "stop-watchdog");
  CHECK(w.done() == Actions{"kill watchdog"});
}

TEST_CASE("WATCHDOG=trigger again and again puts nothing off", "[engine][service]") {
  ServiceWorld w = running();
  w.notify("WATCHDOG=trigger");
  const MonoTime deadline = w.state.deadline;
  w.pass(seconds(1));
  w.done();
  w.notify("WATCHDOG=trigger");
  CHECK(w.state.deadline == deadline);
  CHECK(w.done().empty());
}

TEST_CASE("WATCHDOG_USEC= sets, changes and ends the watchdog of a running service",
          "[engine][service]") {
  ServiceWorld w = running();
  w.notify("WATCHDOG_USEC=2000000");
  CHECK(w.state.watchdog_deadline == w.now() + seconds(2));
  w.notify("WATCHDOG_USEC=5000000");
  CHECK(w.state.watchdog_deadline == w.now() + seconds(5));
  w.notify("WATCHDOG_USEC=0");
  CHECK(w.state.watchdog_deadline == kNever);
}

TEST_CASE("a stopping service has no watchdog", "[engine][service]") {
  ServiceWorld w{ServiceType::Notify};
  w.service().watchdog = seconds(1);
  w.start();
  w.notify("READY=1");
  w.stop();
  CHECK(w.state.watchdog_deadline == kNever);
  w.notify("WATCHDOG=1\nWATCHDOG_USEC=1");
  CHECK(w.state.watchdog_deadline == kNever);
}

TEST_CASE("a deadline of a phase that is over means nothing", "[engine][service]") {
  ServiceWorld w{ServiceType::Notify};
  w.service().watchdog = seconds(10);
  w.start();
  w.feed(DeadlineElapsed{});
  w.feed(WatchdogElapsed{});
  CHECK(w.phase() == "start");
  w.notify("READY=1");
  w.feed(DeadlineElapsed{});
  w.feed(WatchdogElapsed{});
  CHECK(w.phase() == "running");
}

// ---- a new configuration ------------------------------------------------------------------------

TEST_CASE("a reload of the configuration keeps a running service", "[engine][service]") {
  ServiceWorld w{ServiceType::Notify};
  w.service().watchdog = seconds(10);
  w.start();
  w.notify("READY=1");
  w.service().watchdog = Duration{0};
  w.state = adopt(w.unit, w.state, w.context).state;
  CHECK(w.phase() == "running");
  CHECK(w.state.watchdog_deadline == kNever);
}

TEST_CASE("a start that waits for what the new configuration does not know goes on",
          "[engine][service]") {
  SECTION("notify becomes simple") {
    ServiceWorld w{ServiceType::Notify};
    w.start();
    w.service().type = ServiceType::Simple;
    w.state = adopt(w.unit, w.state, w.context).state;
    w.pass(seconds(0));
    CHECK(w.phase() == "running");
  }
  SECTION("idle becomes simple") {
    ServiceWorld w{ServiceType::Idle};
    w.context.idle = false;
    w.start();
    w.service().type = ServiceType::Simple;
    w.state = adopt(w.unit, w.state, w.context).state;
    w.pass(seconds(0));
    CHECK(w.phase() == "running");
  }
}

TEST_CASE("a command list that became shorter is left when its command ends", "[engine][service]") {
  ServiceWorld w;
  w.commands(ExecRole::StartPre, {"one", "two", "three"});
  w.start();
  w.control_exits(0);
  w.commands(ExecRole::StartPre, {"one"});
  w.control_exits(0);
  CHECK(w.phase() == "running");
}

}  // namespace
}  // namespace onset::test
