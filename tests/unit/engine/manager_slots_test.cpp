// How many units may be up, or coming up, at once; and which start goes first.
#include <catch2/catch.hpp>

#include "base/format.h"
#include "support/engine_world.h"

using namespace onset;
using namespace onset::test;
using std::chrono::seconds;

namespace {

std::string in_slice(std::string_view more = "", std::string_view unit = "") {
  return bare_service("/bin/x", unit, "Slice=x.slice\n" + std::string(more));
}
std::string slice(std::string_view lines) {
  return "[Unit]\nDefaultDependencies=no\n[Slice]\n" + std::string(lines);
}

EngineWorld::Files files(std::string_view limits) {
  return {{"x.slice", slice(limits)},
          {"a.service", in_slice()},
          {"b.service", in_slice()},
          {"c.service", in_slice()},
          {"d.service", in_slice()}};
}

const Job& job_of(const EngineWorld& w, std::string_view unit) {
  const Job* job = w.manager.job(w.manager.runtime(w.manager.graph().find(unit)).job);
  REQUIRE(job != nullptr);
  return *job;
}

ManagerConfig at_once(unsigned count) {
  ManagerConfig config;
  config.defaults.start_concurrency_max = count;
  return config;
}

/// The services that have been spawned, in order.
std::vector<std::string> spawned(const EngineWorld& w) {
  std::vector<std::string> names;
  for (const std::string& call : w.os.calls) {
    if (call.starts_with("spawn ")) names.push_back(call.substr(6, call.find(' ', 6) - 6));
  }
  return names;
}

const char* const kNotify = "Type=notify\nTimeoutStartSec=5s\n";

}  // namespace

TEST_CASE("a start beyond ConcurrencySoftMax= waits until another unit is down",
          "[engine][slots]") {
  EngineWorld w{files("ConcurrencySoftMax=2\n")};
  REQUIRE(w.start("a.service").empty());
  REQUIRE(w.start("b.service").empty());
  REQUIRE(w.start("c.service").empty());
  REQUIRE(w.start("d.service").empty());
  CHECK(w.state("b.service") == "active");
  CHECK(w.state("c.service") == "inactive");
  CHECK(job_of(w, "c.service").state == JobState::Waiting);
  CHECK_FALSE(job_of(w, "c.service").began.is_set());
  CHECK(w.manager.holder_text(job_of(w, "c.service")) == "x.slice (ConcurrencySoftMax=2)");
  w.exit("a.service", 0);
  CHECK(w.state("c.service") == "active");
  CHECK(w.state("d.service") == "inactive");
  w.exit("b.service", 1);
  CHECK(w.state("d.service") == "active");
  CHECK_FALSE(w.has_job("d.service"));
}

TEST_CASE("a stop waits for no slot, nor does what is up already", "[engine][slots]") {
  EngineWorld w{files("ConcurrencySoftMax=1\n")};
  REQUIRE(w.start("a.service").empty());
  REQUIRE(w.start("b.service").empty());
  CHECK(w.start("a.service").empty());
  CHECK_FALSE(w.has_job("a.service"));
  REQUIRE(w.stop("a.service").empty());
  w.exit("a.service", 0);
  CHECK(w.state("a.service") == "inactive");
  CHECK(w.state("b.service") == "active");
}

TEST_CASE("what waits for a slot can be cancelled, replaced by a stop, or time out",
          "[engine][slots]") {
  EngineWorld w{{{"x.slice", slice("ConcurrencySoftMax=1\n")},
                 {"a.service", in_slice()},
                 {"b.service", in_slice()},
                 {"c.service", in_slice()},
                 {"d.service", in_slice("", "JobTimeoutSec=3s\n")}}};
  for (const char* unit : {"a.service", "b.service", "c.service", "d.service"})
    REQUIRE(w.start(unit).empty());
  REQUIRE(w.manager.cancel(job_of(w, "b.service").id, w.now));
  REQUIRE(w.stop("c.service").empty());
  CHECK(w.has_finished("c.service stop done"));
  w.pass(seconds(4));
  CHECK(w.has_finished("d.service start timeout"));
  w.exit("a.service", 0);
  for (const char* unit : {"b.service", "c.service", "d.service"})
    CHECK(w.state(unit) == "inactive");
}

