// Jobs and units that would wait for ever: each was found by the simulator.
#include <catch2/catch.hpp>

#include <algorithm>

#include "support/engine_world.h"

using namespace onset;
using namespace onset::test;
using std::chrono::seconds;

namespace {

std::string service(std::string_view unit, std::string_view more = "") {
  return bare_service("/bin/x", unit, more);
}

void reload(EngineWorld& w, UnitTable& files) {
  Diagnostics diagnostics;
  w.manager.reload(files, w.now, diagnostics);
}

}  // namespace

TEST_CASE("a reload that meets a start in the queue is one or the other", "[engine][jobs]") {
  EngineWorld w{{{"a.service", service("", "Type=notify\nExecReload=/bin/r\n")}}};
  REQUIRE(w.start("a.service") == "");
  CHECK(w.request("a.service", JobType::Reload) == "");
  w.notify("a.service", "READY=1");
  CHECK(w.state("a.service") == "reloading");
  w.exit("a.service", 0);
  CHECK(w.state("a.service") == "active");
  CHECK_FALSE(w.has_job("a.service"));
}

TEST_CASE("a restart whose job fails with a dependency does not wait for ever",
          "[engine][restart]") {
  EngineWorld w{{{"a.service", service("Requisite=b.service\nAfter=b.service\n",
                                       "Restart=always\nRestartSec=1s\n")},
                 {"b.service", service("")}}};
  REQUIRE(w.start("b.service") == "");
  REQUIRE(w.start("a.service") == "");
  REQUIRE(w.stop("b.service") == "");  // takes a with it
  w.die("a.service", 15);
  w.die("b.service", 15);
  REQUIRE(w.request("a.service", JobType::Start, JobMode::IgnoreDependencies) == "");
  w.exit("a.service", 1);
  CHECK(w.sub("a.service") == "auto-restart");
  w.pass(seconds(1));
  CHECK(w.state("a.service") == "failed");
  CHECK_FALSE(w.has_job("a.service"));
}

TEST_CASE("a job that new files order otherwise runs", "[engine][reload]") {
  EngineWorld w{
      {{"a.service", service("", "Type=oneshot\n")}, {"b.service", service("After=a.service\n")}}};
  REQUIRE(w.start("a.service") == "");
  REQUIRE(w.start("b.service") == "");
  CHECK(w.state("b.service") == "inactive");
  UnitTable changed{{{"a.service", service("", "Type=oneshot\n")}, {"b.service", service("")}}};
  reload(w, changed);
  CHECK(w.state("b.service") == "active");
}

TEST_CASE("daemon-reload does not run a job that waits, nor ends it", "[engine][reload]") {
  const EngineWorld::Files files{{"a.service", service("")},
                                 {"b.service", service("Requires=a.service\nAfter=a.service\n")}};
  UnitTable same{files};
  EngineWorld w{files};
  REQUIRE(w.start("b.service") == "");
  w.exit("a.service", 1);
  SECTION("a restart of what is down, which waits for a stop") {
    REQUIRE(w.request("a.service", JobType::Restart) == "");
    REQUIRE(w.sub("b.service") == "stop-sigterm");
    reload(w, same);
    CHECK(w.state("a.service") == "failed");
    REQUIRE(w.manager.jobs().size() == 2);
    for (const Job* job : w.manager.jobs()) CHECK(job->type == JobType::Restart);
    w.die("b.service", 15);
    CHECK(w.state("a.service") == "active");
    CHECK(w.state("b.service") == "active");
  }
  SECTION("a start of what is up, which waits for what it requires") {
    UnitTable slow{{{"a.service", service("", "Type=notify\n")}, files[1]}};
    reload(w, slow);
    REQUIRE(w.start("b.service") == "");
    REQUIRE(w.has_job("b.service"));
    reload(w, slow);
    CHECK(w.has_job("b.service"));
    w.notify("a.service", "READY=1");
    CHECK_FALSE(w.has_job("b.service"));
  }
}

