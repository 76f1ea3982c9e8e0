#include "control/manager_interface.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <climits>
#include <random>

#include "support/failing_new.h"
#include "unit/control/manager_world.h"

using namespace onset;
using namespace onset::test;
using Files = EngineWorld::Files;
using namespace std::chrono_literals;

namespace {

const char* const kService = "[Service]\nExecStart=/bin/a\n";

json enqueue(const char* type, std::vector<std::string> units) {
  return {{"type", type}, {"units", std::move(units)}};
}

json waiting(const char* type, std::vector<std::string> units) {
  json p = enqueue(type, std::move(units));
  p["wait"] = true;
  return p;
}

}  // namespace

// ---- the interface file -----------------------------------------------------

TEST_CASE("the interface file and the methods are one", "[control][interface]") {
  VarlinkSchema schema(manager_interface_text());
  REQUIRE(schema.problem == "");
  CHECK(schema.name == "io.onset.Manager");
  auto in_file = schema.methods;
  std::vector<std::string> in_code;
  for (std::string_view name : ManagerInterface::method_names()) in_code.emplace_back(name);
  std::sort(in_file.begin(), in_file.end());
  std::sort(in_code.begin(), in_code.end());
  CHECK(in_file == in_code);

  VarlinkSchema service(service_interface_text());
  CHECK(service.problem == "");
  CHECK(service.name == "org.varlink.service");
}

TEST_CASE("every refusal is an error of the interface file", "[control][interface]") {
  VarlinkSchema schema(manager_interface_text());
  for (auto kind :
       {RefusalKind::NoSuchUnit, RefusalKind::UnitNotLoadable, RefusalKind::InvalidName,
        RefusalKind::NotApplicable, RefusalKind::TransactionFailed, RefusalKind::JobsConflict,
        RefusalKind::NoSuchJob, RefusalKind::NoSuchProcess, RefusalKind::KillFailed,
        RefusalKind::ShuttingDown, RefusalKind::NotSupported, RefusalKind::LimitReached}) {
    const std::string name = error_name(kind).substr(std::string("io.onset.Manager.").size());
    CHECK(schema.check_error(name, error_parameters({kind, "7", "why"})) == "");
  }
}

TEST_CASE("a Varlink client finds out what there is", "[control][interface]") {
  ManagerWorld w(Files{});
  auto info = w.ask("org.varlink.service.GetInfo");
  CHECK(info["interfaces"] == json{"io.onset.Manager", "org.varlink.service"});
  CHECK(info["version"] == "0.1.0");
  for (const auto& interface : info["interfaces"]) {
    auto text = w.ask("org.varlink.service.GetInterfaceDescription", {{"interface", interface}});
    CHECK(VarlinkSchema(text["description"].get<std::string>()).name == interface);
  }
  CHECK(w.refusal("org.varlink.service.GetInterfaceDescription", {{"interface", "a.b"}}) ==
        "InterfaceNotFound");
}

TEST_CASE("S12: CVE-2017-11610: what is not in the table is not a method",
          "[control][interface][S12]") {
  ManagerWorld w(Files{});
  CHECK(w.refusal("io.onset.Manager.Nothing") == "MethodNotFound");
  CHECK(w.refusal("io.onset.Manager.") == "MethodNotFound");
  CHECK(w.refusal("io.onset.Manager.ping") == "MethodNotFound");
  CHECK(w.refusal("io.onset.Manager.Ping.Ping") == "MethodNotFound");
  CHECK(w.refusal("org.varlink.service.Ping") == "MethodNotFound");
  CHECK(w.refusal("io.onset.Other.Ping") == "InterfaceNotFound");
  CHECK(w.refusal(".Ping") == "InterfaceNotFound");
}

