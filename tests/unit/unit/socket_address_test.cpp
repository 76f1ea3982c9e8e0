#include "unit/socket_address.h"

#include <catch2/catch.hpp>

using namespace onset;

TEST_CASE("an address of a socket unit is read and printed", "[unit][socket]") {
  struct Row {
    const char* text;
    AddressKind kind;
    const char* shown;
  };
  const Row rows[] = {
      {"/run/a.sock", AddressKind::Path, "/run/a.sock"},
      {"//run/./a.sock", AddressKind::Path, "/run/a.sock"},
      {"@name", AddressKind::Abstract, "@name"},
      {"1234", AddressKind::AnyInet, "[::]:1234"},
      {"127.0.0.1:80", AddressKind::Inet4, "127.0.0.1:80"},
      {"[::1]:80", AddressKind::Inet6, "[::1]:80"},
      {"[::]:22", AddressKind::Inet6, "[::]:22"},
      {"[fe80::1]:80%eth0", AddressKind::Inet6, "[fe80::1]:80%eth0"},
      {"[2001:db8:0:0:1:0:0:1]:80", AddressKind::Inet6, "[2001:db8::1:0:0:1]:80"},
      {"[::ffff:10.0.0.1]:80", AddressKind::Inet6, "[::ffff:a00:1]:80"},
      {"vsock:2:1234", AddressKind::Vsock, "vsock:2:1234"},
      {"vsock::1234", AddressKind::Vsock, "vsock::1234"},
  };
  for (const Row& row : rows) {
    INFO(row.text);
    const auto address = parse_socket_address(row.text);
    REQUIRE(address.ok());
    CHECK(address->kind == row.kind);
    CHECK(to_string(*address) == row.shown);
    const auto again = parse_socket_address(to_string(*address));
    CHECK(again.ok());
  }
}

TEST_CASE("what is no address is refused", "[unit][socket]") {
  for (const char* text : {"",
                           "@",
                           "a",
                           "0",
                           "65536",
                           "-1",
                           "1.2.3:80",
                           "1.2.3.4:",
                           "1.2.3.4:0",
                           "01.2.3.4:5",
                           "1.2.3.256:5",
                           "[::1]",
                           "[::1]80",
                           "[::1",
                           "[1::2::3]:80",
                           "[1:2:3:4:5:6:7]:80",
                           "[1:2:3:4:5:6:7:8:9]:80",
                           "[12345::]:80",
                           "[:::]:80",
                           "[::1]:80%",
                           "vsock:",
                           "vsock:1",
                           "vsock:x:1",
                           "vsock:1:x"}) {
    INFO(text);
    CHECK_FALSE(parse_socket_address(text).ok());
  }
  CHECK_FALSE(parse_socket_address("/" + std::string(kSocketNameMax, 'a')).ok());
  CHECK(parse_socket_address("/" + std::string(kSocketNameMax - 1, 'a')).ok());
}

TEST_CASE("a netlink family is named or numbered", "[unit][socket]") {
  const auto uevent = parse_netlink_address("kobject-uevent 1");
  REQUIRE(uevent.ok());
  CHECK(*uevent == NetlinkAddress{15, 1});
  CHECK(to_string(*uevent) == "kobject-uevent 1");
  CHECK(parse_netlink_address("route")->group == 0);
  CHECK(parse_netlink_address("16 3")->family == 16);
  for (const char* text : {"", "nonsense 1", "route x", "route 1 2", "-1"}) {
    INFO(text);
    CHECK_FALSE(parse_netlink_address(text).ok());
  }
}
