// Which units are unloaded, and what that leaves behind (systemd.unit(5), UNIT
// GARBAGE COLLECTION).
#include <catch2/catch.hpp>

#include "base/format.h"
#include "support/engine_world.h"
#include "support/failing_new.h"

using namespace onset;
using namespace onset::test;
using std::chrono::seconds;

namespace {

constexpr std::string_view kAlone = "[Unit]\nDefaultDependencies=no\n";
std::string service(std::string_view exec, std::string_view unit = "", std::string_view more = "") {
  return format("{}{}[Service]\nSlice=-.slice\nExecStart={}\n{}", kAlone, unit, exec, more);
}
bool is_loaded(const EngineWorld& w, std::string_view name) {
  return w.manager.graph().find(name).valid();
}

}  // namespace

TEST_CASE("a service that has ended and that nothing refers to is unloaded", "[engine][collect]") {
  EngineWorld w{{{"a.service", service("/bin/a")}}};
  REQUIRE(w.start("a.service").empty());
  w.manager.collect();
  REQUIRE(is_loaded(w, "a.service"));
  w.exit("a.service", 0);
  w.manager.collect();
  CHECK_FALSE(is_loaded(w, "a.service"));
  CHECK(w.os.forgotten.size() == 1);
}

TEST_CASE("what an active unit refers to stays, however it refers", "[engine][collect]") {
  const auto directive = GENERATE(as<std::string>(), "Wants", "Requires", "After", "Before",
                                  "Conflicts", "OnFailure", "PropagatesReloadTo");
  EngineWorld w{{{"a.service", service("/bin/a", format("{}=b.service\n", directive))},
                 {"b.service", service("/bin/b")}}};
  CAPTURE(directive);
  REQUIRE(w.start("a.service").empty());
  if (w.state("b.service") == "active") w.exit("b.service", 0);
  w.manager.collect();
  CHECK(is_loaded(w, "b.service"));
  w.exit("a.service", 0);
  w.manager.collect();
  CHECK_FALSE(is_loaded(w, "a.service"));
  CHECK_FALSE(is_loaded(w, "b.service"));
}

TEST_CASE("a unit does not stay for what it refers to itself", "[engine][collect]") {
  EngineWorld w{{{"a.service", service("/bin/a", "After=b.service\nRequires=b.service\n")},
                 {"b.service", service("/bin/b")}}};
  REQUIRE(w.start("a.service").empty());
  w.exit("a.service", 0);
  w.manager.collect();
  CHECK_FALSE(is_loaded(w, "a.service"));
  CHECK(w.state("b.service") == "active");
  const UnitId b = w.manager.graph().find("b.service");
  for (const Dependency& d : w.manager.graph().dependencies(b)) {
    CHECK_FALSE(w.manager.graph().is_free(d.other));
  }
}

TEST_CASE("units that refer to one another go together", "[engine][collect]") {
  EngineWorld w{{{"a.service", service("/bin/a", "Requires=b.service\nAfter=c.service\n")},
                 {"b.service", service("/bin/b", "After=a.service\nWants=c.service\n")},
                 {"c.service", service("/bin/c", "PartOf=a.service\n")}}};
  REQUIRE(w.start("a.service").empty());
  for (const auto* unit : {"a.service", "b.service"}) w.exit(unit, 0);
  w.manager.collect();
  // c runs and is part of a, which requires b.
  for (const auto* unit : {"a.service", "b.service"}) CHECK(is_loaded(w, unit));
  w.exit("c.service", 0);
  w.manager.collect();
  for (const auto* unit : {"a.service", "b.service", "c.service"}) CHECK_FALSE(is_loaded(w, unit));
}

TEST_CASE("a failed unit stays until its failure is reset", "[engine][collect]") {
  EngineWorld w{{{"a.service", service("/bin/a")}}};
  REQUIRE(w.start("a.service").empty());
  w.exit("a.service", 1);
  w.manager.collect();
  REQUIRE(w.state("a.service") == "failed");
  REQUIRE(w.manager.reset_failed("a.service", w.now).ok());
  w.manager.collect();
  CHECK_FALSE(is_loaded(w, "a.service"));
}

