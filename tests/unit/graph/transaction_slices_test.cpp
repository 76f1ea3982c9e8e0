// ConcurrencyHardMax= when jobs are planned.
#include <catch2/catch.hpp>

#include "support/plan_world.h"

using namespace onset;
using namespace onset::test;

namespace {

std::string in_slice(std::string_view slice, std::string_view unit = "") {
  return std::string(unit) + "[Service]\nSlice=" + std::string(slice) + "\n";
}

/// PlanWorld's rows are of [Unit] and [Service].
std::string slice(std::string_view lines) {
  return "[Slice]\n" + std::string(lines);
}

PlanWorld world(std::string_view limits) {
  PlanWorld w{{{"t.target", "Wants=a.service b.service c.service\n"},
               {"x.slice", slice(limits)},
               {"a.service", in_slice("x.slice")},
               {"b.service", in_slice("x.slice")},
               {"c.service", in_slice("x.slice")},
               {"d.service", in_slice("x.slice", "Requires=c.service\n")}}};
  w.active("x.slice");
  return w;
}

}  // namespace

TEST_CASE("a start beyond ConcurrencyHardMax= is refused", "[graph][transaction][slots]") {
  PlanWorld w = world("ConcurrencyHardMax=2\n");
  CHECK(w.plan("a.service") == Names{"a.service/start"});
  w.active("a.service");
  CHECK(w.plan("b.service") == Names{"b.service/start"});
  w.queue("b.service", {JobType::Start});
  CHECK(w.plan("c.service") ==
        Names{"c.service is one too many in x.slice (ConcurrencyHardMax=2)."});
  // What is there already, or comes, takes no second place.
  CHECK(w.plan("a.service") == Names{"a.service/start"});
  CHECK(w.plan("b.service") == Names{"b.service/start"});
  w.queue("b.service", {JobType::Stop});
  CHECK(w.plan("c.service") == Names{"c.service/start"});
}

TEST_CASE("of what is wanted only as many start as there is room for",
          "[graph][transaction][slots]") {
  PlanWorld w = world("ConcurrencyHardMax=2\n");
  CHECK(w.plan("t.target") == Names{"a.service/start", "b.service/start", "t.target/start"});
  REQUIRE(w.messages.size() == 1);
  CHECK(w.messages[0] ==
        "c.service/start deleted: c.service is one too many in x.slice (ConcurrencyHardMax=2).");
  w.active("a.service");
  w.active("b.service");
  w.active("c.service");
  CHECK(w.plan("t.target") == Names{"t.target/start"});
}

TEST_CASE("a start that requires what there is no room for is refused with it",
          "[graph][transaction][slots]") {
  PlanWorld w = world("ConcurrencyHardMax=1\n");
  CHECK(w.plan("d.service") ==
        Names{"c.service is one too many in x.slice (ConcurrencyHardMax=1)."});
}

TEST_CASE("slices below count, each as one", "[graph][transaction][slots]") {
  PlanWorld w{{{"x.slice", slice("ConcurrencyHardMax=2\n")},
               {"x-y.slice", ""},
               {"a.service", in_slice("x-y.slice")},
               {"b.service", in_slice("x-y.slice")}}};
  w.set_state("x-y.slice", ActiveState::Inactive);
  CHECK(w.plan("a.service") == Names{"a.service/start", "x-y.slice/start"});
  w.active("x-y.slice");
  w.active("a.service");
  CHECK(w.plan("b.service") ==
        Names{"b.service is one too many in x.slice (ConcurrencyHardMax=2)."});
}

TEST_CASE("a soft limit that the slices below use up is told at once, not waited for",
          "[graph][transaction][slots]") {
  PlanWorld w{{{"x.slice", slice("ConcurrencySoftMax=1\n")},
               {"x-y.slice", ""},
               {"a.service", in_slice("x-y.slice")}}};
  w.active("x.slice");
  CHECK(w.plan("a.service") ==
        Names{"a.service has no room in x.slice, whose ConcurrencySoftMax= the slices below use "
              "up."});
}
