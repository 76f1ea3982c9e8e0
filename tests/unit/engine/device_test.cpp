#include "engine/device.h"

#include <catch2/catch.hpp>

#include "support/engine_world.h"

using namespace onset;
using namespace onset::test;

namespace {

ManagerConfig machine() {
  ManagerConfig config;
  config.has_devices = true;
  return config;
}

/// What the kernel tells, and what its tables have from then on.
void tell(EngineWorld& w, DeviceNews news) {
  if (news.by == DeviceSource::Plugged && news.is_there) w.os.plugged[news.unit] = "/sys/devices/x";
  if (news.by == DeviceSource::Plugged && !news.is_there) w.os.plugged.erase(news.unit);
  if (news.by == DeviceSource::Used && news.is_there) w.os.used.insert(news.unit);
  if (news.by == DeviceSource::Used && !news.is_there) w.os.used.erase(news.unit);
  w.manager.devices_changed(std::vector{std::move(news)}, w.now);
}

void plug(EngineWorld& w, std::string unit, std::vector<std::string> wants = {}) {
  tell(w, {std::move(unit), DeviceSource::Plugged, true, true, std::move(wants)});
}

void unplug(EngineWorld& w, std::string unit) {
  tell(w, {std::move(unit), DeviceSource::Plugged, false, false, {}});
}

constexpr const char* kBound = "BindsTo=dev-x.device\nAfter=dev-x.device\n";

}  // namespace

TEST_CASE("a service that is bound to a device starts when it comes and stops when it goes",
          "[engine][device]") {
  EngineWorld w{{{"a.service", bare_service("/bin/a", kBound)}}, machine()};
  REQUIRE(w.start("a.service") == "");
  CHECK(w.has_job("dev-x.device"));
  CHECK(w.state("a.service") == "inactive");
  plug(w, "dev-x.device");
  CHECK(w.sub("dev-x.device") == "plugged");
  CHECK(w.has_finished("dev-x.device start done"));
  REQUIRE(w.state("a.service") == "active");

  unplug(w, "dev-x.device");
  CHECK(w.state("dev-x.device") == "inactive");
  CHECK(w.has_job("a.service"));
  w.die("a.service", 15);
  CHECK(w.state("a.service") == "inactive");
}

TEST_CASE("a device that never comes times out, and who needs it hears why", "[engine][device]") {
  std::string dropin;
  Duration limit = std::chrono::seconds(90);
  ManagerConfig config = machine();
  SECTION("after the default") {}
  SECTION("after DefaultDeviceTimeoutSec=") {
    limit = config.defaults.device_timeout = std::chrono::seconds(7);
  }
  SECTION("after its own JobRunningTimeoutSec=") {
    dropin = "[Unit]\nJobRunningTimeoutSec=3\n";
    limit = std::chrono::seconds(3);
  }
  EngineWorld::Files files{{"a.service", bare_service("/bin/a", kBound)}};
  if (!dropin.empty()) files.emplace_back("dev-x.device.d/timeout.conf", dropin);
  EngineWorld w{std::move(files), config};
  REQUIRE(w.start("a.service") == "");
  const Job* job = w.manager.job(w.manager.runtime(w.manager.graph().find("dev-x.device")).job);
  REQUIRE(job != nullptr);
  CHECK(w.manager.deadline_of(*job) - job->began.mono == limit);
  w.pass(limit - std::chrono::seconds(1));
  CHECK(w.has_job("a.service"));
  w.pass(std::chrono::seconds(1));
  CHECK(w.has_finished("dev-x.device start timeout"));
  CHECK(w.has_finished("a.service start dependency"));
  CHECK(w.os.history.empty());
  const std::string why(w.manager.problem(w.manager.graph().find("a.service")));
  CHECK(why.find("/dev/x has not come within") != std::string::npos);
}

TEST_CASE("a device that only is wanted holds up and fails nothing for good", "[engine][device]") {
  EngineWorld w{{{"a.service", bare_service("/bin/a", "Wants=dev-x.device\nAfter=dev-x.device\n")}},
                machine()};
  REQUIRE(w.start("a.service") == "");
  CHECK(w.state("a.service") == "inactive");
  w.pass(std::chrono::seconds(90));
  CHECK(w.state("a.service") == "active");
}

