// When the limits of units are applied, and applied anew.
#include <catch2/catch.hpp>

#include "support/engine_world.h"

using namespace onset;
using namespace onset::test;

namespace {

using Names = std::vector<std::string>;

const char* const kSlice = "[Unit]\nDefaultDependencies=no\n[Slice]\nTasksMax=5\n";

}  // namespace

TEST_CASE("a slice has its limits when it starts, a service with its first process",
          "[engine][manager][resources]") {
  EngineWorld w{{{"a.slice", kSlice},
                 {"a.service", bare_service("/bin/a", "", "Slice=a.slice\nTasksMax=3\n")}}};
  REQUIRE(w.start("a.service") == "");
  CHECK(w.os.limited == Names{"a.slice startup"});
}

TEST_CASE("startup values are taken back when the boot is over, and hold again in a shutdown",
          "[engine][manager][resources]") {
  EngineWorld w{
      {{"default.target", "[Unit]\nDefaultDependencies=no\nRequires=a.service b.service\n"},
       {"exit.target", "[Unit]\nDefaultDependencies=no\n"},
       {"a.service", bare_service("/bin/a", "", "StartupCPUWeight=900\n")},
       {"b.service", bare_service("/bin/b", "", "CPUWeight=9\n")}}};
  w.manager.start_up(w.now);
  REQUIRE(w.state("a.service") == "active");
  REQUIRE_FALSE(w.manager.starting());
  CHECK(w.manager.is_behind());
  w.pass(std::chrono::seconds(1));
  CHECK(w.os.limited.back() == "a.service");
  CHECK(std::ranges::count(w.os.limited, "b.service") == 0);
  w.manager.shut_down(Objective::Exit, 0, w.now);
  w.pass(std::chrono::seconds(1));
  CHECK(w.os.limited.back() == "a.service startup");
}

TEST_CASE("daemon-reload applies the limits of all that runs anew",
          "[engine][manager][resources]") {
  EngineWorld w{{{"a.service", bare_service("/bin/a")}, {"b.service", bare_service("/bin/b")}}};
  REQUIRE(w.start("a.service") == "");
  w.os.limited.clear();
  Diagnostics found;
  w.manager.reload(w.table, w.now, found);
  CHECK(std::ranges::count(w.os.limited, "a.service") == 1);
  CHECK(std::ranges::count(w.os.limited, "b.service") == 0);
}
