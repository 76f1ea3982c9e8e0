#include "control/manager_interface.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>

#include "unit/control/manager_world.h"

using namespace onset;
using namespace onset::test;
using Files = EngineWorld::Files;
using namespace std::chrono_literals;

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
      {"ScheduleShutdown", {{"how", "exit"}, {"after_usec", 1}}, "how"},
      {"ScheduleShutdown", {{"how", "reboot"}}, "after_usec"},
      {"ScheduleShutdown", {{"how", "reboot"}, {"after_usec", -1}}, "after_usec"},
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
  if (method == "ScheduleShutdown") return {{"how", "reboot"}, {"after_usec", 60000000}};
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