TEST_CASE("CollectMode=inactive-or-failed lets a failed unit go", "[engine][collect]") {
  EngineWorld w{{{"a.service", service("/bin/a", "CollectMode=inactive-or-failed\n")}}};
  REQUIRE(w.start("a.service").empty());
  w.exit("a.service", 1);
  REQUIRE(w.state("a.service") == "failed");
  w.manager.collect();
  CHECK_FALSE(is_loaded(w, "a.service"));
}

TEST_CASE("a unit that waits for its restart stays", "[engine][collect]") {
  EngineWorld w{{{"a.service", service("/bin/a", "", "Restart=always\nRestartSec=5\n")}}};
  REQUIRE(w.start("a.service").empty());
  w.exit("a.service", 0);
  w.manager.collect();
  REQUIRE(is_loaded(w, "a.service"));
  w.pass(seconds(6));
  CHECK(w.state("a.service") == "active");
}

TEST_CASE("a start that a condition forbids leaves nothing loaded", "[engine][collect]") {
  EngineWorld w{{{"a.service", service("/bin/a", "ConditionPathExists=/no\n")}}};
  w.os.false_conditions.insert("/no");
  REQUIRE(w.start("a.service").empty());
  w.manager.collect();
  CHECK_FALSE(is_loaded(w, "a.service"));
}

TEST_CASE("a unit that was only asked for does not stay", "[engine][collect]") {
  EngineWorld w{
      {{"a.service", service("/bin/a", "Wants=b.service\n")}, {"b.service", service("/bin/b")}}};
  REQUIRE(w.manager.load("a.service").valid());
  REQUIRE(is_loaded(w, "b.service"));
  w.manager.collect();
  CHECK_FALSE(is_loaded(w, "a.service"));
  CHECK_FALSE(is_loaded(w, "b.service"));
}

TEST_CASE("a unit that a client holds goes once it is let go", "[engine][collect]") {
  EngineWorld w{{{"a.service", service("/bin/a")}}};
  w.pinned.insert("a.service");
  REQUIRE(w.start("a.service").empty());
  w.exit("a.service", 0);
  w.manager.collect();
  REQUIRE(is_loaded(w, "a.service"));
  w.pinned.clear();
  w.manager.collect();
  CHECK_FALSE(is_loaded(w, "a.service"));
}

TEST_CASE("an edited file is read by the next start of an unloaded unit", "[engine][collect]") {
  EngineWorld w{{{"a.service", service("/bin/old")}}};
  REQUIRE(w.start("a.service").empty());
  w.exit("a.service", 0);
  w.manager.collect();
  w.table.set("a.service", service("/bin/new"));
  REQUIRE(w.start("a.service").empty());
  CHECK(w.os.calls.back() == "spawn a.service /bin/new");
}

TEST_CASE("the counters of the start limit go with the unit", "[engine][collect]") {
  EngineWorld w{
      {{"a.service", service("/bin/a", "StartLimitBurst=2\nStartLimitIntervalSec=100\n")}}};
  for (int i = 0; i < 5; ++i) {
    REQUIRE(w.start("a.service").empty());
    w.exit("a.service", 0);
    w.manager.collect();
  }
  CHECK_FALSE(is_loaded(w, "a.service"));
}

TEST_CASE("a hundred thousand instances leave the graph as small as one", "[engine][collect]") {
  EngineWorld w{{{"a@.service", service("/bin/a %i", "Wants=b.service\n")},
                 {"b.service", service("/bin/b")}}};
  std::size_t largest = 0;
  for (int i = 0; i < 100000; ++i) {
    const std::string name = format("a@{}.service", i);
    if (!w.start(name).empty()) FAIL();
    w.exit(name, 0);
    w.manager.collect();
    largest = std::max(largest, w.manager.graph().size());
  }
  CHECK(largest < 10);
  CHECK(w.state("b.service") == "active");
}