TEST_CASE("what is there before its unit is loaded is up with it", "[engine][device]") {
  EngineWorld w{{{"a.service", bare_service("/bin/a", kBound)},
                 {"w.service", bare_service("/bin/w")},
                 {"dev-x.device.wants/w.service", "-> w.service"}},
                machine()};
  w.os.plugged["dev-x.device"] = "/sys/devices/x";
  REQUIRE(w.start("a.service") == "");
  CHECK(w.state("a.service") == "active");
  CHECK(w.sub("dev-x.device") == "plugged");
  CHECK(w.state("w.service") == "active");
}

TEST_CASE("SYSTEMD_WANTS= of a device is started with it", "[engine][device]") {
  EngineWorld w{{{"w.service", bare_service("/bin/w")},
                 {"v.service", bare_service("/bin/v")},
                 {"a.service", bare_service("/bin/a", kBound)}},
                machine()};
  SECTION("by itself") {}
  SECTION("when a job has waited for the device") {
    REQUIRE(w.start("a.service") == "");
  }
  plug(w, "dev-x.device", {"w.service"});
  CHECK(w.state("w.service") == "active");
  SECTION("and what it wants since") {
    plug(w, "dev-x.device", {"w.service", "v.service"});
    CHECK(w.state("v.service") == "active");
  }
  CHECK(w.os.history.size() <= 3);
}

TEST_CASE("a mounted device is tentative until the kernel tells of it", "[engine][device]") {
  EngineWorld w{{{"a.service", bare_service("/bin/a", kBound)}}, machine()};
  tell(w, {"dev-x.device", DeviceSource::Used, true, true, {}});
  CHECK(w.sub("dev-x.device") == "tentative");
  CHECK(w.state("dev-x.device") == "activating");
  REQUIRE(w.start("a.service") == "");
  CHECK(w.state("a.service") == "inactive");
  plug(w, "dev-x.device");
  CHECK(w.state("a.service") == "active");
  tell(w, {"dev-x.device", DeviceSource::Used, false, false, {}});
  CHECK(w.sub("dev-x.device") == "plugged");
}

TEST_CASE("nobody can stop a device", "[engine][device]") {
  EngineWorld w{{}, machine()};
  plug(w, "dev-x.device");
  REQUIRE(w.stop("dev-x.device") == "");
  CHECK(w.sub("dev-x.device") == "plugged");
  CHECK(w.has_finished("dev-x.device stop skipped"));
}

TEST_CASE("a device that is gone and that nobody names is unloaded", "[engine][device]") {
  EngineWorld w{{}, machine()};
  plug(w, "dev-x.device");
  w.manager.collect();
  CHECK(w.manager.graph().find("dev-x.device").valid());
  unplug(w, "dev-x.device");
  w.manager.collect();
  CHECK_FALSE(w.manager.graph().find("dev-x.device").valid());
}

TEST_CASE("where no kernel tells of devices they are not supported", "[engine][device]") {
  EngineWorld w{{{"a.service", bare_service("/bin/a", kBound)}}};
  REQUIRE(w.start("a.service") == "");
  CHECK(w.has_finished("dev-x.device start unsupported"));
  CHECK(w.has_finished("a.service start dependency"));
  plug(w, "dev-x.device");
  CHECK(w.state("dev-x.device") == "inactive");
}

TEST_CASE("devices outlive a reload of unit files", "[engine][device]") {
  EngineWorld w{{{"a.service", bare_service("/bin/a", kBound)}}, machine()};
  plug(w, "dev-x.device");
  REQUIRE(w.start("a.service") == "");
  Diagnostics found;
  w.manager.reload(w.table, w.now, found);
  CHECK(w.sub("dev-x.device") == "plugged");
  CHECK(w.state("a.service") == "active");
  CHECK(w.os.history.size() == 1);
  unplug(w, "dev-x.device");
  CHECK(w.has_job("a.service"));
}
