// The end of a system, and of an initrd.
#include <catch2/catch.hpp>

#include "unit/cli/cli_world.h"

namespace onset {
namespace {

using test::CliWorld;

class Recorder final : public ProgramRunner {
 public:
  Result<int> run(const std::vector<std::string>& argv) override {
    ran = argv;
    return 3;
  }
  Result<std::string> read_input() override { return std::string(); }
  std::string become(const Successor& /*successor*/) override { return "not here"; }
  std::vector<std::string> ran;
};

TEST_CASE("switch-root is for an initrd, and hands root and init over", "[cli][switch-root]") {
  CliWorld world;
  Recorder programs;
  world.context.programs = &programs;
  CHECK(world.run({"switch-root", "/sysroot"}) == 1);
  CHECK(world.err.text == "Not in initrd, refusing switch-root operation.\n");
  CHECK(programs.ran.empty());
  world.files.add("/etc/initrd-release", "");
  CHECK(world.run({"switch-root", "/sysroot", "/sbin/other"}) == 3);
  CHECK(programs.ran == std::vector<std::string>{"/proc/self/exe", "machine", "switch-root",
                                                 "/sysroot", "/sbin/other"});
}

}  // namespace
}  // namespace onset
