// The manager on the fake kernel: what jobs, dependencies and ends do.
#include <catch2/catch.hpp>

#include <algorithm>

#include "base/format.h"
#include "support/engine_world.h"

using namespace onset;
using namespace onset::test;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

bool before(const FakeOs& os, std::string_view first, std::string_view second) {
  std::size_t a = SIZE_MAX;
  std::size_t b = SIZE_MAX;
  for (std::size_t i = 0; i < os.calls.size(); ++i) {
    if (os.calls[i] == first && a == SIZE_MAX) a = i;
    if (os.calls[i] == second && b == SIZE_MAX) b = i;
  }
  return a != SIZE_MAX && b != SIZE_MAX && a < b;
}

}  // namespace

TEST_CASE("a unit whose file has come is found without a reload", "[engine][load]") {
  EngineWorld w{{{"a.service", "[Unit]\nWants=b.service\n[Service]\nExecStart=/bin/a\n"},
                 {"sysinit.target", "[Unit]\n"},
                 {"t.target", "[Unit]\nWants=b.service\n"}}};
  REQUIRE(w.start("a.service").empty());
  REQUIRE(w.start("t.target").empty());
  CHECK_FALSE(w.start("b.service").empty());
  const UnitId id = w.manager.graph().find("b.service");
  w.table.set("b.service", "[Unit]\nWants=c.service\n[Service]\nExecStart=/bin/b\n");
  w.table.set("c.service", "[Service]\nExecStart=/bin/c\n");
  CHECK(w.start("b.service").empty());
  CHECK(w.state("b.service") == "active");
  CHECK(w.state("c.service") == "active");
  CHECK(w.manager.graph().find("b.service") == id);
  const UnitId target = w.manager.graph().find("t.target");
  CHECK(w.manager.graph().between(target, id).has(DependencyKind::After));
}

TEST_CASE("a file that comes under an alias takes the name's place", "[engine][load]") {
  EngineWorld w{{{"a.service", "[Unit]\nWants=n.service\n[Service]\nExecStart=/bin/a\n"},
                 {"sysinit.target", "[Unit]\n"}}};
  REQUIRE(w.start("a.service").empty());
  w.table.set("b.service", "[Service]\nExecStart=/bin/b\n");
  w.table.set("n.service", "-> b.service");
  CHECK(w.start("n.service").empty());
  CHECK(w.state("b.service") == "active");
  CHECK(w.manager.graph().find("n.service") == w.manager.graph().find("b.service"));
}

TEST_CASE("a simple service is active as soon as it is spawned", "[engine][manager]") {
  EngineWorld w{{{"a.service", bare_service("/bin/a")}}};
  REQUIRE(w.start("a.service") == "");
  CHECK(w.state("a.service") == "active");
  CHECK(w.sub("a.service") == "running");
  CHECK(w.has_finished("a.service start done"));
}

TEST_CASE("what is required starts first where it is ordered first", "[engine][manager]") {
  EngineWorld w{{{"a.service", bare_service("/bin/a", "Requires=b.service\nAfter=b.service\n")},
                 {"b.service", bare_service("/bin/b", "", "Type=notify\n")}}};
  REQUIRE(w.start("a.service") == "");
  CHECK(w.state("b.service") == "activating");
  CHECK(w.state("a.service") == "inactive");
  w.notify("b.service", "READY=1");
  CHECK(w.state("b.service") == "active");
  CHECK(w.state("a.service") == "active");
  CHECK(before(w.os, "spawn b.service /bin/b", "spawn a.service /bin/a"));
}

TEST_CASE("a failed requirement fails the job that waits for it, a failed wish does not",
          "[engine][manager]") {
  EngineWorld w{{{"a.service", bare_service("/bin/a", "Requires=b.service\nAfter=b.service\n")},
                 {"c.service", bare_service("/bin/c", "Wants=b.service\nAfter=b.service\n")},
                 {"b.service", bare_service("/bin/b", "", "Type=oneshot\n")}}};
  REQUIRE(w.start("a.service") == "");
  REQUIRE(w.start("c.service") == "");
  w.exit("b.service", 1);
  CHECK(w.state("b.service") == "failed");
  CHECK(w.has_finished("b.service start failed"));
  CHECK(w.has_finished("a.service start dependency"));
  CHECK(w.state("a.service") == "inactive");
  CHECK(w.state("c.service") == "active");
  CHECK(w.manager.problem(w.manager.graph().find("a.service")).find("b.service") !=
        std::string_view::npos);
}

