// enable and its kin, of what has an init script.
#include <catch2/catch.hpp>

#include "unit/cli/cli_world.h"
#include "unit/cli/program_recorder.h"

namespace onset {
namespace {

using test::CliWorld;
using test::ProgramRecorder;
using Calls = std::vector<std::vector<std::string>>;

struct ScriptWorld : CliWorld {
  ScriptWorld() { context.programs = &programs; }
  void add_script(const std::string& name) {
    files.add("/etc/init.d/" + name, "#!/bin/sh\n", 0755);
  }
  ProgramRecorder programs;
};

TEST_CASE("an init script is enabled by update-rc.d", "[cli][init_scripts]") {
  ScriptWorld world;
  world.add_script("old");
  world.files.add("/run/systemd/generator.late/old.service",
                  "[Service]\nExecStart=/etc/init.d/old start\n");
  CHECK(world.run({"enable", "old"}) == 0);
  CHECK(world.programs.calls == Calls{{"/usr/sbin/update-rc.d", "old", "defaults"},
                                      {"/usr/sbin/update-rc.d", "old", "enable"}});
  CHECK(world.err.text.find("no installation config") == std::string::npos);
  CHECK(world.run({"disable", "old.service"}) == 0);
  CHECK(world.programs.calls.back() ==
        Calls::value_type{"/usr/sbin/update-rc.d", "old", "disable"});
  world.programs.status = 1;
  CHECK(world.run({"enable", "old"}) == 1);
}

TEST_CASE("a unit with an init script beside it has both changed", "[cli][init_scripts]") {
  ScriptWorld world;
  world.add_script("both");
  world.files.add("/usr/lib/systemd/system/both.service",
                  "[Service]\nExecStart=/b\n[Install]\nWantedBy=multi-user.target\n");
  CHECK(world.run({"enable", "both"}) == 0);
  CHECK(world.programs.calls.size() == 2);
  CHECK(world.files.lstat("/etc/systemd/system/multi-user.target.wants/both.service").ok());
  CHECK(world.run({"is-enabled", "both"}) == 0);
}

TEST_CASE("an init script is enabled where a link starts it", "[cli][init_scripts]") {
  ScriptWorld world;
  world.add_script("old");
  world.files.add_link("/etc/rc5.d/K01old", "../init.d/old");
  CHECK(world.run({"is-enabled", "old"}) == 1);
  CHECK(world.out.text == "disabled\n");
  world.files.add_link("/etc/rc5.d/S01old", "../init.d/old");
  CHECK(world.run({"is-enabled", "old"}) == 0);
  CHECK(world.out.text == "enabled\n");
}

}  // namespace
}  // namespace onset
