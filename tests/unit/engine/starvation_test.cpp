#include "engine/starvation.h"

#include <catch2/catch.hpp>

using namespace onset;

namespace {

std::string told(const std::vector<StarvationChange>& changes) {
  std::string text;
  for (const StarvationChange& c : changes) {
    text += c.unit + (c.begins ? " starves for " : " ends ") + std::string(to_string(c.what)) +
            " " + std::to_string(c.share) + "; ";
  }
  return text;
}

}  // namespace

TEST_CASE("a unit begins to starve at a quarter of its time, of memory at a tenth",
          "[engine][starvation]") {
  Starvation starvation;
  CHECK(told(starvation.judge({{"a.service", {2499, 999, 2499}}})).empty());
  CHECK_FALSE(starvation.any());
  CHECK(told(starvation.judge({{"a.service", {2500, 1000, 9999}}})) ==
        "a.service starves for CPU 2500; a.service starves for memory 1000; "
        "a.service starves for I/O 9999; ");
  CHECK(starvation.any());
  CHECK(starvation.share("a.service", Scarce::Io) == 9999U);
}

TEST_CASE("it is told once, and ends below half of that", "[engine][starvation]") {
  Starvation starvation;
  (void)starvation.judge({{"a.service", {3000, 0, 0}}});
  CHECK(told(starvation.judge({{"a.service", {1250, 0, 0}}})).empty());
  CHECK(starvation.share("a.service", Scarce::Cpu) == 1250U);
  CHECK(told(starvation.judge({{"a.service", {1249, 0, 0}}})) == "a.service ends CPU 1249; ");
  CHECK_FALSE(starvation.any());
  CHECK(told(starvation.judge({{"a.service", {2400, 0, 0}}})).empty());
}

TEST_CASE("a unit that has ended starves no longer, without a word", "[engine][starvation]") {
  Starvation starvation;
  (void)starvation.judge({{"a.service", {3000, 0, 0}}, {"b.service", {0, 2000, 0}}});
  CHECK(told(starvation.judge({{"b.service", {0, 2000, 0}}})).empty());
  CHECK_FALSE(starvation.share("a.service", Scarce::Cpu));
  CHECK(starvation.share("b.service", Scarce::Memory) == 2000U);
  CHECK(told(starvation.judge({})).empty());
  CHECK_FALSE(starvation.any());
}