TEST_CASE("a ring of waiting jobs that new files make is broken and named", "[engine][reload]") {
  const std::string slow = service("", "Type=oneshot\n");
  EngineWorld w{{{"slow.service", slow},
                 {"a.service", service("After=slow.service\n")},
                 {"b.service", service("After=slow.service\n")}}};
  for (const char* name : {"slow.service", "a.service", "b.service"}) REQUIRE(w.start(name) == "");
  UnitTable changed{{{"slow.service", slow},
                     {"a.service", service("After=b.service\n")},
                     {"b.service", service("After=a.service\n")}}};
  reload(w, changed);
  CHECK(w.os.was_said("Found ordering cycle: "));
  CHECK((w.state("a.service") == "active") != (w.state("b.service") == "active"));
  CHECK_FALSE(w.has_job("a.service"));
  CHECK_FALSE(w.has_job("b.service"));
}

TEST_CASE("a ring that restarts will make once they have stopped is broken too",
          "[engine][reload]") {
  EngineWorld w{{{"a.service", service("")}, {"b.service", service("")}}};
  for (const char* name : {"a.service", "b.service"}) REQUIRE(w.start(name) == "");
  for (const char* name : {"a.service", "b.service"})
    REQUIRE(w.request(name, JobType::Restart) == "");
  UnitTable changed{
      {{"a.service", service("After=b.service\n")}, {"b.service", service("After=a.service\n")}}};
  reload(w, changed);
  for (const char* name : {"a.service", "b.service"}) w.die(name, 15);
  CHECK_FALSE(w.has_job("a.service"));
  CHECK_FALSE(w.has_job("b.service"));
}

TEST_CASE("a reload of a service that starts waits, of Type=idle too", "[engine][reload]") {
  EngineWorld w{
      {{"a.service", service("", "Type=idle\nExecStartPre=/bin/p\nExecReload=/bin/r\n")}}};
  REQUIRE(w.start("a.service") == "");
  REQUIRE(w.sub("a.service") == "start-pre");
  REQUIRE(w.request("a.service", JobType::Reload) == "");
  w.exit("a.service", 0);
  CHECK(w.sub("a.service") == "reload");
  w.exit("a.service", 0);
  CHECK(w.has_finished("a.service reload done"));
}

TEST_CASE("a unit that nothing needs goes once the job in its way has ended",
          "[engine][unneeded]") {
  EngineWorld w{{{"a.service", service("StopWhenUnneeded=yes\n")},
                 {"user.service", service("Wants=a.service\n")},
                 {"part.service", service("PartOf=a.service\n", "Type=oneshot\n")}}};
  REQUIRE(w.start("user.service") == "");
  REQUIRE(w.start("part.service") == "");
  w.exit("user.service", 0);
  CHECK(w.state("a.service") == "active");  // its stop would stop part's start
  w.exit("part.service", 0);
  CHECK(w.state("a.service") == "deactivating");
}

TEST_CASE("a unit that is stopped and started again in a ring leaves time for others",
          "[engine][bound][fault]") {
  EngineWorld w{
      {{"a.slice", "[Unit]\nDefaultDependencies=no\nBindsTo=b.service\nOnSuccess=c.service\n"},
       {"b.service", service("")},
       {"c.service", service("Requires=a.slice\n")}}};
  REQUIRE(w.start("a.slice") == "");
  while (w.os.pid_of("b.service") != 0) w.exit("b.service", 0);  // until its start limit
  CHECK(w.manager.next_deadline() > w.now.mono);
  w.pass(seconds(11));
  CHECK(w.manager.next_deadline() > w.now.mono);
}

TEST_CASE("a service that fails at once and is started by what it triggers leaves time for others",
          "[engine][trigger][fault]") {
  EngineWorld w{{{"a.service", service("OnFailure=b.service\nStartLimitBurst=0\n")},
                 {"b.service", service("Requires=a.service\nAfter=a.service\n")}}};
  w.os.unspawnable.insert("a.service");
  REQUIRE(w.start("a.service") == "");
  CHECK(w.state("a.service") == "failed");
  CHECK(w.manager.next_deadline() > w.now.mono);
}

