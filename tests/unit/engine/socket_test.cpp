#include "engine/socket.h"

#include <catch2/catch.hpp>

#include "support/engine_world.h"

using namespace onset;
using namespace onset::test;

namespace {

std::string socket_unit(std::string_view more = "") {
  return "[Unit]\nDefaultDependencies=no\n[Socket]\nListenStream=/run/a.sock\n" + std::string(more);
}

EngineWorld::Files pair(std::string_view socket = "", std::string_view service = "") {
  return {{"a.socket", socket_unit(socket)}, {"a.service", bare_service("/bin/a", service)}};
}

/// Something has come in, if anybody looks.
void knock(EngineWorld& w) {
  const UnitId id = w.manager.graph().find("a.socket");
  if (w.os.watched_sockets.contains(id.value)) w.manager.socket_ready(id, w.now);
}

bool is_watched(const EngineWorld& w) {
  return w.os.watched_sockets.contains(w.manager.graph().find("a.socket").value);
}

std::string result(const EngineWorld& w) {
  return std::string(
      to_string(w.manager.runtime(w.manager.graph().find("a.socket")).socket.result));
}

}  // namespace

TEST_CASE("a socket listens, starts its service once and listens again after it",
          "[engine][socket]") {
  EngineWorld w{pair()};
  CHECK(w.start("a.socket").empty());
  REQUIRE(w.sub("a.socket") == "listening");
  CHECK(is_watched(w));
  CHECK(w.state("a.service") == "inactive");

  knock(w);
  CHECK(w.sub("a.socket") == "running");
  CHECK_FALSE(is_watched(w));
  REQUIRE(w.state("a.service") == "active");
  REQUIRE(w.os.history.size() == 1);
  CHECK(w.os.history[0].sockets == std::vector<UnitId>{w.manager.graph().find("a.socket")});

  w.exit("a.service", 0);
  CHECK(w.sub("a.socket") == "listening");
  CHECK(is_watched(w));
  CHECK(w.os.open_sockets_of.size() == 1);

  CHECK(w.stop("a.socket").empty());
  CHECK(w.state("a.socket") == "inactive");
  CHECK(w.os.open_sockets_of.empty());
}

TEST_CASE("a service that is started by hand has the sockets too", "[engine][socket]") {
  EngineWorld w{pair()};
  w.start("a.socket");
  w.start("a.service");
  CHECK(w.sub("a.socket") == "running");
  REQUIRE(w.os.history.size() == 1);
  CHECK(w.os.history[0].sockets.size() == 1);
  w.stop("a.service");
  w.die("a.service", 15);
  CHECK(w.sub("a.socket") == "listening");
}

TEST_CASE("a socket of a service that runs already does not listen beside it", "[engine][socket]") {
  EngineWorld w{pair()};
  w.start("a.service");
  w.start("a.socket");
  CHECK(w.state("a.socket") == "inactive");
  CHECK(w.has_finished("a.socket start failed"));
}

TEST_CASE("a service that dies at once ends in a limit, not in a loop", "[engine][socket]") {
  EngineWorld w{pair()};
  w.start("a.socket");
  for (int i = 0; i < 100 && w.state("a.socket") == "active"; ++i) {
    knock(w);
    if (w.state("a.service") == "active") w.exit("a.service", 0);
  }
  CHECK(w.state("a.socket") == "failed");
  CHECK(result(w) == "service-start-limit-hit");
  CHECK(w.os.history.size() == 5);
  CHECK(w.os.open_sockets_of.empty());
}

TEST_CASE("a service that does not even start ends in the trigger limit", "[engine][socket]") {
  EngineWorld w{pair("", "ConditionPathExists=/nowhere\n")};
  w.os.false_conditions.insert("/nowhere");
  w.start("a.socket");
  int knocks = 0;
  for (; knocks < 100 && w.state("a.socket") == "active"; ++knocks) knock(w);
  CHECK(knocks == 21);
  CHECK(w.state("a.socket") == "failed");
  CHECK(result(w) == "trigger-limit-hit");
  CHECK(w.os.history.empty());
}

TEST_CASE("a trigger that comes seldom never hits the limit", "[engine][socket]") {
  EngineWorld w{
      pair("TriggerLimitIntervalSec=1\nTriggerLimitBurst=2\n", "StartLimitIntervalSec=0\n")};
  w.start("a.socket");
  for (int i = 0; i < 20; ++i) {
    knock(w);
    w.exit("a.service", 0);
    w.pass(std::chrono::seconds(1));
  }
  CHECK(w.sub("a.socket") == "listening");
}

