// Requests that end in jobs: queued, waited for, refused, cancelled.
#include <catch2/catch.hpp>
#include <climits>

#include "support/failing_new.h"
#include "unit/control/manager_world.h"

using namespace onset;
using namespace onset::test;
using Files = EngineWorld::Files;
using namespace std::chrono_literals;

TEST_CASE("a start is queued and, if asked for, waited for", "[control][jobs]") {
  ManagerWorld w(Files{{"a.service", "[Service]\nType=notify\nExecStart=/bin/a\n"}});
  auto client = w.client();
  client.send("Enqueue", waiting("start", {"a.service"}), true);
  auto replies = client.replies();
  REQUIRE(replies.size() == 1);
  CHECK(replies[0]["continues"] == true);
  auto job = replies[0]["parameters"]["jobs"][0];
  CHECK(job["unit"] == "a.service");
  CHECK(job["type"] == "start");
  CHECK(job["result"].is_null());
  w.engine.notify("a.service", "READY=1");
  replies = client.replies();
  REQUIRE(replies.size() == 1);
  CHECK_FALSE(replies[0].contains("continues"));
  CHECK(replies[0]["parameters"]["jobs"][0]["result"] == "done");
  CHECK(replies[0]["parameters"]["jobs"][0]["job"] == job["job"]);
  CHECK(w.interface.pending_calls() == 0);
}

TEST_CASE("P1: a job that is waited for ends well, whatever memory its request had",
          "[control][jobs][P1]") {
  const unsigned failures = GENERATE(1U, UINT_MAX);
  const bool more = GENERATE(false, true);
  unsigned failed = 1;
  for (unsigned left = 0; failed > 0; ++left) {
    CAPTURE(left, failures);
    ManagerWorld w(Files{{"a.service", "[Service]\nType=notify\nExecStart=/bin/a\n"}});
    {
      auto client = w.client();
      client.write("Enqueue", waiting("start", {"a.service"}), more);
      {
        const FailingNew failing(left, failures);
        w.run();
        failed = FailingNew::count();
      }
      w.engine.pass(1s);  // what found no memory is tried again
      if (w.engine.has_job("a.service")) w.engine.notify("a.service", "READY=1");
      for (const json& reply : client.replies()) {
        const bool refused = reply.value("error", "") == "io.onset.Manager.OutOfResources";
        CHECK((refused || reply["parameters"].contains("jobs")));
      }
    }
    w.run();
    CHECK(w.interface.pending_calls() == 0);
    w.ask("Ping");
  }
}

TEST_CASE("P1: a unit that could not be read for want of memory is not one that is not there",
          "[control][units][P1]") {
  const struct {
    const char* method;
    json parameters;
    bool more;
  } rows[] = {{"GetUnit", {{"unit", "a.service"}}, false},
              {"Kill", {{"unit", "a.service"}}, false},
              {"Enqueue", enqueue("start", {"a.service"}), false},
              {"Subscribe", {{"units", {"a.service"}}}, true}};
  for (const auto& row : rows) {
    unsigned failed = 1;
    for (unsigned left = 0; failed > 0; ++left) {
      CAPTURE(row.method, left);
      ManagerWorld w(Files{{"a.service", "[Unit]\nWants=b.service\n" + std::string(kService)},
                           {"b.service", kService}});
      auto client = w.client();
      client.write(row.method, row.parameters, row.more);
      {
        const FailingNew failing(left, 1);
        w.run();
        failed = FailingNew::count();
      }
      const auto replies = client.replies();
      REQUIRE(replies.size() >= 1);
      if (replies[0].contains("error")) {
        CHECK(replies[0]["error"] == "io.onset.Manager.OutOfResources");
      } else if (row.method == std::string_view("GetUnit")) {
        CHECK(replies[0]["parameters"]["unit"]["load"] == "loaded");
      }
    }
  }
}

TEST_CASE("without more a wait has one reply, with all units", "[control][jobs]") {
  ManagerWorld w(
      Files{{"a.service", "[Service]\nType=notify\nExecStart=/bin/a\n"}, {"b.service", kService}});
  auto client = w.client();
  client.send("Enqueue", waiting("start", {"a.service", "b.service", "c.service"}));
  CHECK(client.replies().empty());
  w.engine.notify("a.service", "READY=1");
  auto replies = client.replies();
  REQUIRE(replies.size() == 1);
  auto jobs = replies[0]["parameters"]["jobs"];
  REQUIRE(jobs.size() == 3);
  CHECK(jobs[0]["result"] == "done");
  CHECK(jobs[1]["result"] == "done");
  CHECK(jobs[2]["error"] == "io.onset.Manager.NoSuchUnit");
  CHECK(jobs[2]["message"] == "Unit c.service not found.");
}