TEST_CASE("a limit of 0 lets nothing start, and one that is raised lets it go", "[engine][slots]") {
  EngineWorld w{files("ConcurrencySoftMax=0\n")};
  REQUIRE(w.start("a.service").empty());
  CHECK(w.state("a.service") == "inactive");
  w.table.set("x.slice", slice("ConcurrencySoftMax=1\n"));
  Diagnostics found;
  w.manager.reload(w.table, w.now, found);
  CHECK(w.state("a.service") == "active");
}

TEST_CASE("a start that ConcurrencyHardMax= has no room for any more fails when its turn comes",
          "[engine][slots]") {
  EngineWorld w{{{"x.slice", slice("ConcurrencyHardMax=2\n")},
                 {"a.service", in_slice()},
                 {"b.service", in_slice("", "After=slow.service\n")},
                 {"n.service", bare_service("/bin/n", "Requires=b.service\nAfter=b.service\n")},
                 {"slow.service", bare_service("/bin/s", "", "Type=oneshot\n")}}};
  REQUIRE(w.start("a.service").empty());
  REQUIRE(w.start("slow.service").empty());
  REQUIRE(w.start("n.service").empty());
  w.table.set("x.slice", slice("ConcurrencyHardMax=1\n"));
  Diagnostics found;
  w.manager.reload(w.table, w.now, found);
  w.exit("slow.service", 0);
  CHECK(w.has_finished("b.service start concurrency"));
  CHECK(w.has_finished("n.service start dependency"));
  CHECK(w.manager.problem(w.manager.graph().find("b.service")) ==
        "one too many in x.slice (ConcurrencyHardMax=)");
}

TEST_CASE("a service that restarts keeps its place", "[engine][slots]") {
  EngineWorld w{{{"x.slice", slice("ConcurrencySoftMax=1\nConcurrencyHardMax=2\n")},
                 {"a.service", in_slice("Restart=always\nRestartSec=1s\n")},
                 {"b.service", in_slice()}}};
  REQUIRE(w.start("a.service").empty());
  REQUIRE(w.start("b.service").empty());
  w.exit("a.service", 1);
  w.pass(seconds(2));
  CHECK(w.state("a.service") == "active");
  CHECK(w.state("b.service") == "inactive");
}

TEST_CASE("what waits for a slot goes with a shutdown, which waits for none", "[engine][slots]") {
  EngineWorld w{{{"exit.target", "[Unit]\nDefaultDependencies=no\nRequires=e.service\n"},
                 {"x.slice", slice("ConcurrencySoftMax=1\n")},
                 {"e.service", in_slice("Type=oneshot\n")},
                 {"a.service", in_slice()},
                 {"b.service", in_slice()}}};
  REQUIRE(w.start("a.service").empty());
  REQUIRE(w.start("b.service").empty());
  w.manager.shut_down(Objective::Exit, 0, w.now);
  CHECK(w.state("e.service") == "activating");
}

TEST_CASE("only so many units come up at once as StartConcurrencyMax= says", "[engine][slots]") {
  EngineWorld w{
      {{"t.target", "[Unit]\nDefaultDependencies=no\nWants=a.service b.service c.service\n"},
       {"a.service", bare_service("/bin/a", "", kNotify)},
       {"b.service", bare_service("/bin/b", "", kNotify)},
       {"c.service", bare_service("/bin/c", "", "Type=oneshot\n")}},
      at_once(2)};
  REQUIRE(w.start("t.target").empty());
  CHECK(w.state("t.target") == "active");
  CHECK(w.state("b.service") == "activating");
  CHECK(w.state("c.service") == "inactive");
  CHECK(w.manager.holder_text(job_of(w, "c.service")) == "the manager (StartConcurrencyMax=2)");
  w.notify("a.service", "READY=1");
  CHECK(w.state("c.service") == "activating");
  w.exit("c.service", 0);
  w.notify("b.service", "READY=1");
  CHECK_FALSE(w.has_job("c.service"));
}