TEST_CASE("a wrong parameter is named", "[control][interface]") {
  ManagerWorld w(Files{{"a.service", kService}});
  const std::tuple<const char*, json, const char*> rows[] = {
      {"GetUnit", json::object(), "unit"},
      {"GetUnit", {{"unit", 7}}, "unit"},
      {"GetUnit", {{"unit", "a.service"}, {"deep", true}}, "deep"},
      {"Ping", {{"loud", true}}, "loud"},
      {"Enqueue", enqueue("start", {}), "units"},
      {"Enqueue", enqueue("begin", {"a.service"}), "type"},
      {"Enqueue", {{"type", "start"}, {"units", {"a.service"}}, {"mode", "triggering"}}, "mode"},
      {"Enqueue", {{"type", "stop"}, {"units", {"a.service"}}, {"mode", "isolate"}}, "mode"},
      {"Kill", {{"unit", "a.service"}, {"signal", 99}}, "signal"},
      {"Kill", {{"unit", "a.service"}, {"who", "everyone"}}, "who"},
      {"Shutdown", {{"how", "explode"}}, "how"},
      {"Shutdown", {{"how", "reboot"}, {"exit_status", 1}}, "exit_status"},
      {"ListDependencies", {{"unit", "a.service"}, {"after", true}, {"before", true}}, "after"},
      {"ListDependencies", {{"unit", "a.service"}, {"units", {"a.service"}}}, "unit"},
      {"ListDependencies", json::object(), "unit"},
      {"FindUnit", {{"pid", 0}}, "pid"},
      {"CancelJob", {{"id", -1}}, "id"},
  };
  for (const auto& [method, parameters, expected] : rows) {
    CAPTURE(method, parameters.dump());
    json reply = w.call(method, parameters);
    CHECK(reply["error"] == "org.varlink.service.InvalidParameter");
    CHECK(reply["parameters"]["parameter"] == expected);
  }
}

// ---- jobs -------------------------------------------------------------------

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

// ---- units ------------------------------------------------------------------

TEST_CASE("status has the processes, the times and the texts", "[control][units]") {
  ManagerWorld w(Files{
      {"a.service", "[Unit]\nDescription=The A\n[Service]\nType=notify\nExecStart=/bin/a -x\n"}});
  (void)w.ask("Enqueue", enqueue("start", {"a.service"}));
  w.engine.notify("a.service", "READY=1\nSTATUS=serving \x1b[31m\xff");
  auto unit = w.ask("GetUnit", {{"unit", "a.service"}})["unit"];
  CHECK(unit["description"] == "The A");
  CHECK(unit["load"] == "loaded");
  CHECK(unit["active"] == "active");
  CHECK(unit["sub"] == "running");
  CHECK(unit["main"]["directive"] == "ExecStart");
  CHECK(unit["main"]["pid"] == unit["processes"][0]["pid"]);
  CHECK(unit["processes"][0]["role"] == "main");
  CHECK(unit["processes"][0]["group"].is_null());
  CHECK(unit["processes"][0]["parent"] == 1);
  w.backend.places[unit["main"]["pid"].get<pid_t>()] = "/system.slice/a.service/sub/deeper";
  CHECK(w.ask("GetUnit", {{"unit", "a.service"}})["unit"]["processes"][0]["group"] == "sub/deeper");
  CHECK(unit["main"]["exited"].is_null());
  CHECK(unit["active_entered"]["monotonic"] == w.engine.now.mono.us);
  CHECK(unit["invocation_id"].get<std::string>().size() == 32);
  CHECK(unit["cgroup"] == "/system.slice/a.service");
  CHECK(unit["tasks"] == 3);
  CHECK(unit["job"].is_null());

  w.engine.exit("a.service", 3);
  unit = w.ask("GetUnit", {{"unit", "a.service"}})["unit"];
  CHECK(unit["active"] == "failed");
  CHECK(unit["result"] == "exit-code");
  CHECK(unit["main"]["pid"] == unit["commands"][0]["pid"]);
  CHECK(unit["main"]["pid"] > 0);
  CHECK(unit["main"]["running"] == false);
  CHECK(unit["main"]["code"] == "exited");
  CHECK(unit["main"]["status"] == 3);
}

TEST_CASE("the properties of many units come with one look into the folders", "[control][units]") {
  Files files;
  json names = json::array();
  for (int i = 0; i < 100; ++i) {
    files.emplace_back("u" + std::to_string(i) + ".service", kService);
    names.push_back("u" + std::to_string(i) + ".service");
  }
  names.push_back("none.service");
  names.push_back("no name");
  ManagerWorld w(files);
  auto client = w.client();
  client.send("ListProperties", {{"units", names}, {"names", {"UnitFileState", "Id"}}}, true);
  std::vector<json> units;
  for (const json& reply : client.replies()) {
    for (const json& unit : reply["parameters"]["units"]) units.push_back(unit);
  }
  REQUIRE(units.size() == 102);
  CHECK(units[7]["properties"] == json({{"Id", "u7.service"}, {"UnitFileState", "static"}}));
  CHECK(units[100]["properties"] == json({{"Id", "none.service"}, {"UnitFileState", ""}}));
  CHECK(units[101]["properties"].is_null());
  CHECK(units[101]["message"] == "\"no name\" is not a unit name");
  CHECK(w.backend.looks == 1);
  CHECK_FALSE(w.backend.looked);  // and what was read is forgotten
  (void)w.ask("ListProperties", {{"units", {"u1.service"}}, {"names", {"ActiveState"}}});
  CHECK(w.backend.looks == 1);
}

