#include "cli/diagnosis.h"

#include <catch2/catch.hpp>
#include <cstring>
#include <nlohmann/json.hpp>

#include "cli/lock_table.h"
#include "cli/process_facts.h"
#include "cli/wait_graph.h"
#include "control/json.h"
#include "support/memory_files.h"

using namespace onset;
using onset::test::MemoryFiles;

namespace {

std::string stat_of(int pid, std::string_view name, char state) {
  return std::to_string(pid) + " (" + std::string(name) + ") " + state +
         " 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 99 0 0";
}

void add_thread(MemoryFiles& files, int pid, int tid, std::string_view call) {
  const std::string folder = "/proc/" + std::to_string(pid) + "/task/" + std::to_string(tid) + "/";
  files.add(folder + "stat", stat_of(tid, "t", 'S'));
  files.add(folder + "wchan", "futex_wait_queue");
  files.add(folder + "stack",
            "[<0>] futex_wait_queue+0x5e/0x90\n[<0>] do_futex+0x1/0x2\nno frame\n");
  files.add(folder + "syscall", call);
  files.add("/proc/" + std::to_string(tid) + "/comm", "t\n");
}

/// The words of mutexes by address: value, count, owner.
class FakeMemory final : public ProcessMemory {
 public:
  Result<std::string> read(pid_t, std::uint64_t address, std::size_t size) override {
    const auto found = words.find(address);
    if (found == words.end()) return Failure{SysError{"process_vm_readv", EFAULT}};
    std::string bytes(size, '\0');
    std::memcpy(bytes.data(), found->second.data(), std::min(size, sizeof found->second));
    return bytes;
  }
  std::map<std::uint64_t, std::array<std::uint32_t, 3>> words;
};

Json unit_with(std::initializer_list<int> pids) {
  Json unit = {{"name", "a.service"}, {"cgroup", "/a.service"}, {"processes", Json::array()}};
  for (const int pid : pids) unit["processes"].push_back({{"pid", pid}});
  return unit;
}

}  // namespace

TEST_CASE("locks that are held and requests that wait are told apart", "[cli][diagnose]") {
  const auto locks = parse_locks(
      "1: POSIX  ADVISORY  WRITE 34 fe:01:131 0 EOF\n"
      "1: -> POSIX  ADVISORY  READ 35 fe:01:131 0 EOF\n"
      "1:  -> POSIX  ADVISORY  WRITE 36 fe:01:131 0 EOF\n"
      "2: OFDLCK ADVISORY  WRITE -1 fe:01:132 0 EOF\n"
      "3: FLOCK  ADVISORY  WRITE\nx: FLOCK ADVISORY WRITE 1 fe:01:1 0 EOF\n\n1:\n: -> \n");
  REQUIRE(locks.size() == 4);
  CHECK_FALSE(locks[0].waits);
  CHECK(locks[1].waits);
  CHECK(locks[1].mode == "READ");
  CHECK(locks[2].waits);
  CHECK(locks[2].pid == 36);
  CHECK(locks[3].pid == 0);
  CHECK(locks[3].file == "fe:01:132");
}

TEST_CASE("the locks of an open file stand in its fdinfo", "[cli][diagnose]") {
  const auto locks = parse_fdinfo_locks(
      "pos:\t0\nflags:\t02\nlock:\t1: FLOCK  ADVISORY  WRITE 34 fe:01:131 0 EOF\nlock:\n");
  REQUIRE(locks.size() == 1);
  CHECK(locks[0].kind == "FLOCK");
}

TEST_CASE("a ring of those that wait is found once, the shortest, from its lowest",
          "[cli][diagnose]") {
  WaitGraph graph;
  graph.add(9, 3);
  graph.add(3, 5);
  graph.add(5, 7);
  graph.add(7, 3);
  graph.add(5, 3);
  graph.add(20, 21);
  CHECK(graph.rings() == std::vector<std::vector<int>>{{3, 5}});
  graph.add(21, 20);
  graph.add(4, 4);
  CHECK(graph.rings() == std::vector<std::vector<int>>{{3, 5}, {4}, {20, 21}});
}

