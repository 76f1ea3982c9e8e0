#include "unit/machine_identity.h"

#include <catch2/catch.hpp>

using namespace onset;

TEST_CASE("a host name is labels of letters, digits and dashes", "[unit][identity]") {
  const std::string longest(64, 'a');
  for (const std::string& name :
       {std::string("a"), std::string("box"), std::string("box.example"), std::string("b-0.x_y"),
        std::string("0"), std::string("A.B"), longest}) {
    CAPTURE(name);
    CHECK(hostname_is_valid(name));
  }
  for (const std::string& name :
       {std::string(), std::string("."), std::string("a."), std::string(".a"), std::string("a..b"),
        std::string("-a"), std::string("a-"), std::string("a-.b"), std::string("a.-b"),
        std::string("a b"), std::string("a/b"), std::string("a\n"), std::string("\xc3\xa4"),
        std::string("a\0b", 3), longest + 'a'}) {
    CAPTURE(name);
    CHECK_FALSE(hostname_is_valid(name));
  }
}

TEST_CASE("/etc/hostname has the name in its first line that is no comment", "[unit][identity]") {
  CHECK(hostname_of_file("box\n") == "box");
  CHECK(hostname_of_file("# mine\n\n  box \nother\n") == "box");
  CHECK(hostname_of_file("box") == "box");
  CHECK(hostname_of_file("#box\n").empty());
  CHECK(hostname_of_file("").empty());
}

TEST_CASE("a machine id is 32 hex digits that are not all zero", "[unit][identity]") {
  const std::string id = "0123456789abcdef0123456789abcdef";
  CHECK(plain_machine_id(id) == id);
  CHECK(plain_machine_id(id + "\n") == id);
  CHECK(plain_machine_id("0123456789ABCDEF0123456789ABCDEF") == id);
  CHECK(plain_machine_id("01234567-89ab-cdef-0123-456789abcdef\n") == id);
  CHECK(plain_machine_id("").empty());
  CHECK(plain_machine_id("uninitialized\n").empty());
  CHECK(plain_machine_id(id + "0").empty());
  CHECK(plain_machine_id(id.substr(1)).empty());
  CHECK(plain_machine_id(std::string(32, '0')).empty());
  CHECK(plain_machine_id(id.substr(1) + "g").empty());
  CHECK(plain_machine_id(id + "\n" + id).empty());
}

TEST_CASE("a new machine id is a random UUID without dashes", "[unit][identity]") {
  std::array<unsigned char, kMachineIdBytes> bytes{};
  CHECK(machine_id_of_bytes(bytes) == "00000000000040008000000000000000");
  bytes.fill(0xff);
  const std::string id = machine_id_of_bytes(bytes);
  CHECK(id == "ffffffffffff4fffbfffffffffffffff");
  CHECK(plain_machine_id(id) == id);
}