TEST_CASE("the status of many units comes in pieces, with one look into the folders",
          "[control][units]") {
  Files files;
  json names = json::array();
  for (int i = 0; i < 100; ++i) {
    files.emplace_back("u" + std::to_string(i) + ".service", kService);
    names.push_back("u" + std::to_string(i) + ".service");
  }
  names.push_back("none.service");
  names.push_back("no name");
  ManagerWorld w(files);
  auto client = w.client();
  client.send("GetUnits", {{"units", names}}, true);
  const auto replies = client.replies();
  CHECK(replies.size() == 4);
  std::vector<json> units;
  for (const json& reply : replies) {
    for (const json& unit : reply["parameters"]["units"]) units.push_back(unit);
  }
  REQUIRE(units.size() == 102);
  CHECK(units[7]["unit"] == w.ask("GetUnit", {{"unit", "u7.service"}})["unit"]);
  CHECK(units[100]["unit"]["load"] == "not-found");
  CHECK(units[101]["unit"].is_null());
  CHECK(units[101]["message"] == "\"no name\" is not a unit name");
  CHECK(w.backend.looks == 2);  // that of GetUnit is the second
}

TEST_CASE("a unit with very many processes fills a piece of the status alone", "[control][units]") {
  ManagerWorld w(Files{{"a.service", kService}, {"b.service", kService}});
  w.backend.crowd.assign(600, 77);
  for (const char* method : {"GetUnits", "ListUnitStatus"}) {
    CAPTURE(method);
    auto client = w.client();
    const bool by_name = method == std::string_view("GetUnits");
    const std::vector<std::string> names = {"a.service", "b.service"};
    client.send(method, by_name ? json{{"units", names}} : json{{"patterns", names}, {"all", true}},
                true);
    CHECK(client.replies().size() == 2);
  }
}

TEST_CASE("one reply tells of 512 units at most", "[control][units]") {
  ManagerWorld w(Files{{"a.service", kService}});
  const json most = {{"units", std::vector<std::string>(512, "a.service")}, {"names", {"Id"}}};
  CHECK(w.ask("ListProperties", most)["units"].size() == 512);
  for (const char* method : {"GetUnits", "ListProperties"}) {
    CAPTURE(method);
    const json more = std::vector<std::string>(513, "a.service");
    CHECK(w.refusal(method, {{"units", more}}) == "LimitReached");
  }
}

TEST_CASE("a condition that does not hold is told as it was written", "[control][units]") {
  ManagerWorld w(Files{
      {"a.service", std::string("[Unit]\nConditionPathExists=!/nonexistent/x\n") + kService}});
  (void)w.ask("Enqueue", waiting("start", {"a.service"}));
  auto unit = w.ask("GetUnit", {{"unit", "a.service"}})["unit"];
  CHECK(unit["failed_conditions"]["checks"] == json{"ConditionPathExists=!/nonexistent/x"});
  CHECK(unit["failed_asserts"].is_null());
}

TEST_CASE("a failed assertion is told, and every trigger that did not help", "[control][units]") {
  ManagerWorld w(Files{{"a.service", std::string("[Unit]\nAssertPathExists=|!/x\n"
                                                 "AssertPathExists=|!/y\n") +
                                         kService}});
  (void)w.ask("Enqueue", waiting("start", {"a.service"}));
  auto unit = w.ask("GetUnit", {{"unit", "a.service"}})["unit"];
  CHECK(unit["failed_conditions"].is_null());
  CHECK(unit["failed_asserts"]["checks"] ==
        json({"AssertPathExists=|!/x", "AssertPathExists=|!/y"}));
}

TEST_CASE("an unknown unit has a status and is not kept", "[control][units]") {
  ManagerWorld w(Files{});
  const std::size_t before = w.engine.manager.graph().size();
  for (int i = 0; i < 100; ++i) {
    const std::string name = "missing-" + std::to_string(i) + ".service";
    auto unit = w.ask("GetUnit", {{"unit", name}})["unit"];
    CHECK(unit["load"] == "not-found");
    CHECK(unit["active"] == "inactive");
    auto properties = w.ask("GetProperties", {{"unit", name}})["properties"];
    CHECK(properties["LoadState"] == "not-found");
    CHECK(properties["Id"] == name);
    CHECK(w.refusal("Enqueue", enqueue("start", {name})) == "NoSuchUnit");
  }
  CHECK(w.engine.manager.graph().size() == before);
}

