// The end of a system, and of an initrd.
#include <catch2/catch.hpp>

#include "unit/cli/cli_world.h"
#include "unit/cli/program_recorder.h"

namespace onset {
namespace {

using test::CliWorld;

TEST_CASE("switch-root is for an initrd, and hands root and init over", "[cli][switch-root]") {
  CliWorld world;
  test::ProgramRecorder programs;
  programs.status = 3;
  world.context.programs = &programs;
  CHECK(world.run({"switch-root", "/sysroot"}) == 1);
  CHECK(world.err.text == "Not in initrd, refusing switch-root operation.\n");
  CHECK(programs.calls.empty());
  world.files.add("/etc/initrd-release", "");
  CHECK(world.run({"switch-root", "/sysroot", "/sbin/other"}) == 3);
  CHECK(programs.calls.back() == std::vector<std::string>{"/proc/self/exe", "machine",
                                                          "switch-root", "/sysroot",
                                                          "/sbin/other"});
}

TEST_CASE("runlevel is that of the highest target that is up", "[cli][runlevel]") {
  CliWorld world;
  const auto units = [](const char* graphical, const char* multi_user, const char* rescue) {
    return test::units_reply({test::unit_reply("graphical.target", graphical),
                              test::unit_reply("multi-user.target", multi_user),
                              test::unit_reply("rescue.target", rescue)});
  };
  world.manager.reply(units("active", "active", "inactive"));
  CHECK(world.run({}, "/sbin/runlevel") == 0);
  CHECK(world.out.text == "N 5\n");
  world.manager.connection();
  world.manager.reply(units("inactive", "active", "inactive"));
  CHECK(world.run({"runlevel"}) == 0);
  CHECK(world.out.text == "N 3\n");
  world.manager.connection();
  world.manager.reply(units("inactive", "activating", "inactive"));
  CHECK(world.run({"runlevel"}) == 1);
  CHECK(world.out.text == "unknown\n");
}

}  // namespace
}  // namespace onset
