#include "unit/specifiers.h"

#include <catch2/catch.hpp>

#include "support/vectors.h"

using namespace onset;

namespace {

HostFacts facts() {
  HostFacts host;
  host.hostname = "box.example.org";
  host.machine_id = "0123";
  host.boot_id = "4567";
  host.kernel_release = "6.1.0";
  host.architecture = "x86-64";
  host.os_id = "debian";
  host.os_version_id = "12";
  host.user_name = "joe";
  host.uid = 1000;
  host.group_name = "staff";
  host.gid = 50;
  host.home = "/home/joe";
  host.shell = "/bin/bash";
  return host;
}

}  // namespace

TEST_CASE("what is taken from a unit's name is what systemd takes", "[unit][specifiers]") {
  const HostFacts host = facts();
  for (const test::Row& row : test::read_vectors("specifier")) {
    CAPTURE(row.at(0), row.at(1));
    CHECK(expand_specifiers("%" + row.at(1), {row.at(0), "", host}).value_or("!") == row.at(2));
  }
}

TEST_CASE("every other specifier gives the fact that its letter stands for", "[unit][specifiers]") {
  const HostFacts host = facts();
  const SpecifierScope scope{"foo@b.service", "/etc/onset/system/foo@.service", host};
  CHECK(*expand_specifiers("%y %Y %d", scope) ==
        "/etc/onset/system/foo@.service /etc/onset/system /run/credentials/foo@b.service");
  CHECK(*expand_specifiers("%t %S %C %L %E %T %V", scope) ==
        "/run /var/lib /var/cache /var/log /etc /tmp /var/tmp");
  CHECK(*expand_specifiers("%a %b %m %v", scope) == "x86-64 4567 0123 6.1.0");
  CHECK(*expand_specifiers("%H %l %q", scope) == "box.example.org box box");
  CHECK(*expand_specifiers("%o %w [%A%B%M%W]", scope) == "debian 12 []");
  CHECK(*expand_specifiers("%u %U %g %G %h %s", scope) == "joe 1000 staff 50 /home/joe /bin/bash");
}

TEST_CASE("what is not known is an error and not an empty text", "[unit][specifiers]") {
  const HostFacts host;
  const SpecifierScope scope{"foo.service", "", host};
  CHECK(expand_specifiers("%m", scope).error() ==
        "the specifier %m has no value: there is no machine ID");
  CHECK_FALSE(expand_specifiers("%b", scope));
  CHECK_FALSE(expand_specifiers("%y", scope));
  CHECK_FALSE(expand_specifiers("%Y", scope));
  CHECK(expand_specifiers("+%Z", scope).error() ==
        "unknown specifier %Z; a percent sign is written %%");
  for (const char letter : std::string_view("cDeFkKOQrRxXzZ0123456789")) {
    CAPTURE(letter);
    CHECK_FALSE(expand_specifiers(std::string("%") + letter, scope));
  }
}

TEST_CASE("what a specifier gives is not looked at again", "[unit][specifiers]") {
  HostFacts host = facts();
  host.hostname = "%n%%";
  CHECK(*expand_specifiers("%H%%n", {"a.service", "", host}) == "%n%%%n");
}

TEST_CASE("C10: the output is capped however short the text", "[unit][specifiers][C10]") {
  HostFacts host = facts();
  host.hostname = std::string(1000, 'x');
  std::string bomb;
  for (int i = 0; i < 100'000; ++i) bomb += "%H";
  CHECK_FALSE(expand_specifiers(bomb, {"a.service", "", host}));
  CHECK(expand_specifiers("%H", {"a.service", "", host}, 1000));
  CHECK_FALSE(expand_specifiers("%Hx", {"a.service", "", host}, 1000));
}