TEST_CASE("units are listed, sorted and filtered", "[control][units]") {
  ManagerWorld w(Files{{"a.service", kService},
                       {"b.service", kService},
                       {"c.service", kService},
                       {"t.target", "[Unit]\nWants=c.service missing.service\n"}});
  (void)w.ask("Enqueue", waiting("start", {"b.service"}));
  (void)w.ask("Enqueue", waiting("start", {"a.service"}));
  (void)w.ask("GetUnit", {{"unit", "t.target"}});
  w.engine.exit("b.service", 1);
  auto names = [&](const json& filter) {
    std::vector<std::string> list;
    const json units = w.ask("ListUnits", filter)["units"];
    for (const auto& unit : units) list.push_back(unit["name"]);
    return list;
  };
  using Names = std::vector<std::string>;
  CHECK(names({{"types", {"service"}}}) == Names{"a.service", "b.service"});
  CHECK(names({{"states", {"failed"}}}) == Names{"b.service"});
  CHECK(names({{"states", {"running"}}, {"types", {"service"}}}) == Names{"a.service"});
  CHECK(names({{"patterns", {"[ab].*"}}}) == Names{"a.service", "b.service"});
  CHECK(names({{"patterns", {"c.service"}}}) == Names{});
  CHECK(names({{"patterns", {"c.service"}}, {"all", true}}) == Names{"c.service"});
  CHECK(names({{"patterns", {"m*"}}, {"all", true}}) == Names{"missing.service"});
  CHECK(names({{"states", {"not-found"}}}) == Names{"missing.service"});
}

TEST_CASE("a long list comes in batches to who wants it so", "[control][units]") {
  EngineWorld::Files files;
  std::string wants = "[Unit]\nWants=";
  for (int i = 0; i < 1000; ++i) {
    files.emplace_back("u" + std::to_string(i) + ".service", kService);
    wants += files.back().first + " ";
  }
  files.emplace_back("t.target", wants + "\n");
  ManagerWorld w(files);
  (void)w.ask("GetUnit", {{"unit", "t.target"}});
  auto client = w.client();
  client.send("ListUnits", {{"patterns", {"u*"}}, {"all", true}}, true);
  std::size_t units = 0;
  auto replies = client.replies();
  CHECK(replies.size() == 4);
  for (std::size_t i = 0; i < replies.size(); ++i) {
    units += replies[i]["parameters"]["units"].size();
    CHECK(replies[i].contains("continues") == (i + 1 < replies.size()));
  }
  CHECK(units == 1000);
  CHECK(w.interface.pending_calls() == 0);

  client.send("ListDependencies", {{"unit", "t.target"}}, true);
  std::size_t edges = 0;
  for (const auto& reply : client.replies()) edges += reply["parameters"]["edges"].size();
  CHECK(edges >= 1000);
}

TEST_CASE("dependencies are walked below targets, and below all if asked", "[control][units]") {
  ManagerWorld w(
      Files{{"a.target", "[Unit]\nWants=b.target c.service\n"},
            {"b.target", "[Unit]\nRequires=d.service\nWants=a.target\n"},
            {"c.service", std::string("[Unit]\nRequires=e.service\nAfter=e.service\n") + kService},
            {"d.service", kService},
            {"e.service", kService}});
  auto edges = [&](const json& parameters) {
    std::vector<std::string> list;
    const json walked = w.ask("ListDependencies", parameters)["edges"];
    for (const auto& edge : walked) {
      const std::string to = edge["to"];
      if (to.size() != 9 && to.size() != 8) continue;  // what the types imply
      list.push_back(edge["from"].get<std::string>() + " " + edge["kind"].get<std::string>() + " " +
                     to);
    }
    return list;
  };
  auto has = [](const std::vector<std::string>& list, const char* edge) {
    return std::find(list.begin(), list.end(), edge) != list.end();
  };
  auto near = edges({{"unit", "a.target"}});
  CHECK(has(near, "a.target Wants b.target"));
  CHECK(has(near, "a.target Wants c.service"));
  CHECK(has(near, "b.target Requires d.service"));
  CHECK(has(near, "b.target Wants a.target"));
  CHECK_FALSE(has(near, "c.service Requires e.service"));
  CHECK(has(edges({{"unit", "a.target"}, {"all", true}}), "c.service Requires e.service"));
  CHECK(has(edges({{"unit", "e.service"}, {"reverse", true}}), "e.service RequiredBy c.service"));
  CHECK(has(edges({{"unit", "c.service"}, {"after", true}}), "c.service After e.service"));
  CHECK(has(edges({{"unit", "e.service"}, {"before", true}}), "e.service Before c.service"));
  CHECK(w.refusal("ListDependencies", {{"unit", "z.service"}}) == "NoSuchUnit");
}

