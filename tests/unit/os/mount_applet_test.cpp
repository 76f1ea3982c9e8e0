// What mount and swap units run: mount(8), fstab(5).
#include "os/mount_applet.h"

#include <catch2/catch.hpp>

using namespace onset;

TEST_CASE("options of fstab are flags, propagation and the file system's own", "[os][mount]") {
  const MountFlags flags = parse_mount_flags("rw,ro,nosuid,suid,noexec,rshared,size=1k,x-a,mode=7");
  CHECK(flags.flags == (1UL | 8UL));  // MS_RDONLY, MS_NOEXEC
  CHECK(flags.propagation != 0);
  CHECK(flags.data == "size=1k,mode=7");
}

TEST_CASE("a link of udev's says by what mount(8) finds the device", "[os][mount]") {
  CHECK(tag_of_link("/dev/disk/by-uuid/12-ab") == "UUID=12-ab");
  CHECK(tag_of_link("/dev/disk/by-label/a\\x20b") == "LABEL=a b");
  CHECK(tag_of_link("/dev/vda").empty());
}
