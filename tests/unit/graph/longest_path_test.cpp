// How long what waits for a start takes.
#include "graph/longest_path.h"

#include <catch2/catch.hpp>
#include <map>

#include "support/plan_world.h"

using namespace onset;
using namespace onset::test;

namespace {

using Paths = std::map<std::string, long>;

/// In seconds, by the unit's name; who is not in `took` takes one.
Paths measure(PlanWorld& w, std::string_view root, const Paths& took = {},
              JobType type = JobType::Start) {
  auto transaction = w.build(root, type);
  REQUIRE(transaction);
  measure_paths(w.graph, transaction->jobs, [&](UnitId id) {
    const auto known = took.find(w.graph.unit(id).id);
    return Duration(std::chrono::seconds(known == took.end() ? 1 : known->second));
  });
  Paths paths;
  for (const PlannedJob& job : transaction->jobs)
    paths[w.graph.unit(job.unit).id] = job.remaining.count() / 1000000;
  return paths;
}

}  // namespace

TEST_CASE("a start's path is its own time and the longest of those that wait for it",
          "[graph][order]") {
  PlanWorld w{{{"t.target", "Requires=a.service b.service c.service\nAfter=b.service c.service\n"},
               {"a.service", ""},
               {"b.service", "After=a.service\n"},
               {"c.service", "Before=b.service\n"}}};
  CHECK(measure(w, "t.target") ==
        Paths{{"t.target", 1}, {"b.service", 2}, {"a.service", 3}, {"c.service", 3}});
  CHECK(measure(w, "t.target", {{"b.service", 10}, {"a.service", 5}}) ==
        Paths{{"t.target", 1}, {"b.service", 11}, {"a.service", 16}, {"c.service", 12}});
  CHECK(measure(w, "t.target", {{"b.service", -5}})["b.service"] == 1);
}

TEST_CASE("what is up already, or ordered after what is not started, counts for nothing",
          "[graph][order]") {
  PlanWorld w{{{"a.service", "Wants=b.service\n"},
               {"b.service", "Before=a.service z.service\n"},
               {"z.service", ""}}};
  CHECK(measure(w, "a.service") == Paths{{"a.service", 1}, {"b.service", 2}});
  w.active("b.service");
  CHECK(measure(w, "a.service") == Paths{{"a.service", 1}});
}

TEST_CASE("stops have no path", "[graph][order]") {
  PlanWorld w{{{"a.service", ""}, {"b.service", "Requires=a.service\nAfter=a.service\n"}}};
  w.active("a.service");
  w.active("b.service");
  CHECK(measure(w, "a.service", {}, JobType::Stop) == Paths{{"a.service", 0}, {"b.service", 0}});
}

TEST_CASE("a chain of 10,000 is measured in one pass", "[graph][order]") {
  UnitTable::Rows rows;
  for (unsigned i = 0; i < 10000; ++i) {
    const std::string next = "s" + std::to_string(i + 1) + ".service";
    rows.emplace_back("s" + std::to_string(i) + ".service",
                      i < 9999 ? "Requires=" + next + "\nAfter=" + next + "\n" : "");
  }
  PlanWorld w{rows};
  const Paths paths = measure(w, "s0.service");
  CHECK(paths.at("s0.service") == 1);
  CHECK(paths.at("s9999.service") == 10000);
}
