// systemctl(1), --job-mode=.
#include <catch2/catch.hpp>

#include "support/plan_world.h"

using namespace onset;
using namespace onset::test;

namespace {

UnitStates::QueuedJob queued(JobType type, bool irreversible = false) {
  UnitStates::QueuedJob job;
  job.type = type;
  job.irreversible = irreversible;
  return job;
}

}  // namespace

TEST_CASE("fail refuses to turn a queued job round, replace does it", "[graph][transaction]") {
  PlanWorld w{{{"a.service", "Requires=b.service\n"}, {"b.service", ""}}};
  w.queue("b.service", queued(JobType::Stop));
  CHECK(w.plan("a.service") == Names{"a.service/start", "b.service/start"});
  auto refused = w.build("a.service", JobType::Start, JobMode::Fail);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == TransactionErrorKind::Destructive);
  CHECK(refused.error().message ==
        "Transaction for a.service/start is destructive (b.service has 'stop' job queued, but "
        "'start' is included in transaction).");
  w.queue("b.service", queued(JobType::Restart));
  CHECK(w.build("a.service", JobType::Start, JobMode::Fail));
}

TEST_CASE("fail leaves out what is optional and would disturb", "[graph][transaction]") {
  PlanWorld w{{{"a.service", "Wants=b.service\n"},
               {"b.service", "Wants=d.service\n"},
               {"c.service", "Conflicts=a.service\n"},
               {"d.service", ""}}};
  w.queue("b.service", queued(JobType::Stop));
  w.active("c.service");
  CHECK(w.plan("a.service", JobType::Start, JobMode::Fail) == Names{"a.service/start"});
  CHECK(w.plan("a.service") ==
        Names{"a.service/start", "b.service/start", "c.service/stop", "d.service/start"});
}

TEST_CASE("an irreversible job is not replaced by anything", "[graph][transaction]") {
  PlanWorld w{{{"a.service", ""}}};
  w.queue("a.service", queued(JobType::Stop, true));
  for (JobMode mode : {JobMode::Fail, JobMode::Replace, JobMode::ReplaceIrreversibly,
                       JobMode::Flush, JobMode::IgnoreDependencies}) {
    auto transaction = w.build("a.service", JobType::Start, mode);
    REQUIRE_FALSE(transaction);
    CHECK(transaction.error().kind == TransactionErrorKind::Destructive);
  }
  CHECK(w.build("a.service", JobType::Stop));
}

TEST_CASE("replace-irreversibly marks every job", "[graph][transaction]") {
  PlanWorld w{{{"a.service", "Requires=b.service\n"}, {"b.service", ""}}};
  auto transaction = w.build("a.service", JobType::Start, JobMode::ReplaceIrreversibly);
  REQUIRE(transaction);
  REQUIRE(transaction->jobs.size() == 2);
  for (const PlannedJob& job : transaction->jobs) CHECK(job.irreversible);
}

TEST_CASE("ignore-dependencies takes the job alone and without order", "[graph][transaction]") {
  PlanWorld w{{{"a.service", "Requires=gone.service\n"}}};
  auto transaction = w.build("a.service", JobType::Start, JobMode::IgnoreDependencies);
  REQUIRE(transaction);
  REQUIRE(transaction->jobs.size() == 1);
  CHECK(transaction->jobs[0].ignore_order);
  transaction = w.build("a.service", JobType::Start, JobMode::IgnoreRequirements);
  REQUIRE(transaction);
  REQUIRE(transaction->jobs.size() == 1);
  CHECK_FALSE(transaction->jobs[0].ignore_order);
}

TEST_CASE("isolate stops whatever else runs or is queued", "[graph][transaction]") {
  PlanWorld w{{{"t.target", "AllowIsolate=yes\nWants=a.service new.service\n"},
               {"a.service", ""},
               {"new.service", ""},
               {"b.service", ""},
               {"c.service", ""},
               {"keep.service", "IgnoreOnIsolate=yes\n"},
               {"dead.service", ""},
               {"needs-b.service", "Requires=b.service\n"}}};
  for (const char* name : {"a.service", "b.service", "keep.service", "needs-b.service"}) {
    w.active(name);
  }
  w.queue("c.service", queued(JobType::Start));
  CHECK(w.plan("t.target", JobType::Start, JobMode::Isolate) ==
        Names{"b.service/stop", "c.service/stop", "needs-b.service/stop", "new.service/start",
              "t.target/start"});
}

TEST_CASE("isolate is only for a start of a unit that allows it", "[graph][transaction]") {
  PlanWorld w{{{"t.target", ""}, {"u.target", "AllowIsolate=yes\n"}}};
  auto transaction = w.build("t.target", JobType::Start, JobMode::Isolate);
  REQUIRE_FALSE(transaction);
  CHECK(transaction.error().kind == TransactionErrorKind::NoIsolation);
  transaction = w.build("u.target", JobType::Stop, JobMode::Isolate);
  REQUIRE_FALSE(transaction);
  CHECK(transaction.error().kind == TransactionErrorKind::JobTypeNotApplicable);
  CHECK(w.plan("gone.target", JobType::Start, JobMode::Isolate) ==
        Names{"Unit gone.target not found."});
}

TEST_CASE("shutdown stops everything that conflicts with it", "[graph][transaction]") {
  PlanWorld w{{{"poweroff.target", "Requires=shutdown.target\nAfter=shutdown.target\n"},
               {"shutdown.target", ""},
               {"a.service", "DefaultDependencies=yes\n"},
               {"b.service", "DefaultDependencies=yes\nRequires=a.service\n"},
               {"sysinit.target", ""},
               {"basic.target", ""}}};
  for (const char* name : {"a.service", "b.service", "sysinit.target", "basic.target"}) {
    w.active(name);
  }
  CHECK(
      w.plan("poweroff.target", JobType::Start, JobMode::ReplaceIrreversibly) ==
      Names{"a.service/stop", "b.service/stop", "poweroff.target/start", "shutdown.target/start"});
}