TEST_CASE("a job that is done at once needs no wait", "[control][jobs]") {
  ManagerWorld w(Files{{"a.service", kService}});
  auto jobs = w.ask("Enqueue", waiting("start", {"a.service"}))["jobs"];
  CHECK(jobs[0]["result"] == "done");
  jobs = w.ask("Enqueue", waiting("start", {"a.service"}))["jobs"];
  CHECK(jobs[0]["result"] == "done");
}

TEST_CASE("a job that fails says what the unit's result is and why", "[control][jobs]") {
  ManagerWorld w(Files{{"a.service", "[Service]\nType=oneshot\nExecStart=/bin/a\n"}});
  auto client = w.client();
  client.send("Enqueue", waiting("start", {"a.service"}), true);
  (void)client.replies();
  w.engine.exit("a.service", 3);
  auto job = client.replies().at(0)["parameters"]["jobs"][0];
  CHECK(job["result"] == "failed");
  CHECK(job["unit_result"] == "exit-code");
}

TEST_CASE("a launch that fails has its reason in the reply", "[control][jobs]") {
  ManagerWorld w(Files{{"a.service", kService}});
  w.engine.os.unspawnable.insert("a.service");
  auto job = w.ask("Enqueue", waiting("start", {"a.service"}))["jobs"][0];
  CHECK(job["result"] == "failed");
  CHECK(job["message"] == w.engine.manager.problem(w.engine.manager.graph().find("a.service")));
  CHECK_FALSE(job["message"].get<std::string>().empty());
}

TEST_CASE("a start that a stop replaces is canceled", "[control][jobs]") {
  ManagerWorld w(Files{{"a.service", "[Service]\nType=notify\nExecStart=/bin/a\n"}});
  auto starter = w.client();
  starter.send("Enqueue", waiting("start", {"a.service"}), true);
  (void)starter.replies();
  (void)w.ask("Enqueue", enqueue("stop", {"a.service"}));
  CHECK(starter.replies().at(0)["parameters"]["jobs"][0]["result"] == "canceled");
}

TEST_CASE("a client that leaves does not take its job along", "[control][jobs]") {
  ManagerWorld w(Files{{"a.service", "[Service]\nType=notify\nExecStart=/bin/a\n"}});
  auto client = w.client();
  client.send("Enqueue", waiting("start", {"a.service"}), true);
  client.leave();
  CHECK(w.interface.pending_calls() == 0);
  CHECK(w.engine.has_job("a.service"));
  w.engine.notify("a.service", "READY=1");
  w.run();
  CHECK(w.engine.state("a.service") == "active");
}

TEST_CASE("what can't be queued is refused by name", "[control][jobs]") {
  ManagerWorld w(
      Files{{"a.service", kService},
            {"masked.service", "/dev/null"},
            {"broken.service", "[Service]\nNonsense=1\n"},
            {"by-hand.service", std::string("[Unit]\nRefuseManualStart=yes\n") + kService},
            {"plain.target", "[Unit]\nDescription=x\n"}});
  struct Row {
    const char* type;
    const char* unit;
    const char* expected;
  };
  const Row rows[] = {
      {"start", "missing.service", "NoSuchUnit"},
      {"stop", "missing.service", "NoSuchUnit"},
      {"start", "masked.service", "UnitNotLoadable"},
      {"start", "broken.service", "UnitNotLoadable"},
      {"start", "by-hand.service", "NotApplicable"},
      {"reload", "a.service", "NotApplicable"},
      {"start", "no suffix", "InvalidName"},
      {"start", "", "InvalidName"},
      {"start", "a@.service", "InvalidName"},
      {"start", "../../etc/passwd", "InvalidName"},
      {"start", "a\nb.service", "InvalidName"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.type, row.unit);
    CHECK(w.refusal("Enqueue", enqueue(row.type, {row.unit})) == row.expected);
  }
  CHECK(
      w.refusal("Enqueue", {{"type", "start"}, {"units", {"plain.target"}}, {"mode", "isolate"}}) ==
      "NotApplicable");
}

TEST_CASE("reload-or-restart is what the unit can do", "[control][jobs]") {
  ManagerWorld w(Files{{"a.service", kService},
                       {"b.service", "[Service]\nExecStart=/bin/b\nExecReload=/bin/r\n"}});
  (void)w.ask("Enqueue", waiting("start", {"a.service", "b.service"}));
  (void)w.ask("Enqueue", enqueue("reload-or-restart", {"b.service"}));
  CHECK(w.engine.state("b.service") == "reloading");
  (void)w.ask("Enqueue", enqueue("reload-or-restart", {"a.service"}));
  CHECK(w.engine.state("a.service") == "deactivating");
  auto job = w.ask("Enqueue", waiting("try-restart", {"a.service"}))["jobs"];
}

