// Room that is made before anything has changed: among many processes and many events, and
// beside who takes much, the memory that stands by would not do.
#include <array>
#include <catch2/catch.hpp>
#include <optional>
#include <utility>

#include "base/out_of_memory.h"
#include "support/memory_world.h"

using namespace onset;
using namespace onset::test;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr unsigned kPiece = 64;

/// At the first change of the unit memory runs out, and it takes so many pieces of what
/// stands by.
class GreedyListener final : public ManagerListener {
 public:
  GreedyListener(UnitId unit, unsigned pieces) : unit_(unit), pieces_(pieces) {}
  void job_queued(const Job& /*job*/) override {}
  void job_done(const Job& /*job*/, JobResult /*result*/) override {}
  void unit_changed(UnitId id) override {
    if (id != unit_ || std::exchange(is_told_, true)) return;
    failing_.emplace(0);
    for (unsigned i = 0; i < pieces_; ++i) {
      gets_all_ &= if_memory_suffices([] { delete new std::array<char, kPiece>; });
    }
  }
  [[nodiscard]] bool is_pinned(UnitId /*id*/) const override { return false; }
  /// Memory is back. Whether all pieces were there.
  bool end() {
    failing_.reset();
    return gets_all_;
  }

 private:
  UnitId unit_;
  unsigned pieces_;
  bool is_told_ = false;
  bool gets_all_ = true;
  std::optional<FailingNew> failing_;
};

}  // namespace

TEST_CASE("P1: who takes what stands by for one step takes nothing from the next",
          "[engine][memory][P1]") {
  bool gets_all = true;
  for (unsigned pieces = 3200; gets_all; ++pieces) {  // all but a little, and less each time
    CAPTURE(pieces);
    MemoryWorld w{{{"a.service", service("ExecStartPost=/bin/p\n")}}};
    GreedyListener listener{w.manager.load("a.service"), pieces};
    w.manager.set_listener(&listener);
    const bool is_asked = w.start("a.service");
    gets_all = listener.end();
    REQUIRE(is_asked);
    w.pass(milliseconds(500));
    REQUIRE(w.sub("a.service") == "start-post");
    REQUIRE(w.os.alive.size() == 2);
    w.exit("a.service");
    CHECK(w.sub("a.service") == "running");
  }
}

TEST_CASE("while there is no memory for a file, a call does not read all of them again and again",
          "[engine][memory]") {
  ManagerConfig config;
  config.default_target = "all.target";
  config.steps_a_call = 128;
  MemoryWorld w{{{"a.service", service("", "Wants=b.service\n")},
                 {"b.service", service()},
                 {"exit.target", "[Unit]\nDefaultDependencies=no\n"}},
                config};
  REQUIRE(w.start("a.service"));
  w.exit("b.service");

  SECTION("of a unit that is kept without its file") {
    UnfailingFiles fresh{{{"b.service", service()}}};
    fresh.too_large = {"b.service"};
    Diagnostics diagnostics;
    w.manager.reload(fresh, w.now, diagnostics);
    CHECK(fresh.times_asked("all.target") <= 2);
    fresh.asked.clear();
    w.now.mono = w.manager.next_deadline();
    w.manager.elapse(w.now);
    CHECK(fresh.times_asked("all.target") == 1);
    CHECK(w.manager.next_deadline() == w.now.mono + milliseconds(100));
    fresh.too_large.clear();
    w.pass(milliseconds(100));
    CHECK_FALSE(w.manager.is_behind());
    REQUIRE(w.manager.request("a.service", JobType::Stop, JobMode::Replace, w.now).ok());
  }
  SECTION("of the target of a shutdown") {
    w.files.too_large = {"exit.target"};
    w.manager.shut_down(Objective::Exit, 0, w.now);
    w.files.asked.clear();
    w.now.mono = w.manager.next_deadline();
    w.manager.elapse(w.now);
    CHECK(w.files.times_asked("exit.target") == 1);
    CHECK(w.manager.next_deadline() == w.now.mono + milliseconds(100));
    w.files.too_large.clear();
    w.pass(milliseconds(100));
    CHECK(w.manager.objective() == Objective::Exit);
  }
}

