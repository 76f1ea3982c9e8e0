#include "os/mount_table.h"

#include <catch2/catch.hpp>

using namespace onset;

namespace {

MountEntry at(std::string path, std::string type, std::string source, bool read_only = false) {
  return {std::move(path), std::move(type), std::move(source), read_only, {}};
}

}  // namespace

TEST_CASE("mounts come in their order, with or without tags, with blanks in their paths",
          "[os][mounts]") {
  const auto mounts = parse_mount_table(
      "22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,errors=remount-ro\n"
      "30 22 0:5 / /mnt/a\\040b\\134c ro shared:2 master:1 - tmpfs none rw\n"
      "31 22 7:0 / /mnt/ro rw - squashfs /dev/loop0 ro\n");
  REQUIRE(mounts.size() == 3);
  CHECK(mounts[0].path == "/");
  CHECK(mounts[0].type == "ext4");
  CHECK(mounts[0].source == "/dev/vda");
  CHECK_FALSE(mounts[0].read_only);
  CHECK(mounts[1].path == "/mnt/a b\\c");
  CHECK_FALSE(mounts[1].read_only);
  CHECK(mounts[2].read_only);
  CHECK(mounts[0].options == "rw,relatime,errors=remount-ro");
  CHECK(mounts[1].options == "ro");
}

TEST_CASE("of mounts on one another the last is the one to be seen", "[os][mounts]") {
  const auto mounts = visible_mounts(
      parse_mount_table("1 1 0:1 / /b rw - tmpfs first rw\n2 1 0:1 / /a rw - tmpfs a rw\n"
                        "3 1 0:1 / /b rw - tmpfs second rw\n"));
  REQUIRE(mounts.size() == 2);
  CHECK(mounts[0].path == "/a");
  CHECK(mounts[1].source == "second");
}

TEST_CASE("a line of mountinfo that makes no sense is left out", "[os][mounts]") {
  for (const char* text :
       {"", "\n\n", "1 2 3", "1 2 3 4 5 6 - ext4", "22 1 254:0 / / rw shared:1 ext4 /dev/vda rw",
        "- - - - - - - -", "\0\0\0"}) {
    CHECK(parse_mount_table(text).empty());
  }
  CHECK(parse_mount_table("22 1 0:1 / /a\\04 rw - tmpfs none rw\n").at(0).path == "/a\\04");
}

TEST_CASE("swaps are the paths of /proc/swaps", "[os][mounts]") {
  const auto swaps = parse_swap_table(
      "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
      "/dev/vdb                                partition\t1048572\t\t0\t\t-2\n"
      "/swap\\040file                          file\t\t1\t0\t-3\n"
      "/gone\\040(deleted)                     file\t\t1\t0\t-3\n");
  CHECK(swaps == std::vector<std::string>{"/dev/vdb", "/swap file", "/gone"});
  CHECK(parse_swap_table("").empty());
}

TEST_CASE("the root and the kernel's own file systems stay mounted to the end", "[os][mounts]") {
  for (const char* path :
       {"/", "/usr", "/run", "/proc", "/sys/fs/cgroup", "/dev/shm", "/run/initramfs/live"}) {
    CHECK(stays_mounted(at(path, "x", "y")));
  }
  for (const char* path : {"/var", "/home", "/usr/local", "/run/user/0", "/devices", "/mnt"}) {
    CHECK_FALSE(stays_mounted(at(path, "x", "y")));
  }
}

TEST_CASE("what is on a device and can be written to wants to be read-only", "[os][mounts]") {
  CHECK(wants_read_only(at("/", "ext4", "/dev/vda")));
  CHECK(wants_read_only(at("/", "zfs", "pool/root")));
  CHECK_FALSE(wants_read_only(at("/", "ext4", "/dev/vda", true)));
  CHECK_FALSE(wants_read_only(at("/", "rootfs", "rootfs")));
  CHECK_FALSE(wants_read_only(at("/n", "nfs4", "server:/x")));
  CHECK_FALSE(wants_read_only(at("/dev", "devtmpfs", "/dev/")));
}
