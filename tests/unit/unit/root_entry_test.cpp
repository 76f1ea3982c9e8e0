#include "unit/root_entry.h"

#include <catch2/catch.hpp>

#include "unit/root_password.h"

using namespace onset;

TEST_CASE("of fstab the lines count that are about what is mounted already", "[unit][boot]") {
  const auto entries = early_entries(
      "# /dev/x / ext4 defaults 0 1\n"
      "UUID=1\t/ ext4  errors=remount-ro,noatime 0 1\n"
      "/dev/b /home ext4 defaults 0 2\n"
      "/dev/c /usr/ ext4\n"
      "broken /\n\n"
      "tmpfs /dev/shm tmpfs size=1M 0 x\n");
  REQUIRE(entries.size() == 3);
  CHECK(entries[0].where == "/");
  CHECK(entries[0].type == "ext4");
  CHECK(entries[0].options == "errors=remount-ro,noatime");
  CHECK(entries[0].pass == 1);
  CHECK(entries[1].where == "/usr");
  CHECK(entries[1].options == "defaults");
  CHECK(entries[1].pass == 0);
  CHECK(entries[2].pass == 0);
}

TEST_CASE("the last of ro and rw counts", "[unit][boot]") {
  CHECK_FALSE(root_is_to_be_writable("quiet root=/dev/a"));
  CHECK(root_is_to_be_writable("ro rw") == true);
  CHECK(root_is_to_be_writable("rw ro") == false);
  CHECK_FALSE(root_is_to_be_writable("rw=1 ro=0 crw"));
}

TEST_CASE("root gets a shell without a password only where none is set", "[unit][boot]") {
  struct Row {
    std::string_view passwd;
    std::string_view shadow;
    bool lets_in;
  };
  const Row rows[] = {
      {"", "", true},
      {"root::0:0:root:/root:/bin/sh\n", "", true},
      {"root:x:0:0:root:/root:/bin/sh\n", "root::19000:0:99999:7:::\n", true},
      {"root:x:0:0:root:/root:/bin/sh\n", "root:*:19000:0:99999:7:::\n", false},
      {"root:x:0:0:root:/root:/bin/sh\n", "root:!:19000:0:99999:7:::\n", false},
      {"root:x:0:0:root:/root:/bin/sh\n", "root:$y$abc:19000:0:99999:7:::\n", false},
      {"root:x:0:0:root:/root:/bin/sh\n", "", false},
      {"root:x:0:0:root:/root:/bin/sh\n", "other::::::::\n", false},
      {"root:*:0:0:root:/root:/bin/sh\n", "root::19000:0:99999:7:::\n", false},
      {"daemon::1:1::/:\n", "", false},
      {"", "root:*:19000:0:99999:7:::\n", false},
      {"xroot::0:0:::\n", "", false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.passwd, row.shadow);
    CHECK(root_has_no_password(row.passwd, row.shadow) == row.lets_in);
  }
}

TEST_CASE("of fstab the other lines are named, but for those that nobody wants at boot",
          "[unit][boot]") {
  CHECK(later_entries("# comment\n/dev/vda / ext4 rw 0 1\nproc /proc proc defaults 0 0\n"
                      "UUID=1 /home ext4 noatime,nofail 0 2\n/dev/vdb\\0401 none swap sw 0 0\n"
                      "/dev/vdc /mnt auto ro,noauto 0 0\ntmpfs /tmp/ tmpfs\n/dev/vdd /cut\n") ==
        std::vector<std::string>{"/home", "/dev/vdb 1", "/tmp"});
  CHECK(later_entries("").empty());
}