TEST_CASE("the dependencies of many units come one after the other", "[control][units]") {
  ManagerWorld w(Files{{"a.target", "[Unit]\nWants=b.service\n"},
                       {"b.service", std::string("[Unit]\nWants=c.service\n") + kService},
                       {"c.service", kService}});
  const json units = {"b.service", "a.target", "none.service", "b.service"};
  CHECK(w.refusal("ListDependencies", {{"units", units}}) == "ExpectedMore");
  auto client = w.client();
  client.send("ListDependencies", {{"units", units}}, true);
  const auto replies = client.replies();
  REQUIRE(replies.size() == 4);
  const auto leads_to = [](const json& reply, std::string_view to) {
    return std::ranges::any_of(reply["parameters"]["edges"],
                               [&](const json& edge) { return edge["to"] == to; });
  };
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(replies[i]["parameters"]["unit"] == units[i]);
    CHECK(replies[i].contains("continues") == (i < 3));
    CHECK(leads_to(replies[i], "c.service") == (units[i] == "b.service"));
  }
  CHECK(leads_to(replies[1], "b.service"));
  CHECK(replies[2]["parameters"]["edges"].empty());
  CHECK(w.interface.pending_calls() == 0);
}

TEST_CASE("a process leads to its unit", "[control][units]") {
  ManagerWorld w(Files{{"a.service", kService}});
  (void)w.ask("Enqueue", waiting("start", {"a.service"}));
  CHECK(w.ask("FindUnit", {{"pid", w.engine.os.pid_of("a.service")}})["unit"] == "a.service");
  CHECK(w.ask("FindUnit", {{"pid", 4242}})["unit"] == "a.service");
  CHECK(w.refusal("FindUnit", {{"pid", 4243}}) == "NoSuchProcess");
}

// ---- the system -------------------------------------------------------------

TEST_CASE("a subscriber misses nothing from its first reply on", "[control][system]") {
  ManagerWorld w(Files{{"a.service", kService}, {"b.service", kService}});
  CHECK(w.refusal("Subscribe") == "ExpectedMore");
  auto all = w.client();
  all.send("Subscribe", json::object(), true);
  auto one = w.client();
  one.send("Subscribe", {{"units", {"a.service"}}}, true);
  CHECK(all.replies().at(0)["parameters"]["event"] == "subscribed");
  CHECK(one.replies().at(0)["parameters"]["event"] == "subscribed");

  (void)w.ask("Enqueue", enqueue("start", {"b.service"}));
  CHECK(one.replies().empty());
  (void)w.ask("Enqueue", enqueue("start", {"a.service"}));
  auto events = one.replies();
  REQUIRE(events.size() == 3);
  CHECK(events[0]["parameters"]["event"] == "job-queued");
  CHECK(events[1]["parameters"]["event"] == "job-done");
  CHECK(events[1]["parameters"]["result"] == "done");
  CHECK(events[2]["parameters"]["event"] == "unit");
  CHECK(events[2]["parameters"]["unit"]["active"] == "active");
  CHECK(events[2]["continues"] == true);
  CHECK(all.replies().size() >= 6);

  one.leave();
  all.leave();
  CHECK(w.interface.pending_calls() == 0);
  w.engine.exit("a.service", 1);
  w.run();
}

TEST_CASE("changes in quick succession reach a subscriber as one", "[control][system]") {
  ManagerWorld w(
      Files{{"a.service", "[Service]\nExecStart=/bin/a\nRestart=always\nRestartSec=0\n"}});
  auto client = w.client();
  client.send("Subscribe", json::object(), true);
  (void)w.ask("Enqueue", enqueue("start", {"a.service"}));
  (void)client.replies();
  w.engine.exit("a.service", 0);
  w.engine.pass(1ms);
  std::size_t unit_events = 0;
  for (const auto& event : client.replies()) {
    if (event["parameters"]["event"] != "unit") continue;
    ++unit_events;
    CHECK(event["parameters"]["unit"]["active"] == "active");
  }
  CHECK(unit_events == 1);
}

