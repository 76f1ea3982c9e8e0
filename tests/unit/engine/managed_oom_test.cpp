#include "engine/managed_oom.h"

#include <catch2/catch.hpp>
#include <vector>

using namespace onset;
using namespace std::chrono_literals;
using enum PressureSpell::Verdict;

namespace {

constexpr MonoTime at(std::int64_t milliseconds) {
  return MonoTime{milliseconds * 1000};
}

std::string victim(const std::vector<OomCandidate>& candidates, OomCause cause) {
  const OomCandidate* found = choose_victim(candidates, cause);
  return found != nullptr ? found->group : "nobody";
}

constexpr std::uint64_t kMegabyte = 1 << 20;

}  // namespace

TEST_CASE("pressure has to last for its duration without a break", "[engine][managed-oom]") {
  PressureSpell spell;
  CHECK(spell.told(at(1000), 6s) == Begins);
  CHECK(spell.told(at(3000), 6s) == Lasts);
  CHECK(spell.told(at(5200), 6s) == Lasts);
  CHECK(spell.told(at(7200), 6s) == Over);
}

TEST_CASE("a pause of two windows ends a spell of pressure", "[engine][managed-oom]") {
  PressureSpell spell;
  CHECK(spell.told(at(1000), 6s) == Begins);
  CHECK(spell.told(at(5000), 6s) == Lasts);
  CHECK(spell.told(at(9001), 6s) == Begins);
  CHECK(spell.told(at(11001), 6s) == Lasts);
}

TEST_CASE("after a kill pressure has to last anew", "[engine][managed-oom]") {
  PressureSpell spell;
  CHECK(spell.told(at(1000), 1s) == Begins);
  CHECK(spell.told(at(3000), 1s) == Over);
  CHECK(spell.told(at(5000), 1s) == Begins);
  CHECK(spell.told(at(7000), 1s) == Over);
}

TEST_CASE("of pressure who made the kernel reclaim the most is killed", "[engine][managed-oom]") {
  using enum OomPreference;
  CHECK(victim({{"a", None, 10, 9, 0}, {"b", None, 20, 1, 0}, {"c", None, 20, 2, 0}},
               OomCause::Pressure) == "c");
  CHECK(victim({{"a", None, 0, 9, 0}, {"b", None, 0, 10, 0}}, OomCause::Pressure) == "b");
  CHECK(victim({{"a", None, 1, 1, 0}, {"b", Avoid, 20, 1, 0}}, OomCause::Pressure) == "a");
  CHECK(victim({{"a", Omit, 1, 1, 0}, {"b", Avoid, 20, 1, 0}}, OomCause::Pressure) == "b");
  CHECK(victim({{"a", Omit, 1, 1, 0}, {"b", None, 0, 0, 0}}, OomCause::Pressure) == "nobody");
  CHECK(victim({}, OomCause::Pressure) == "nobody");
}

TEST_CASE("of swap who has the most of it is killed", "[engine][managed-oom]") {
  using enum OomPreference;
  CHECK(victim({{"a", None, 90, 9, 5}, {"b", None, 0, 0, 6}}, OomCause::Swap) == "b");
  CHECK(victim({{"a", None, 90, 9, 0}}, OomCause::Swap) == "nobody");
}

TEST_CASE("swap is used up when nine tenths of it and of memory are", "[engine][managed-oom]") {
  CHECK(is_swap_used_up({1000 * kMegabyte, 50 * kMegabyte, 1000 * kMegabyte, 50 * kMegabyte}));
  CHECK_FALSE(
      is_swap_used_up({1000 * kMegabyte, 150 * kMegabyte, 1000 * kMegabyte, 50 * kMegabyte}));
  CHECK_FALSE(
      is_swap_used_up({1000 * kMegabyte, 50 * kMegabyte, 1000 * kMegabyte, 150 * kMegabyte}));
  CHECK_FALSE(is_swap_used_up({1000 * kMegabyte, 0, 0, 0}));
  CHECK(is_swap_used_up({UINT64_MAX, 0, UINT64_MAX, 0}));
}