TEST_CASE("an id that is free is another unit's, with nothing of the first", "[engine][collect]") {
  EngineWorld w{{{"a.service", service("/bin/a")}, {"b.service", service("/bin/b")}}};
  REQUIRE(w.start("a.service").empty());
  const UnitId id = w.manager.graph().find("a.service");
  w.notify("a.service", "STATUS=of a");
  w.exit("a.service", 0);
  w.manager.collect();
  REQUIRE(w.manager.load("b.service") == id);
  CHECK(w.manager.status_text(id).empty());
  CHECK(w.manager.command_records(id).empty());
  CHECK(w.state("b.service") == "inactive");
  CHECK_FALSE(w.manager.runtime(id).inactive_exit.is_set());
}

TEST_CASE("a reload keeps what is free free, and what runs where it was", "[engine][collect]") {
  EngineWorld w{{{"a.service", service("/bin/a")},
                 {"b.service", service("/bin/b")},
                 {"c.service", service("/bin/c")}}};
  for (const auto* unit : {"a.service", "b.service", "c.service"}) REQUIRE(w.start(unit).empty());
  const UnitId b = w.manager.graph().find("b.service");
  const UnitId c = w.manager.graph().find("c.service");
  w.exit("a.service", 0);
  w.exit("b.service", 0);
  w.manager.collect();
  Diagnostics diagnostics;
  w.manager.reload(w.table, w.now, diagnostics);
  w.manager.collect();
  CHECK(w.manager.graph().find("c.service") == c);
  CHECK(w.state("c.service") == "active");
  CHECK(w.manager.graph().is_free(b));
  REQUIRE(w.start("b.service").empty());
  CHECK(w.state("b.service") == "active");
  CHECK(w.state("c.service") == "active");
}

TEST_CASE("a unit that is unloaded takes all of its names with it", "[engine][collect]") {
  EngineWorld w{{{"a.service", service("/bin/a")}, {"n.service", "-> a.service"}}};
  REQUIRE(w.start("n.service").empty());
  REQUIRE(w.manager.graph().find("n.service") == w.manager.graph().find("a.service"));
  w.exit("a.service", 0);
  w.manager.collect();
  CHECK_FALSE(is_loaded(w, "a.service"));
  CHECK_FALSE(is_loaded(w, "n.service"));
}

TEST_CASE("the root slice is there as long as the manager", "[engine][collect]") {
  EngineWorld w{{{"a.service", service("/bin/a")}}};
  REQUIRE(w.start("a.service").empty());
  w.exit("a.service", 0);
  w.manager.collect();
  CHECK(w.state("-.slice") == "active");
}

TEST_CASE("a unit that left processes behind is unloaded once they are gone", "[engine][collect]") {
  EngineWorld w{{{"a.service", service("/bin/a", "", "KillMode=none\n")}}};
  REQUIRE(w.start("a.service").empty());
  const UnitId id = w.manager.graph().find("a.service");
  const pid_t main = w.os.pid_of("a.service");
  w.os.alive[9999] = w.os.alive.at(main);  // a child of it that stays
  w.os.vanish(main);
  w.manager.process_exited(main, {ExitKind::Exited, 0}, w.now);
  REQUIRE(w.state("a.service") == "inactive");
  w.manager.collect();
  REQUIRE(is_loaded(w, "a.service"));
  w.os.alive.clear();
  w.manager.unit_empty(id, w.now);
  w.manager.collect();
  CHECK_FALSE(is_loaded(w, "a.service"));
}

TEST_CASE("a unit that left processes behind can be asked to kill them after daemon-reload",
          "[engine][collect]") {
  EngineWorld w{{{"a.service", service("/bin/a", "OnSuccess=h.service\n", "KillMode=none\n")},
                 {"h.service", service("/bin/h")}}};
  REQUIRE(w.start("a.service").empty());
  const pid_t main = w.os.pid_of("a.service");
  w.os.alive[9999] = w.os.alive.at(main);  // a child of it that stays
  const auto reload = [&] {
    Diagnostics diagnostics;
    w.manager.reload(w.table, w.now, diagnostics);
    w.manager.collect();
  };
  const auto end = [&](int status) {
    w.os.vanish(main);
    w.manager.process_exited(main, {ExitKind::Exited, status}, w.now);
  };
  SECTION("that comes at once") {
    end(0);
  }
  SECTION("that comes later, while what its end has triggered runs") {
    end(0);
    w.manager.collect();
    REQUIRE(w.state("h.service") == "active");
  }
  SECTION("that comes later") {
    end(0);
    w.exit("h.service", 0);
    w.manager.collect();
    reload();
  }
  SECTION("that comes with reset-failed") {
    end(1);
    w.manager.collect();
    REQUIRE(w.manager.reset_failed("a.service", w.now).ok());
  }
  reload();
  REQUIRE(w.manager.kill_unit("a.service", "all", 15).ok());
  CHECK(w.manager.reset_failed("a.service", w.now).ok());
}