TEST_CASE("a service without a main process that reloads ends when it is empty",
          "[engine][reload]") {
  EngineWorld w{{{"a.service", service("",
                                       "Type=forking\nGuessMainPID=no\nNotifyAccess=all\n"
                                       "TimeoutStartSec=infinity\n")}}};
  REQUIRE(w.start("a.service") == "");
  w.notify("a.service", "RELOADING=1\nMONOTONIC_USEC=1");
  const pid_t control = w.os.pid_of("a.service");
  FakeProcess daemon = w.os.alive.at(control);
  daemon.pid = control + 50;
  w.os.alive[daemon.pid] = daemon;
  w.os.vanish(control);
  w.manager.process_exited(control, {ExitKind::Exited, 0}, w.now);
  REQUIRE(w.sub("a.service") == "reload-notify");
  w.exit("a.service", 0);
  CHECK(w.state("a.service") == "inactive");
}

TEST_CASE("C11: two units do not get one main process from a PID file",
          "[engine][pidfile][fault]") {
  const std::string text = service("", "PIDFile=/run/x.pid\n");
  EngineWorld w{{{"a.service", text}, {"b.service", text}}};
  for (const char* name : {"a.service", "b.service"}) REQUIRE(w.start(name) == "");
  w.os.pid_files["/run/x.pid"] = {4000, true, {}};
  w.exit("a.service", 0);
  CHECK(w.state("a.service") == "active");
  w.exit("b.service", 0);
  CHECK(w.state("b.service") == "inactive");
}

TEST_CASE("D5: no flush takes the shutdown away", "[engine][shutdown][fault]") {
  const std::string plain = "[Unit]\nDefaultDependencies=no\n";
  EngineWorld w{{{"exit.target", plain + "Requires=last.service\nAfter=last.service\n"},
                 {"last.service", service("", "Type=oneshot\n")},
                 {"a.service", service("")}}};
  w.manager.shut_down(Objective::Exit, 0, w.now);
  CHECK(w.request("a.service", JobType::Start, JobMode::Flush) == "");
  CHECK(w.has_job("exit.target"));
}

TEST_CASE("D5: a shutdown whose jobs were cancelled ends all the same",
          "[engine][shutdown][fault]") {
  const std::string plain = "[Unit]\nDefaultDependencies=no\n";
  EngineWorld w{{{"exit.target", plain + "Requires=last.service\nAfter=last.service\n"},
                 {"last.service", service("", "Type=oneshot\n")}}};
  w.manager.shut_down(Objective::Exit, 0, w.now);
  CHECK(w.manager.objective() == Objective::Run);
  while (w.manager.job_count() > 0) REQUIRE(w.manager.cancel(w.manager.jobs().front()->id, w.now));
  CHECK(w.manager.objective() == Objective::Exit);
}

TEST_CASE("D5: a start that waits for ever does not hold up a cancelled shutdown",
          "[engine][shutdown][fault]") {
  const std::string plain = "[Unit]\nDefaultDependencies=no\n";
  EngineWorld w{{{"exit.target", plain + "Requires=last.service\nAfter=last.service\n"},
                 {"last.service", service("", "Type=oneshot\n")},
                 {"a.service", service("", "Restart=always\nRestartSec=infinity\n")}}};
  REQUIRE(w.start("a.service") == "");
  w.exit("a.service", 1);
  w.manager.shut_down(Objective::Exit, 0, w.now);
  REQUIRE(w.start("a.service") == "");  // waits for the restart
  while (w.has_job("exit.target") || w.has_job("last.service")) {
    const UnitId id =
        w.manager.graph().find(w.has_job("exit.target") ? "exit.target" : "last.service");
    REQUIRE(w.manager.cancel(w.manager.runtime(id).job, w.now));
  }
  CHECK(w.manager.objective() == Objective::Exit);
}