TEST_CASE("stop runs in reverse order and TERM comes before KILL", "[engine][manager]") {
  EngineWorld w{{{"a.service", bare_service("/bin/a", "Requires=b.service\nAfter=b.service\n")},
                 {"b.service", bare_service("/bin/b")}}};
  REQUIRE(w.start("a.service") == "");
  REQUIRE(w.stop("b.service") == "");
  CHECK(w.state("a.service") == "deactivating");
  CHECK(w.state("b.service") == "active");
  w.die("a.service", 15);
  CHECK(w.state("a.service") == "inactive");
  CHECK(w.state("b.service") == "deactivating");
  w.pass(seconds(91));
  CHECK(w.os.alive.begin()->second.signals == std::vector<int>{15, 18, 9});
  w.die("b.service", 9);
  CHECK(w.state("b.service") == "failed");
}

TEST_CASE("a service that crashes is restarted after RestartSec= and no sooner",
          "[engine][manager]") {
  EngineWorld w{{{"a.service", bare_service("/bin/a", "", "Restart=on-failure\nRestartSec=2s\n")}}};
  REQUIRE(w.start("a.service") == "");
  const pid_t first = w.os.pid_of("a.service");
  w.die("a.service", 11);
  CHECK(w.state("a.service") == "activating");
  CHECK(w.sub("a.service") == "auto-restart");
  w.pass(milliseconds(1999));
  CHECK(w.os.pid_of("a.service") == 0);
  w.pass(milliseconds(2));
  CHECK(w.state("a.service") == "active");
  CHECK(w.os.pid_of("a.service") != first);
  CHECK(w.manager.runtime(w.manager.graph().find("a.service")).service.restarts == 1);
}

TEST_CASE("a service that keeps crashing ends in start-limit-hit", "[engine][manager]") {
  EngineWorld w{{{"a.service", bare_service("/bin/a", "", "Restart=always\n")}}};
  REQUIRE(w.start("a.service") == "");
  for (int i = 0; i < 10 && w.os.pid_of("a.service") != 0; ++i) {
    w.exit("a.service", 1);
    w.pass(milliseconds(101));
  }
  CHECK(w.state("a.service") == "failed");
  // The first failure's result stays, as with systemd.
  CHECK(w.manager.runtime(w.manager.graph().find("a.service")).service.result ==
        ServiceResult::ExitCode);
  CHECK(w.manager.problem(w.manager.graph().find("a.service")).find("start limit") !=
        std::string_view::npos);
  CHECK(w.os.history.size() == 5);
  REQUIRE(w.manager.reset_failed("a.service", w.now).ok());
  CHECK(w.state("a.service") == "inactive");
  REQUIRE(w.start("a.service") == "");
  CHECK(w.state("a.service") == "active");
}

TEST_CASE("BindsTo= takes a unit down with the one it is bound to", "[engine][manager]") {
  EngineWorld w{{{"a.service", bare_service("/bin/a", "BindsTo=b.service\nAfter=b.service\n")},
                 {"b.service", bare_service("/bin/b")}}};
  REQUIRE(w.start("a.service") == "");
  w.exit("b.service", 0);
  CHECK(w.state("b.service") == "inactive");
  CHECK(w.state("a.service") == "deactivating");
}

TEST_CASE("PartOf= stops and restarts with the other unit, but does not start with it",
          "[engine][manager]") {
  EngineWorld w{{{"a.service", bare_service("/bin/a", "PartOf=b.service\nAfter=b.service\n")},
                 {"b.service", bare_service("/bin/b")}}};
  REQUIRE(w.start("b.service") == "");
  CHECK(w.state("a.service") == "unknown");
  REQUIRE(w.start("a.service") == "");
  REQUIRE(w.request("b.service", JobType::Restart) == "");
  w.die("a.service", 15);
  w.die("b.service", 15);
  CHECK(w.state("a.service") == "active");
  CHECK(w.state("b.service") == "active");
}