TEST_CASE("a slice that is stopped gives its group back", "[engine][collect]") {
  EngineWorld w{{{"x.slice", "[Unit]\nDefaultDependencies=no\n"}}};
  REQUIRE(w.start("x.slice").empty());
  REQUIRE(w.stop("x.slice").empty());
  CHECK(w.os.calls.back().starts_with("release x.slice"));
}

TEST_CASE("what runs keeps its name when its file has become an alias", "[engine][collect]") {
  EngineWorld w{{{"a.service", service("/bin/a")}, {"b.service", service("/bin/b")}}};
  for (const auto* unit : {"a.service", "b.service"}) REQUIRE(w.start(unit).empty());
  w.table.set("b.service", "-> a.service");
  Diagnostics diagnostics;
  w.manager.reload(w.table, w.now, diagnostics);
  w.manager.collect();
  CHECK(w.state("a.service") == "active");
  CHECK(w.state("b.service") == "active");
  REQUIRE(w.manager.graph().find("a.service") != w.manager.graph().find("b.service"));
  REQUIRE(w.stop("b.service").empty());
  w.die("b.service", 15);
  CHECK(w.state("a.service") == "active");
  w.manager.collect();
  CHECK(w.manager.load("b.service") == w.manager.graph().find("a.service"));
}

TEST_CASE("P1: where memory runs out what could go is looked at again", "[engine][collect][P1]") {
  bool failed = true;
  unsigned k = 0;
  for (; failed; ++k) {
    CAPTURE(k);
    EngineWorld w{{{"a.service",
                    service("/bin/a", "Wants=b.service\nAfter=d.service\nOnFailure=f.service\n")},
                   {"b.service", service("/bin/b", "Wants=c.service\n")},
                   {"c.service", service("/bin/c")},
                   {"d.service", service("/bin/d")},
                   {"e.service", service("/bin/e", "After=d.service\n")},
                   {"f.service", service("/bin/f")}}};
    for (const auto* unit : {"a.service", "e.service"}) REQUIRE(w.start(unit).empty());
    w.manager.collect();
    for (const auto* unit : {"a.service", "b.service", "c.service"}) w.exit(unit, 0);
    REQUIRE(is_loaded(w, "a.service"));
    failed = false;
    {
      const FailingNew failing(k);
      try {
        w.manager.collect();
      } catch (const std::bad_alloc&) {
        failed = true;
      }
    }
    w.manager.collect();
    for (const auto* unit : {"a.service", "b.service", "c.service", "f.service"}) {
      CAPTURE(unit);
      CHECK_FALSE(is_loaded(w, unit));
    }
    CHECK(is_loaded(w, "d.service"));
    w.exit("e.service", 0);
    w.manager.collect();
    CHECK_FALSE(is_loaded(w, "d.service"));
  }
  CHECK(k > 20);  // it has allocated, and failed each time
}

TEST_CASE("the group of a slice that was never stopped goes with the slice", "[engine][collect]") {
  EngineWorld w{
      {{"a.service", format("{}[Service]\nSlice=box-deep.slice\nExecStart=/bin/a\n", kAlone)},
       {"box-deep.slice", std::string(kAlone)},
       {"box.slice", std::string(kAlone)}}};
  REQUIRE(w.request("a.service", JobType::Start, JobMode::IgnoreDependencies).empty());
  w.exit("a.service", 0);
  w.os.calls.clear();
  w.manager.collect();
  for (const auto* unit : {"box-deep.slice", "box.slice"}) {
    CAPTURE(unit);
    CHECK_FALSE(is_loaded(w, unit));
    CHECK(std::ranges::count(w.os.calls, format("forget {}", unit)) == 1);
  }
}