TEST_CASE("a deadline that there is no memory for is not tried again at once", "[engine][memory]") {
  MemoryWorld w{{{"a.service", service("TimeoutStopSec=1s\n")},
                 {"b.service", service("TimeoutStopSec=1s\n")}}};
  for (const char* const name : {"a.service", "b.service"}) {
    REQUIRE(w.start(name));
    REQUIRE(w.manager.request(name, JobType::Stop, JobMode::Replace, w.now).ok());
  }
  w.now.mono = w.manager.next_deadline();
  bool ran_out = false;
  for (int turn = 0; turn < 3; ++turn) {  // the first has what stands by
    REQUIRE(tell([&] { w.manager.elapse(w.now); }, 0, ran_out));
    REQUIRE(ran_out);
    CHECK(w.sub("b.service") == "stop-sigterm");
    CHECK(w.manager.next_deadline() == w.now.mono + milliseconds(100));
    w.now.mono = w.manager.next_deadline();
  }
  w.manager.elapse(w.now);
  CHECK(w.sub("a.service") == "stop-sigkill");
  CHECK(w.sub("b.service") == "stop-sigkill");
}

TEST_CASE("P1: a start of the system that finds no memory comes later, by itself",
          "[engine][memory][P1]") {
  ManagerConfig config;
  config.default_target = "all.target";
  const UnitTable::Rows rows{
      {"all.target", "[Unit]\nDefaultDependencies=no\nAllowIsolate=yes\nWants=a.service\n"},
      {"a.service", service()},
      {"b.service", service()}};

  SECTION("at every allocation") {
    for (const unsigned failures : {1U, UINT_MAX}) {
      bool ran_out = true;
      for (unsigned left = 0; ran_out; ++left) {
        CAPTURE(left, failures);
        MemoryWorld w{rows, config};
        CHECK(tell([&] { w.manager.start_up(w.now); }, left, ran_out, failures));
        if (w.manager.is_behind())
          CHECK(w.manager.next_deadline() == w.now.mono + milliseconds(100));
        w.pass(seconds(1));
        CHECK(w.sub("all.target") == "active");
        CHECK(w.sub("a.service") == "running");
        CHECK(w.manager.system_state() == SystemState::Running);
      }
    }
  }
  SECTION("however long it takes") {
    MemoryWorld w{rows, config};
    w.files.too_large = {"all.target"};
    w.manager.start_up(w.now);
    w.pass(seconds(10));
    CHECK(w.files.times_asked("all.target") <= 2 * 101);
    CHECK(w.manager.starting());
    w.files.too_large.clear();
    w.pass(milliseconds(100));
    CHECK(w.sub("all.target") == "active");
    CHECK_FALSE(w.manager.starting());
  }
  SECTION("and no request that came before is undone by it") {
    MemoryWorld w{rows, config};
    w.files.too_large = {"all.target"};
    w.manager.start_up(w.now);
    CHECK(w.manager.starting());
    CHECK_FALSE(w.start("b.service"));
    w.files.too_large.clear();
    REQUIRE(w.start("b.service"));
    CHECK(w.sub("all.target") == "active");
    CHECK(w.sub("b.service") == "running");
  }
  SECTION("unless a shutdown is asked for meanwhile") {
    MemoryWorld w{rows, config};
    w.files.too_large = {"all.target"};
    w.manager.start_up(w.now);
    w.files.too_large.clear();
    w.manager.shut_down(Objective::Poweroff, 0, w.now);
    w.pass(seconds(1));
    CHECK(w.manager.objective() == Objective::Poweroff);
    CHECK(w.os.alive.empty());
  }
}

TEST_CASE("P1: no flood of other events takes the room of a process's end",
          "[engine][memory][P1]") {
  constexpr unsigned kUnits = 40;
  constexpr unsigned kRepeats = 50;
  MemoryWorld w{{{"a@.service", service("Type=dbus\nBusName=a.b%i\n")}}};
  std::vector<UnitId> units;
  for (unsigned i = 0; i < kUnits; ++i) {
    const std::string name = "a@" + std::to_string(i) + ".service";
    REQUIRE(w.start(name));
    units.push_back(w.id(name));
    w.manager.bus_name_changed(units.back(), {.owned = true}, w.now);
    REQUIRE(w.sub(name) == "running");
  }
  const pid_t ended = w.os.pid_of("a@7.service");
  bool ran_out = false;
  const bool is_told = tell(
      [&] {
        for (unsigned i = 0; i < kUnits * kRepeats; ++i) {
          const UnitId id = units[i % kUnits];
          const bool is_last = i + kUnits >= kUnits * kRepeats;
          w.manager.oom_killed(id, w.now);
          w.manager.path_changed(id, w.now);
          w.manager.bus_name_changed(id, {.bus_gone = true}, w.now);
          w.manager.bus_name_changed(id, {.owned = is_last}, w.now);
          w.manager.unit_empty(id, w.now);
        }
        w.end(ended);
      },
      0, ran_out);
  CHECK(is_told);
  CHECK(ran_out);
  w.pass(milliseconds(500));
  CHECK(w.manager.runtime(units[7]).service.main.pid == 0);
  CHECK(w.sub("a@7.service") != "running");
}

