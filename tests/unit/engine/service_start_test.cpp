#include <catch2/catch.hpp>

#include "support/service_world.h"

namespace onset::test {
namespace {

using Actions = std::vector<std::string>;
using Trail = std::vector<std::string>;

// ---- when a type counts as started -------------------------------------------------

TEST_CASE("a simple service runs as soon as it is spawned", "[engine][service]") {
  ServiceWorld w;
  w.exec_is_late = true;
  w.start();
  CHECK(w.phase() == "running");
  CHECK(w.done() == Actions{"spawn ExecStart 0 main"});
  CHECK(w.state.main.pid == 100);
  CHECK(w.state.deadline == kNever);
}

TEST_CASE("an exec service runs once execve has succeeded", "[engine][service]") {
  ServiceWorld w{ServiceType::Exec};
  w.exec_is_late = true;
  w.start();
  CHECK(w.phase() == "start");
  w.feed(ExecDone{99});
  CHECK(w.phase() == "start");
  w.feed(ExecDone{100});
  CHECK(w.phase() == "running");
}

TEST_CASE("an exec service whose launch is known to have succeeded runs at once",
          "[engine][service]") {
  ServiceWorld w{ServiceType::Exec};
  w.start();
  CHECK(w.phase() == "running");
}

TEST_CASE("an exec service whose execve fails is failed with its launch status",
          "[engine][service]") {
  ServiceWorld w{ServiceType::Exec};
  w.exec_is_late = true;
  w.start();
  w.main_exits(203);
  CHECK(w.phase() == "failed");
  CHECK(w.result() == "exit-code");
  CHECK(w.state.main.last.value == 203);
  CHECK(w.said("203/EXEC"));
}

TEST_CASE("a notify service runs after READY=1 and not before", "[engine][service]") {
  for (ServiceType type : {ServiceType::Notify, ServiceType::NotifyReload}) {
    ServiceWorld w{type};
    w.start();
    CHECK(w.phase() == "start");
    w.notify("STATUS=still at it");
    CHECK(w.phase() == "start");
    w.notify("READY=1");
    CHECK(w.phase() == "running");
  }
}

TEST_CASE("READY=1 of a simple service moves nothing", "[engine][service]") {
  ServiceWorld w;
  w.start();
  w.notify("READY=1");
  CHECK(w.phase() == "running");
  CHECK(w.state.notify == NotifyState::Ready);
}

TEST_CASE("a notify service that exits well before READY=1 broke the protocol",
          "[engine][service]") {
  ServiceWorld w{ServiceType::Notify};
  w.start();
  w.main_exits(0);
  CHECK(w.phase() == "failed");
  CHECK(w.result() == "protocol");
}

TEST_CASE("a notify service that fails before READY=1 keeps its own failure", "[engine][service]") {
  ServiceWorld w{ServiceType::Notify};
  w.start();
  w.main_exits(3);
  CHECK(w.phase() == "failed");
  CHECK(w.result() == "exit-code");
}

TEST_CASE("another process may say READY=1 for an exited main process with NotifyAccess=all",
          "[engine][service]") {
  ServiceWorld w{ServiceType::Notify};
  w.service().remain_after_exit = true;
  w.service().notify_access = NotifyAccess::All;
  w.start();
  const pid_t child = w.fork();
  w.main_exits(0);
  CHECK(w.phase() == "start");
  SECTION("it does") {
    w.notify("READY=1");
    CHECK(w.phase() == "exited");
  }
  SECTION("it ends without") {
    w.ends(child);
    CHECK(w.phase() == "failed");
    CHECK(w.result() == "protocol");
  }
}

TEST_CASE("a dbus service runs while its name has an owner", "[engine][service]") {
  ServiceWorld w{ServiceType::Dbus};
  w.start();
  CHECK(w.done() == Actions{"watch-bus-name", "spawn ExecStart 0 main"});
  w.feed(BusNameChanged{false, 0, false});
  CHECK(w.phase() == "start");
  w.feed(BusNameChanged{true, 100, false});
  CHECK(w.phase() == "running");
  w.feed(BusNameChanged{false, 0, false});
  CHECK(w.phase() == "stop-sigterm");
  w.main_dies(15);
  CHECK(w.phase() == "dead");
}

TEST_CASE("a dbus service without a bus fails and says so", "[engine][service]") {
  ServiceWorld w{ServiceType::Dbus};
  w.start();
  w.feed(BusNameChanged{false, 0, true});
  CHECK(w.phase() == "stop-sigterm");
  w.main_dies(15);
  CHECK(w.phase() == "failed");
  CHECK(w.result() == "resources");
  CHECK(w.said("no message bus"));
}

TEST_CASE("a running dbus service outlives its bus", "[engine][service]") {
  ServiceWorld w{ServiceType::Dbus};
  w.start();
  w.feed(BusNameChanged{true, 100, false});
  w.feed(BusNameChanged{false, 0, true});
  CHECK(w.phase() == "running");
}

TEST_CASE("an idle service waits for the job queue, five seconds at most", "[engine][service]") {
  ServiceWorld w{ServiceType::Idle};
  w.context.idle = false;
  w.start();
  CHECK(w.phase() == "start");
  CHECK(w.done().empty());
  CHECK(active_state(w.state.phase, ServiceType::Idle) == ActiveState::Active);
  SECTION("the queue runs empty") {
    w.feed(QueueIdle{});
  }
  SECTION("it does not") {
    w.pass(std::chrono::milliseconds(4999));
    CHECK(w.phase() == "start");
    w.pass(std::chrono::milliseconds(1));
  }
  CHECK(w.phase() == "running");
  CHECK(w.done() == Actions{"spawn ExecStart 0 main"});
}

TEST_CASE("an idle service is stopped while it waits", "[engine][service]") {
  ServiceWorld w{ServiceType::Idle};
  w.context.idle = false;
  w.start();
  w.stop();
  CHECK(w.phase() == "dead");
  w.feed(QueueIdle{});
  CHECK(w.phase() == "dead");
  CHECK_FALSE(w.did("spawn ExecStart 0 main"));
}

// ---- oneshot --------------------------------------------------------------------------

TEST_CASE("a oneshot runs its commands one after the other and is dead", "[engine][service]") {
  ServiceWorld w{ServiceType::Oneshot};
  w.commands(ExecRole::Start, {"one", "two", "three"});
  w.start();
  for (int i = 0; i < 3; ++i) {
    CHECK(w.phase() == "start");
    w.main_exits(0);
  }
  CHECK(w.phase() == "dead");
  CHECK(w.result() == "success");
  CHECK(w.did("spawn ExecStart 2 main"));
}

TEST_CASE("a oneshot that fails runs no further command", "[engine][service]") {
  ServiceWorld w{ServiceType::Oneshot};
  w.commands(ExecRole::Start, {"one", "two"});
  w.start();
  w.main_exits(1);
  CHECK(w.phase() == "failed");
  CHECK(w.result() == "exit-code");
  CHECK_FALSE(w.did("spawn ExecStart 1 main"));
}

TEST_CASE("a oneshot goes past the failure of a command with a dash", "[engine][service]") {
  ServiceWorld w{ServiceType::Oneshot};
  w.commands(ExecRole::Start, {"one", "-two", "three"});
  w.start();
  w.main_exits(0);
  w.main_exits(7);
  w.main_exits(0);
  CHECK(w.phase() == "dead");
  CHECK(w.result() == "success");
}

TEST_CASE("a oneshot with RemainAfterExit= stays", "[engine][service]") {
  ServiceWorld w{ServiceType::Oneshot};
  w.service().remain_after_exit = true;
  w.start();
  w.main_exits(0);
  CHECK(w.phase() == "exited");
  CHECK(w.state.deadline == kNever);
  w.stop();
  CHECK(w.phase() == "dead");
}

TEST_CASE("a oneshot without commands is up at once, or up and down", "[engine][service]") {
  ServiceWorld w{ServiceType::Oneshot};
  w.commands(ExecRole::Start, {});
  SECTION("RemainAfterExit=yes") {
    w.service().remain_after_exit = true;
    w.start();
    CHECK(w.phase() == "exited");
  }
  SECTION("RemainAfterExit=no") {
    w.start();
    CHECK(w.phase() == "dead");
  }
}

TEST_CASE("a oneshot has no start timeout unless it is set", "[engine][service]") {
  ServiceWorld w{ServiceType::Oneshot};
  w.start();
  CHECK(w.state.deadline == kNever);
  ServiceWorld set{ServiceType::Oneshot};
  set.service().timeout_start = std::chrono::seconds(7);
  set.start();
  CHECK(set.state.deadline == set.now() + std::chrono::seconds(7));
}

TEST_CASE("each command of a oneshot has the whole start timeout", "[engine][service]") {
  ServiceWorld w{ServiceType::Oneshot};
  w.service().timeout_start = std::chrono::seconds(10);
  w.commands(ExecRole::Start, {"one", "two"});
  w.start();
  w.pass(std::chrono::seconds(8));
  w.main_exits(0);
  w.pass(std::chrono::seconds(8));
  CHECK(w.phase() == "start");
}

TEST_CASE("SIGTERM is no clean end for a oneshot", "[engine][service]") {
  ServiceWorld w{ServiceType::Oneshot};
  w.start();
  w.main_dies(15);
  CHECK(w.phase() == "failed");
  CHECK(w.result() == "signal");
}

// ---- forking ---------------------------------------------------------------------------

TEST_CASE("a forking service runs when its parent has exited and its main process is guessed",
          "[engine][service]") {
  ServiceWorld w{ServiceType::Forking};
  w.start();
  CHECK(w.state.control.pid == 100);
  CHECK(w.state.main.pid == 0);
  w.guess = w.fork();
  w.control_exits(0);
  CHECK(w.phase() == "running");
  CHECK(w.state.main.pid == 101);
  CHECK(w.state.main_pid_known == 1);
}

TEST_CASE("a forking service whose parent fails is failed", "[engine][service]") {
  ServiceWorld w{ServiceType::Forking};
  w.start();
  w.control_exits(1);
  CHECK(w.phase() == "failed");
  CHECK(w.result() == "exit-code");
}

TEST_CASE("a forking service without a known main process lives until it is empty",
          "[engine][service]") {
  ServiceWorld w{ServiceType::Forking};
  w.start();
  const pid_t one = w.fork();
  const pid_t two = w.fork();
  w.control_exits(0);
  CHECK(w.phase() == "running");
  CHECK(w.state.main.pid == 0);
  w.ends(one);
  CHECK(w.phase() == "running");
  w.ends(two);
  CHECK(w.phase() == "dead");
}

TEST_CASE("GuessMainPID=no asks for no guess", "[engine][service]") {
  ServiceWorld w{ServiceType::Forking};
  w.service().guess_main_pid = false;
  w.start();
  w.guess = w.fork();
  w.control_exits(0);
  CHECK(w.phase() == "running");
  CHECK(w.state.main.pid == 0);
}

TEST_CASE("a forking service reads its main process from the PID file", "[engine][service]") {
  ServiceWorld w{ServiceType::Forking};
  w.service().pid_file = "/run/a.pid";
  w.start();
  w.pid_file = w.fork();
  w.control_exits(0);
  CHECK(w.phase() == "running");
  CHECK(w.state.main.pid == 101);
  w.main_exits(0);
  CHECK(w.phase() == "dead");
  CHECK(w.did("remove-pid-file"));
}

TEST_CASE("a PID file that is not there yet is waited for", "[engine][service]") {
  ServiceWorld w{ServiceType::Forking};
  w.service().pid_file = "/run/a.pid";
  w.start();
  const pid_t daemon = w.fork();
  w.control_exits(0);
  CHECK(w.phase() == "start");
  CHECK(w.state.deadline != kNever);
  SECTION("it comes") {
    w.feed(MainPidFound{daemon, false, true});
    CHECK(w.phase() == "running");
    CHECK(w.state.main.pid == daemon);
  }
  SECTION("it changes and is still bad, then it comes") {
    w.feed(MainPidFound{0, false, true});
    CHECK(w.phase() == "start");
    w.feed(MainPidFound{daemon, false, true});
    CHECK(w.phase() == "running");
  }
  SECTION("nobody is left to write it") {
    w.ends(daemon);
    CHECK(w.phase() == "failed");
    CHECK(w.result() == "protocol");
    CHECK(w.did("stop-watching-pid-file"));
  }
  SECTION("it never comes") {
    w.pass(std::chrono::seconds(90));
    CHECK(w.phase() == "stop-sigterm");
    CHECK(w.result() == "timeout");
  }
}

TEST_CASE("a forking service that leaves nothing behind broke the protocol", "[engine][service]") {
  ServiceWorld w{ServiceType::Forking};
  w.service().pid_file = "/run/a.pid";
  w.start();
  w.control_exits(0);
  CHECK(w.phase() == "failed");
  CHECK(w.result() == "protocol");
}

TEST_CASE("ExecStartPost= may write the PID file", "[engine][service]") {
  ServiceWorld w{ServiceType::Forking};
  w.service().pid_file = "/run/a.pid";
  w.commands(ExecRole::StartPost, {"write-it"});
  w.start();
  const pid_t daemon = w.fork();
  w.control_exits(0);
  CHECK(w.phase() == "start-post");
  SECTION("it does") {
    w.pid_file = daemon;
    w.control_exits(0);
    CHECK(w.phase() == "running");
    CHECK(w.state.main.pid == daemon);
  }
  SECTION("it does not, and the daemon ends") {
    w.control_exits(0);
    CHECK(w.phase() == "start-post");
    w.ends(daemon);
    CHECK(w.phase() == "failed");
    CHECK(w.result() == "protocol");
  }
}

TEST_CASE("a daemon may hand over to a new process through its PID file", "[engine][service]") {
  ServiceWorld w{ServiceType::Forking};
  w.service().pid_file = "/run/a.pid";
  w.start();
  w.pid_file = w.fork();
  w.control_exits(0);
  const pid_t next = w.fork();
  w.pid_file = next;
  w.main_exits(1);
  CHECK(w.phase() == "running");
  CHECK(w.state.main.pid == next);
  CHECK(w.result() == "success");
  w.pid_file = 0;
  w.main_exits(1);
  CHECK(w.phase() == "failed");
  CHECK(w.result() == "exit-code");
}

TEST_CASE("a PID file can not name the process that writes it", "[engine][service]") {
  ServiceWorld w;
  w.service().pid_file = "/run/a.pid";
  w.commands(ExecRole::StartPost, {"write-it"});
  w.start();
  w.feed(MainPidFound{w.state.control.pid, false, true});
  CHECK(w.state.main.pid == 100);
}

// ---- the commands around ------------------------------------------------------------------

TEST_CASE("the command lists run in order, each after the one before", "[engine][service]") {
  ServiceWorld w;
  w.commands(ExecRole::Condition, {"c1", "c2"});
  w.commands(ExecRole::StartPre, {"pre1", "pre2"});
  w.commands(ExecRole::StartPost, {"post"});
  w.start();
  for (int i = 0; i < 5; ++i) w.control_exits(0);
  CHECK(w.phase() == "running");
  CHECK(w.done() == Actions{"spawn ExecCondition 0", "spawn ExecCondition 1",
                            "spawn ExecStartPre 0", "spawn ExecStartPre 1",
                            "spawn ExecStart 0 main", "spawn ExecStartPost 0"});
  CHECK(w.trail == Trail{"condition", "start-pre", "start", "start-post", "running"});
}

TEST_CASE("ExecCondition= that exits with 1 to 254 skips the unit without failing it",
          "[engine][service]") {
  for (int status : {1, 3, 254}) {
    ServiceWorld w;
    w.service().restart = ServiceRestart::Always;
    w.commands(ExecRole::Condition, {"c"});
    w.commands(ExecRole::StopPost, {"post"});
    w.start();
    w.control_exits(status);
    CHECK(w.phase() == "stop-post");
    w.control_exits(0);
    CHECK(w.phase() == "dead");
    CHECK(w.result() == "exec-condition");
    CHECK_FALSE(w.did("spawn ExecStart 0 main"));
  }
}

TEST_CASE("ExecCondition= that exits with 255 or dies fails the unit", "[engine][service]") {
  ServiceWorld w;
  w.commands(ExecRole::Condition, {"c"});
  w.start();
  SECTION("255") {
    w.control_exits(255);
    CHECK(w.result() == "exit-code");
  }
  SECTION("SIGTERM") {
    w.control_dies(15);
    CHECK(w.result() == "signal");
  }
  SECTION("timeout") {
    w.pass(std::chrono::seconds(90));
    CHECK(w.phase() == "stop-sigterm");
    w.control_dies(15);
    CHECK(w.result() == "timeout");
  }
  CHECK(w.phase() == "failed");
}

TEST_CASE("SuccessExitStatus= counts for ExecCondition= too", "[engine][service]") {
  ServiceWorld w;
  w.commands(ExecRole::Condition, {"c"});
  w.service().success_status.add_status(42);
  w.start();
  w.control_exits(42);
  CHECK(w.phase() == "running");
}

TEST_CASE("a failing ExecStartPre= fails the unit past ExecStop=", "[engine][service]") {
  ServiceWorld w;
  w.commands(ExecRole::StartPre, {"pre1", "pre2"});
  w.commands(ExecRole::Stop, {"stop"});
  w.commands(ExecRole::StopPost, {"post"});
  w.start();
  w.control_exits(1);
  CHECK(w.phase() == "stop-post");
  w.control_exits(0);
  CHECK(w.phase() == "failed");
  CHECK(w.result() == "exit-code");
  CHECK(w.done() == Actions{"spawn ExecStartPre 0", "kill terminate", "spawn ExecStopPost 0",
                            "kill terminate", "release"});
}

TEST_CASE("a failing ExecStartPre= with a dash does not matter", "[engine][service]") {
  ServiceWorld w;
  w.commands(ExecRole::StartPre, {"-pre1", "pre2"});
  w.start();
  w.control_exits(1);
  w.control_exits(0);
  CHECK(w.phase() == "running");
  CHECK(w.result() == "success");
}

TEST_CASE("a failing ExecStartPost= stops the main process past ExecStop=", "[engine][service]") {
  ServiceWorld w;
  w.commands(ExecRole::StartPost, {"post"});
  w.commands(ExecRole::Stop, {"stop"});
  w.start();
  w.control_exits(1);
  CHECK(w.phase() == "stop-sigterm");
  w.main_dies(15);
  CHECK(w.phase() == "failed");
  CHECK(w.result() == "exit-code");
  CHECK_FALSE(w.did("spawn ExecStop 0"));
}

TEST_CASE("a main process that ends during ExecStartPost= waits for it", "[engine][service]") {
  ServiceWorld w;
  w.commands(ExecRole::StartPost, {"post"});
  w.start();
  w.main_exits(1);
  CHECK(w.phase() == "start-post");
  w.control_exits(0);
  CHECK(w.phase() == "failed");
  CHECK(w.result() == "exit-code");
}

TEST_CASE("a spawn that fails fails the unit with resources, ExecStopPost= included",
          "[engine][service]") {
  for (ServiceType type : {ServiceType::Simple, ServiceType::Forking, ServiceType::Notify}) {
    ServiceWorld w{type};
    w.commands(ExecRole::StopPost, {"post"});
    w.fail_spawns = 1;
    w.start();
    CHECK(w.phase() == "stop-post");
    w.control_exits(0);
    CHECK(w.phase() == "failed");
    CHECK(w.result() == "resources");
    CHECK(w.said("cannot run ExecStart="));
  }
}

TEST_CASE("a service that will not kill does not start beside what is left of it",
          "[engine][service]") {
  ServiceWorld w;
  w.kill().send_sigkill = false;
  w.context.leftover_processes = true;
  w.start();
  CHECK(w.phase() == "failed");
  CHECK(w.result() == "resources");
  ServiceWorld process_only;
  process_only.kill().send_sigkill = false;
  process_only.kill().mode = KillMode::Process;
  process_only.context.leftover_processes = true;
  process_only.start();
  CHECK(process_only.phase() == "running");
}

TEST_CASE("a start forgets the activation before it", "[engine][service]") {
  ServiceWorld w{ServiceType::Notify};
  w.start();
  w.notify("READY=1\nERRNO=2\nWATCHDOG_USEC=5000000");
  w.main_exits(4);
  CHECK(w.state.status_errno == 2);
  w.start();
  CHECK(w.result() == "success");
  CHECK(w.state.status_errno == 0);
  CHECK(w.state.notify == NotifyState::Unknown);
  CHECK(w.state.watchdog_override.count() == -1);
  CHECK(w.state.main.last.kind == ExitKind::None);
}

TEST_CASE("a start is nothing to a service that is up or on its way", "[engine][service]") {
  ServiceWorld w{ServiceType::Notify};
  w.start();
  w.done();
  w.start();
  w.notify("READY=1");
  w.start();
  CHECK(w.done().empty());
  CHECK(w.phase() == "running");
}

// ---- ExitType=cgroup -------------------------------------------------------------------------

TEST_CASE("with ExitType=cgroup the service outlives its main process", "[engine][service]") {
  ServiceWorld w;
  w.service().exit_type = ExitType::Cgroup;
  w.start();
  const pid_t child = w.fork();
  w.main_exits(0);
  CHECK(w.phase() == "running");
  w.ends(child);
  CHECK(w.phase() == "dead");
}

TEST_CASE("with ExitType=cgroup an empty unit ends with its main process", "[engine][service]") {
  ServiceWorld w;
  w.service().exit_type = ExitType::Cgroup;
  w.start();
  w.feed(UnitEmpty{});  // the kernel may say so before the exit is reaped
  CHECK(w.phase() == "running");
  w.main_exits(0);
  CHECK(w.phase() == "dead");
}

TEST_CASE("with ExitType=cgroup a failure of the main process tells when the unit is empty",
          "[engine][service]") {
  ServiceWorld w;
  w.service().exit_type = ExitType::Cgroup;
  w.start();
  const pid_t child = w.fork();
  w.main_exits(1);
  CHECK(w.phase() == "running");
  w.ends(child);
  CHECK(w.phase() == "failed");
  CHECK(w.result() == "exit-code");
}

TEST_CASE("with ExitType=cgroup a forked-off service can still say READY=1", "[engine][service]") {
  ServiceWorld w{ServiceType::Notify};
  w.service().exit_type = ExitType::Cgroup;
  w.service().notify_access = NotifyAccess::All;
  w.start();
  const pid_t child = w.fork();
  w.main_exits(0);
  CHECK(w.phase() == "start");
  SECTION("it does") {
    w.notify("READY=1");
    CHECK(w.phase() == "running");
  }
  SECTION("it ends without") {
    w.ends(child);
    CHECK(w.phase() == "failed");
    CHECK(w.result() == "protocol");
  }
}

}  // namespace
}  // namespace onset::test
