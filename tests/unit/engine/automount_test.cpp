// Automounts under the manager, on the fake kernel: systemd.automount(5).
#include "engine/automount.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "support/engine_world.h"

using namespace onset;
using namespace onset::test;
using namespace std::chrono_literals;

namespace {

const std::string kBare = "[Unit]\nDefaultDependencies=no\n";

EngineWorld::Files pair(const std::string& automount = "", const std::string& mount = "") {
  return {{"a.automount", kBare + "[Automount]\nWhere=/a\n" + automount},
          {"a.mount", kBare + mount + "[Mount]\nWhat=/dev/x\nType=ext4\n"}};
}

void change(EngineWorld& w, bool is_there) {
  if (is_there) {
    w.os.mounted.insert("a.mount");
  } else {
    w.os.mounted.erase("a.mount");
  }
  const MountNews news{"a.mount", is_there};
  w.manager.mounts_changed({&news, 1}, w.now);
}

void ask(EngineWorld& w, AutomountAsks what = AutomountAsks::Access) {
  w.manager.automount_asked(w.manager.graph().find("a.automount"), what, 42, w.now);
}

void come_up(EngineWorld& w) {
  REQUIRE(w.start("a.automount").empty());
  w.exit("a.automount", 0);
  REQUIRE(w.sub("a.automount") == "waiting");
}

void mount_it(EngineWorld& w) {
  change(w, true);
  w.exit("a.mount", 0);
  REQUIRE(w.state("a.mount") == "active");
}

bool was_called(const EngineWorld& w, std::string_view call) {
  return std::ranges::find(w.os.calls, call) != w.os.calls.end();
}

std::string result(const EngineWorld& w) {
  return std::string(
      to_string(w.manager.runtime(w.manager.graph().find("a.automount")).automount.result));
}

}  // namespace

TEST_CASE("an automount mounts when somebody looks, and answers when it is there",
          "[engine][automount]") {
  EngineWorld w{pair()};
  REQUIRE(w.start("a.automount").empty());
  CHECK(w.sub("a.automount") == "mounting");
  CHECK_FALSE(w.has_finished("a.automount start done"));
  w.exit("a.automount", 0);
  CHECK(w.sub("a.automount") == "waiting");
  CHECK(w.has_finished("a.automount start done"));
  CHECK(w.os.automounts.size() == 1);
  CHECK(w.state("a.mount") == "inactive");

  ask(w);
  CHECK(w.sub("a.automount") == "running");
  CHECK(w.sub("a.mount") == "mounting");
  ask(w);
  CHECK_FALSE(was_called(w, "answer access 0"));
  mount_it(w);
  CHECK(was_called(w, "answer access 0"));
  CHECK(w.sub("a.automount") == "running");
}

TEST_CASE("who looks at a mount that fails is told so, and the next one may try again",
          "[engine][automount]") {
  EngineWorld w{pair()};
  come_up(w);
  ask(w);
  w.exit("a.mount", 32);
  CHECK(was_called(w, "answer access 19"));  // ENODEV
  CHECK(w.sub("a.automount") == "waiting");
  ask(w);
  CHECK(w.sub("a.mount") == "mounting");
  mount_it(w);
  CHECK(was_called(w, "answer access 0"));
}

TEST_CASE("a mount that can't even be tried is an answer too", "[engine][automount]") {
  EngineWorld w{pair("", "ConditionPathExists=/nowhere\n")};
  w.os.false_conditions.insert("/nowhere");
  come_up(w);
  ask(w);
  CHECK(was_called(w, "answer access 19"));
  CHECK(w.sub("a.automount") == "waiting");
}

TEST_CASE("who looks while it is mounted already is answered at once", "[engine][automount]") {
  EngineWorld w{pair()};
  come_up(w);
  w.start("a.mount");
  mount_it(w);
  CHECK(w.sub("a.automount") == "running");
  w.os.calls.clear();
  ask(w);
  CHECK(was_called(w, "answer access 0"));
}