TEST_CASE("S5: a subscriber that falls too far behind is let go", "[control][system][S5]") {
  Subscription subscription({});
  Job job;
  job.unit = UnitId{1};
  for (std::size_t i = 0; i <= Subscription::kMaxJobEvents; ++i) {
    (void)subscription.job_event(job, std::nullopt);
  }
  CHECK(subscription.fell_behind());
  // What it will not be told takes no memory and keeps no unit loaded.
  CHECK(subscription.empty());
  CHECK_FALSE(subscription.holds(job.unit));
  CHECK_FALSE(subscription.job_event(job, JobResult::Done));
  CHECK_FALSE(subscription.unit_changed(job.unit));
  CHECK(subscription.empty());
}

TEST_CASE("S5: all subscribers together keep a bounded number of events", "[control][system][S5]") {
  ManagerWorld w(Files{{"a.service", "[Service]\nType=oneshot\nExecStart=/x\n"}});
  std::vector<ManagerWorld::Client> clients;
  constexpr std::size_t kClients = 64;
  for (std::size_t i = 0; i < kClients; ++i) {
    clients.push_back(w.client());
    clients.back().send("Subscribe", json::object(), true);
    (void)clients.back().replies();
  }
  Job job;
  job.unit = w.engine.manager.load("a.service");
  for (std::size_t i = 0; i <= Subscription::kMaxJobEventsOfAll / kClients; ++i) {
    w.interface.job_queued(job);
  }
  std::size_t let_go = 0;
  for (auto& client : clients) {
    for (const json& reply : client.replies()) let_go += reply.contains("error") ? 1 : 0;
  }
  CHECK(let_go == 1);
}

TEST_CASE("a subscription holds a unit until its last event is told", "[control][system]") {
  Subscription subscription({});
  Job job;
  job.unit = UnitId{3};
  (void)subscription.job_event(job, std::nullopt);
  (void)subscription.job_event(job, JobResult::Done);
  CHECK_FALSE(subscription.holds(UnitId{2}));
  (void)subscription.next_job();
  CHECK(subscription.holds(job.unit));
  const auto last = subscription.next_job();
  REQUIRE(last);
  CHECK(last->result == JobResult::Done);
  CHECK_FALSE(subscription.holds(job.unit));
}

TEST_CASE("there are only so many subscribers", "[control][system]") {
  ManagerWorld w(Files{});
  std::vector<ManagerWorld::Client> clients;
  for (int i = 0; i < 64; ++i) {
    clients.push_back(w.client());
    clients.back().send("Subscribe", json::object(), true);
  }
  auto last = w.client();
  last.send("Subscribe", json::object(), true);
  CHECK(last.replies().at(0)["error"] == "io.onset.Manager.LimitReached");
  clients.front().leave();
  last.send("Subscribe", json::object(), true);
  CHECK(last.replies().at(0)["parameters"]["event"] == "subscribed");
}

TEST_CASE("the end of the start can be waited for", "[control][system]") {
  ManagerConfig config;
  config.default_target = "t.target";
  ManagerWorld w(
      Files{{"t.target", "[Unit]\nAllowIsolate=yes\nRequires=a.service\nAfter=a.service\n"},
            {"a.service", "[Service]\nType=notify\nExecStart=/bin/a\n"}},
      config);
  w.engine.manager.start_up(w.engine.now);
  CHECK(w.ask("GetSystemState")["state"] == "starting");
  auto client = w.client();
  client.send("GetSystemState", {{"wait", true}});
  CHECK(client.replies().empty());
  auto streaming = w.client();
  streaming.send("GetSystemState", {{"wait", true}}, true);
  CHECK(streaming.replies().at(0)["parameters"]["state"] == "starting");
  w.engine.notify("a.service", "READY=1");
  CHECK(client.replies().at(0)["parameters"]["state"] == "running");
  CHECK(streaming.replies().at(0)["parameters"]["state"] == "running");
  CHECK(w.ask("GetSystemState", {{"wait", true}})["state"] == "running");
  CHECK(w.interface.pending_calls() == 0);
}

TEST_CASE("a reload tells what there is to say about files", "[control][system]") {
  ManagerWorld w(Files{{"a.service", kService}});
  (void)w.ask("Enqueue", waiting("start", {"a.service"}));
  auto diagnostics = w.ask("Reload")["diagnostics"];
  REQUIRE(diagnostics.size() == 1);
  CHECK(diagnostics[0]["severity"] == "warning");
  CHECK(diagnostics[0]["line"] == 3);
  CHECK(w.engine.state("a.service") == "active");
}