TEST_CASE("a shutdown that files hold up ends with JobTimeoutSec= of its target",
          "[engine][shutdown][fault]") {
  // As of a drop-in of all services: with a.service the unit would stop that ends it all. Its
  // start is required, so that the stop of a.service goes, which nobody requires.
  const std::string plain = "[Unit]\nDefaultDependencies=no\n";
  EngineWorld w{{{"exit.target", plain + "Requires=last.service\nAfter=last.service\n"
                                         "JobTimeoutSec=30min\nJobTimeoutAction=exit-force\n"},
                 {"last.service", service("Requires=shutdown.target\nAfter=shutdown.target\n"
                                          "StopPropagatedFrom=a.service\n",
                                          "Type=oneshot\n")},
                 {"shutdown.target", plain},
                 {"a.service", service("Conflicts=shutdown.target\nBefore=shutdown.target\n",
                                       "Restart=always\nRestartSec=infinity\n")}}};
  REQUIRE(w.start("a.service") == "");
  w.exit("a.service", 1);
  REQUIRE(w.start("a.service") == "");  // waits for the restart
  w.manager.shut_down(Objective::Exit, 0, w.now);
  CHECK(w.os.was_said("last.service/stop deleted"));
  w.pass(std::chrono::minutes(29));
  CHECK(w.manager.objective() == Objective::Run);
  w.pass(std::chrono::minutes(1));
  CHECK(w.manager.objective() != Objective::Run);
}

TEST_CASE("a launch that waits for memory is not tried again once its phase is over",
          "[engine][spawn][fault]") {
  EngineWorld w{{{"a.service", service("", "ExecStop=/bin/s\nExecStopPost=/bin/p\n")}}};
  REQUIRE(w.start("a.service") == "");
  w.os.fail_spawns = 2;  // of ExecStop=, and of ExecStopPost= when that is given up
  REQUIRE(w.stop("a.service") == "");
  CHECK(w.sub("a.service") == "stop");
  w.exit("a.service", 0);
  const std::size_t spawned = w.os.history.size();
  CHECK(w.state("a.service") == "failed");
  w.pass(seconds(60));
  CHECK(w.os.history.size() == spawned);
}

TEST_CASE("a launch that waits, whose command new files take away, fails once",
          "[engine][spawn][reload]") {
  const std::string restarts = "Restart=always\nRestartSec=1s\n";
  EngineWorld w{{{"a.service", service("", restarts + "ExecStartPre=/bin/p\n")}}};
  w.os.fail_spawns = 1;
  REQUIRE(w.start("a.service") == "");
  REQUIRE(w.sub("a.service") == "start-pre");
  UnitTable changed{{{"a.service", service("", restarts)}}};
  reload(w, changed);
  w.pass(seconds(10));
  CHECK(w.sub("a.service") == "running");
}

TEST_CASE("a service whose type new files change while it forks does not stay in start",
          "[engine][reload]") {
  EngineWorld w{{{"a.service", service("", "Type=forking\nTimeoutStartSec=infinity\n")}}};
  REQUIRE(w.start("a.service") == "");
  UnitTable changed{{{"a.service", service("", "Type=simple\n")}}};
  reload(w, changed);
  w.exit("a.service", 0);
  CHECK_FALSE(w.has_job("a.service"));
  CHECK(w.sub("a.service") != "start");
}

TEST_CASE("each failed job counts once in what OnFailure= may trigger", "[engine][trigger]") {
  EngineWorld w{
      {{"a.service", service("Requires=d.service\nAfter=d.service\nOnFailure=b.service\n")},
       {"b.service", service("StartLimitBurst=0\n", "Type=oneshot\n")},
       {"d.service", service("StartLimitBurst=0\n")}}};
  w.os.unspawnable.insert("d.service");
  for (int i = 0; i < 12; ++i) {
    REQUIRE(w.start("a.service") == "");
    REQUIRE(w.os.pid_of("b.service") != 0);
    w.exit("b.service", 0);
  }
}

