#include "os/process_table.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <csignal>

#include "os/cgroup.h"
#include "os/kernel.h"
#include "unit/os/os_world.h"

using namespace onset;

namespace {

void spawn(ProcessTable& table, pid_t pid, UnitId id, const InvocationId& invocation,
           std::string_view program) {
  table.expect(id, invocation, program);
  table.spawned(pid, id);
}

}  // namespace

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
  spawn(table, 900001, a, first, "/usr/bin/a");
  spawn(table, 900002, b, InvocationId{}, "/usr/bin/b");
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
  spawn(table, 900001, b, InvocationId{}, "/usr/bin/b");
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

namespace {

/// Runs `body` as PID 1 of a PID namespace with its own /proc; its line that failed, or 0.
template <typename Body>
int failed_in_pid_namespace(Body body) {
  const pid_t outer = ::fork();
  if (outer == 0) {
    if (::unshare(CLONE_NEWPID | CLONE_NEWNS) != 0) ::_exit(255);
    const pid_t inner = ::fork();
    if (inner == 0) {
      const bool mounted = ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                           ::mount("proc", "/proc", "proc", 0, nullptr) == 0;
      ::_exit(mounted ? body() : 254);
    }
    int status = 0;
    ::waitpid(inner, &status, 0);
    ::_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 253);
  }
  int status = 0;
  ::waitpid(outer, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 252;
}

#define ELSE_LINE(condition) \
  if (!(condition)) return __LINE__ % 250 + 1

pid_t a_process() {
  const pid_t pid = ::fork();
  while (pid == 0) ::pause();
  return pid;
}

/// One with a child, which leaves the session; known when this returns.
pid_t a_parent(pid_t& child) {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) return -1;
  const pid_t pid = ::fork();
  if (pid == 0) {
    const pid_t below = ::fork();
    if (below == 0) ::setsid();
    if (below > 0) (void)!::write(ends[1], &below, sizeof below);
    for (;;) ::pause();
  }
  const bool told = ::read(ends[0], &child, sizeof child) == sizeof child;
  for (const int end : ends) ::close(end);
  return told ? pid : -1;
}

void end(pid_t pid) {
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
}

constexpr std::chrono::hours kForEver{1};

}  // namespace

TEST_CASE("a fork that nobody told of is noticed", "[os][fork_watch]") {
  ONSET_NEEDS(test::is_root(), "a PID namespace needs root");
  CHECK(failed_in_pid_namespace([] {
          auto proc = open_path("/proc", O_RDONLY | O_DIRECTORY);
          ELSE_LINE(proc);
          ForkWatch watch(*proc, kForEver);
          const std::uint32_t first = watch.generation();
          ELSE_LINE(first != 0);
          const pid_t told = a_process();
          ELSE_LINE(watch.made(told));
          ELSE_LINE(watch.generation() == first);
          const pid_t untold = a_process();
          const std::uint32_t second = watch.generation();
          ELSE_LINE(second != first);
          end(untold);
          ELSE_LINE(watch.generation() == second);
          const pid_t other = a_process();
          const pid_t late = a_process();
          ELSE_LINE(!watch.made(other));  // not the newest: it may be the other's parent
          ELSE_LINE(watch.generation() != second);
          end(late);
          ForkWatch impatient(*proc, std::chrono::milliseconds(-1));
          ELSE_LINE(impatient.generation() != impatient.generation());
          ELSE_LINE(ForkWatch().generation() == 0);
          return 0;
        }) == 0);
}

TEST_CASE("a survey finds who has children, and what childless processes leave is nothing",
          "[os][process_table]") {
  ONSET_NEEDS(test::is_root(), "a PID namespace needs root");
  CHECK(failed_in_pid_namespace([] {
          ProcessTable table("/proc", kForEver);
          constexpr std::uint32_t kParent = 7;
          pid_t child = 0;
          std::vector<pid_t> pids;
          for (std::uint32_t i = 0; i < 100; ++i) {
            pids.push_back(i == kParent ? a_parent(child) : a_process());
            spawn(table, pids.back(), UnitId{i}, InvocationId{}, "/usr/bin/a");
          }
          const std::vector<pid_t> family{pids[kParent], child};
          // Twice: before the survey that the first round earns, and after it.
          for (int round = 0; round < 2; ++round) {
            table.new_turn();
            for (std::uint32_t i = 0; i < 100; ++i) {
              const auto found = table.processes(UnitId{i});
              ELSE_LINE(found == (i == kParent ? family : std::vector<pid_t>{pids[i]}));
            }
          }
          // Born before the parent, it was not known to be childless but by the survey.
          end(pids[3]);
          ELSE_LINE(table.reaped(pids[3]) == UnitId{3});
          ELSE_LINE(!table.lost_any());
          ELSE_LINE(!table.any(UnitId{3}));
          end(pids[kParent]);
          ELSE_LINE(table.reaped(pids[kParent]) == UnitId{kParent});
          ELSE_LINE(table.lost_any());
          table.adopt_orphans();
          table.end_batch();
          ELSE_LINE(table.tops(UnitId{kParent}) == std::vector<pid_t>{child});
          // A fork makes all of that old.
          pid_t grandchild = 0;
          const pid_t late = a_parent(grandchild);
          spawn(table, late, UnitId{200}, InvocationId{}, "/usr/bin/a");
          end(pids[50]);
          table.reaped(pids[50]);
          ELSE_LINE(table.lost_any());
          return 0;
        }) == 0);
}