TEST_CASE("a wait and a subscription outlive a reload", "[control][system]") {
  ManagerWorld w(Files{{"a.service", "[Service]\nType=notify\nExecStart=/bin/a\n"}});
  auto waiter = w.client();
  waiter.send("Enqueue", waiting("start", {"a.service"}), true);
  auto subscriber = w.client();
  subscriber.send("Subscribe", {{"units", {"a.service"}}}, true);
  (void)waiter.replies();
  (void)w.ask("Reload");
  (void)subscriber.replies();
  w.engine.notify("a.service", "READY=1");
  CHECK(waiter.replies().at(0)["parameters"]["jobs"][0]["result"] == "done");
  CHECK_FALSE(subscriber.replies().empty());
}

TEST_CASE("a shutdown is asked of the backend, and refuses starts from then on",
          "[control][system]") {
  ManagerWorld w(Files{{"a.service", kService},
                       {"exit.target", "[Unit]\nDefaultDependencies=no\nAllowIsolate=yes\n"}});
  CHECK(w.refusal("Shutdown", {{"how", "kexec"}}) == "NotSupported");
  CHECK_FALSE(w.engine.manager.stopping());
  const json why = {{"how", "exit"}, {"message", std::string(1025, 'x')}};
  CHECK(w.refusal("Shutdown", why) == "InvalidParameter");
  (void)w.ask("Shutdown",
              {{"how", "exit"}, {"exit_status", 7}, {"force", true}, {"message", "moving"}});
  CHECK(w.backend.message == "moving");
  CHECK(w.engine.manager.stopping());
  CHECK(w.backend.forced);
  CHECK(w.ask("GetSystemState")["state"] == "stopping");
}

TEST_CASE("small questions have small answers", "[control][system]") {
  ManagerWorld w(Files{});
  CHECK(w.ask("Ping") == json::object());
  CHECK(w.ask("GetDefault")["unit"] == "multi-user.target");
  CHECK(w.ask("GetVersion") == json{{"version", "0.1.0"}, {"features", {"cgroup"}}});
  auto properties = w.ask("GetManagerProperties")["properties"];
  CHECK(properties["Version"] == "0.1.0");
  CHECK(properties["Virtualization"] == "docker");
  CHECK(properties["DefaultTimeoutStartUSec"] == "1min 30s");
}

// ---- every method in every state --------------------------------------------

namespace {

/// Each brings a.service into one more of its states.
struct Scene {
  const char* expected;
  const char* text;
  void (*act)(ManagerWorld&);
};

void start(ManagerWorld& w) {
  (void)w.engine.start("a.service");
}

const Scene kScenes[] = {
    {"dead", "[Service]\nExecStart=/bin/a\n",
     [](ManagerWorld& w) { (void)w.engine.manager.load("a.service"); }},
    {"running", "[Service]\nExecStart=/bin/a\n", start},
    {"start", "[Service]\nType=notify\nExecStart=/bin/a\n", start},
    {"condition", "[Service]\nExecCondition=/bin/c\nExecStart=/bin/a\n", start},
    {"start-pre", "[Service]\nExecStartPre=/bin/p\nExecStart=/bin/a\n", start},
    {"start-post", "[Service]\nExecStart=/bin/a\nExecStartPost=/bin/p\n", start},
    {"exited", "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/a\n",
     [](ManagerWorld& w) {
       start(w);
       w.engine.exit("a.service", 0);
     }},
    {"failed", "[Service]\nExecStart=/bin/a\n",
     [](ManagerWorld& w) {
       start(w);
       w.engine.exit("a.service", 1);
     }},
    {"auto-restart", "[Service]\nExecStart=/bin/a\nRestart=always\nRestartSec=10\n",
     [](ManagerWorld& w) {
       start(w);
       w.engine.exit("a.service", 1);
     }},
    {"reload", "[Service]\nExecStart=/bin/a\nExecReload=/bin/r\n",
     [](ManagerWorld& w) {
       start(w);
       (void)w.engine.request("a.service", JobType::Reload);
     }},
    {"stop", "[Service]\nExecStart=/bin/a\nExecStop=/bin/s\n",
     [](ManagerWorld& w) {
       start(w);
       (void)w.engine.stop("a.service");
     }},
    {"stop-sigterm", "[Service]\nExecStart=/bin/a\n",
     [](ManagerWorld& w) {
       start(w);
       (void)w.engine.stop("a.service");
     }},
    {"stop-post", "[Service]\nExecStart=/bin/a\nExecStopPost=/bin/s\n",
     [](ManagerWorld& w) {
       start(w);
       w.engine.exit("a.service", 0);
     }},
};

json parameters_for(std::string_view method) {
  if (method == "Enqueue") return enqueue("restart", {"a.service"});
  if (method == "Shutdown") return {{"how", "exit"}};
  if (method == "FindUnit") return {{"pid", 100}};
  for (std::string_view with_unit : {"Kill", "GetUnit", "GetProperties", "ListDependencies"}) {
    if (method == with_unit) return {{"unit", "a.service"}};
  }
  return json::object();
}

}  // namespace

