// StartTransient and Abandon: units that are made while the system runs.
#include <catch2/catch.hpp>
#include <cerrno>

#include "unit/control/manager_world.h"

using namespace onset;
using namespace onset::test;
using Files = EngineWorld::Files;

namespace {

const char* const kServiceText = "[Unit]\nDefaultDependencies=no\n[Service]\nExecStart=/bin/a\n";
const char* const kScopeText = "[Unit]\nDefaultDependencies=no\n[Scope]\n";

std::string error_of(ManagerWorld& w, const json& parameters) {
  auto client = w.client();
  client.send("StartTransient", parameters);
  const auto replies = client.replies();
  REQUIRE(replies.size() == 1);
  const std::string error = replies[0].value("error", "");
  return error.substr(error.rfind('.') + 1);
}

}  // namespace

TEST_CASE("a service is made, started, and its end is told", "[control][transient]") {
  ManagerWorld w(Files{});
  auto client = w.client();
  client.send("StartTransient",
              {{"unit", "t.service"}, {"text", kServiceText}, {"wait", true}, {"until_end", true}},
              true);
  auto replies = client.replies();
  REQUIRE_FALSE(replies.empty());
  CHECK(replies[0]["continues"] == true);
  CHECK(replies[0]["parameters"]["job"]["unit"] == "t.service");
  CHECK(replies.back()["parameters"]["job"]["result"] == "done");
  CHECK(w.engine.state("t.service") == "active");
  w.engine.exit("t.service", 7);
  replies = client.replies();
  REQUIRE(replies.size() == 1);
  CHECK_FALSE(replies[0].contains("continues"));
  const json ended = replies[0]["parameters"]["ended"];
  CHECK(ended["result"] == "exit-code");
  CHECK(ended["main"]["status"] == 7);
  CHECK(ended["transient"] == true);
  CHECK(w.interface.pending_calls() == 0);
}

TEST_CASE("without waiting the job is all that is told", "[control][transient]") {
  ManagerWorld w(Files{});
  const json reply = w.ask("StartTransient", {{"unit", "t.service"}, {"text", kServiceText}});
  CHECK(reply["job"]["type"] == "start");
  CHECK(reply["ended"].is_null());
  CHECK(w.interface.pending_calls() == 0);
}

TEST_CASE("a scope takes processes over, and may be abandoned", "[control][transient]") {
  ManagerWorld w(Files{});
  const json reply =
      w.ask("StartTransient",
            {{"unit", "t.scope"}, {"text", kScopeText}, {"pids", {700, 701}}, {"wait", true}});
  CHECK(reply["job"]["result"] == "done");
  CHECK(w.engine.sub("t.scope") == "running");
  CHECK(w.engine.os.alive.size() == 2);
  w.ask("Abandon", {{"unit", "t.scope"}});
  CHECK(w.engine.sub("t.scope") == "abandoned");
}

TEST_CASE("what can't be made is refused, and leaves nothing behind", "[control][transient]") {
  ManagerWorld w(Files{{"a.service", kServiceText}});
  const auto made = [](const char* unit, const char* text) {
    return json{{"unit", unit}, {"text", text}};
  };
  json scope = made("t.scope", kScopeText);
  CHECK(error_of(w, scope) == "InvalidParameter");  // no processes
  scope["pids"] = {1};
  CHECK(error_of(w, scope) == "InvalidParameter");
  scope["pids"] = {"x"};
  CHECK(error_of(w, scope) == "InvalidParameter");
  json service = made("t.service", kServiceText);
  service["pids"] = {700};
  CHECK(error_of(w, service) == "InvalidParameter");
  service = made("t.service", kServiceText);
  service["mode"] = "isolate";
  CHECK(error_of(w, service) == "InvalidParameter");
  CHECK(error_of(w, made("a.service", kServiceText)) == "UnitExists");
  CHECK(error_of(w, made("t@.service", kServiceText)) == "InvalidName");
  CHECK(error_of(w, made("t/../u.service", kServiceText)) == "InvalidName");
  CHECK(error_of(w, made("t.timer", "[Timer]\nOnBootSec=1\n")) == "NotSupported");
  CHECK(error_of(w, made("t.service", "[Service]\nExecStart=a/b\n")) == "UnitNotLoadable");
  CHECK(error_of(w, made("t.service", "")) == "UnitNotLoadable");
  CHECK(w.backend.files.count("t.service") == 0);
  w.backend.is_full = true;
  CHECK(error_of(w, made("u.service", kServiceText)) == "UnitNotLoadable");
  w.backend.is_full = false;
  scope["pids"] = {700};
  w.backend.hold_error = EPERM;
  CHECK(error_of(w, scope) == "NoSuchProcess");
  CHECK(w.engine.manager.job_count() == 0);
}

TEST_CASE("Abandon is for scopes that run", "[control][transient]") {
  ManagerWorld w(Files{{"a.service", kServiceText}});
  auto client = w.client();
  client.send("Abandon", {{"unit", "a.service"}});
  CHECK(client.replies()[0]["error"] == "io.onset.Manager.NotApplicable");
}
