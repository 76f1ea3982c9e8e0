// What is told of units, one or many, and of what depends on them.
#include <algorithm>
#include <catch2/catch.hpp>

#include "unit/control/manager_world.h"

using namespace onset;
using namespace onset::test;
using Files = EngineWorld::Files;

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
