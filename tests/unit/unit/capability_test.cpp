#include "unit/capability.h"

#include <linux/capability.h>
#include <catch2/catch.hpp>

#include "support/vectors.h"

using namespace onset;

TEST_CASE("the capabilities are systemd's and the kernel headers'", "[unit][capability]") {
  CHECK(kCapabilities == CAP_LAST_CAP + 1);
  const auto rows = test::read_vectors("capability");
  CHECK(rows.size() == kCapabilities);
  for (const test::Row& row : rows) {
    CAPTURE(row.at(0));
    CHECK(capability_name(std::stoi(row.at(1))) == row.at(0));
    CHECK(capability_from_text(row.at(0)) == std::stoi(row.at(1)));
  }
  CHECK(capability_name(-1).empty());
  CHECK(capability_name(kCapabilities).empty());
  CHECK_FALSE(capability_from_text("63"));
  CHECK_FALSE(capability_from_text("kill"));
}

TEST_CASE("assignments to a bounding set merge in systemd's way", "[unit][capability]") {
  const auto merged = [](std::initializer_list<const char*> values) {
    std::optional<std::uint64_t> set;
    for (const char* value : values)
      set = merge_capability_set(set, kAllCapabilities, parse_capability_set(value));
    return format_capability_set(*set);
  };
  CHECK(merged({"CAP_KILL"}) == "cap_kill");
  CHECK(merged({"CAP_KILL", "CAP_CHOWN"}) == "cap_chown cap_kill");
  CHECK(merged({"CAP_KILL CAP_CHOWN", "~CAP_CHOWN"}) == "cap_kill");
  CHECK(merged({""}) == "");
  CHECK(merged({"CAP_KILL", "", "CAP_CHOWN"}) == "cap_chown");
  CHECK(merged({"CAP_KILL", "~"}) == format_capability_set(kAllCapabilities));
  CHECK(merged({"~CAP_KILL", "~CAP_CHOWN"}) ==
        format_capability_set(kAllCapabilities & ~std::uint64_t{0b100001}));
}

TEST_CASE("words that name no capability are told", "[unit][capability]") {
  const CapabilityList list = parse_capability_set("~CAP_KILL CAP_NOPE 64");
  CHECK(list.invert);
  CHECK(list.set == 0b100000);
  CHECK(list.unknown == std::vector<std::string>{"CAP_NOPE", "64"});
}
