// Memory that runs out, at every allocation in turn: what the world tells only once is not
// lost, what has begun is finished, and what a request has not begun it leaves as it was.
#include <catch2/catch.hpp>

#include <algorithm>
#include <functional>
#include <new>

#include "base/out_of_memory.h"
#include "engine/memory_reserve.h"
#include "support/engine_world.h"
#include "support/failing_new.h"

using namespace onset;
using namespace onset::test;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

std::string service(std::string_view more = "", std::string_view unit = "") {
  return bare_service("/bin/x", unit, more);
}

long count_of(const EngineWorld& w, std::string_view what) {
  return std::ranges::count(w.finished, what);
}

using Act = std::function<void(EngineWorld&)>;

/// False: it ended in bad_alloc, as the loop of PID 1 sees it.
bool tell(EngineWorld& w, const Act& act, unsigned left, unsigned failures, bool& ran_out) {
  bool is_told = true;
  const FailingNew failing(left, failures);
  try {
    act(w);
  } catch (const std::bad_alloc&) {
    is_told = false;
  }
  ran_out = FailingNew::count() > 0;
  return is_told;
}

/// The same world again and again, with memory for one allocation more until it suffices:
/// once only one fails, once all that follow. `act` is repeated if it was dropped.
void at_every_allocation(const EngineWorld::Files& files, const ManagerConfig& config,
                         const Act& prepare, const Act& act, const Act& check) {
  for (const unsigned failures : {1U, UINT_MAX}) {
    bool ran_out = true;
    unsigned left = 0;
    for (; ran_out; ++left) {
      CAPTURE(left, failures);
      EngineWorld w{files, config};
      prepare(w);
      if (!tell(w, act, left, failures, ran_out)) act(w);
      w.pass(milliseconds(500));  // memory is back
      CHECK_FALSE(w.manager.is_behind());
      check(w);
    }
    CHECK(left > 5);
  }
}

/// Reading files is not the engine's.
class UnfailingTable final : public UnitSource {
 public:
  explicit UnfailingTable(UnitTable::Rows rows) : table_(std::move(rows)) {}
  std::unique_ptr<Unit> load(std::string_view name, Diagnostics& diagnostics) override {
    const UnfailingNew ours;
    return table_.load(name, diagnostics);
  }
  bool refresh() override { return false; }

 private:
  UnitTable table_;
};

void start_a(EngineWorld& w) {
  REQUIRE(w.start("a.service").empty());
}

/// The process of a.service ends, and with it the unit.
struct End {
  pid_t pid = 0;
  UnitId unit;
};
End end_of_a(EngineWorld& w) {
  const End end{w.os.pid_of("a.service"), w.manager.graph().find("a.service")};
  w.os.vanish(end.pid);
  return end;
}

}  // namespace

TEST_CASE("P1: a process that ends without memory is not forgotten", "[engine][memory][P1]") {
  for (const bool restarts : {false, true}) {
    CAPTURE(restarts);
    End end;
    at_every_allocation(
        {{"a.service", service(restarts ? "Restart=always\nRestartSec=100ms\nExecStopPost=/bin/p\n"
                                        : "Restart=no\n",
                               "OnSuccess=b.service\nStartLimitIntervalSec=0\n")},
         {"b.service", service()}},
        {},
        [&](EngineWorld& w) {
          start_a(w);
          end = end_of_a(w);
        },
        [&](EngineWorld& w) {
          if (end.pid != 0) w.manager.process_exited(end.pid, {ExitKind::Exited, 0}, w.now);
          end.pid = 0;
        },
        [&](EngineWorld& w) {
          if (restarts) {
            REQUIRE(w.sub("a.service") == "stop-post");
            w.exit("a.service", 0);
            w.pass(seconds(1));
            CHECK(w.sub("a.service") == "running");
            CHECK(count_of(w, "a.service start done") == 2);
          } else {
            CHECK(w.sub("a.service") == "dead");
            CHECK(w.sub("b.service") == "running");
          }
        });
  }
}

TEST_CASE("P1: a start without memory is made later, or not at all", "[engine][memory][P1]") {
  at_every_allocation(
      {{"a.service", service("ExecStartPost=/bin/p\n",
                             "Requires=b.service\nAfter=b.service\nStartLimitBurst=1\n")},
       {"b.service", service("Type=oneshot\nRemainAfterExit=yes\n")}},
      {}, [](EngineWorld& w) { w.manager.load("a.service"); },
      [](EngineWorld& w) {
        const auto job = w.manager.request("a.service", JobType::Start, JobMode::Replace, w.now);
        if (!job) CHECK(job.error().message == "out of memory");
      },
      [](EngineWorld& w) {
        if (w.sub("b.service") == "dead") REQUIRE(w.start("a.service").empty());
        REQUIRE(w.sub("b.service") == "start");
        w.exit("b.service", 0);
        REQUIRE(w.sub("a.service") == "start-post");
        w.exit("a.service", 0);
        CHECK(w.sub("a.service") == "running");
        CHECK(count_of(w, "a.service start done") == 1);
        CHECK(w.os.alive.size() == 1);
      });
}