TEST_CASE("one that never comes up gives its slot away when it times out", "[engine][slots]") {
  EngineWorld w{{{"t.target", "[Unit]\nDefaultDependencies=no\nWants=a.service b.service\n"},
                 {"a.service", bare_service("/bin/a", "", kNotify)},
                 {"b.service", bare_service("/bin/b", "", "")}},
                at_once(1)};
  REQUIRE(w.start("t.target").empty());
  CHECK(w.state("b.service") == "inactive");
  w.pass(seconds(6));
  CHECK(w.state("b.service") == "active");
}

TEST_CASE("what is asked for while something comes up may be what that waits for",
          "[engine][slots]") {
  EngineWorld w{{{"a.service", bare_service("/bin/a", "", kNotify)},
                 {"b.service", bare_service("/bin/b", "", kNotify)}},
                at_once(1)};
  REQUIRE(w.start("a.service").empty());
  CHECK(w.state("a.service") == "activating");
  REQUIRE(w.start("b.service").empty());
  CHECK(w.state("b.service") == "activating");
}

TEST_CASE("a service that waits for its turn to restart takes no slot of those that come up",
          "[engine][slots]") {
  EngineWorld w{{{"t.target", "[Unit]\nDefaultDependencies=no\nWants=b.service c.service\n"},
                 {"a.service", bare_service("/bin/a", "", "Restart=always\nRestartSec=1h\n")},
                 {"b.service", bare_service("/bin/b", "", "Type=idle\n")},
                 {"c.service", bare_service("/bin/c", "", kNotify)}},
                at_once(1)};
  REQUIRE(w.start("a.service").empty());
  w.exit("a.service", 1);
  CHECK(w.sub("a.service") == "auto-restart");
  REQUIRE(w.start("t.target").empty());
  CHECK(w.state("c.service") == "activating");
}

TEST_CASE("of starts that are ready the one with the longest path goes first", "[engine][order]") {
  EngineWorld w{
      {{"default.target",
        "[Unit]\nDefaultDependencies=no\nWants=a.service b.service c.service d.service\n"},
       {"a.service", bare_service("/bin/a")},
       {"b.service", bare_service("/bin/b")},
       {"c.service", bare_service("/bin/c", "Before=d.service\n")},
       {"d.service", bare_service("/bin/d")}}};
  w.manager.set_boot_times(
      parse_boot_times("onset boot-times 1\n2000000 b.service\n5000000 d.service\n"));
  w.manager.start_up(w.now);
  CHECK(spawned(w) == std::vector<std::string>{"c.service", "d.service", "b.service", "a.service"});
}

TEST_CASE("without times of the last boot what more waits for goes first", "[engine][order]") {
  EngineWorld w{
      {{"default.target", "[Unit]\nDefaultDependencies=no\nWants=a.service b.service c.service\n"},
       {"a.service", bare_service("/bin/a")},
       {"b.service", bare_service("/bin/b", "Before=c.service\n")},
       {"c.service", bare_service("/bin/c")}}};
  w.manager.start_up(w.now);
  CHECK(spawned(w) == std::vector<std::string>{"b.service", "a.service", "c.service"});
  CHECK(w.manager.finished().mono == w.now.mono);
}

TEST_CASE("10,000 starts that wait for one slot each take their turn", "[engine][slots]") {
  EngineWorld::Files units;
  std::string wants = "[Unit]\nDefaultDependencies=no\nWants=";
  constexpr unsigned kUnits = 10000;
  for (unsigned i = 0; i < kUnits; ++i) {
    const std::string name = format("s{}.service", i);
    units.emplace_back(name, bare_service("/bin/x", "", "Type=oneshot\n"));
    wants += name + ' ';
  }
  units.emplace_back("t.target", wants + '\n');
  EngineWorld w{std::move(units), at_once(1)};
  REQUIRE(w.start("t.target").empty());
  for (unsigned i = 0; i < kUnits; ++i) w.exit(format("s{}.service", i), 0);
  CHECK(spawned(w).size() == kUnits);
  CHECK(w.manager.job_count() == 0);
}
