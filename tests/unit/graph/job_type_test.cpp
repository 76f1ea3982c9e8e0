#include "graph/job_type.h"

#include <catch2/catch.hpp>

#include <set>
#include <string>
#include <vector>

using namespace onset;

namespace {

std::vector<JobType> all_types() {
  std::vector<JobType> types;
  for (unsigned i = 0; i < kJobTypes; ++i) types.push_back(static_cast<JobType>(i));
  return types;
}

std::optional<JobType> join(std::optional<JobType> a, std::optional<JobType> b) {
  return a && b ? merge(*a, *b) : std::nullopt;
}

}  // namespace

TEST_CASE("merging job types is commutative and associative over all triples",
          "[graph][job_type]") {
  for (JobType a : all_types()) {
    CHECK(merge(a, a) == a);
    for (JobType b : all_types()) {
      CHECK(merge(a, b) == merge(b, a));
      for (JobType c : all_types()) {
        INFO(to_string(a) << " " << to_string(b) << " " << to_string(c));
        CHECK(join(join(a, b), c) == join(a, join(b, c)));
      }
    }
  }
}

TEST_CASE("a merged job does the work of both", "[graph][job_type]") {
  using enum JobType;
  const struct {
    JobType a, b;
    std::optional<JobType> merged;
  } rows[] = {
      {Start, VerifyActive, Start},
      {Start, Stop, std::nullopt},
      {VerifyActive, Stop, std::nullopt},
      {Start, Reload, ReloadOrStart},
      {VerifyActive, Reload, Reload},
      {Stop, Reload, std::nullopt},
      {Start, Restart, Restart},
      {VerifyActive, Restart, Restart},
      {Stop, Restart, std::nullopt},
      {Reload, Restart, Restart},
      {Nop, Stop, Stop},
      {Nop, Start, Start},
  };
  for (const auto& row : rows) {
    INFO(to_string(row.a) << " with " << to_string(row.b));
    CHECK(merge(row.a, row.b) == row.merged);
  }
  // What is merged does all that either asks for.
  for (JobType a : all_types()) {
    for (JobType b : all_types()) {
      if (const auto m = merge(a, b)) {
        CHECK(is_superset(*m, a));
        CHECK(is_superset(*m, b));
      }
    }
  }
}

TEST_CASE("a unit's state decides what a try- job becomes", "[graph][job_type]") {
  using enum ActiveState;
  for (ActiveState up : {Active, Reloading, Activating}) {
    CHECK(collapse(JobType::TryRestart, up) == JobType::Restart);
    CHECK(collapse(JobType::TryReload, up) == JobType::Reload);
    CHECK(collapse(JobType::ReloadOrStart, up) == JobType::Reload);
  }
  for (ActiveState down : {Inactive, Failed, Deactivating}) {
    CHECK(collapse(JobType::TryRestart, down) == JobType::Nop);
    CHECK(collapse(JobType::TryReload, down) == JobType::Nop);
    CHECK(collapse(JobType::ReloadOrStart, down) == JobType::Start);
  }
  for (JobType t : {JobType::Start, JobType::VerifyActive, JobType::Stop, JobType::Reload,
                    JobType::Restart, JobType::Nop}) {
    CHECK(collapse(t, Active) == t);
    CHECK(collapse(t, Inactive) == t);
  }
}

TEST_CASE("a job is redundant where the unit is so already", "[graph][job_type]") {
  using enum ActiveState;
  const struct {
    JobType type;
    std::set<ActiveState> states;
  } rows[] = {
      {JobType::Start, {Active, Reloading}},
      {JobType::VerifyActive, {Active, Reloading}},
      {JobType::Stop, {Inactive, Failed}},
      {JobType::Reload, {Reloading}},
      {JobType::Restart, {}},
  };
  for (const auto& row : rows) {
    for (ActiveState s :
         {Active, Reloading, Inactive, Failed, Activating, Deactivating, Maintenance}) {
      INFO(to_string(row.type) << " of a unit that is " << to_string(s));
      CHECK(is_redundant(row.type, s) == row.states.contains(s));
    }
  }
}

TEST_CASE("jobs, results and states have systemd's words", "[graph][job_type]") {
  CHECK(to_string(JobType::VerifyActive) == "verify-active");
  CHECK(to_string(JobType::TryRestart) == "try-restart");
  CHECK(to_string(JobType::ReloadOrStart) == "reload-or-start");
  CHECK(to_string(JobResult::Canceled) == "canceled");
  CHECK(to_string(JobResult::Dependency) == "dependency");
  CHECK(to_string(ActiveState::Deactivating) == "deactivating");
  std::set<std::string_view> words;
  for (JobType t : all_types()) words.insert(to_string(t));
  CHECK(words.size() == kJobTypes);
}
