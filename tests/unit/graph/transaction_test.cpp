// What one request pulls in, drops and refuses.
#include "graph/transaction.h"

#include <catch2/catch.hpp>

#include "support/plan_world.h"

using namespace onset;
using namespace onset::test;

TEST_CASE("a start pulls in what is required and wanted, all the way down",
          "[graph][transaction]") {
  PlanWorld w{{{"a.service", "Requires=b.service\nWants=c.service\nAfter=z.service\n"},
               {"b.service", "BindsTo=d.service\n"},
               {"c.service", "Upholds=e.service\n"},
               {"d.service", ""},
               {"e.service", ""},
               {"z.service", ""}}};
  CHECK(w.plan("a.service") == Names{"a.service/start", "b.service/start", "c.service/start",
                                     "d.service/start", "e.service/start"});
}

TEST_CASE("the anchor comes first, the others in the order in which units name them",
          "[graph][transaction]") {
  PlanWorld w{{{"a.service", "Requires=c.service b.service\n"},
               {"b.service", ""},
               {"c.service", "Wants=d.service\n"},
               {"d.service", ""}}};
  auto transaction = w.build("a.service");
  REQUIRE(transaction);
  Names names;
  for (const PlannedJob& job : transaction->jobs) {
    names.push_back(w.name(job));
    CHECK(job.is_anchor == (names.size() == 1));
    CHECK_FALSE(job.irreversible);
    CHECK_FALSE(job.ignore_order);
  }
  CHECK(names == Names{"a.service/start", "c.service/start", "b.service/start", "d.service/start"});
}

TEST_CASE("what is so already is left out, but for the anchor", "[graph][transaction]") {
  PlanWorld w{{{"a.service", "Requires=b.service\nWants=c.service\n"},
               {"b.service", ""},
               {"c.service", ""}}};
  w.active("a.service");
  w.active("b.service");
  CHECK(w.plan("a.service") == Names{"a.service/start", "c.service/start"});
  w.set_state("c.service", ActiveState::Activating);
  CHECK(w.plan("a.service") == Names{"a.service/start", "c.service/start"});
}

TEST_CASE("what only a redundant job pulled in goes with it, a ring too", "[graph][transaction]") {
  PlanWorld w{{{"a.service", "Wants=b.service\n"},
               {"b.service", "Wants=c.service\n"},
               {"c.service", "Wants=d.service\n"},
               {"d.service", "Wants=c.service\n"}}};
  w.active("b.service");
  CHECK(w.plan("a.service") == Names{"a.service/start"});
}

TEST_CASE("a requirement that can't be fails the request and is named", "[graph][transaction]") {
  using Kind = TransactionErrorKind;
  const struct {
    const char* text;
    Kind kind;
    const char* message;
  } rows[] = {
      {"", Kind::NoSuchUnit, "Unit x.service not found. It is required by b.service."},
      {"/dev/null", Kind::Masked, "Unit x.service is masked. It is required by b.service."},
      {"Nonsense=1\n", Kind::BadSetting,
       "Unit x.service has a bad unit file setting: /units/x.service:3: Unknown key 'Nonsense' in "
       "section [Unit], ignoring It is required by b.service."},
  };
  for (const auto& row : rows) {
    UnitTable::Rows units{{"a.service", "Requires=b.service\n"},
                          {"b.service", "Requires=x.service\n"}};
    if (row.text[0] != '\0') units.emplace_back("x.service", row.text);
    PlanWorld w{units};
    auto transaction = w.build("a.service");
    REQUIRE_FALSE(transaction);
    CHECK(transaction.error().kind == row.kind);
    CHECK(transaction.error().message == row.message);
  }
}

TEST_CASE("the unit itself must be there, except to be stopped", "[graph][transaction]") {
  PlanWorld w{{{"m.service", "/dev/null"}}};
  CHECK(w.plan("x.service") == Names{"Unit x.service not found."});
  CHECK(w.plan("m.service") == Names{"Unit m.service is masked."});
  CHECK(w.plan("x.service", JobType::TryRestart) == Names{"Unit x.service not found."});
  CHECK(w.plan("m.service", JobType::Stop) == Names{"m.service/stop"});
  auto manual = w.build("x.service", JobType::Stop, JobMode::Replace, true);
  REQUIRE_FALSE(manual);
  CHECK(manual.error().kind == TransactionErrorKind::NoSuchUnit);
}