TEST_CASE("a queue of waiters of any length has no ring", "[cli][diagnose]") {
  WaitGraph graph;
  for (int i = 0; i < 2000; ++i) graph.add(i, i + 1);
  CHECK(graph.rings().empty());
}

TEST_CASE("the call that a thread is in is read as the kernel writes it", "[cli][diagnose]") {
  const auto call = parse_thread_call("202 0x7f10 0x80 0x2 0x0 0x0 0x0 0x7ffd 0x7f33\n");
  REQUIRE(call);
  CHECK(call->number == 202);
  CHECK(call->arguments[0] == 0x7f10);
  CHECK(call->arguments[2] == 2);
  for (const char* text :
       {"", "running", "-1 0x7ffd 0x7f33", "202 0x1", "x 0x1 0x1 0x1 0x1 0x1 0x1",
        "202 1 1 1 1 1 1", "202 0x11111111111111111 0x0 0x0 0x0 0x0 0x0"}) {
    CHECK_FALSE(parse_thread_call(text));
  }
}

TEST_CASE("threads wait for whoever has their mutex, and for a thread's end", "[cli][diagnose]") {
  MemoryFiles files;
  FakeMemory memory;
  add_thread(files, 10, 10, "202 0x300 0x109 0xb 0x0 0x0 0xffffffff 0x1 0x1");
  add_thread(files, 10, 11, "202 0x100 0x80 0x2 0x0 0x0 0x0 0x1 0x1");
  add_thread(files, 10, 12, "202 0x200 0x80 0x2 0x0 0x0 0x0 0x1 0x1");
  memory.words = {{0x300, {11, 0, 0}}, {0x100, {2, 0, 12}}, {0x200, {2, 0, 11}}};
  const Diagnosis found = diagnose(unit_with({10}), files, &memory);
  REQUIRE(found.processes.size() == 1);
  const auto& threads = found.processes[0].threads;
  REQUIRE(threads[0].wait);
  CHECK(threads[0].wait->what == ThreadWait::For::End);
  CHECK(threads[0].stack == std::vector<std::string>{"futex_wait_queue", "do_futex"});
  REQUIRE(found.deadlocks.size() == 1);
  CHECK(found.deadlocks[0][0].text ==
        "thread 11 (t) of 10 waits for a mutex that thread 12 (t) has");

  SECTION("what was released meanwhile is waited for no longer") {
    memory.words[0x200] = {0, 0, 0};
    CHECK(diagnose(unit_with({10}), files, &memory).deadlocks.empty());
  }
  SECTION("a number that is no thread's was no owner") {
    memory.words[0x200] = {2, 0, 4711};
    CHECK(diagnose(unit_with({10}), files, &memory).deadlocks.empty());
  }
  SECTION("without a look into its memory nothing is guessed") {
    CHECK(diagnose(unit_with({10}), files, nullptr).deadlocks.empty());
  }
}

TEST_CASE("a ring of mutexes that leads out of the unit's threads is told without a crash",
          "[cli][diagnose]") {
  MemoryFiles files;
  FakeMemory memory;
  add_thread(files, 10, 10, "202 0x100 0x80 0x2 0x0 0x0 0x0 0x1 0x1");
  files.add("/proc/77/comm", "other\n");
  memory.words = {{0x100, {2, 0, 77}}};
  const Diagnosis found = diagnose(unit_with({10}), files, &memory);
  CHECK(found.deadlocks.empty());
  CHECK(found.processes[0].threads[0].wait->thread == 77);
}