TEST_CASE("sockets that can't be opened fail the unit with resources", "[engine][socket]") {
  EngineWorld w{pair()};
  w.os.unopenable.insert("a.socket");
  w.start("a.socket");
  CHECK(w.state("a.socket") == "failed");
  CHECK(result(w) == "resources");
  CHECK(w.has_finished("a.socket start failed"));
  CHECK(w.os.was_said("cannot listen"));
}

TEST_CASE("a socket whose service is not there fails when something comes in", "[engine][socket]") {
  EngineWorld w{{{"a.socket", socket_unit()}}};
  w.start("a.socket");
  REQUIRE(w.sub("a.socket") == "listening");
  knock(w);
  CHECK(w.state("a.socket") == "failed");
  CHECK(result(w) == "resources");
}

TEST_CASE("the commands of a socket run before and after its life", "[engine][socket]") {
  EngineWorld w{
      pair("ExecStartPre=/bin/pre\nExecStartPost=/bin/post\nExecStopPre=/bin/stop\n"
           "ExecStopPost=/bin/gone\n")};
  w.start("a.socket");
  CHECK(w.sub("a.socket") == "start-pre");
  CHECK(w.os.open_sockets_of.empty());
  w.exit("a.socket", 0);
  CHECK(w.sub("a.socket") == "start-post");
  CHECK(w.os.open_sockets_of.size() == 1);
  w.exit("a.socket", 0);
  CHECK(w.sub("a.socket") == "listening");
  w.stop("a.socket");
  CHECK(w.sub("a.socket") == "stop-pre");
  CHECK(w.os.open_sockets_of.size() == 1);
  w.exit("a.socket", 0);
  CHECK(w.sub("a.socket") == "stop-post");
  CHECK(w.os.open_sockets_of.empty());
  w.exit("a.socket", 0);
  CHECK(w.state("a.socket") == "inactive");
}

TEST_CASE("a command that fails or takes too long fails the socket", "[engine][socket]") {
  EngineWorld w{pair("ExecStartPre=/bin/pre\nTimeoutSec=5\n")};
  w.start("a.socket");
  SECTION("by its status") {
    w.exit("a.socket", 3);
    CHECK(result(w) == "exit-code");
  }
  SECTION("by its time") {
    w.pass(std::chrono::seconds(5));
    CHECK(w.sub("a.socket") == "final-sigterm");
    w.die("a.socket", 15);
    CHECK(result(w) == "timeout");
  }
  CHECK(w.state("a.socket") == "failed");
  CHECK(w.os.open_sockets_of.empty());
}

TEST_CASE("each connection has its instance, up to MaxConnections=", "[engine][socket]") {
  EngineWorld w{{{"a.socket", socket_unit("Accept=yes\nMaxConnections=2\n")},
                 {"a@.service", bare_service("/bin/a")}}};
  w.start("a.socket");
  for (const char* name : {"0-1-0", "1-2-0", "2-3-0"}) {
    w.os.connecting.push_back({name, "uid 0", 0});
    knock(w);
  }
  CHECK(w.sub("a.socket") == "listening");
  CHECK(w.state("a@0-1-0.service") == "active");
  CHECK(w.state("a@1-2-0.service") == "active");
  CHECK(w.os.history.size() == 2);
  CHECK(w.os.history[0].connection);
  CHECK(w.os.connecting.empty());
  CHECK(w.os.was_said("one more is closed"));

  w.exit("a@0-1-0.service", 0);
  CHECK(w.os.served.size() == 1);
  w.os.connecting.push_back({"3-4-0", "uid 0", 0});
  knock(w);
  CHECK(w.state("a@3-4-0.service") == "active");
}

TEST_CASE("sockets stay open and watched when unit files are read again", "[engine][socket]") {
  EngineWorld w{pair()};
  w.start("a.socket");
  Diagnostics found;
  w.manager.reload(w.table, w.now, found);
  CHECK(w.sub("a.socket") == "listening");
  CHECK(is_watched(w));
  knock(w);
  CHECK(w.state("a.service") == "active");
  w.manager.reload(w.table, w.now, found);
  CHECK(w.sub("a.socket") == "running");
  w.exit("a.service", 0);
  CHECK(w.sub("a.socket") == "listening");
}