TEST_CASE("S9: every method answers in every state of a unit", "[control][interface][S9]") {
  for (const Scene& scene : kScenes) {
    for (std::string_view method : ManagerInterface::method_names()) {
      ManagerWorld w(
          Files{{"a.service", scene.text}, {"exit.target", "[Unit]\nDefaultDependencies=no\n"}});
      scene.act(w);
      CAPTURE(scene.expected, method);
      CHECK(w.engine.sub("a.service") == scene.expected);
      auto client = w.client();
      client.send(std::string(method), parameters_for(method), true);
      auto replies = client.replies();
      REQUIRE_FALSE(replies.empty());
      // …and the state that it left behind can be looked at.
      CHECK(w.ask("GetUnit", {{"unit", "a.service"}})["unit"]["name"] == "a.service");
      CHECK(w.ask("GetProperties", {{"unit", "a.service"}})["properties"]["Id"] == "a.service");
    }
  }
}

TEST_CASE("S9: every type of job is answered in every state of a unit", "[control][jobs][S9]") {
  for (const Scene& scene : kScenes) {
    for (const char* type : {"start", "stop", "restart", "try-restart", "reload",
                             "reload-or-restart", "try-reload-or-restart"}) {
      for (const char* mode : {"replace", "fail", "flush", "ignore-dependencies",
                               "ignore-requirements", "replace-irreversibly"}) {
        ManagerWorld w(Files{{"a.service", scene.text}});
        scene.act(w);
        CAPTURE(scene.expected, type, mode);
        auto client = w.client();
        json parameters = waiting(type, {"a.service"});
        parameters["mode"] = mode;
        client.send("Enqueue", parameters, true);
        REQUIRE_FALSE(client.replies().empty());
        client.leave();
        CHECK(w.interface.pending_calls() == 0);
      }
    }
  }
}

TEST_CASE("calls put together at random never harm the manager", "[control][interface][S9]") {
  std::mt19937 random(11);
  ManagerWorld w(
      Files{{"a.service", "[Service]\nExecStart=/bin/a\nExecReload=/bin/r\n"},
            {"b.service", std::string("[Unit]\nRequires=a.service\nAfter=a.service\n") + kService},
            {"t.target", "[Unit]\nAllowIsolate=yes\nWants=a.service b.service\n"}});
  const auto methods = ManagerInterface::method_names();
  const json values[] = {nullptr,
                         true,
                         0,
                         -1,
                         9,
                         1e9,
                         "",
                         "a.service",
                         "b.service",
                         "t.target",
                         "start",
                         "stop",
                         "isolate",
                         "*",
                         {"a.service", "t.target"},
                         json::array(),
                         json::object(),
                         "x\ny",
                         {1, 2},
                         {{"unit", "a.service"}}};
  const char* keys[] = {"unit", "units",  "type",     "mode",    "wait", "signal",
                        "who",  "states", "patterns", "all",     "id",   "pid",
                        "how",  "names",  "after",    "reverse", "odd"};
  std::vector<ManagerWorld::Client> clients;
  for (int round = 0; round < 3000; ++round) {
    const std::string_view method = methods[random() % methods.size()];
    if (method == "Shutdown") continue;
    json parameters = parameters_for(method);
    for (auto n = random() % 4; n > 0; --n) {
      parameters[keys[random() % std::size(keys)]] = values[random() % std::size(values)];
    }
    if (clients.size() < 8) clients.push_back(w.client());
    const std::size_t at = random() % clients.size();
    clients[at].send(std::string(method), parameters, random() % 2 == 0);
    if (random() % 10 == 0) clients.erase(clients.begin() + static_cast<std::ptrdiff_t>(at));
    if (random() % 5 == 0 && !w.engine.os.alive.empty()) {
      w.engine.exit(w.engine.os.alive.begin()->second.unit_name, static_cast<int>(random() % 2));
    }
    if (random() % 50 == 0) w.engine.pass(1s);
  }
  clients.clear();
  w.run();
  CHECK(w.interface.pending_calls() == 0);
  CHECK(w.ask("GetUnit", {{"unit", "a.service"}})["unit"]["load"] == "loaded");
}