TEST_CASE("an open file's lock is theirs who have it open", "[cli][diagnose]") {
  MemoryFiles files;
  for (const int pid : {10, 11}) {
    add_thread(files, pid, pid, "running");
    files.add("/proc/" + std::to_string(pid) + "/comm", "p\n");
  }
  files.add("/proc/10/fd/3", "");
  files.add("/proc/10/fdinfo/3", "lock:\t1: OFDLCK ADVISORY  WRITE -1 fe:01:5 0 EOF\n");
  files.add("/proc/locks",
            "1: OFDLCK ADVISORY  WRITE -1 fe:01:5 0 EOF\n1: -> POSIX  ADVISORY  WRITE 11 fe:01:5 0 "
            "EOF\n");
  const Diagnosis found = diagnose(unit_with({10, 11}), files, nullptr);
  REQUIRE(found.waits.size() == 1);
  REQUIRE(found.waits[0].holders.size() == 1);
  CHECK(found.waits[0].holders[0].pid == 10);
}

TEST_CASE("who waits for a lock of another unit's process is told that unit", "[cli][diagnose]") {
  MemoryFiles files;
  add_thread(files, 10, 10, "73 0x4 0x2 0x0 0x0 0x0 0x0 0x1 0x1");
  files.add_link("/proc/10/fd/4", "/var/lib/x.lock");
  files.add("/proc/20/comm", "dpkg\n");
  files.add("/proc/20/cgroup", "0::/system.slice/apt.service\n");
  files.add("/proc/locks",
            "1: FLOCK  ADVISORY  WRITE 20 fe:01:5 0 EOF\n1: -> FLOCK  ADVISORY  WRITE 10 fe:01:5 0 "
            "EOF\n");
  const Diagnosis found = diagnose(unit_with({10}), files, nullptr);
  REQUIRE(found.waits.size() == 1);
  CHECK(found.waits[0].file == "/var/lib/x.lock");
  CHECK(found.waits[0].holders[0].unit == "apt.service");
  CHECK(found.waits[0].holders[0].name == "dpkg");
}

TEST_CASE("a limit counts as near from four fifths on", "[cli][diagnose]") {
  CHECK(is_near(80, 100));
  CHECK_FALSE(is_near(79, 100));
  CHECK(is_near(8, 10));
  CHECK_FALSE(is_near(1, 10));
  CHECK_FALSE(is_near(5, 0));
  CHECK(is_near(UINT64_MAX, UINT64_MAX));
}

TEST_CASE("a unit's cgroup tells its limits, its pressure and what happened", "[cli][diagnose]") {
  MemoryFiles files;
  const std::string group = "/sys/fs/cgroup/unified/a.service/";
  files.add(group + "cgroup.events", "populated 1\n");
  files.add(group + "memory.current", "900\n");
  files.add(group + "memory.max", "1000\n");
  files.add(group + "memory.high", "max\n");
  files.add(group + "pids.current", "3\n");
  files.add(group + "pids.max", "100\n");
  files.add(group + "memory.events", "low 0\nhigh 0\nmax 7\noom 1\noom_kill 1\n");
  files.add(group + "cpu.stat", "usage_usec 5\nthrottled_usec 2000000\n");
  files.add(group + "memory.pressure",
            "some avg10=42.50 avg60=0.00 avg300=0.00 total=1\nfull avg10=12.00 avg60=0.00 "
            "avg300=0.00 total=1\n");
  const Diagnosis found = diagnose(unit_with({}), files, nullptr);
  REQUIRE(found.limits.size() == 1);
  CHECK(found.limits[0].what == "memory");
  REQUIRE(found.pressures.size() == 1);
  CHECK(found.pressures[0].some == 4250U);
  CHECK(found.pressures[0].full == 1200U);
  CHECK(found.events ==
        std::vector<std::string>{"1 processes were killed by the kernel for want of memory",
                                 "7 times memory was at its limit",
                                 "2s spent waiting because of CPUQuota="});
}

TEST_CASE("the last ends are told in words", "[cli][diagnose]") {
  const Json unit = {{"main", {{"pid", 5}, {"running", false}, {"code", "dumped"}, {"status", 11}}},
                     {"control", {{"pid", 6}, {"running", true}, {"code", nullptr}}},
                     {"result", "watchdog"}};
  CHECK(last_ends(unit) ==
        std::vector<std::string>{"the main process 5 was killed by SIGSEGV, core dumped",
                                 "watchdog: it did not report within WatchdogSec="});
  CHECK(last_ends({{"result", "success"}}).empty());
}
