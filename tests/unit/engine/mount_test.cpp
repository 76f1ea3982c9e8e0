// Mounts and swaps under the manager, on the fake kernel: systemd.mount(5), systemd.swap(5).
#include "engine/mount.h"

#include <catch2/catch.hpp>

#include "support/engine_world.h"

using namespace onset;
using namespace onset::test;

namespace {

const std::string kBare = "[Unit]\nDefaultDependencies=no\n";

std::string mount_text(const std::string& more = "", const std::string& unit = "") {
  return kBare + unit + "[Mount]\nWhat=/dev/x\nType=ext4\n" + more;
}

EngineWorld::Files one(const std::string& more = "") {
  return {{"a.mount", mount_text(more)}};
}

void change(EngineWorld& w, const std::string& unit, bool is_there) {
  if (is_there) {
    w.os.mounted.insert(unit);
  } else {
    w.os.mounted.erase(unit);
  }
  const MountNews news{unit, is_there};
  w.manager.mounts_changed({&news, 1}, w.now);
}

ServiceResult result_of(const EngineWorld& w, std::string_view unit) {
  return w.manager.runtime(w.manager.graph().find(unit)).mount.result;
}

}  // namespace

TEST_CASE("a mount is up when its command has ended and the kernel has it", "[engine][mount]") {
  EngineWorld w{one()};
  REQUIRE(w.start("a.mount") == "");
  CHECK(w.sub("a.mount") == "mounting");
  change(w, "a.mount", true);
  CHECK(w.sub("a.mount") == "mounting-done");
  CHECK_FALSE(w.has_finished("a.mount start done"));
  w.exit("a.mount", 0);
  CHECK(w.sub("a.mount") == "mounted");
  CHECK(w.has_finished("a.mount start done"));
}

TEST_CASE("a mount command that ends well without a mount has failed", "[engine][mount]") {
  EngineWorld w{one()};
  REQUIRE(w.start("a.mount") == "");
  w.exit("a.mount", 0);
  CHECK(w.state("a.mount") == "failed");
  CHECK(result_of(w, "a.mount") == ServiceResult::Protocol);
  CHECK(w.has_finished("a.mount start failed"));
}

TEST_CASE("what a failed mount is required by fails with it", "[engine][mount]") {
  EngineWorld w{{{"a.mount", mount_text()},
                 {"b.service", bare_service("/bin/b", "RequiresMountsFor=/a/deep\n")}}};
  REQUIRE(w.start("b.service") == "");
  w.exit("a.mount", 32);
  CHECK(w.has_finished("b.service start dependency"));
}

TEST_CASE("what others mount is up, what they unmount is down", "[engine][mount]") {
  EngineWorld w{one()};
  REQUIRE(w.start("a.mount") == "");
  w.exit("a.mount", 1);
  change(w, "a.mount", true);
  CHECK(w.sub("a.mount") == "mounted");
  CHECK(result_of(w, "a.mount") == ServiceResult::Success);
  change(w, "a.mount", false);
  CHECK(w.sub("a.mount") == "dead");
  CHECK(w.os.history.size() == 1);
}

TEST_CASE("a stop unmounts until nothing is left, but not for ever", "[engine][mount]") {
  EngineWorld w{one()};
  w.os.mounted.insert("a.mount");
  REQUIRE(w.start("a.mount") == "");
  CHECK(w.sub("a.mount") == "mounted");
  REQUIRE(w.stop("a.mount") == "");
  CHECK(w.sub("a.mount") == "unmounting");
  SECTION("it goes with the third") {
    w.exit("a.mount", 0);
    w.exit("a.mount", 0);
    CHECK(w.sub("a.mount") == "unmounting");
    change(w, "a.mount", false);
    w.exit("a.mount", 0);
    CHECK(w.sub("a.mount") == "dead");
    CHECK(w.has_finished("a.mount stop done"));
    CHECK(w.os.history.size() == 3);
  }
  SECTION("it never goes") {
    for (int i = 0; i < 40 && w.os.pid_of("a.mount") != 0; ++i) w.exit("a.mount", 0);
    CHECK(w.sub("a.mount") == "mounted");
    CHECK(w.os.history.size() == 32);
    CHECK(w.has_finished("a.mount stop failed"));
  }
  SECTION("it is busy") {
    w.exit("a.mount", 32);
    CHECK(w.sub("a.mount") == "mounted");
    CHECK(w.has_finished("a.mount stop failed"));
  }
}