TEST_CASE("Upholds= starts a unit again whenever it is found down", "[engine][manager]") {
  EngineWorld w{{{"a.service", bare_service("/bin/a", "Upholds=b.service\n")},
                 {"b.service", bare_service("/bin/b")}}};
  REQUIRE(w.start("a.service") == "");
  CHECK(w.state("b.service") == "active");
  w.exit("b.service", 0);
  CHECK(w.state("b.service") == "active");
  CHECK(w.os.history.size() == 3);
}

TEST_CASE("StopWhenUnneeded= stops a unit when the last that wants it stops", "[engine][manager]") {
  EngineWorld w{{{"a.service", bare_service("/bin/a", "Requires=b.service\nAfter=b.service\n")},
                 {"b.service", bare_service("/bin/b", "StopWhenUnneeded=yes\n")}}};
  REQUIRE(w.start("a.service") == "");
  REQUIRE(w.stop("a.service") == "");
  w.die("a.service", 15);
  CHECK(w.state("b.service") == "deactivating");
}

TEST_CASE("Conflicts= stops the other unit", "[engine][manager]") {
  EngineWorld w{{{"a.service", bare_service("/bin/a", "Conflicts=b.service\n")},
                 {"b.service", bare_service("/bin/b")}}};
  REQUIRE(w.start("b.service") == "");
  REQUIRE(w.start("a.service") == "");
  CHECK(w.state("b.service") == "deactivating");
  w.die("b.service", 15);
  CHECK(w.state("a.service") == "active");
  CHECK(w.state("b.service") == "inactive");
}

TEST_CASE("a condition that does not hold skips the unit, an assertion fails its job",
          "[engine][manager]") {
  EngineWorld w{{{"a.service", bare_service("/bin/a", "ConditionPathExists=/gone\n")},
                 {"b.service", bare_service("/bin/b", "AssertPathExists=/gone\n")},
                 {"c.service", bare_service("/bin/c", "Requires=a.service\nAfter=a.service\n")}}};
  w.os.false_conditions.insert("/gone");
  REQUIRE(w.start("c.service") == "");
  CHECK(w.state("a.service") == "inactive");
  CHECK(w.state("c.service") == "active");
  REQUIRE(w.start("b.service") == "");
  CHECK(w.has_finished("b.service start assert"));
}

TEST_CASE("P3: fork fails with EAGAIN for a while and the start succeeds all the same",
          "[engine][manager][fault]") {
  EngineWorld w{{{"a.service", bare_service("/bin/a")}}};
  w.os.fail_spawns = 3;
  REQUIRE(w.start("a.service") == "");
  CHECK(w.state("a.service") == "activating");
  CHECK(w.os.history.empty());
  w.pass(seconds(1));
  CHECK(w.state("a.service") == "active");
  CHECK(w.os.history.size() == 1);
  const auto records = w.manager.command_records(w.manager.graph().find("a.service"));
  REQUIRE(records.size() == 1);
  CHECK(records[0].role == ExecRole::Start);
  CHECK(records[0].index == 0);
}

TEST_CASE("P3: while a start waits for a process, stop needs none", "[engine][manager][fault]") {
  EngineWorld w{{{"a.service", bare_service("/bin/a")}}};
  w.os.fail_spawns = 1000;
  REQUIRE(w.start("a.service") == "");
  REQUIRE(w.stop("a.service") == "");
  CHECK((w.state("a.service") == "inactive" || w.state("a.service") == "failed"));
  CHECK_FALSE(w.has_job("a.service"));
}

TEST_CASE("fork that never succeeds fails the unit with result resources",
          "[engine][manager][fault]") {
  EngineWorld w{{{"a.service", bare_service("/bin/a")}}};
  w.os.fail_spawns = 1000;
  REQUIRE(w.start("a.service") == "");
  w.pass(seconds(60));
  CHECK(w.state("a.service") == "failed");
  CHECK(w.manager.runtime(w.manager.graph().find("a.service")).service.result ==
        ServiceResult::Resources);
}