TEST_CASE("what is idle is looked for three times in its time, and unmounted",
          "[engine][automount]") {
  EngineWorld w{pair("TimeoutIdleSec=9\n")};
  come_up(w);
  w.pass(60s);
  CHECK(w.os.pid_of("a.automount") == 0);  // nothing is mounted
  ask(w);
  mount_it(w);
  w.pass(3s);
  REQUIRE(w.os.pid_of("a.automount") != 0);
  w.exit("a.automount", 0);  // it was not idle
  CHECK(w.os.pid_of("a.automount") == 0);
  w.pass(3s);
  REQUIRE(w.os.pid_of("a.automount") != 0);

  w.os.calls.clear();
  ask(w, AutomountAsks::Expiry);
  CHECK(w.sub("a.mount") == "unmounting");
  CHECK_FALSE(was_called(w, "answer expiry 0"));
  change(w, false);
  w.exit("a.mount", 0);
  CHECK(was_called(w, "answer expiry 0"));
  CHECK(w.sub("a.automount") == "waiting");
  CHECK(w.state("a.mount") == "inactive");
}

TEST_CASE("what can't be unmounted stays, and the kernel hears of it", "[engine][automount]") {
  EngineWorld w{pair("TimeoutIdleSec=9\n")};
  come_up(w);
  ask(w);
  mount_it(w);
  w.pass(3s);
  w.os.calls.clear();
  ask(w, AutomountAsks::Expiry);
  w.exit("a.mount", 32);
  CHECK(w.sub("a.mount") == "mounted");
  CHECK(was_called(w, "answer expiry 19"));
  CHECK(w.sub("a.automount") == "running");
}

TEST_CASE("an automount that is stopped lets go who waits", "[engine][automount]") {
  EngineWorld w{pair()};
  come_up(w);
  ask(w);
  REQUIRE(w.stop("a.automount").empty());
  CHECK(was_called(w, "drop automount"));
  CHECK(w.sub("a.automount") == "unmounting");
  w.exit("a.automount", 0);
  CHECK(w.state("a.automount") == "inactive");
  CHECK(w.has_finished("a.automount stop done"));
}

TEST_CASE("a point that can't be made or taken over fails the automount", "[engine][automount]") {
  EngineWorld w{pair()};
  w.start("a.automount");
  w.exit("a.automount", 32);
  CHECK(w.state("a.automount") == "failed");
  CHECK(result(w) == "exit-code");
  CHECK(w.has_finished("a.automount start failed"));
  w.os.untakeable = 5;
  w.start("a.automount");
  w.exit("a.automount", 0);
  CHECK(w.sub("a.automount") == "unmounting");
  w.exit("a.automount", 0);
  CHECK(result(w) == "resources");
}

TEST_CASE("a process of an automount that hangs is killed in its time", "[engine][automount]") {
  EngineWorld w{pair()};
  w.start("a.automount");
  w.pass(90s);
  CHECK(w.sub("a.automount") == "ending");
  w.die("a.automount", 9);
  CHECK(w.sub("a.automount") == "unmounting");
  w.exit("a.automount", 0);
  CHECK(result(w) == "timeout");
}

TEST_CASE("an automount whose mount is not there, or is mounted, is refused",
          "[engine][automount]") {
  EngineWorld alone{{pair()[0]}};
  alone.start("a.automount");
  CHECK(alone.has_finished("a.automount start failed"));
  EngineWorld w{pair()};
  w.start("a.mount");
  mount_it(w);
  w.start("a.automount");
  CHECK(w.has_finished("a.automount start failed"));
  CHECK(w.os.was_said("mounted already"));
}

TEST_CASE("a point that somebody else unmounts is gone", "[engine][automount]") {
  EngineWorld w{pair()};
  come_up(w);
  ask(w, AutomountAsks::Gone);
  CHECK(w.sub("a.automount") == "unmounting");
  w.exit("a.automount", 0);
  CHECK(w.state("a.automount") == "failed");
  CHECK(result(w) == "resources");
}