TEST_CASE("P1: a launch among thousands of processes is its unit's, and so is its end",
          "[engine][memory][P1]") {
  // Memory runs out as the process is made, at every size that tables grow at in between.
  const auto name_of = [](unsigned i) { return "a@" + std::to_string(i) + ".service"; };
  for (const auto& [first, last] : {std::pair{2330U, 2370U}, {10250U, 10290U}}) {
    MemoryWorld w{{{"a@.service", service()}}};
    for (unsigned i = 0; i < first; ++i) REQUIRE(w.start(name_of(i)));
    for (unsigned i = first; i < last; ++i) {
      CAPTURE(i);
      const UnitId id = w.manager.load(name_of(i));
      std::optional<FailingNew> failing;
      w.os.after_spawn = [&] { failing.emplace(0); };
      const bool is_asked =
          w.manager.request(name_of(i), JobType::Start, JobMode::Replace, w.now).ok();
      failing.reset();
      w.os.after_spawn = nullptr;
      REQUIRE(is_asked);
      w.pass(milliseconds(500));
      REQUIRE(w.os.alive.size() == i + 1);
      const pid_t pid = w.os.history.back().pid;
      REQUIRE(w.manager.unit_of_pid(pid) == id);
      REQUIRE(w.manager.runtime(id).service.main.pid == pid);
      REQUIRE(w.sub(name_of(i)) == "running");
      REQUIRE(w.manager.command_records(id).size() == 1);
    }
  }
}

TEST_CASE("P1: a launch that takes all there is leaves what its change needs",
          "[engine][memory][P1]") {
  MemoryWorld w{{{"a.service", service("ExecStartPost=/bin/p\n")}}};
  w.manager.load("a.service");
  std::optional<FailingNew> failing;
  w.os.after_spawn = [&] {
    failing.emplace(0);
    const auto takes = [] { delete new std::array<char, kPiece>; };
    while (if_memory_suffices(takes)) continue;
  };
  const bool is_asked =
      w.manager.request("a.service", JobType::Start, JobMode::Replace, w.now).ok();
  failing.reset();
  w.os.after_spawn = nullptr;
  REQUIRE(is_asked);
  w.pass(milliseconds(500));
  REQUIRE(w.sub("a.service") == "start-post");
  w.exit("a.service");
  CHECK(w.sub("a.service") == "running");
}

TEST_CASE("a request after one that memory ran out in is not refused for that",
          "[engine][memory]") {
  MemoryWorld w{{{"a.service", service()}, {"b.service", service()}}};
  w.files.too_large = {"a.service"};
  REQUIRE_FALSE(w.start("a.service"));
  CHECK(w.manager.next_deadline() == w.now.mono + milliseconds(100));
  w.files.too_large.clear();
  CHECK(w.start("b.service"));
  CHECK(w.sub("b.service") == "running");
}

TEST_CASE("a unit that memory ran out for while it was loaded has one id from then on",
          "[engine][memory]") {
  bool ran_out = true;
  for (unsigned left = 0; ran_out; ++left) {
    CAPTURE(left);
    MemoryWorld w{{{"a.service", service("", "Requires=b.service\n")}, {"b.service", service()}}};
    (void)tell([&] { w.manager.load("a.service"); }, left, ran_out, 1);
    w.manager.catch_up(w.now);
    const UnitId asked = w.manager.load("a.service");
    REQUIRE(asked.valid());
    REQUIRE(w.start("a.service"));
    CHECK(w.id("a.service") == asked);
  }
}

TEST_CASE("the reason of a unit does not grow with the chain of those that failed before it",
          "[engine][memory]") {
  constexpr unsigned kUnits = 200;
  const auto name = [](unsigned i) { return "u" + std::to_string(i) + ".service"; };
  UnitTable::Rows rows;
  for (unsigned i = 0; i < kUnits; ++i) {
    const std::string before = i == 0 ? "" : name(i - 1);
    const std::string needs = i == 0 ? "" : "Requires=" + before + "\nAfter=" + before + "\n";
    rows.insert(rows.end(), {name(i), service("Type=notify\n", needs)});
  }
  MemoryWorld w(std::move(rows));
  REQUIRE(w.start(name(kUnits - 1)));
  w.exit(name(0));
  w.pass(seconds(1));
  const auto reason = [&](unsigned i) { return std::string(w.manager.problem(w.id(name(i)))); };
  const std::string root = reason(0);
  REQUIRE_FALSE(root.empty());
  CHECK(reason(2) == "dependency u1.service failed: dependency u0.service failed: " + root);
  for (unsigned i = 0; i < kUnits; ++i) {
    CHECK(reason(i).size() < 1024);
    CHECK(reason(i).ends_with(root));
  }
}