TEST_CASE("a stop while a start job waits cancels the start", "[engine][manager]") {
  EngineWorld w{{{"a.service", bare_service("/bin/a", "Requires=b.service\nAfter=b.service\n")},
                 {"b.service", bare_service("/bin/b", "", "Type=notify\n")}}};
  REQUIRE(w.start("a.service") == "");
  REQUIRE(w.stop("a.service") == "");
  CHECK(w.has_finished("a.service start canceled"));
  CHECK(w.state("a.service") == "inactive");
  CHECK(w.state("b.service") == "activating");
}

TEST_CASE("isolate stops everything that the target does not need", "[engine][manager]") {
  EngineWorld w{
      {{"t.target", "[Unit]\nAllowIsolate=yes\nDefaultDependencies=no\nRequires=a.service\n"},
       {"a.service", bare_service("/bin/a")},
       {"b.service", bare_service("/bin/b")},
       {"c.service", bare_service("/bin/c", "IgnoreOnIsolate=yes\n")}}};
  REQUIRE(w.start("b.service") == "");
  REQUIRE(w.start("c.service") == "");
  REQUIRE(w.request("t.target", JobType::Start, JobMode::Isolate) == "");
  CHECK(w.state("a.service") == "active");
  CHECK(w.state("b.service") == "deactivating");
  CHECK(w.state("c.service") == "active");
}

TEST_CASE("an ordering cycle is broken at a wish and the rest starts", "[engine][manager]") {
  EngineWorld w{
      {{"t.target", "[Unit]\nDefaultDependencies=no\nRequires=a.service\nWants=b.service\n"},
       {"a.service", bare_service("/bin/a", "After=b.service\n")},
       {"b.service", bare_service("/bin/b", "After=a.service\n")}}};
  REQUIRE(w.start("t.target") == "");
  CHECK(w.state("a.service") == "active");
  CHECK(w.state("t.target") == "active");
  CHECK(w.os.was_said("cycle"));
}

TEST_CASE("a job that waits longer than JobTimeoutSec= times out", "[engine][manager]") {
  EngineWorld w{
      {{"a.service",
        bare_service("/bin/a", "Requires=b.service\nAfter=b.service\nJobTimeoutSec=5s\n")},
       {"b.service", bare_service("/bin/b", "", "Type=notify\nTimeoutStartSec=infinity\n")}}};
  REQUIRE(w.start("a.service") == "");
  w.pass(seconds(6));
  CHECK(w.has_finished("a.service start timeout"));
  CHECK(w.state("b.service") == "activating");
}

TEST_CASE("Type=idle waits for the other jobs, five seconds at most", "[engine][manager]") {
  EngineWorld w{{{"t.target", "[Unit]\nDefaultDependencies=no\nWants=a.service b.service\n"},
                 {"a.service", bare_service("/bin/a", "", "Type=idle\n")},
                 {"b.service", bare_service("/bin/b", "", "Type=notify\n")}}};
  REQUIRE(w.start("t.target") == "");
  CHECK(w.os.pid_of("a.service") == 0);
  SECTION("until they have ended") {
    w.notify("b.service", "READY=1");
    CHECK(w.os.pid_of("a.service") != 0);
  }
  SECTION("or five seconds") {
    w.pass(seconds(5) + milliseconds(1));
    CHECK(w.os.pid_of("a.service") != 0);
  }
}

TEST_CASE("daemon-reload keeps what runs, also when its file is gone", "[engine][manager]") {
  EngineWorld w{{{"a.service", bare_service("/bin/a")}, {"b.service", bare_service("/bin/b")}}};
  REQUIRE(w.start("a.service") == "");
  REQUIRE(w.start("b.service") == "");
  const pid_t pid = w.os.pid_of("a.service");
  UnitTable changed{{{"b.service", bare_service("/bin/b2", "Description=changed\n")}}};
  Diagnostics diagnostics;
  w.manager.reload(changed, w.now, diagnostics);
  CHECK(w.state("a.service") == "active");
  CHECK(w.os.pid_of("a.service") == pid);
  CHECK(w.manager.graph().unit(w.manager.graph().find("b.service")).config.description ==
        "changed");
  REQUIRE(w.stop("a.service") == "");
  w.die("a.service", 15);
  CHECK(w.state("a.service") == "inactive");
}

