#include "os/process_table.h"

#include <catch2/catch.hpp>

#include "os/cgroup.h"

using namespace onset;

TEST_CASE("a process's name may hold anything", "[os][process_table]") {
  const auto plain =
      parse_process_stat("12 (sleep) S 1 12 13 0 -1 4194560 107 0 0 0 0 0 0 0 20 0 1 0 4711 5\n");
  REQUIRE(plain.has_value());
  CHECK(plain->state == 'S');
  CHECK(plain->parent == 1);
  CHECK(plain->group == 12);
  CHECK(plain->session == 13);
  CHECK(plain->started == 4711);
  const auto odd =
      parse_process_stat("12 (a) Z 9 9 9 (b) c) R 7 8 9 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 3 5");
  REQUIRE(odd.has_value());
  CHECK(odd->name == "a) Z 9 9 9 (b) c");
  CHECK(odd->state == 'R');
  CHECK(odd->parent == 7);
  for (const char* text :
       {"", "12", "12 (x", "12 (x) S", "12 (x) S a b c", ") 1 (", "12 (x) S 1 2 3"}) {
    INFO(text);
    CHECK_FALSE(parse_process_stat(text).has_value());
  }
}

TEST_CASE("a process is a unit's from its start until it is reaped", "[os][process_table]") {
  ProcessTable table("/nowhere");
  const UnitId a{1};
  const UnitId b{2};
  InvocationId first{};
  first[0] = 1;
  table.spawned(900001, a, first, "/usr/bin/a");
  table.spawned(900002, b, InvocationId{}, "/usr/bin/b");
  CHECK(table.unit_of(900001) == a);
  CHECK(table.tops(a) == std::vector<pid_t>{900001});
  CHECK(table.any(a));
  CHECK_FALSE(table.lost_any());
  CHECK(table.reaped(900001) == a);
  CHECK(table.lost_any());
  table.end_batch();
  CHECK_FALSE(table.lost_any());
  CHECK_FALSE(table.any(a));
  CHECK_FALSE(table.reaped(900001).valid());
  // What is left of a forgotten activation stays with its unit.
  table.forget(b);
  CHECK(table.unit_of(900002) == b);
  CHECK(table.reaped(900002) == b);
  // The number comes again, for another unit.
  table.spawned(900001, b, InvocationId{}, "/usr/bin/b");
  CHECK(table.unit_of(900001) == b);
}

TEST_CASE("cgroups nest as slices do, names of the kernel's are kept apart", "[os][cgroup]") {
  Unit unit;
  unit.cgroup = std::make_unique<CgroupConfig>();
  const auto path = [&](const char* name, const char* slice) {
    unit.id = name;
    unit.cgroup->slice = slice;
    return cgroup_path(unit, false);
  };
  CHECK(path("a.service", "") == "system.slice/a.service");
  CHECK(path("a.service", "-.slice") == "a.service");
  CHECK(path("a.service", "x.slice") == "x.slice/a.service");
  CHECK(path("a.service", "x-y-z.slice") == "x.slice/x-y.slice/x-y-z.slice/a.service");
  CHECK(path("_a.service", "") == "system.slice/__a.service");
  CHECK(path("cgroup.service", "") == "system.slice/_cgroup.service");
  CHECK(path("memory.service", "") == "system.slice/_memory.service");
  CHECK(path("system-systemd\\x2dcryptsetup.service", "") ==
        "system.slice/system-systemd\\x2dcryptsetup.service");
  unit.id = "a.service";
  unit.cgroup->slice.clear();
  CHECK(cgroup_path(unit, true) == "app.slice/a.service");
}
