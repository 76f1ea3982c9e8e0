// Ordering of two jobs, and cycles.
#include <catch2/catch.hpp>

#include <chrono>

#include "base/format.h"
#include "support/plan_world.h"

using namespace onset;
using namespace onset::test;

TEST_CASE("a job waits as Before= and After= are documented", "[graph][transaction]") {
  DependencySet after;
  after.add(DependencyKind::After);
  DependencySet before;
  before.add(DependencyKind::Before);
  using enum JobType;
  const struct {
    JobType a, b;
    bool if_after;  ///< a's unit is After= b's
    bool if_before;
  } rows[] = {
      // both come up: in order
      {Start, Start, true, false},
      {Start, VerifyActive, true, false},
      {VerifyActive, Start, true, false},
      {Reload, Start, true, false},
      {Start, Reload, true, false},
      // both go down: in reverse
      {Stop, Stop, false, true},
      {Restart, Stop, false, true},
      {Stop, Restart, false, true},
      {Restart, Restart, false, true},
      // one of each: the stop first, whichever way they are ordered
      {Start, Stop, true, true},
      {Stop, Start, false, false},
      {Start, Restart, true, true},
      {Restart, Start, false, false},
      {Reload, Stop, true, true},
      {VerifyActive, Restart, true, true},
      // nothing to wait for
      {Nop, Start, false, false},
      {Start, Nop, false, false},
      {Nop, Stop, false, false},
      {Stop, Nop, false, false},
  };
  for (const auto& row : rows) {
    INFO(to_string(row.a) << " towards " << to_string(row.b));
    CHECK(must_wait(row.a, after, row.b) == row.if_after);
    CHECK(must_wait(row.a, before, row.b) == row.if_before);
    CHECK_FALSE(must_wait(row.a, DependencySet{}, row.b));
  }
}

TEST_CASE("of two ordered jobs exactly one waits", "[graph][transaction]") {
  DependencySet after;
  after.add(DependencyKind::After);
  DependencySet before;
  before.add(DependencyKind::Before);
  for (unsigned a = 0; a < kJobTypes; ++a) {
    for (unsigned b = 0; b < kJobTypes; ++b) {
      const auto ta = static_cast<JobType>(a);
      const auto tb = static_cast<JobType>(b);
      if (ta == JobType::Nop || tb == JobType::Nop) continue;
      CHECK(must_wait(ta, after, tb) != must_wait(tb, before, ta));
    }
  }
}

TEST_CASE("a cycle is broken at a job that is not required, and named in full",
          "[graph][transaction]") {
  PlanWorld w{{{"t.target", "Requires=a.service\nWants=b.service c.service\n"},
               {"a.service", "After=c.service\n"},
               {"b.service", "After=a.service\n"},
               {"c.service", "After=b.service\n"}}};
  CHECK(w.plan("t.target") == Names{"a.service/start", "b.service/start", "t.target/start"});
  CHECK(w.messages ==
        Names{"Found ordering cycle on c.service/start: c.service/start → b.service/start → "
              "a.service/start → c.service/start; job c.service/start deleted to break it"});
}

TEST_CASE("with the job that is deleted go those that require it", "[graph][transaction]") {
  PlanWorld w{{{"t.target", "Requires=a.service\nWants=d.service\n"},
               {"a.service", "After=b.service\n"},
               {"b.service", "After=a.service\n"},
               {"d.service", "Requires=b.service\nWants=e.service\n"},
               {"e.service", ""}}};
  CHECK(w.plan("t.target") == Names{"a.service/start", "t.target/start"});
  REQUIRE(w.messages.size() == 1);
}

TEST_CASE("of a unit's jobs a deleted one takes along what requires it, not the others",
          "[graph][transaction]") {
  // c is wanted, and so started with d; what b requires of it is only that it is up.
  PlanWorld w{{{"a.service", "Wants=c.service\n"},
               {"b.service", "Requires=a.service\nRequisite=c.service\n"},
               {"c.service", "Requires=d.service\n"},
               {"d.service", "After=a.service\nBefore=a.service\n"}}};
  w.active("a.service");
  w.active("b.service");
  CHECK(w.plan("a.service", JobType::Restart) ==
        Names{"a.service/restart", "b.service/restart", "c.service/verify-active"});
  CHECK(w.messages.size() == 1);
}

TEST_CASE("a unit that loses one of its jobs is looked at again from where it was reached",
          "[graph][transaction]") {
  // Of c, met from x, the start goes with that of d. What is left is in a cycle with x.
  const auto first = GENERATE(as<std::string>(), "c.service", "d.service", "x.service");
  PlanWorld w{{{"a.service", "Requires=b.service\nWants=x.service\nWants=c.service\n"},
               {"b.service", "Requisite=c.service\n"},
               {"c.service", "Requires=d.service\nAfter=d.service\n"},
               {"d.service", "After=c.service\n"},
               {"x.service", "Before=c.service\nAfter=c.service\n"}}};
  w.load(first);
  CHECK(w.plan("a.service") ==
        Names{"a.service/start", "b.service/start", "c.service/verify-active"});
  CHECK(w.messages.size() == 2);
}