TEST_CASE("N2: a notification from a process that may not send one changes nothing",
          "[engine][manager][notify][fault]") {
  EngineWorld w{{{"a.service", bare_service("/bin/a", "", "Type=notify\n")}}};
  REQUIRE(w.start("a.service") == "");
  const UnitId a = w.manager.graph().find("a.service");
  w.manager.notify(a, NotifySender{w.os.pid_of("a.service") + 1, 0}, "READY=1", w.now);
  CHECK(w.state("a.service") == "activating");
}

TEST_CASE("N3: MAINPID= is refused for PID 1, foreign and control processes",
          "[engine][manager][notify][fault]") {
  EngineWorld w{{{"a.service", bare_service("/bin/a", "", "Type=notify\nNotifyAccess=all\n")},
                 {"b.service", bare_service("/bin/b")}}};
  REQUIRE(w.start("a.service") == "");
  REQUIRE(w.start("b.service") == "");
  const UnitId a = w.manager.graph().find("a.service");
  const pid_t main = w.os.pid_of("a.service");
  for (const std::string& text :
       {std::string("MAINPID=1"), std::string("MAINPID=0"), std::string("MAINPID=1073741824"),
        "MAINPID=" + std::to_string(w.os.pid_of("b.service"))}) {
    w.manager.notify(a, NotifySender{main, 1000}, text, w.now);
    CHECK(w.manager.runtime(a).service.main.pid == main);
  }
}

TEST_CASE("N7: a service that dies while it reloads leaves no job behind",
          "[engine][manager][notify][fault]") {
  EngineWorld w{{{"a.service", bare_service("/bin/a", "", "Type=notify-reload\n")}}};
  REQUIRE(w.start("a.service") == "");
  w.notify("a.service", "READY=1");
  REQUIRE(w.request("a.service", JobType::Reload) == "");
  CHECK(w.state("a.service") == "reloading");
  w.die("a.service", 9);
  CHECK_FALSE(w.has_job("a.service"));
  CHECK(w.state("a.service") == "failed");
}

TEST_CASE("a unit that is missing or masked fails the job that needs it, with a reason",
          "[engine][manager]") {
  EngineWorld w{{{"a.service", bare_service("/bin/a", "Requires=gone.service\n")},
                 {"b.service", bare_service("/bin/b", "Wants=gone.service\n")}}};
  CHECK(w.start("a.service").find("gone.service") != std::string::npos);
  CHECK(w.start("b.service") == "");
  CHECK(w.state("b.service") == "active");
}

TEST_CASE("10,000 services in a row start and stop without recursion", "[engine][manager][scale]") {
  EngineWorld::Files files;
  for (int i = 0; i < 10000; ++i) {
    std::string unit =
        i == 0 ? "" : format("Requires=s{}.service\nAfter=s{}.service\n", i - 1, i - 1);
    files.emplace_back(format("s{}.service", i), bare_service("/bin/s", unit));
  }
  EngineWorld w{std::move(files)};
  REQUIRE(w.start("s9999.service") == "");
  CHECK(w.state("s9999.service") == "active");
  CHECK(w.os.history.size() == 10000);
}

TEST_CASE("every signal of a stop is followed by SIGCONT, but for SIGKILL", "[engine][manager]") {
  EngineWorld w{
      {{"a.service", bare_service("/bin/a", "",
                                  "WatchdogSec=5\nTimeoutAbortSec=3\nFinalKillSignal=SIGQUIT\n")}}};
  REQUIRE(w.start("a.service").empty());
  const pid_t pid = w.os.pid_of("a.service");
  w.pass(seconds(6));
  CHECK(w.os.alive.at(pid).signals == std::vector{6, 18});
  w.pass(seconds(4));
  CHECK(w.os.alive.at(pid).signals == std::vector{6, 18, 3, 18});
}