TEST_CASE("P1: a stop without memory reaches who is bound", "[engine][memory][P1]") {
  at_every_allocation(
      {{"a.service", service()},
       {"b.service", service("", "BindsTo=a.service\nAfter=a.service\n")}},
      {}, [](EngineWorld& w) { REQUIRE(w.start("b.service").empty()); },
      [](EngineWorld& w) {
        (void)w.manager.request("a.service", JobType::Stop, JobMode::Replace, w.now);
      },
      [](EngineWorld& w) {
        REQUIRE(w.sub("b.service") == "stop-sigterm");
        w.exit("b.service", 0);
        REQUIRE(w.sub("a.service") == "stop-sigterm");
        w.exit("a.service", 0);
        CHECK(w.sub("a.service") == "dead");
        CHECK_FALSE(w.has_job("a.service"));
        CHECK_FALSE(w.has_job("b.service"));
      });
}

TEST_CASE("P1: a deadline without memory for it comes later", "[engine][memory][P1]") {
  at_every_allocation(
      {{"a.service", service("TimeoutStopSec=1s\n")}}, {},
      [](EngineWorld& w) {
        start_a(w);
        REQUIRE(w.stop("a.service").empty());
        w.now.mono = w.now.mono + seconds(1);
      },
      [](EngineWorld& w) { w.manager.elapse(w.now); },
      [](EngineWorld& w) {
        REQUIRE(w.sub("a.service") == "stop-sigkill");
        w.die("a.service", 9);
        CHECK(w.sub("a.service") == "failed");
        CHECK(count_of(w, "a.service stop done") == 1);
      });
}

TEST_CASE("P1: a launch and the end of it are told in their order", "[engine][memory][P1]") {
  at_every_allocation(
      {{"a.service", service("Type=oneshot\n")}}, {},
      [](EngineWorld& w) { w.manager.load("a.service"); },
      [](EngineWorld& w) {
        if (w.os.history.empty())
          (void)w.manager.request("a.service", JobType::Start, JobMode::Replace, w.now);
        const pid_t pid = w.os.pid_of("a.service");
        if (pid == 0) return;
        w.os.vanish(pid);
        w.manager.process_exited(pid, {ExitKind::Exited, 0}, w.now);
      },
      [](EngineWorld& w) {
        if (w.os.history.empty()) start_a(w);
        if (w.os.pid_of("a.service") != 0) w.exit("a.service", 0);
        CHECK(w.sub("a.service") == "dead");
        CHECK(count_of(w, "a.service start done") == 1);
        CHECK_FALSE(w.has_job("a.service"));
      });
}

TEST_CASE("P1: a reload without memory is made later, or not at all", "[engine][memory][P1]") {
  at_every_allocation(
      {{"a.service", service("ExecReload=/bin/r\n")}}, {}, start_a,
      [](EngineWorld& w) {
        (void)w.manager.request("a.service", JobType::Reload, JobMode::Replace, w.now);
      },
      [](EngineWorld& w) {
        REQUIRE(w.sub("a.service") == "reload");
        w.exit("a.service", 0);
        CHECK(w.sub("a.service") == "running");
        CHECK_FALSE(w.has_job("a.service"));
        CHECK(count_of(w, "a.service reload done") == 1);
      });
}

TEST_CASE("P1: a shutdown that is asked for without memory begins", "[engine][memory][P1]") {
  ManagerConfig config;
  config.container = true;
  config.shutdown_budget = seconds(8);
  at_every_allocation(
      {{"a.service", service("", "Conflicts=shutdown.target\nBefore=shutdown.target\n")},
       {"exit.target",
        "[Unit]\nDefaultDependencies=no\nRequires=exit.service\n"
        "After=exit.service\n"},
       {"exit.service", service("Type=oneshot\n",
                                "SuccessAction=exit-force\n"
                                "Requires=shutdown.target\n"
                                "After=shutdown.target\n")},
       {"shutdown.target", "[Unit]\nDefaultDependencies=no\n"}},
      config,
      [](EngineWorld& w) {
        w.manager.load("exit.target");
        start_a(w);
      },
      [](EngineWorld& w) {
        if (!w.manager.stopping()) w.manager.shut_down(Objective::Exit, 3, w.now);
      },
      [](EngineWorld& w) {
        CHECK(w.manager.stopping());
        REQUIRE(w.sub("a.service") == "stop-sigterm");
        CHECK(w.manager.next_deadline() < w.now.mono + seconds(8));
        w.exit("a.service", 0);
        w.exit("exit.service", 0);
        CHECK(w.manager.objective() == Objective::Exit);
        CHECK(w.manager.exit_status() == 3);
      });
}

