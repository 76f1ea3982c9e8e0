// What follows from the end of a unit: OnFailure= and OnSuccess=, FailureAction= and
// SuccessAction=, the shutdown.
#include <catch2/catch.hpp>

#include "base/format.h"
#include "support/engine_world.h"

using namespace onset;
using namespace onset::test;
using std::chrono::seconds;

TEST_CASE("OnFailure= starts its unit, OnSuccess= does not when it failed", "[engine][manager]") {
  EngineWorld w{
      {{"a.service", bare_service("/bin/a", "OnFailure=f.service\nOnSuccess=s.service\n")},
       {"f.service", bare_service("/bin/f")},
       {"s.service", bare_service("/bin/s")}}};
  REQUIRE(w.start("a.service") == "");
  w.exit("a.service", 3);
  CHECK(w.state("f.service") == "active");
  CHECK(w.state("s.service") == "inactive");
}

TEST_CASE("OnSuccess= starts its unit when a service ends well", "[engine][manager]") {
  EngineWorld w{{{"a.service", bare_service("/bin/a", "OnSuccess=s.service\n")},
                 {"s.service", bare_service("/bin/s")}}};
  REQUIRE(w.start("a.service") == "");
  w.exit("a.service", 0);
  CHECK(w.state("s.service") == "active");
}

TEST_CASE("shutdown stops services in reverse order and ends in the objective",
          "[engine][manager][shutdown]") {
  const std::string conflict = "Conflicts=shutdown.target\nBefore=shutdown.target\n";
  ManagerConfig config;
  config.container = true;
  config.shutdown_budget = seconds(9);
  EngineWorld w{
      {{"exit.target",
        "[Unit]\nDefaultDependencies=no\nAllowIsolate=yes\nRequires=systemd-exit.service\nAfter="
        "systemd-exit.service\n"},
       {"systemd-exit.service",
        "[Unit]\nDefaultDependencies=no\nRequires=shutdown.target\nAfter=shutdown."
        "target\nSuccessAction=exit-force\n"},
       {"shutdown.target", "[Unit]\nDefaultDependencies=no\n"},
       {"a.service", bare_service("/bin/a", conflict + "Requires=b.service\nAfter=b.service\n")},
       {"b.service", bare_service("/bin/b", conflict)}},
      config};
  REQUIRE(w.start("a.service") == "");
  w.manager.shut_down(Objective::Exit, 3, w.now);
  CHECK(w.manager.system_state() == SystemState::Stopping);
  CHECK(w.state("a.service") == "deactivating");
  CHECK(w.state("b.service") == "active");
  CHECK(w.start("b.service") != "");
  SECTION("each one stops when the one before has") {
    w.die("a.service", 15);
    CHECK(w.state("b.service") == "deactivating");
    CHECK(w.manager.objective() == Objective::Run);
    w.die("b.service", 15);
    CHECK(w.manager.objective() == Objective::Exit);
    CHECK(w.manager.exit_status() == 3);
  }
  SECTION("a service that ignores TERM is killed within its share of the budget") {
    w.pass(seconds(4));
    const std::vector<int> signals = w.os.alive.at(w.os.pid_of("a.service")).signals;
    REQUIRE(signals.size() >= 2);
    CHECK(signals == std::vector{15, 18, 9});
  }
  SECTION("the budget holds whatever happens") {
    w.pass(seconds(10));
    CHECK(w.manager.objective() == Objective::Exit);
  }
  SECTION("asked twice, it ends at once") {
    w.manager.shut_down(Objective::Reboot, 0, w.now);
    CHECK(w.manager.objective() == Objective::Exit);
  }
}

