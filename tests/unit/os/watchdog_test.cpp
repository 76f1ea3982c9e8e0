#include "os/watchdog.h"

#include <catch2/catch.hpp>
#include <cerrno>
#include <chrono>
#include <vector>

using namespace onset;
using std::chrono::seconds;

namespace {

struct Record {
  std::string path;
  Duration timeout = seconds(60);
  Duration pretimeout{};
  Duration most = seconds(100);
  int pings = 0;
  int opened = 0;
  int disarmed = 0;
  bool is_there = true;
} record;

class FakeWatchdog final : public WatchdogDevice {
 public:
  Result<Duration> set_timeout(Duration timeout) override {
    if (timeout > record.most) return Failure{SysError{"WDIOC_SETTIMEOUT", EINVAL}};
    return record.timeout = timeout;
  }
  Result<Duration> timeout() override { return record.timeout; }
  SysResult set_pretimeout(Duration before) override {
    record.pretimeout = before;
    return {};
  }
  SysResult ping() override {
    ++record.pings;
    return {};
  }
  void disarm() override { ++record.disarmed; }
};

Result<std::unique_ptr<WatchdogDevice>> open_fake(const std::string& path) {
  if (!record.is_there) return Failure{SysError{"open", ENOENT}};
  record.path = path;
  ++record.opened;
  return std::unique_ptr<WatchdogDevice>(std::make_unique<FakeWatchdog>());
}

}  // namespace

TEST_CASE("a hardware watchdog is told in half of its timeout that PID 1 is there",
          "[os][watchdog]") {
  record = {};
  Watchdog watchdog(open_fake);
  CHECK(watchdog.next_deadline() == kNever);
  REQUIRE(watchdog.set("", seconds(20), {}, MonoTime{0}).ok());
  CHECK(record.path == "/dev/watchdog0");
  CHECK(record.pings == 1);
  CHECK(watchdog.next_deadline() == MonoTime{0} + seconds(10));
  watchdog.ping(MonoTime{0} + seconds(10));
  CHECK(record.pings == 2);
  CHECK(watchdog.next_deadline() == MonoTime{0} + seconds(20));
}

TEST_CASE("a hardware watchdog that can't have a timeout keeps its own, and that is told",
          "[os][watchdog]") {
  record = {};
  Watchdog watchdog(open_fake);
  const SysResult done = watchdog.set("/dev/w", seconds(1000), {}, MonoTime{0});
  CHECK_FALSE(done.ok());
  CHECK(record.path == "/dev/w");
  CHECK(watchdog.timeout() == seconds(60));
  CHECK(watchdog.next_deadline() == MonoTime{0} + seconds(30));
}

TEST_CASE("\"default\" leaves a hardware watchdog its timeout", "[os][watchdog]") {
  record = {};
  Watchdog watchdog(open_fake);
  REQUIRE(watchdog.set("", kInfinity, {}, MonoTime{0}).ok());
  CHECK(watchdog.timeout() == seconds(60));
}

TEST_CASE("a hardware watchdog that is switched off is disarmed", "[os][watchdog]") {
  record = {};
  Watchdog watchdog(open_fake);
  REQUIRE(watchdog.set("", seconds(20), {}, MonoTime{0}).ok());
  REQUIRE(watchdog.set("", {}, {}, MonoTime{0}).ok());
  CHECK(record.disarmed == 1);
  CHECK_FALSE(watchdog.is_on());
  CHECK(watchdog.next_deadline() == kNever);
}

TEST_CASE("another timeout needs no second device, another device does", "[os][watchdog]") {
  record = {};
  Watchdog watchdog(open_fake);
  REQUIRE(watchdog.set("", seconds(20), seconds(5), MonoTime{0}).ok());
  CHECK(record.pretimeout == seconds(5));
  REQUIRE(watchdog.set("", seconds(40), seconds(50), MonoTime{0}).ok());
  CHECK(record.opened == 1);
  CHECK(record.pretimeout == seconds(5));
  CHECK(watchdog.timeout() == seconds(40));
  REQUIRE(watchdog.set("/dev/other", seconds(40), {}, MonoTime{0}).ok());
  CHECK(record.opened == 2);
  CHECK(record.disarmed == 1);
}

TEST_CASE("without a hardware watchdog nothing is watched", "[os][watchdog]") {
  record = {};
  record.is_there = false;
  Watchdog watchdog(open_fake);
  const SysResult done = watchdog.set("", seconds(20), {}, MonoTime{0});
  REQUIRE_FALSE(done.ok());
  CHECK(done.error().err == ENOENT);
  CHECK(watchdog.next_deadline() == kNever);
}
