#include "unit/getty_units.h"

#include <algorithm>
#include <catch2/catch.hpp>

using namespace onset;

using Units = std::vector<std::string>;

namespace {

/// With these below /dev.
Units gettys(std::string_view active, const std::vector<std::string_view>& there) {
  return gettys_of_consoles(active, [&there](std::string_view name) {
    return std::ranges::find(there, name) != there.end();
  });
}

}  // namespace

TEST_CASE("each console that is there gets a login", "[unit][getty]") {
  CHECK(gettys("ttyS0\n", {"ttyS0"}) == Units{"serial-getty@ttyS0.service"});
  CHECK(gettys("hvc0 ttyS1\n", {"hvc0", "ttyS1"}) ==
        Units{"serial-getty@hvc0.service", "serial-getty@ttyS1.service"});
  CHECK(gettys("", {"ttyS0"}).empty());
}

TEST_CASE("a console without a device gets none", "[unit][getty]") {
  CHECK(gettys("ttyS0 ttyS3", {"ttyS0"}) == Units{"serial-getty@ttyS0.service"});
  CHECK(gettys("tty0", {}).empty());
}

TEST_CASE("all screens together get a login on tty1", "[unit][getty]") {
  CHECK(gettys("tty0 ttyS0 tty2", {"tty0", "tty1", "tty2", "ttyS0"}) ==
        Units{"serial-getty@ttyS0.service", "getty@tty1.service"});
  // "tty" and a letter is a serial port.
  CHECK(gettys("ttyAMA0", {"ttyAMA0", "tty1"}) == Units{"serial-getty@ttyAMA0.service"});
}

TEST_CASE("a console's name is escaped in its unit's", "[unit][getty]") {
  CHECK(gettys("usb/acm-0", {"usb/acm-0"}) == Units{"serial-getty@usb-acm\\x2d0.service"});
}
