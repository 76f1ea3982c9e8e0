// What RealOs has begun when memory runs out: each allocation fails, with all that follow.

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <new>

#include "base/format.h"
#include "os/real_os.h"
#include "support/failing_new.h"
#include "unit/os/os_world.h"

using namespace onset;
using namespace onset::test;

namespace {

/// Whether the act was cut off when it had made so many allocations.
template <class Act>
bool is_cut_off(unsigned left, Act act) {
  const FailingNew failing(left);
  try {
    act();
    return false;
  } catch (const std::bad_alloc&) {
    return true;
  }
}

/// Cut off at each allocation in turn, until there is none left to fail: in how many ways.
template <class Try>
unsigned cut_off_everywhere(Try attempt) {
  unsigned left = 0;
  while (attempt(left)) ++left;
  return left;
}

bool is_readable(BorrowedFd fd) {
  pollfd ready{fd.get(), POLLIN, 0};
  return ::poll(&ready, 1, 0) > 0;
}

std::size_t open_descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    ++count;
  }
  return count;
}

bool has_children() {
  siginfo_t info{};
  return ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 || errno != ECHILD;
}

}  // namespace

TEST_CASE("a launch that finds no memory has made no process", "[os][real_os][memory]") {
  const bool has_memory_of_its_own = GENERATE(false, true);
  const char* const program = GENERATE("/bin/true", "/no/such/thing");
  OsWorld world;
  if (has_memory_of_its_own) world.unit("a.service").exec->oom_score_adjust = 100;
  ExecCommand command;
  command.path = program;
  command.argv = {program};
  world.unit("a.service");
  Result<Launch> launch = Failure{SysError{"spawn", ENOMEM}};
  const unsigned ways = cut_off_everywhere([&](unsigned left) {
    world.request.invocation = world.os->new_invocation();
    const bool cut = is_cut_off(left, [&] { launch = world.spawn_command("a.service", command); });
    if (cut) REQUIRE_FALSE(has_children());
    if (launch) return false;
    return true;
  });
  CHECK(ways > 0);
  REQUIRE(launch.ok());
  CHECK(WEXITSTATUS(world.status_of(launch->pid)) ==
        (*program == '/' && program[1] == 'b' ? 0 : 203));
  CHECK_FALSE(world.os->has_processes(world.id("a.service")));
}

TEST_CASE("that a unit is empty is told, whatever there was no memory for",
          "[os][real_os][memory]") {
  RealOsConfig config = OsWorld::plain_config();
  if (GENERATE(false, true)) config.proc = "/nowhere";
  OsWorld world(std::move(config));
  const unsigned ways = cut_off_everywhere([&](unsigned left) {
    world.empties.clear();
    world.empties.shrink_to_fit();
    world.request.invocation = world.os->new_invocation();
    const auto launch = world.spawn("a.service", {"/bin/true"});
    REQUIRE(launch.ok());
    const UnitId id = world.id("a.service");
    world.os->watch_empty(id, true);
    int status = 0;
    REQUIRE(::waitpid(launch->pid, &status, 0) == launch->pid);
    const bool never_heard = is_cut_off(left, [&] { (void)world.os->reaped(launch->pid, world); });
    if (never_heard) (void)world.os->reaped(launch->pid, world);
    bool cut = is_cut_off(left, [&] { world.os->after_reap(world); });
    if (cut) world.os->after_reap(world);
    CHECK(world.empties == std::vector<UnitId>{id});
    // What was empty when it was asked for comes with the next drain().
    world.os->watch_empty(id, true);
    world.empties.clear();
    world.empties.shrink_to_fit();
    if (is_cut_off(left, [&] { world.os->drain(world); })) {
      cut = true;
      CHECK(is_readable(world.os->poll_fd()));
      world.os->drain(world);
    }
    CHECK(world.empties == std::vector<UnitId>{id});
    world.os->release(id, world.unit("a.service"), false);
    return cut || never_heard;
  });
  CHECK(ways > 0);
}

TEST_CASE("a file that has come is seen, whatever there was no memory for",
          "[os][real_os][memory]") {
  OsWorld world;
  world.unit("p.service");
  const UnitId id = world.id("p.service");
  const unsigned ways = cut_off_everywhere([&](unsigned left) {
    const std::string folder = world.folder / format("folder-{}", left);
    const std::string file = folder + "/there";
    world.os->watch_path(id, file);
    REQUIRE(::mkdir(folder.c_str(), 0755) == 0);
    const bool cut = is_cut_off(left, [&] { world.os->drain(world); });
    if (cut) {
      REQUIRE(is_readable(world.os->poll_fd()));
      world.os->drain(world);
    }
    CHECK(std::ranges::count(world.paths, id) > 0);
    world.paths.clear();
    write_text(file, "1");
    CHECK(world.until([&] { return !world.paths.empty(); }));
    while (world.turn(0)) {
    }
    world.os->watch_path(id, {});
    world.paths.clear();
    world.paths.shrink_to_fit();
    return cut;
  });
  CHECK(ways > 0);
}

