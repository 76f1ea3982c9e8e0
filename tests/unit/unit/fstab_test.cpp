#include "unit/fstab.h"

#include <catch2/catch.hpp>

using namespace onset;

TEST_CASE("of a line of fstab the fields count, and what is escaped in them", "[unit][boot]") {
  Diagnostics said;
  const auto entries = parse_fstab(
      "# /dev/x / ext4 defaults 0 1\n"
      "UUID=1\t/ ext4  errors=remount-ro,noatime 0 1\n\n"
      "  /dev/b\\040c //home/\\303\\244/ auto\n"
      "/dev/d none swap sw,pri=1 0 -1 more\n",
      "t", said);
  CHECK(said.empty());
  REQUIRE(entries.size() == 3);
  CHECK(entries[0].what == "UUID=1");
  CHECK(entries[0].where == "/");
  CHECK(entries[0].type == "ext4");
  CHECK(entries[0].options == "errors=remount-ro,noatime");
  CHECK(entries[0].pass == 1);
  CHECK(entries[0].line == 2);
  CHECK(entries[1].what == "/dev/b c");
  CHECK(entries[1].where == "/home/\u00e4");
  CHECK(entries[1].options == "defaults");
  CHECK(entries[1].pass == 0);
  CHECK(entries[1].line == 4);
  CHECK(entries[2].where == "none");
  CHECK(entries[2].pass == 1);
}

TEST_CASE("a broken line of fstab is said, with its number, and the others count", "[unit][boot]") {
  struct Row {
    std::string_view line;
    std::string_view said;
    bool counts = false;
  };
  const Row rows[] = {
      {"nonsense", "a line has a device"},
      {"/dev/a /b", "a line has a device"},
      {"/dev/a\\012ExecStart=x /b ext4", "\"/dev/a\\nExecStart=x\" can't be part of a unit"},
      {"/dev/a /b\\134 ext4", "can't be part of a unit"},
      {"/dev/a /b\\040 ext4", "can't be part of a unit"},
      {"/dev/a /\x01 ext4", "can't be part of a unit"},
      {"/dev/a /b ext4 \xff", "can't be part of a unit"},
      {"/dev/a /b ext4 ro 0 x", "\"x\" is no pass of fsck", true},
  };
  for (const Row& row : rows) {
    CAPTURE(row.line);
    Diagnostics said;
    const std::string text = "\n" + std::string(row.line) + "\n/dev/z /z ext4\n";
    const auto entries = parse_fstab(text, "t", said);
    CHECK(entries.size() == (row.counts ? 2 : 1));
    CHECK(entries.back().where == "/z");
    REQUIRE(said.size() == 1);
    CHECK(said[0].file == "t");
    CHECK(said[0].line == 2);
    CHECK_THAT(said[0].message, Catch::Contains(std::string(row.said)));
  }
}

TEST_CASE("early is what is mounted before the first unit", "[unit][boot]") {
  const auto entries = early_entries(
      "/dev/a / ext4 ro 0 1\n/dev/b /home ext4\n/dev/c /usr/ ext4\nbroken /\n"
      "tmpfs /dev/shm tmpfs size=1M 0 x\nproc /proc proc\n/dev/d / swap\n");
  REQUIRE(entries.size() == 4);
  CHECK(entries[0].where == "/");
  CHECK(entries[1].where == "/usr");
  CHECK(entries[2].where == "/dev/shm");
  CHECK(entries[3].where == "/proc");
}