TEST_CASE("P1: daemon-reload without memory leaves a whole graph", "[engine][memory][P1]") {
  const EngineWorld::Files before{{"a.service", service("", "Wants=b.service\n")},
                                  {"b.service", service()}};
  UnfailingTable after{
      {{"b.service", service("", "Requires=c.service\n")}, {"c.service", service()}}};
  at_every_allocation(
      before, {}, start_a,
      [&](EngineWorld& w) {
        Diagnostics diagnostics;
        w.manager.reload(after, w.now, diagnostics);
      },
      [](EngineWorld& w) {
        REQUIRE(w.stop("b.service").empty());
        w.exit("b.service", 0);
        REQUIRE(w.start("b.service").empty());
        CHECK(w.sub("c.service") == "running");  // of the new file
        REQUIRE(w.stop("a.service").empty());    // its file is gone, it has been kept
        w.exit("a.service", 0);
        CHECK(w.sub("a.service") == "dead");
      });
}

/// a.service between its end and RestartSec=, a state that lasts no time where there is memory.
static bool is_between(EngineWorld& w, unsigned left, int status = 0) {
  start_a(w);
  const End end = end_of_a(w);
  const Act exits = [&](EngineWorld& world) {
    world.manager.process_exited(end.pid, {ExitKind::Exited, status}, world.now);
  };
  bool ran_out = false;
  (void)tell(w, exits, left, UINT_MAX, ran_out);
  const std::string sub = w.sub("a.service");
  return sub == "dead-before-auto-restart" || sub == "failed-before-auto-restart";
}

TEST_CASE("between its end and its restart a service can be stopped, and stays loaded",
          "[engine][memory][restart]") {
  unsigned seen = 0;
  for (unsigned left = 0; left < 200; ++left) {
    const EngineWorld::Files files{{"a.service", service("Restart=always\nRestartSec=1s\n")}};
    EngineWorld stopped{files};
    if (!is_between(stopped, left)) continue;
    ++seen;
    CAPTURE(left);
    REQUIRE(stopped.stop("a.service").empty());
    CHECK(stopped.sub("a.service") == "dead");
    stopped.pass(seconds(5));
    CHECK(stopped.sub("a.service") == "dead");

    EngineWorld left_alone{files};
    REQUIRE(is_between(left_alone, left));
    left_alone.manager.collect();
    left_alone.pass(seconds(5));
    CHECK(left_alone.sub("a.service") == "running");

    EngineWorld started{files};
    REQUIRE(is_between(started, left));
    start_a(started);
    started.pass(seconds(5));
    CHECK(started.sub("a.service") == "running");
    CHECK_FALSE(started.has_job("a.service"));
  }
  CHECK(seen > 0);
}

TEST_CASE("a stop between an end and its restart is as one while the restart is waited for",
          "[engine][memory][restart]") {
  const auto status = GENERATE(0, 1);
  const EngineWorld::Files files{
      {"a.service", service("Restart=always\nRestartSec=1s\n",
                            "OnFailure=failed.service\nOnSuccess=ended.service\n")},
      {"failed.service", service()},
      {"ended.service", service()}};
  const auto check = [](EngineWorld& w) {
    REQUIRE(w.stop("a.service").empty());
    CHECK(w.sub("a.service") == "dead");
    CHECK(w.sub("failed.service") == "dead");
    CHECK(w.sub("ended.service") == "running");
  };
  EngineWorld waiting{files};
  start_a(waiting);
  waiting.exit("a.service", status);
  REQUIRE(waiting.sub("a.service") == "auto-restart");
  check(waiting);

  unsigned seen = 0;
  for (unsigned left = 0; left < 200; ++left) {
    EngineWorld between{files};
    if (!is_between(between, left, status)) continue;
    ++seen;
    CAPTURE(left, status);
    check(between);
  }
  CHECK(seen > 0);
}