TEST_CASE("FailureAction=exit ends a container with the command's status",
          "[engine][manager][shutdown]") {
  ManagerConfig config;
  config.container = true;
  const std::string exit_target = "[Unit]\nDefaultDependencies=no\n";
  EngineWorld w{{{"exit.target", exit_target},
                 {"a.service", bare_service("/bin/a", "FailureAction=exit-force\n")}},
                config};
  REQUIRE(w.start("a.service") == "");
  SECTION("an exit status as it is") {
    w.exit("a.service", 7);
    CHECK(w.manager.exit_status() == 7);
  }
  SECTION("a signal as 128 more") {
    w.die("a.service", 9);
    CHECK(w.manager.exit_status() == 137);
  }
  CHECK(w.manager.objective() == Objective::Exit);
}

TEST_CASE("what fails in a shutdown triggers nothing", "[engine][manager]") {
  EngineWorld w{
      {{"a.service", bare_service("/bin/a", "OnFailure=h.service\n")},
       {"h.service", "[Unit]\nDefaultDependencies=no\n[Service]\nExecStart=/bin/h\n"},
       {"default.target", "[Unit]\nDefaultDependencies=no\nWants=a.service\n"},
       {"exit.target", "[Unit]\nDefaultDependencies=no\nConflicts=a.service\nAfter=a.service\n"}}};
  w.manager.start_up(w.now);
  REQUIRE(w.state("a.service") == "active");
  w.manager.shut_down(Objective::Exit, 0, w.now);
  REQUIRE(w.state("a.service") == "deactivating");
  w.exit("a.service", 1);
  CHECK(w.state("a.service") == "failed");
  CHECK(w.state("h.service") == "inactive");
  CHECK(w.os.pid_of("h.service") == 0);
}

TEST_CASE("a restart to come holds OnFailure= back, and no FailureAction= or SuccessAction=",
          "[engine][manager][shutdown]") {
  const auto restarting = [](const char* action) {
    return bare_service("/bin/a", std::string("OnFailure=h.service\n") + action,
                        "Restart=always\nRestartSec=1\n");
  };
  ManagerConfig config;
  config.container = true;
  const bool fails = GENERATE(true, false);
  EngineWorld w{{{"a.service",
                  restarting(fails ? "FailureAction=exit-force\n" : "SuccessAction=exit-force\n")},
                 {"h.service", bare_service("/bin/h")}},
                config};
  REQUIRE(w.start("a.service") == "");
  w.exit("a.service", fails ? 1 : 0);
  CHECK(w.state("h.service") == "inactive");
  CHECK(w.manager.objective() == Objective::Exit);
}

TEST_CASE("a unit that another one's end starts is told of it", "[engine][manager]") {
  EngineWorld w{{{"a.service", bare_service("/bin/a", "OnFailure=h.service\n")},
                 {"h.service", bare_service("/bin/h")}}};
  REQUIRE(w.start("a.service") == "");
  w.exit("a.service", 3);
  REQUIRE(w.state("h.service") == "active");
  const auto& environment = w.os.history.back().environment;
  const auto told = [&](std::string_view what) {
    return std::find(environment.begin(), environment.end(), what) != environment.end();
  };
  CHECK(told("MONITOR_UNIT=a.service"));
  CHECK(told("MONITOR_SERVICE_RESULT=exit-code"));
  CHECK(told("MONITOR_EXIT_CODE=exited"));
  CHECK(told("MONITOR_EXIT_STATUS=3"));
  CHECK(std::any_of(environment.begin(), environment.end(), [](const std::string& e) {
    return e.starts_with("MONITOR_INVOCATION_ID=") && e.size() == 22 + 32;
  }));
}

namespace {

/// The $MONITOR_… that the newest process was started with, less the invocation's id.
std::vector<std::string> told_of_trigger(const EngineWorld& w) {
  std::vector<std::string> told;
  for (const std::string& e : w.os.history.back().environment) {
    if (e.starts_with("MONITOR_") && !e.starts_with("MONITOR_INVOCATION_ID="))
      told.push_back(e.substr(8));
  }
  return told;
}
using Told = std::vector<std::string>;

constexpr const char* kSlow = "Type=oneshot\n";

}  // namespace