TEST_CASE("an orphan is a process of its unit, whatever there was no memory for",
          "[os][real_os][memory]") {
  const unsigned ways = cut_off_everywhere([](unsigned left) {
    OsWorld world;
    const std::string file = world.folder / "up";
    const auto launch = world.spawn(
        "a.service", {"/bin/sh", "-c",
                      "setsid sh -c ': > " + file + "; exec sleep 300' & while ! test -e " + file +
                          "; do :; done"});
    REQUIRE(launch.ok());
    int status = 0;
    REQUIRE(::waitpid(launch->pid, &status, 0) == launch->pid);
    const UnitId id = world.id("a.service");
    REQUIRE(world.os->reaped(launch->pid, world) == id);
    const bool cut = is_cut_off(left, [&] { (void)world.os->has_processes(id); });
    CHECK(world.os->has_processes(id));
    return cut;
  });
  CHECK(ways > 0);
}

TEST_CASE("to look at all processes leaves no descriptor open, whatever there was no memory for",
          "[os][real_os][memory]") {
  ScratchFolder folder;
  RealFiles files;
  write_text(folder / "a-name-that-is-longer-than-a-short-string-has-room-for", "");
  const std::size_t before = open_descriptors();
  const unsigned ways = cut_off_everywhere([&](unsigned left) {
    const bool cut = is_cut_off(left, [&] { (void)files.list(folder.path()); });
    CHECK(open_descriptors() == before);
    return cut;
  });
  CHECK(ways > 1);
}

TEST_CASE("a process that removes a large tree never returns into its parent's work",
          "[os][real_os][memory]") {
  OsWorld world;
  Unit& unit = world.unit("a.service");
  unit.exec->directories[static_cast<unsigned>(ExecDirectory::Runtime)] =
      DirectorySet{{{"large", {}}}, 0755};
  const std::string base = world.folder / "run";
  std::filesystem::create_directories(base + "/large");
  unsigned number = 0;
  const unsigned ways = cut_off_everywhere([&](unsigned left) {
    const auto self = ::getpid();
    for (unsigned i = 0; i < 4097; ++i) {
      std::filesystem::create_directories(base + "/large");
      UniqueFd(::open(format("{}/large/{}", base, ++number).c_str(), O_CREAT | O_WRONLY, 0600));
    }
    const bool cut =
        is_cut_off(left, [&] { world.os->release(world.id("a.service"), unit, true); });
    if (::getpid() != self) ::_exit(42);
    int status = 0;
    if (::waitpid(-1, &status, 0) > 0) CHECK(WEXITSTATUS(status) <= 1);
    return cut || WEXITSTATUS(status) == 1;
  });
  CHECK(ways > 0);
}

TEST_CASE("a bus that there is no memory for keeps nobody else from being told",
          "[os][real_os][memory]") {
  const ScratchFolder folder;
  UniqueFd bus(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  (folder / "bus").copy(address.sun_path, sizeof address.sun_path - 1);
  REQUIRE(::bind(bus.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(::listen(bus.get(), 16) == 0);

  RealOsConfig config = OsWorld::plain_config();
  config.environment.push_back("DBUS_SYSTEM_BUS_ADDRESS=unix:path=" + folder / "bus");
  OsWorld world(std::move(config));
  world.unit("a.service");
  const UnitId id = world.id("a.service");
  int ends[2] = {-1, -1};
  REQUIRE(::pipe(ends) == 0);
  const pid_t middle = ::fork();
  if (middle == 0) {
    const pid_t alien = ::fork();
    if (alien == 0) ::alarm(20);
    if (alien == 0) ::pause();
    (void)!::write(ends[1], &alien, sizeof alien);
    ::waitpid(alien, nullptr, 0);
    (void)!::write(ends[1], "x", 1);
    ::_exit(0);
  }
  pid_t alien = 0;
  REQUIRE(::read(ends[0], &alien, sizeof alien) == sizeof alien);
  CHECK(world.os->watch_alien(id, alien));
  world.aliens.reserve(1);
  const std::string name = "org.example.ThingWithALongName";
  // The name is kept, and there is no memory for the connection.
  for (unsigned left = 0; is_cut_off(left, [&] { world.os->watch_bus_name(id, name); }); ++left) {
  }
  REQUIRE(is_readable(world.os->poll_fd()));
  CHECK(is_cut_off(0, [&] { world.os->drain(world); }));

  REQUIRE(::kill(alien, SIGKILL) == 0);
  char ended = 0;
  REQUIRE(::read(ends[0], &ended, 1) == 1);
  for (unsigned turn = 0; turn < 3; ++turn) {
    CHECK(is_cut_off(0, [&] { world.os->drain(world); }));
  }
  CHECK(world.aliens == std::vector<pid_t>{alien});
  world.status_of(middle);
  ::close(ends[0]);
  ::close(ends[1]);
}