TEST_CASE("the first process of a forking service is told of the notify socket and the watchdog",
          "[engine][manager]") {
  EngineWorld w{{{"a.service", bare_service("/bin/a", "",
                                            "Type=forking\nNotifyAccess=main\nWatchdogSec=5\n"
                                            "ExecStartPre=/bin/pre\n")}}};
  REQUIRE(w.start("a.service").empty());
  w.exit("a.service", 0);
  REQUIRE(w.os.history.size() == 2);
  CHECK_FALSE(w.os.history[0].notify_socket);
  CHECK(w.os.history[0].watchdog == Duration{0});
  CHECK(w.os.history[1].notify_socket);
  CHECK(w.os.history[1].watchdog == seconds(5));
}

TEST_CASE("Requisite= without an order fails at once as well", "[engine][manager]") {
  // Whatever their names, and so the order of their jobs.
  const auto required = GENERATE(as<std::string>(), "0.service", "z.service");
  EngineWorld w{{{"m.service", bare_service("/bin/m", format("Requisite={}\n", required))},
                 {required, bare_service("/bin/r")}}};
  REQUIRE(w.start("m.service").empty());
  CHECK(w.has_finished("m.service start dependency"));
  CHECK(w.state("m.service") == "inactive");
  CHECK(w.os.history.empty());
}

TEST_CASE("a restart by hand keeps what RuntimeDirectoryPreserve=restart keeps",
          "[engine][manager]") {
  EngineWorld w{
      {{"a.service",
        bare_service("/bin/a", "", "RuntimeDirectory=a\nRuntimeDirectoryPreserve=restart\n")}}};
  REQUIRE(w.start("a.service").empty());
  REQUIRE(w.request("a.service", JobType::Restart).empty());
  w.die("a.service", 15);
  REQUIRE(w.state("a.service") == "active");
  REQUIRE(w.stop("a.service").empty());
  w.die("a.service", 15);
  std::vector<std::string> releases;
  for (const std::string& call : w.os.calls) {
    if (call.starts_with("release")) releases.push_back(call);
  }
  CHECK(releases ==
        std::vector<std::string>{"release a.service keeping directories", "release a.service"});
}

TEST_CASE("ExecStopPost= is told the status of the ExecCondition= that did not hold",
          "[engine][manager]") {
  EngineWorld w{
      {{"a.service", bare_service("/bin/a", "", "ExecCondition=/bin/c\nExecStopPost=/bin/p\n")}}};
  REQUIRE(w.start("a.service").empty());
  w.exit("a.service", 3);
  CHECK(w.os.history.back().environment == std::vector<std::string>{"SERVICE_RESULT=exec-condition",
                                                                    "EXIT_CODE=exited",
                                                                    "EXIT_STATUS=3"});
}

TEST_CASE("a call does no more than it may, and what is left is due at once", "[engine][manager]") {
  EngineWorld::Files files;
  std::string wants;
  for (int i = 0; i < 50; ++i) {
    files.emplace_back(format("s{}.service", i), bare_service("/bin/s"));
    wants += format("s{}.service ", i);
  }
  files.emplace_back("all.target", format("[Unit]\nDefaultDependencies=no\nWants={}\n", wants));
  ManagerConfig config;
  config.steps_a_call = 10;
  EngineWorld w{files, config};
  REQUIRE(w.start("all.target").empty());
  CHECK(w.os.history.size() <= 10);
  CHECK(w.manager.next_deadline() <= w.now.mono);
  for (int i = 0; i < 1000 && w.manager.next_deadline() <= w.now.mono; ++i) w.manager.elapse(w.now);
  CHECK(w.os.history.size() == 50);
  CHECK(w.state("all.target") == "active");
  CHECK(w.manager.next_deadline() > w.now.mono);
}

TEST_CASE("a dependency on a name follows it when it becomes an alias", "[engine][load]") {
  EngineWorld w{{{"a.service", bare_service("/bin/a", "Requires=foo.service\nAfter=foo.service\n")},
                 {"bar.service", bare_service("/bin/bar")}}};
  REQUIRE(w.start("bar.service").empty());
  REQUIRE_FALSE(w.start("a.service").empty());
  w.table.set("foo.service", "-> bar.service");
  REQUIRE(w.start("a.service").empty());
  CHECK(w.state("a.service") == "active");
  const UnitId a = w.manager.graph().find("a.service");
  CHECK(w.manager.graph()
            .between(a, w.manager.graph().find("bar.service"))
            .has(DependencyKind::Requires));
}
