#include "unit/initrd_root.h"

#include <sys/mount.h>

#include <catch2/catch.hpp>

using namespace onset;
using namespace std::chrono_literals;

TEST_CASE("the root of an initrd is what the kernel's command line says", "[unit][boot]") {
  const InitrdRoot none = initrd_root("quiet");
  CHECK(none.device.empty());
  CHECK_FALSE(none.writable);
  CHECK(none.timeout == 90s);
  const InitrdRoot root = initrd_root(
      "root=/dev/vda rootfstype=ext4 ro "
      "rootflags=noatime,x-systemd.device-timeout=5s,,data=journal "
      "rw root=UUID=1");
  CHECK(root.device == "UUID=1");
  CHECK(root.type == "ext4");
  CHECK(root.options == "data=journal");
  CHECK(root.flags == MS_NOATIME);
  CHECK(root.writable);
  CHECK(root.timeout == 5s);
  CHECK_FALSE(initrd_root("rw ro").writable);
}

TEST_CASE("a device is a path or what udev links it by", "[unit][boot]") {
  CHECK(device_path("/dev//vda1") == "/dev/vda1");
  CHECK(device_path("UUID=1-2") == "/dev/disk/by-uuid/1-2");
  CHECK(device_path("LABEL=a") == "/dev/disk/by-label/a");
  CHECK(device_path("PARTUUID=a") == "/dev/disk/by-partuuid/a");
  CHECK(device_path("UUID=../a") == "/dev/disk/by-uuid/..\\x2fa");
  CHECK(device_path("8:1").empty());
  CHECK(device_path("nfs").empty());
  CHECK(device_path("").empty());
}

TEST_CASE("an ext4 says its uuid and its label itself", "[unit][boot]") {
  std::string block(1024, '\0');
  CHECK_FALSE(ext_identity(block));
  CHECK_FALSE(ext_identity(""));
  block[0x38] = '\x53';
  block[0x39] = '\xef';
  for (std::size_t i = 0; i < 16; ++i) block[0x68 + i] = static_cast<char>(i * 17);
  block.replace(0x78, 4, "root");
  const auto identity = ext_identity(block);
  REQUIRE(identity);
  CHECK(identity->uuid == "00112233-4455-6677-8899-aabbccddeeff");
  CHECK(identity->label == "root");
  CHECK(is_named(*identity, "UUID=00112233-4455-6677-8899-AABBCCDDEEFF"));
  CHECK(is_named(*identity, "LABEL=root"));
  CHECK_FALSE(is_named(*identity, "LABEL=roo"));
  CHECK_FALSE(is_named(*identity, "PARTUUID=00112233-4455-6677-8899-aabbccddeeff"));
  block.replace(0x78, 16, "sixteen bytes...");
  CHECK(ext_identity(block)->label == "sixteen bytes...");
  CHECK_FALSE(ext_identity(std::string_view(block).substr(0, 0x80)));
}