TEST_CASE("a stop that is under way when a shutdown begins ends within its budget",
          "[engine][shutdown]") {
  ManagerConfig config;
  config.container = true;
  config.shutdown_budget = seconds(8);
  EngineWorld w{{{"a.service", service("Conflicts=shutdown.target\nBefore=shutdown.target\n",
                                       "TimeoutStopSec=1h\n")},
                 {"exit.target", "[Unit]\nDefaultDependencies=no\nRequires=shutdown.target\n"},
                 {"shutdown.target", "[Unit]\nDefaultDependencies=no\n"}},
                config};
  REQUIRE(w.start("a.service") == "");
  REQUIRE(w.stop("a.service") == "");
  REQUIRE(w.sub("a.service") == "stop-sigterm");
  w.manager.shut_down(Objective::Exit, 0, w.now);
  w.pass(std::chrono::milliseconds(6500));
  CHECK(w.sub("a.service") == "stop-sigkill");
}

TEST_CASE("a start by hand within RestartSec= is no second restart", "[engine][restart]") {
  EngineWorld w{{{"a.service", service("", "Restart=always\nRestartSec=1s\n")}}};
  REQUIRE(w.start("a.service") == "");
  w.exit("a.service", 0);
  REQUIRE(w.sub("a.service") == "auto-restart");
  REQUIRE(w.start("a.service") == "");
  w.pass(seconds(2));
  CHECK(w.sub("a.service") == "running");
  CHECK_FALSE(w.has_job("a.service"));
  CHECK(w.os.history.size() == 2);
}

TEST_CASE("a shutdown is not held up by what was queued irreversibly before",
          "[engine][shutdown]") {
  EngineWorld w{{{"a.service", service("", "Restart=always\nRestartSec=infinity\n")},
                 {"poweroff.target",
                  "[Unit]\nDefaultDependencies=no\nRequires=b.service\n"
                  "After=b.service\nConflicts=c.service\n"},
                 {"b.service", service("", "Type=oneshot\n")},
                 {"c.service", service("", "Type=notify\n")}}};
  REQUIRE(w.start("a.service") == "");
  w.exit("a.service", 0);
  REQUIRE(w.request("a.service", JobType::Start, JobMode::ReplaceIrreversibly) == "");
  REQUIRE(w.has_job("a.service"));
  REQUIRE(w.request("c.service", JobType::Start, JobMode::ReplaceIrreversibly) == "");
  w.manager.shut_down(Objective::Poweroff, 0, w.now);
  CHECK(w.sub("c.service") == "stop-sigterm");
  w.die("c.service", 15);
  CHECK(w.manager.objective() == Objective::Run);
  w.exit("b.service", 1);
  CHECK(w.manager.objective() == Objective::Poweroff);
}

TEST_CASE("a service that ends behind the one whose failure ends the system does not restart",
          "[engine][restart][shutdown]") {
  ManagerConfig config;
  config.container = true;
  const std::string slow = "Type=notify\nTimeoutStartSec=1s\nTimeoutStopSec=1s\n";
  EngineWorld w{{{"a.service", service("FailureAction=exit\n", slow)},
                 {"b.service", service("", slow + "Restart=always\n")},
                 {"exit.target", "[Unit]\nDefaultDependencies=no\n"}},
                config};
  REQUIRE(w.start("a.service") == "");
  REQUIRE(w.start("b.service") == "");
  w.pass(seconds(60));  // nothing ends them: both are left behind in one moment
  CHECK(w.manager.objective() == Objective::Exit);
  CHECK(w.sub("b.service") == "failed");
}

TEST_CASE("a stop is not failed by the reload that it gives up", "[engine][jobs]") {
  EngineWorld w{{{"a.service", service("", "ExecReload=/bin/r\n")}}};
  REQUIRE(w.start("a.service") == "");
  w.os.fail_spawns = 1;
  REQUIRE(w.request("a.service", JobType::Reload) == "");
  REQUIRE(w.sub("a.service") == "reload");
  REQUIRE(w.stop("a.service") == "");
  CHECK(w.sub("a.service") == "stop-sigterm");
  CHECK(w.has_job("a.service"));
  w.die("a.service", 15);
  CHECK(w.has_finished("a.service stop done"));
}