TEST_CASE("a mount that hangs is terminated, killed and then left alone", "[engine][mount]") {
  EngineWorld w{one("TimeoutSec=5\n")};
  REQUIRE(w.start("a.mount") == "");
  const pid_t pid = w.os.pid_of("a.mount");
  w.os.alive.at(pid).ignores_term = true;
  w.pass(std::chrono::seconds(5));
  CHECK(w.sub("a.mount") == "unmounting-sigterm");
  CHECK(w.os.alive.at(pid).signals == std::vector<int>{15, 18});
  w.pass(std::chrono::seconds(5));
  CHECK(w.sub("a.mount") == "unmounting-sigkill");
  w.pass(std::chrono::seconds(5));
  CHECK(w.state("a.mount") == "failed");
  CHECK(result_of(w, "a.mount") == ServiceResult::Timeout);
}

TEST_CASE("a failed remount leaves the mount as it was", "[engine][mount]") {
  EngineWorld w{one()};
  change(w, "a.mount", true);
  REQUIRE(w.start("a.mount") == "");
  REQUIRE(w.request("a.mount", JobType::Reload) == "");
  CHECK(w.sub("a.mount") == "remounting");
  w.exit("a.mount", 1);
  CHECK(w.sub("a.mount") == "mounted");
  CHECK(w.has_finished("a.mount reload failed"));
}

TEST_CASE("a stop while it mounts ends the command first", "[engine][mount]") {
  EngineWorld w{one()};
  REQUIRE(w.start("a.mount") == "");
  REQUIRE(w.stop("a.mount") == "");
  CHECK(w.sub("a.mount") == "unmounting-sigterm");
  w.die("a.mount", 15);
  CHECK(w.state("a.mount") == "failed");
}

TEST_CASE("a swap is active when swapon has ended well", "[engine][mount]") {
  EngineWorld w{{{"dev-x.swap", kBare + "[Swap]\nWhat=/dev/x\nPriority=3\n"}}};
  REQUIRE(w.start("dev-x.swap") == "");
  CHECK(w.sub("dev-x.swap") == "activating");
  w.exit("dev-x.swap", 0);
  CHECK(w.sub("dev-x.swap") == "active");
  REQUIRE(w.stop("dev-x.swap") == "");
  CHECK(w.sub("dev-x.swap") == "deactivating");
  w.exit("dev-x.swap", 0);
  CHECK(w.sub("dev-x.swap") == "dead");
}

TEST_CASE("memory that runs out loses no mount", "[engine][mount]") {
  EngineWorld w{one()};
  REQUIRE(w.start("a.mount") == "");
  change(w, "a.mount", true);
  change(w, "a.mount", true);  // told again
  w.exit("a.mount", 0);
  CHECK(w.sub("a.mount") == "mounted");
}

TEST_CASE("the command of a mount says what its unit says", "[engine][mount]") {
  Unit unit;
  unit.mount = std::make_unique<MountConfig>();
  unit.mount->what = "/dev/x";
  unit.mount->where = "/a";
  unit.mount->options = "nofail,ro,x-systemd.automount,user_xattr,noauto";
  unit.mount->lazy_unmount = true;
  using Words = std::vector<std::string>;
  CHECK(mount_command(unit, ExecRole::Start).argv ==
        Words{"onset-mount", "mount", "755", "/dev/x", "/a", "", "ro,user_xattr", ""});
  CHECK(mount_command(unit, ExecRole::Reload).argv[1] == "remount");
  CHECK(mount_command(unit, ExecRole::Stop).argv == Words{"onset-mount", "umount", "/a", "l"});
  unit.mount.reset();
  unit.swap = std::make_unique<SwapConfig>();
  unit.swap->what = "/dev/s";
  unit.swap->options = "sw,discard,pri=1";
  unit.swap->priority = 7;
  CHECK(mount_command(unit, ExecRole::Start).argv ==
        Words{"onset-mount", "swapon", "/dev/s", "discard,pri=7"});
}