TEST_CASE("jobs are listed with what they wait for, and cancelled", "[control][jobs]") {
  ManagerWorld w(Files{
      {"a.service", "[Service]\nType=notify\nExecStart=/bin/a\n"},
      {"b.service", std::string("[Unit]\nRequires=a.service\nAfter=a.service\n") + kService}});
  (void)w.ask("Enqueue", enqueue("start", {"b.service"}));
  auto jobs = w.ask("ListJobs")["jobs"];
  REQUIRE(jobs.size() == 2);
  json running = jobs[0];
  json held = jobs[1];
  if (running["unit"] != "a.service") std::swap(running, held);
  CHECK(running["state"] == "running");
  CHECK(held["state"] == "waiting");
  CHECK(held["waits_for"] == running["id"]);
  CHECK(w.refusal("CancelJob", {{"id", 4000000000U}}) == "NoSuchJob");
  (void)w.ask("CancelJob", {{"id", held["id"]}});
  CHECK(w.ask("ListJobs")["jobs"].size() == 1);
  (void)w.ask("CancelJob");
  CHECK(w.ask("ListJobs")["jobs"].empty());
}

TEST_CASE("jobs are listed with all that each waits for, if that is asked for", "[control][jobs]") {
  const std::string notify = "[Service]\nType=notify\nExecStart=/bin/a\n";
  ManagerWorld w(Files{{"a.service", notify},
                       {"b.service", notify},
                       {"c.service", std::string("[Unit]\nWants=a.service b.service\n"
                                                 "After=a.service b.service\n") +
                                         kService},
                       {"d.service", std::string("[Unit]\nWants=c.service\nAfter=c.service\n"
                                                 "After=idle.service\n") +
                                         kService},
                       {"idle.service", kService}});
  (void)w.ask("Enqueue", enqueue("start", {"d.service"}));
  const json listed = w.ask("ListJobs", {{"order", true}});
  CHECK(w.ask("ListJobs")["order"].is_null());
  std::map<json, std::string> names;
  for (const json& job : listed["jobs"]) names[job["id"]] = job["unit"];
  REQUIRE(names.size() == 4);
  std::set<std::pair<std::string, std::string>> waits;
  for (const json& pair : listed["order"])
    waits.emplace(names[pair["job"]], names[pair["waits_for"]]);
  using Waits = decltype(waits);
  CHECK(waits ==
        Waits{{"c.service", "a.service"}, {"c.service", "b.service"}, {"d.service", "c.service"}});
  w.engine.notify("a.service", "READY=1");
  CHECK(w.ask("ListJobs", {{"order", true}})["order"].size() == 2);
}

TEST_CASE("kill reaches the processes that are meant", "[control][jobs]") {
  ManagerWorld w(Files{{"a.service", kService}});
  CHECK(w.refusal("Kill", {{"unit", "a.service"}, {"who", "main"}}) == "KillFailed");
  CHECK(w.ask("Kill", {{"unit", "a.service"}}).empty());  // all of none, as systemctl has it
  CHECK(w.refusal("Kill", {{"unit", "a.service"}, {"fail", true}}) == "KillFailed");
  CHECK(w.refusal("Kill", {{"unit", "b.service"}}) == "NoSuchUnit");
  (void)w.ask("Enqueue", waiting("start", {"a.service"}));
  (void)w.ask("Kill", {{"unit", "a.service"}, {"signal", 10}, {"who", "main"}, {"fail", true}});
  CHECK(w.engine.os.alive.begin()->second.signals == std::vector<int>{10});
  CHECK(w.refusal("Kill", {{"unit", "a.service"}, {"who", "control"}}) == "KillFailed");
}

TEST_CASE("failed units are forgotten by name or all at once", "[control][jobs]") {
  ManagerWorld w(Files{{"a.service", kService}, {"b.service", kService}});
  for (const char* unit : {"a.service", "b.service"}) {
    (void)w.ask("Enqueue", waiting("start", {unit}));
    w.engine.exit(unit, 1);
    REQUIRE(w.engine.state(unit) == "failed");
  }
  (void)w.ask("ResetFailed", {{"unit", "a.service"}});
  CHECK(w.engine.state("a.service") == "inactive");
  CHECK(w.engine.state("b.service") == "failed");
  (void)w.ask("ResetFailed");
  CHECK(w.engine.state("b.service") == "inactive");
  CHECK(w.refusal("ResetFailed", {{"unit", "c.service"}}) == "NoSuchUnit");
}