TEST_CASE("a cycle of required jobs fails the request", "[graph][transaction]") {
  PlanWorld w{{{"a.service", "Requires=b.service\nAfter=b.service\n"},
               {"b.service", "Requires=c.service\nAfter=c.service\n"},
               {"c.service", "After=a.service\n"}}};
  auto transaction = w.build("a.service");
  REQUIRE_FALSE(transaction);
  CHECK(transaction.error().kind == TransactionErrorKind::OrderIsCyclic);
  for (const char* name : {"a.service/start", "b.service/start", "c.service/start"}) {
    CHECK(transaction.error().message.find(name) != std::string::npos);
  }
}

TEST_CASE("two units after each other are a cycle", "[graph][transaction]") {
  PlanWorld w{
      {{"a.service", "Wants=b.service\nAfter=b.service\nBefore=b.service\n"}, {"b.service", ""}}};
  CHECK(w.plan("a.service") == Names{"a.service/start"});
  CHECK(w.messages.size() == 1);
}

TEST_CASE("a restart that will wait as a start is a cycle already", "[graph][transaction]") {
  PlanWorld w{
      {{"a.service", "Wants=b.service\nAfter=b.service\nBefore=b.service\n"}, {"b.service", ""}}};
  w.active("a.service");
  CHECK(w.plan("a.service", JobType::Restart) == Names{"a.service/restart"});
  CHECK(w.messages.size() == 1);
}

TEST_CASE("an order that no two jobs of the transaction have is no cycle", "[graph][transaction]") {
  PlanWorld w{{{"a.service", "Wants=b.service\nAfter=b.service\n"},
               {"b.service", "After=c.service\n"},
               {"c.service", "After=a.service\n"}}};
  CHECK(w.plan("a.service") == Names{"a.service/start", "b.service/start"});
  CHECK(w.messages.empty());
}

TEST_CASE("jobs that are queued already count in the order", "[graph][transaction]") {
  PlanWorld w{{{"a.service", "Wants=b.service\nAfter=b.service\n"},
               {"b.service", "After=c.service\n"},
               {"c.service", "After=a.service\n"},
               {"d.service", "After=e.service\n"},
               {"e.service", "After=d.service\nAfter=a.service\n"}}};
  UnitStates::QueuedJob start;
  start.type = JobType::Start;
  w.queue("c.service", start);
  CHECK(w.plan("a.service") == Names{"a.service/start"});
  CHECK(w.messages.size() == 1);

  // A cycle among the queued alone is none of the new transaction's.
  PlanWorld v{{{"a.service", "Before=e.service\n"},
               {"d.service", "After=e.service\n"},
               {"e.service", "After=d.service\n"}}};
  v.queue("d.service", start);
  v.queue("e.service", start);
  CHECK(v.plan("a.service") == Names{"a.service/start"});
  CHECK(v.messages.empty());
}

TEST_CASE("a deleted job uncovers the queued one, whose order counts then",
          "[graph][transaction]") {
  // The new start of b is in the cycle a → b → a and goes; the restart of b that
  // is queued goes before a and c, which is no cycle.
  PlanWorld w{{{"a.service", "Wants=b.service c.service\nAfter=b.service\n"},
               {"b.service", "After=a.service\n"},
               {"c.service", "After=b.service\n"}}};
  UnitStates::QueuedJob stop;
  stop.type = JobType::Stop;
  w.queue("b.service", stop);
  CHECK(w.plan("a.service") == Names{"a.service/start", "c.service/start"});
  CHECK(w.messages.size() == 1);
}

TEST_CASE("stops are ordered in reverse, and their cycles broken too", "[graph][transaction]") {
  PlanWorld w{{{"base.service", ""},
               {"a.service", "PartOf=base.service\nAfter=b.service\n"},
               {"b.service", "PartOf=base.service\nAfter=a.service\n"}}};
  for (const char* name : {"base.service", "a.service", "b.service"}) w.active(name);
  auto transaction = w.build("base.service", JobType::Stop);
  REQUIRE_FALSE(transaction);
  CHECK(transaction.error().kind == TransactionErrorKind::OrderIsCyclic);

  // Under shutdown.target the stops are optional: one unit is left to the end.
  PlanWorld s{{{"shutdown.target", ""},
               {"a.service", "Conflicts=shutdown.target\nAfter=b.service\n"},
               {"b.service", "Conflicts=shutdown.target\nAfter=a.service\n"}}};
  s.active("a.service");
  s.active("b.service");
  CHECK(s.plan("shutdown.target").size() == 2);
  CHECK(s.messages.size() == 1);
}
