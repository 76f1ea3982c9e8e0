#include "init/boot_status.h"

#include <catch2/catch.hpp>

using namespace onset;
using namespace std::chrono_literals;

namespace {

Unit unit(UnitType type, std::string id, std::string description = "A Thing") {
  Unit u;
  u.type = type;
  u.id = std::move(id);
  u.config.description = std::move(description);
  return u;
}

std::string end(const Unit& u, JobType type, JobResult result) {
  const auto line = line_of_end(u, type, result, StatusUnitFormat::Combined);
  return line ? render(*line, false) : std::string();
}

std::string name(const Unit& u, StatusUnitFormat form = StatusUnitFormat::Combined) {
  return status_name(u, form);
}

}  // namespace

TEST_CASE("StatusUnitFormat= says what a line calls its unit", "[init][status]") {
  const Unit a = unit(UnitType::Service, "a.service");
  CHECK(name(a, StatusUnitFormat::Name) == "a.service");
  CHECK(name(a, StatusUnitFormat::Description) == "A Thing");
  CHECK(name(a, StatusUnitFormat::Combined) == "a.service - A Thing");
  CHECK(name(unit(UnitType::Service, "a.service", ""), StatusUnitFormat::Description) ==
        "a.service");
  const auto line =
      line_of_end(a, JobType::Start, JobResult::Failed, StatusUnitFormat::Description);
  REQUIRE(line);
  CHECK(render(*line, false) == "[FAILED] Failed to start A Thing.");
}

TEST_CASE("the end of a job has a mark and a sentence", "[init][status]") {
  const Unit a = unit(UnitType::Service, "a.service");
  struct Row {
    JobType type;
    JobResult result;
    std::string_view line;
  };
  const Row rows[] = {
      {JobType::Start, JobResult::Done, "[  OK  ] Started a.service - A Thing."},
      {JobType::Start, JobResult::Failed, "[FAILED] Failed to start a.service - A Thing."},
      {JobType::Start, JobResult::Dependency,
       "[DEPEND] Dependency failed for a.service - A Thing."},
      {JobType::Start, JobResult::Timeout,
       "[ TIME ] Timed out, failed to start a.service - A Thing."},
      {JobType::Start, JobResult::Assert, "[ASSERT] Assertion failed for a.service - A Thing."},
      {JobType::Start, JobResult::Unsupported, "[UNSUPP] a.service - A Thing is not supported."},
      {JobType::Start, JobResult::Concurrency,
       "[FAILED] a.service - A Thing would be one too many in its slice."},
      {JobType::Start, JobResult::Skipped, ""},
      {JobType::Start, JobResult::Canceled, ""},
      {JobType::Stop, JobResult::Done, "[  OK  ] Stopped a.service - A Thing."},
      {JobType::Stop, JobResult::Failed, "[FAILED] Failed to stop a.service - A Thing."},
      {JobType::Restart, JobResult::Done, "[  OK  ] Stopped a.service - A Thing."},
      {JobType::Reload, JobResult::Done, ""},
      {JobType::VerifyActive, JobResult::Done, ""},
      {JobType::Nop, JobResult::Done, ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.line);
    CHECK(end(a, row.type, row.result) == row.line);
  }
}

TEST_CASE("each type of unit has verbs of its own", "[init][status]") {
  struct Row {
    UnitType type;
    std::string id;
    std::string_view begin;
    std::string_view started;
    std::string_view stopped;
  };
  const Row rows[] = {
      {UnitType::Target, "a.target", "", "[  OK  ] Reached target a.target - A Thing.",
       "[  OK  ] Stopped target a.target - A Thing."},
      {UnitType::Mount, "a.mount", "         Mounting a.mount - A Thing...",
       "[  OK  ] Mounted a.mount - A Thing.", "[  OK  ] Unmounted a.mount - A Thing."},
      {UnitType::Swap, "a.swap", "         Activating swap a.swap - A Thing...",
       "[  OK  ] Activated swap a.swap - A Thing.", "[  OK  ] Deactivated swap a.swap - A Thing."},
      {UnitType::Socket, "a.socket", "", "[  OK  ] Listening on a.socket - A Thing.",
       "[  OK  ] Closed a.socket - A Thing."},
      {UnitType::Slice, "a.slice", "", "[  OK  ] Created slice a.slice - A Thing.",
       "[  OK  ] Removed slice a.slice - A Thing."},
      {UnitType::Device, "a.device", "", "[  OK  ] Found device a.device - A Thing.", ""},
      {UnitType::Timer, "a.timer", "", "[  OK  ] Started a.timer - A Thing.",
       "[  OK  ] Stopped a.timer - A Thing."},
  };
  for (const Row& row : rows) {
    CAPTURE(row.id);
    const Unit u = unit(row.type, row.id);
    const auto begin = line_of_begin(u, JobType::Start, StatusUnitFormat::Combined);
    CHECK((begin ? render(*begin, false) : std::string()) == row.begin);
    CHECK(end(u, JobType::Start, JobResult::Done) == row.started);
    CHECK(end(u, JobType::Stop, JobResult::Done) == row.stopped);
  }
  CHECK(end(unit(UnitType::Device, "a.device"), JobType::Start, JobResult::Timeout) ==
        "[ TIME ] Timed out waiting for device a.device - A Thing.");
  Unit oneshot = unit(UnitType::Service, "a.service");
  oneshot.service = std::make_unique<ServiceConfig>();
  oneshot.service->type = ServiceType::Oneshot;
  CHECK(end(oneshot, JobType::Start, JobResult::Done) == "[  OK  ] Finished a.service - A Thing.");
  CHECK(render(*line_of_begin(oneshot, JobType::Stop, StatusUnitFormat::Combined), false) ==
        "         Stopping a.service - A Thing...");
  CHECK(line_of_begin(oneshot, JobType::Start, StatusUnitFormat::Combined));
  oneshot.service->type = ServiceType::Simple;
  CHECK_FALSE(line_of_begin(oneshot, JobType::Start, StatusUnitFormat::Combined));
}

TEST_CASE("a unit without a description is named once, and no line moves the cursor",
          "[init][status]") {
  CHECK(name(unit(UnitType::Service, "a.service", "")) == "a.service");
  CHECK(name(unit(UnitType::Service, "a.service", "a.service")) == "a.service");
  const Unit hostile = unit(UnitType::Service, "a.service", "x\x1b[2Jy\n");
  CHECK(end(hostile, JobType::Start, JobResult::Done) ==
        "[  OK  ] Started a.service - x\\x1b[2Jy\\n.");
  CHECK(name(unit(UnitType::Slice, "a\\x2db.slice", "")) == "a\\x2db.slice");
  CHECK(render({StatusMark::Failed, "x"}, true) == "[\x1b[0;1;31mFAILED\x1b[0m] x");
}

TEST_CASE("a slow job is told with its time and its limit, several in turn", "[init][status]") {
  const std::vector<SlowJob> one{{"a.service", JobType::Start, 12s, 90s}};
  CHECK(text_of_slow(one, 0) == "A start job is running for a.service (12s / 1min 30s)");
  CHECK(text_of_slow(one, 7) == text_of_slow(one, 0));
  const std::vector<SlowJob> two{{"a.service", JobType::Start, 12s, 90s},
                                 {"b.service", JobType::Stop, 6500ms, kInfinity}};
  CHECK(text_of_slow(two, 0) == "(1 of 2) A start job is running for a.service (12s / 1min 30s)");
  CHECK(text_of_slow(two, 1) == "(2 of 2) A stop job is running for b.service (6s / no limit)");
  CHECK(text_of_slow({}, 0).empty());
}