TEST_CASE("a wish that can't be is dropped, with what depends on it", "[graph][transaction]") {
  PlanWorld w{{{"a.service", "Wants=w.service gone.service m.service\n"},
               {"w.service", "Requires=gone.service\nWants=only.service\n"},
               {"m.service", "/dev/null"},
               {"only.service", ""}}};
  CHECK(w.plan("a.service") == Names{"a.service/start"});
  CHECK(w.messages == Names{"a.service: ignoring w.service/start, which cannot be: Unit "
                            "gone.service not found. It is required by w.service."});
  CHECK(w.notes == Names{"a.service: ignoring what is wanted only: Unit gone.service not found.",
                         "a.service: ignoring what is wanted only: Unit m.service is masked."});
}

TEST_CASE("Requisite= verifies and starts nothing", "[graph][transaction]") {
  PlanWorld w{{{"a.service", "Requisite=b.service\n"},
               {"b.service", "Wants=c.service\n"},
               {"c.service", ""}}};
  CHECK(w.plan("a.service") == Names{"a.service/start", "b.service/verify-active"});
  w.active("b.service");
  CHECK(w.plan("a.service") == Names{"a.service/start"});
}

TEST_CASE("a conflict stops the other side, whichever says it", "[graph][transaction]") {
  PlanWorld w{{{"a.service", "Conflicts=b.service\n"}, {"b.service", ""}}};
  w.active("b.service");
  CHECK(w.plan("a.service") == Names{"a.service/start", "b.service/stop"});
  PlanWorld v{{{"a.service", "Conflicts=b.service\n"}, {"b.service", ""}}};
  v.active("a.service");
  CHECK(v.plan("b.service") == Names{"a.service/stop", "b.service/start"});
  PlanWorld idle{{{"a.service", "Conflicts=b.service\n"}, {"b.service", ""}}};
  CHECK(idle.plan("a.service") == Names{"a.service/start"});
}

TEST_CASE("a stop reaches all that can't be without the unit", "[graph][transaction]") {
  PlanWorld w{{{"a.service", "PropagatesStopTo=p.service\n"},
               {"r.service", "Requires=a.service\n"},
               {"q.service", "Requisite=a.service\n"},
               {"b.service", "BindsTo=r.service\n"},
               {"o.service", "PartOf=a.service\n"},
               {"p.service", ""},
               {"w.service", "Wants=a.service\n"},
               {"off.service", "Requires=a.service\n"}}};
  for (const char* name : {"a.service", "r.service", "q.service", "b.service", "o.service",
                           "p.service", "w.service"}) {
    w.active(name);
  }
  CHECK(w.plan("a.service", JobType::Stop) == Names{"a.service/stop", "b.service/stop",
                                                    "o.service/stop", "p.service/stop",
                                                    "q.service/stop", "r.service/stop"});
}

TEST_CASE("a restart restarts those that run, and stops nobody", "[graph][transaction]") {
  PlanWorld w{{{"a.service", "PropagatesStopTo=p.service\nRequires=dep.service\n"},
               {"r.service", "Requires=a.service\n"},
               {"o.service", "PartOf=a.service\n"},
               {"off.service", "Requires=a.service\n"},
               {"p.service", ""},
               {"dep.service", ""}}};
  for (const char* name : {"a.service", "r.service", "p.service"}) w.active(name);
  w.set_state("o.service", ActiveState::Activating);
  CHECK(w.plan("a.service", JobType::Restart) ==
        Names{"a.service/restart", "dep.service/start", "o.service/restart", "r.service/restart"});
  CHECK(w.plan("off.service", JobType::TryRestart) == Names{"off.service/nop"});
}

TEST_CASE("a reload is passed on to those that can and run", "[graph][transaction]") {
  PlanWorld w{{{"a.service",
                "PropagatesReloadTo=b.service c.service d.service\n[Service]\nExecReload=/r\n"},
               {"b.service", "[Service]\nExecReload=/r\n"},
               {"c.service", ""},
               {"d.service", "[Service]\nType=notify-reload\n"},
               {"e.target", "PropagatesReloadTo=b.service\n"},
               {"f.target", ""}}};
  for (const char* name : {"a.service", "b.service", "c.service", "e.target"}) w.active(name);
  CHECK(w.plan("a.service", JobType::Reload) == Names{"a.service/reload", "b.service/reload"});
  CHECK(w.plan("e.target", JobType::Reload) == Names{"b.service/reload", "e.target/reload"});
  auto refused = w.build("f.target", JobType::Reload);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == TransactionErrorKind::JobTypeNotApplicable);
  CHECK(refused.error().message == "Job type reload is not applicable for unit f.target.");
  CHECK(w.plan("d.service", JobType::ReloadOrStart) == Names{"d.service/start"});
}

