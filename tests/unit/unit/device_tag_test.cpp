#include "unit/device_tag.h"

#include <catch2/catch.hpp>

using namespace onset;

TEST_CASE("a tag is the link that udev makes of it, and back", "[unit][boot]") {
  struct Row {
    std::string_view tag;
    std::string_view link;
  };
  const Row rows[] = {
      {"UUID=12-ab", "/dev/disk/by-uuid/12-ab"},
      {"LABEL=a b/c%", "/dev/disk/by-label/a\\x20b\\x2fc\\x25"},
      {"LABEL=\u00e4", "/dev/disk/by-label/\u00e4"},
      {"LABEL=\xff", "/dev/disk/by-label/\\xff"},
      {"PARTUUID=1", "/dev/disk/by-partuuid/1"},
      {"PARTLABEL=a\\", "/dev/disk/by-partlabel/a\\x5c"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.tag);
    CHECK(device_of_tag(row.tag) == row.link);
    CHECK(tag_of_link(row.link) == row.tag);
  }
  CHECK(device_of_tag("LABEL=\"x\"") == "/dev/disk/by-label/x");
  CHECK(device_of_tag("LABEL='x'") == "/dev/disk/by-label/x");
  CHECK(device_of_tag("LABEL=\"x") == "/dev/disk/by-label/\\x22x");
  for (const std::string_view other : {"/dev/vda", "UUID=", "LABEL=\"\"", "server:/x", ""})
    CHECK(device_of_tag(other) == other);
  CHECK(tag_of_link("/dev/vda").empty());
  CHECK(tag_of_link("/dev/disk/by-path/x").empty());
}
