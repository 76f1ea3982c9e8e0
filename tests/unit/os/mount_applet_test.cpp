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