TEST_CASE("while there is no memory the manager waits before it tries again", "[engine][memory]") {
  EngineWorld w{{{"a.service", service()}}};
  start_a(w);
  const End end = end_of_a(w);
  bool ran_out = false;
  (void)tell(
      w,
      [&](EngineWorld& x) {
        x.manager.process_exited(end.pid, {ExitKind::Exited, 0}, x.now);
      },
      0, UINT_MAX, ran_out);
  REQUIRE(ran_out);
  CHECK(w.manager.is_behind());
  CHECK(w.manager.is_owed(end.unit));
  CHECK(w.manager.next_deadline() == w.now.mono + milliseconds(100));
  w.pass(milliseconds(100));
  CHECK_FALSE(w.manager.is_owed(end.unit));
  CHECK(w.sub("a.service") == "dead");
}

TEST_CASE("what stands by is given back where memory runs out, and made up for",
          "[engine][memory]") {
  MemoryReserve reserve;
  { const MemoryReserve::Open filled(reserve, 100000); }
  const auto fails = [](std::size_t bytes) {
    try {
      delete[] new char[bytes];
      return false;
    } catch (const std::bad_alloc&) {
      return true;
    }
  };
  {
    const MemoryReserve::Open open(reserve, 100000);
    const MemoryReserve::Open within(reserve, MemoryReserve::kPart);
    const FailingNew failing(0);
    CHECK_FALSE(fails(90000));
    CHECK(fails(900000));
  }
  const FailingNew failing(0);
  CHECK(fails(1));  // it is closed
  bool is_refused = false;
  try {
    const MemoryReserve::Open open(reserve, 100000);
  } catch (const std::bad_alloc&) {
    is_refused = true;
  }
  CHECK(is_refused);  // it has been used
}

TEST_CASE("what begins within a change makes sure of its own memory, or does not begin",
          "[engine][memory]") {
  MemoryReserve reserve;
  const auto uses = [](std::size_t bytes) {
    return if_memory_suffices([&] { delete[] new char[bytes]; });
  };
  const auto opens = [&](std::size_t bytes) {
    return if_memory_suffices([&] { const MemoryReserve::Open own(reserve, bytes); });
  };
  bool is_right = false;
  bool suffices = false;
  SECTION("more than stands by for the outer one") {
    const MemoryReserve::Open open(reserve, 100000);
    const MemoryReserve::Open own(reserve, 900000);
    const FailingNew failing(0);
    suffices = uses(800000);
    is_right = true;
  }
  SECTION("nothing, and what stands by for the outer one stays") {
    const MemoryReserve::Open open(reserve, 100000);
    const FailingNew failing(0);
    is_right = !opens(900000);
    suffices = uses(90000);
  }
  SECTION("when the outer one has used up what it had") {
    const MemoryReserve::Open open(reserve, 100000);
    {
      const FailingNew failing(0);
      while (uses(10000)) continue;
      is_right = !opens(100000);
    }
    const MemoryReserve::Open own(reserve, 100000);
    const FailingNew failing(0);
    suffices = uses(90000);
  }
  SECTION("nothing that stands by for another") {
    MemoryReserve another;
    const MemoryReserve::Open open(another, 100000);
    const FailingNew failing(0);
    is_right = !opens(90000);
    suffices = uses(90000);
  }
  CHECK(is_right);
  CHECK(suffices);
}

TEST_CASE("a request that is dropped leaves nothing behind that is not due", "[engine][memory]") {
  bool ran_out = true;
  for (unsigned left = 0; ran_out; ++left) {
    CAPTURE(left);
    EngineWorld w{{{"a.service", service()}}};
    w.os.fail_spawns = 1;
    start_a(w);  // its launch waits
    (void)tell(
        w, [](EngineWorld& x) { (void)x.manager.reset_failed("a.service", x.now); }, left, UINT_MAX,
        ran_out);
    CHECK((!w.manager.is_owed(w.manager.graph().find("a.service")) || w.manager.is_behind()));
    w.pass(seconds(1));
    CHECK_FALSE(w.manager.is_owed(w.manager.graph().find("a.service")));
  }
}

TEST_CASE("a job that has begun, memory or not, has its JobRunningTimeoutSec= armed",
          "[engine][memory][faults]") {
  bool ran_out = true;
  for (unsigned left = 0; ran_out; ++left) {
    CAPTURE(left);
    EngineWorld w{{{"a.service", service("", "JobRunningTimeoutSec=5\n")}}};
    w.manager.load("a.service");
    const Act start = [](EngineWorld& world) {
      (void)world.manager.request("a.service", JobType::Start, JobMode::Replace, world.now);
    };
    (void)tell(w, start, left, UINT_MAX, ran_out);
    for (const Job* job : w.manager.jobs()) {  // its slice's has no such limit
      if (!job->began.is_set() || job->unit != w.manager.graph().find("a.service")) continue;
      CHECK(w.manager.timers().when({TimerKey::Kind::Job, job->id.value}) ==
            job->began.mono + seconds(5));
    }
  }
}