TEST_CASE("a handler that had to wait is told how the service ended that is unloaded by then",
          "[engine][manager]") {
  const auto directive = GENERATE(as<std::string>(), "OnSuccess", "OnFailure");
  EngineWorld w{
      {{"a.service", bare_service("/bin/a", format("{}=h.service\nCollectMode=inactive-or-"
                                                   "failed\n",
                                                   directive))},
       {"slow.service", bare_service("/bin/slow", "", kSlow)},
       {"h.service", bare_service("/bin/h", "After=slow.service\n")}}};
  REQUIRE(w.start("slow.service") == "");
  REQUIRE(w.start("a.service") == "");
  w.exit("a.service", directive == "OnSuccess" ? 0 : 3);
  w.manager.collect();
  REQUIRE(w.state("h.service") == "inactive");
  w.exit("slow.service", 0);
  REQUIRE(w.state("h.service") == "active");
  CHECK(told_of_trigger(w) ==
        (directive == "OnSuccess"
             ? Told{"SERVICE_RESULT=success", "EXIT_CODE=exited", "EXIT_STATUS=0", "UNIT=a.service"}
             : Told{"SERVICE_RESULT=exit-code", "EXIT_CODE=exited", "EXIT_STATUS=3",
                    "UNIT=a.service"}));
  w.exit("h.service", 0);
  w.manager.collect();
  for (const auto* unit : {"a.service", "h.service"})
    CHECK_FALSE(w.manager.graph().find(unit).valid());
}

TEST_CASE("a handler that had to wait is told how it was, not how it is now", "[engine][manager]") {
  EngineWorld w{{{"a.service", bare_service("/bin/a", "OnFailure=h.service\n")},
                 {"slow.service", bare_service("/bin/slow", "", kSlow)},
                 {"h.service", bare_service("/bin/h", "After=slow.service\n")}}};
  REQUIRE(w.start("slow.service") == "");
  REQUIRE(w.start("a.service") == "");
  w.die("a.service", 9);
  REQUIRE(w.start("a.service") == "");
  w.exit("slow.service", 0);
  REQUIRE(w.state("h.service") == "active");
  CHECK(told_of_trigger(w) ==
        Told{"SERVICE_RESULT=signal", "EXIT_CODE=killed", "EXIT_STATUS=KILL", "UNIT=a.service"});
}

TEST_CASE("a handler that two services have triggered while it waited is told of none",
          "[engine][manager]") {
  EngineWorld w{{{"a.service", bare_service("/bin/a",
                                            "OnFailure=h.service\n"
                                            "CollectMode=inactive-or-failed\n")},
                 {"b.service", bare_service("/bin/b", "OnFailure=h.service\n")},
                 {"slow.service", bare_service("/bin/slow", "", kSlow)},
                 {"h.service", bare_service("/bin/h", "After=slow.service\n")}}};
  REQUIRE(w.start("slow.service") == "");
  REQUIRE(w.start("a.service") == "");
  w.exit("a.service", 3);
  w.manager.collect();
  REQUIRE(w.start("b.service") == "");
  w.exit("b.service", 4);
  w.exit("slow.service", 0);
  REQUIRE(w.state("h.service") == "active");
  CHECK(told_of_trigger(w).empty());
}

TEST_CASE("of several units that may have triggered it a unit is told none", "[engine][manager]") {
  EngineWorld w{{{"a.service", bare_service("/bin/a", "OnFailure=h.service\n")},
                 {"b.service", bare_service("/bin/b", "OnSuccess=h.service\n")},
                 {"h.service", bare_service("/bin/h")}}};
  REQUIRE(w.start("b.service") == "");
  REQUIRE(w.start("a.service") == "");
  w.exit("a.service", 3);
  REQUIRE(w.state("h.service") == "active");
  for (const std::string& e : w.os.history.back().environment)
    CHECK_FALSE(e.starts_with("MONITOR_"));
}