TEST_CASE("a perpetual unit is not stopped, and its stop is not missed", "[graph][transaction]") {
  PlanWorld w{{{"a.service", "Conflicts=system.slice\n"}}};
  CHECK(w.plan("a.service") == Names{"a.service/start"});
  CHECK_FALSE(w.build("system.slice", JobType::Stop));
  CHECK_FALSE(w.build("-.slice", JobType::Restart));
}

TEST_CASE("jobs for one unit become one that does it all", "[graph][transaction]") {
  PlanWorld w{{{"a.service", "Requires=b.service\nRequisite=c.service\n"},
               {"b.service", "Requires=c.service\n"},
               {"c.service", ""}}};
  CHECK(w.plan("a.service") == Names{"a.service/start", "b.service/start", "c.service/start"});

  PlanWorld r{{{"base.service", ""},
               {"x.service", "Requires=base.service\nRequires=y.service\n"},
               {"y.service", "PartOf=base.service\n"}}};
  for (const char* name : {"base.service", "x.service", "y.service"}) r.active(name);
  CHECK(r.plan("base.service", JobType::Restart) ==
        Names{"base.service/restart", "x.service/restart", "y.service/restart"});
}

TEST_CASE("a required start and a required stop of one unit can't be", "[graph][transaction]") {
  PlanWorld w{{{"a.service", "Requires=b.service c.service\n"},
               {"b.service", "Conflicts=c.service\n"},
               {"c.service", ""}}};
  auto transaction = w.build("a.service");
  REQUIRE_FALSE(transaction);
  CHECK(transaction.error().kind == TransactionErrorKind::JobsConflicting);
  CHECK(transaction.error().message.find("c.service") != std::string::npos);
}

TEST_CASE("of two conflicting jobs the one that is not required goes", "[graph][transaction]") {
  PlanWorld w{{{"a.service", "Requires=b.service\nWants=c.service\n"},
               {"b.service", "Conflicts=c.service\n"},
               {"c.service", ""}}};
  CHECK(w.plan("a.service") == Names{"a.service/start", "b.service/start"});
  CHECK(w.messages ==
        Names{"conflicting jobs c.service/stop and c.service/start: c.service/start deleted"});

  PlanWorld v{{{"a.service", "Wants=b.service\nRequires=c.service\n"},
               {"b.service", "Conflicts=c.service\n"},
               {"c.service", ""}}};
  CHECK(v.plan("a.service") == Names{"a.service/start", "c.service/start"});
}

TEST_CASE("if neither is required, the unit that conflicts is started", "[graph][transaction]") {
  for (const char* wants : {"Wants=b.service c.service\n", "Wants=c.service b.service\n"}) {
    PlanWorld w{{{"a.service", wants}, {"b.service", "Conflicts=c.service\n"}, {"c.service", ""}}};
    CHECK(w.plan("a.service") == Names{"a.service/start", "b.service/start"});
    w.active("c.service");
    CHECK(w.plan("a.service") == Names{"a.service/start", "b.service/start", "c.service/stop"});
  }
}

TEST_CASE("a unit may refuse a user's request, not a dependency's", "[graph][transaction]") {
  PlanWorld w{{{"s.service", "RefuseManualStart=yes\n"},
               {"t.service", "RefuseManualStop=yes\n[Service]\nExecReload=/r\n"},
               {"a.service", "Requires=s.service\n"}}};
  const auto refused = [&](const char* name, JobType type) {
    auto transaction = w.build(name, type, JobMode::Replace, true);
    return !transaction && transaction.error().kind == TransactionErrorKind::ManualRefused;
  };
  CHECK(refused("s.service", JobType::Start));
  CHECK(refused("s.service", JobType::Restart));
  CHECK(refused("s.service", JobType::ReloadOrStart));
  CHECK_FALSE(refused("s.service", JobType::Stop));
  CHECK(refused("t.service", JobType::Stop));
  CHECK(refused("t.service", JobType::TryRestart));
  CHECK_FALSE(refused("t.service", JobType::Start));
  CHECK_FALSE(refused("t.service", JobType::Reload));
  CHECK(w.plan("a.service") == Names{"a.service/start", "s.service/start"});
}

TEST_CASE("an id that is none is no unit", "[graph][transaction]") {
  PlanWorld w{{{"a.service", ""}}};
  CHECK_FALSE(build_transaction(w.graph, w, {UnitId{}, JobType::Start}));
  CHECK_FALSE(build_transaction(w.graph, w, {UnitId{9999}, JobType::Start}));
}