TEST_CASE("a failure unit that pulls in what cannot start comes to rest", "[engine][manager]") {
  const auto pull = GENERATE(as<std::string>(), "Wants", "Upholds");
  EngineWorld w{
      {{"a.service", bare_service("/bin/a", "Requisite=down.service\nOnFailure=b.service\n")},
       {"b.service", bare_service("/bin/b", pull + "=a.service\n", "Type=oneshot\n")},
       {"down.service", bare_service("/bin/d")}}};
  REQUIRE(w.start("a.service").empty());
  for (int i = 0; i < 100 && w.os.pid_of("b.service") != 0; ++i) w.exit("b.service", 0);
  CHECK(w.os.history.size() <= 40);
  CHECK(w.os.was_said("was due 16 times within 10 s"));
}

TEST_CASE("a handler is told again when Restart= starts it again, and not when a user does",
          "[engine][manager]") {
  EngineWorld w{{{"a.service", bare_service("/bin/a", "OnFailure=h.service\n")},
                 {"h.service", bare_service("/bin/h", "", "Restart=on-failure\nRestartSec=1\n")}}};
  const Told told{"SERVICE_RESULT=exit-code", "EXIT_CODE=exited", "EXIT_STATUS=3",
                  "UNIT=a.service"};
  REQUIRE(w.start("a.service") == "");
  w.exit("a.service", 3);
  REQUIRE(w.os.history.size() == 2);
  CHECK(told_of_trigger(w) == told);
  w.exit("h.service", 1);
  w.pass(std::chrono::seconds(2));
  REQUIRE(w.os.history.size() == 3);
  CHECK(told_of_trigger(w) == told);
  REQUIRE(w.request("h.service", JobType::Restart) == "");
  w.die("h.service", 15);
  REQUIRE(w.os.history.size() == 4);
  CHECK(told_of_trigger(w).empty());
}

TEST_CASE("what a review has found is looked at again when its turn comes", "[engine][manager]") {
  ManagerConfig config;
  config.steps_a_call = 1;
  const int steps = GENERATE(range(0, 8));
  EngineWorld w{{{"a.service", bare_service("/bin/a", "Upholds=u.target\n",
                                            "Restart=always\nRestartSec=1\nRuntimeMaxSec=5\n")},
                 {"u.target", "[Unit]\nDefaultDependencies=no\nStopWhenUnneeded=yes\n"}},
                config};
  const auto settle = [&w](int most) {
    for (int i = 0; i < most && w.manager.next_deadline() <= w.now.mono; ++i)
      w.manager.elapse(w.now);
  };
  REQUIRE(w.start("a.service").empty());
  settle(100);
  REQUIRE(w.state("u.target") == "active");
  w.now.mono = w.manager.next_deadline();
  w.manager.elapse(w.now);
  REQUIRE(w.state("a.service") == "deactivating");
  settle(steps);
  const bool is_stopped_before = w.has_job("u.target") || w.state("u.target") != "active";
  w.exit("a.service", 0);  // and it will come again
  settle(100);
  CAPTURE(steps, is_stopped_before);
  CHECK(w.state("a.service") == "activating");
  CHECK((is_stopped_before || w.state("u.target") == "active"));
}

TEST_CASE("a system is stopping from the moment that shutdown.target is asked for",
          "[engine][shutdown]") {
  EngineWorld w{
      {{"a.service",
        "[Unit]\nConflicts=shutdown.target\nBefore=shutdown.target\n"
        "DefaultDependencies=no\n[Service]\nExecStart=/bin/a\n"},
       {"t.target", "[Unit]\nDefaultDependencies=no\nWants=a.service\n"},
       {"reboot.target",
        "[Unit]\nDefaultDependencies=no\nRequires=shutdown.target\nAfter=shutdown.target\n"},
       {"shutdown.target", "[Unit]\nDefaultDependencies=no\n"}}};
  REQUIRE(w.start("t.target").empty());
  CHECK_FALSE(w.manager.going_down());
  REQUIRE(w.start("reboot.target").empty());
  CHECK(w.manager.going_down());
  CHECK(w.manager.system_state() == SystemState::Stopping);
  CHECK_FALSE(w.manager.stopping());
}
