#include "os/real_os.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <filesystem>

#include "base/format.h"
#include "os/kernel.h"
#include "os/launch_clone.h"
#include "unit/os/os_world.h"

using namespace onset;
using namespace onset::test;

namespace {

Unit system_slice() {
  Unit slice;
  slice.id = "system.slice";
  slice.type = UnitType::Slice;
  slice.cgroup = std::make_unique<CgroupConfig>();
  slice.cgroup->slice = "-.slice";
  return slice;
}

KillRequest whole(const OsWorld& world, std::string_view name, pid_t main, int signal) {
  KillRequest kill;
  kill.id = world.id(name);
  kill.main_pid = main;
  kill.signal = signal;
  kill.to_main = kill.to_control = kill.to_rest = true;
  return kill;
}

/// A cgroup of the test's own in the machine's v2 hierarchy, with the test in it.
class OwnCgroup {
 public:
  OwnCgroup() {
    for (const char* mount : {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"}) {
      if (::access((std::string(mount) + "/cgroup.procs").c_str(), W_OK) != 0) continue;
      // Not by our PID: another run may have the same in its namespace.
      path_ = format("{}/onset-test-XXXXXX", mount);
      if (::mkdtemp(path_.data()) == nullptr || !enter(path_)) {
        ::rmdir(path_.c_str());
        path_.clear();
        continue;
      }
      mount_ = mount;
      return;
    }
  }
  ~OwnCgroup() {
    if (path_.empty()) return;
    (void)enter(mount_);
    await_empty();
    std::vector<std::string> groups{path_};
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path_)) {
      if (entry.is_directory()) groups.push_back(entry.path());
    }
    for (auto group = groups.rbegin(); group != groups.rend(); ++group) ::rmdir(group->c_str());
  }
  OwnCgroup(const OwnCgroup&) = delete;
  OwnCgroup& operator=(const OwnCgroup&) = delete;
  [[nodiscard]] bool usable() const { return !path_.empty(); }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] RealOsConfig config() const {
    RealOsConfig config = OsWorld::plain_config();
    config.use_cgroups = true;
    config.cgroup_place.mounts = {mount_};
    return config;
  }

 private:
  /// What was killed last may still be on its way.
  void await_empty() const {
    const UniqueFd events(::open((path_ + "/cgroup.events").c_str(), O_RDONLY | O_CLOEXEC));
    const UniqueFd end(::open((path_ + "/cgroup.kill").c_str(), O_WRONLY | O_CLOEXEC));
    (void)!::write(end.get(), "1", 1);
    for (pollfd change{events.get(), POLLPRI, 0};;) {
      std::array<char, 256> text{};
      if (::pread(events.get(), text.data(), text.size() - 1, 0) <= 0) return;
      if (std::string_view(text.data()).find("populated 0") != std::string_view::npos) return;
      if (::poll(&change, 1, 2000) <= 0) return;
    }
  }

  static bool enter(const std::string& group) {
    auto fd = open_path((group + "/cgroup.procs").c_str(), O_WRONLY);
    return fd && ::write(fd->get(), "0", 1) == 1;
  }
  std::string path_;
  std::string mount_;
};

/// Starts a shell that leaves a process in a session of its own and tells its
/// pid, then does `rest`.
std::vector<std::string> daemonizing(const std::string& pid_file, const std::string& rest) {
  return {"/bin/sh", "-c",
          "setsid sh -c 'echo $$ > " + pid_file + ".part; mv " + pid_file + ".part " + pid_file +
              "; exec sleep 300' & while ! test -e " + pid_file + "; do :; done; " + rest};
}

pid_t pid_in(const std::string& file) {
  return static_cast<pid_t>(std::atoi(read_text(file).c_str()));
}

}  // namespace

TEST_CASE("every process below the main one belongs to the unit", "[os][real_os]") {
  OsWorld world;
  const std::string file = world.folder / "pid";
  auto launch = world.spawn("t.service", daemonizing(file, "exec sleep 300"));
  REQUIRE(launch.ok());
  world.os->watch_path(world.id("t.service"), file);
  if (::access(file.c_str(), F_OK) != 0) {
    REQUIRE(world.until([&] { return ::access(file.c_str(), F_OK) == 0; }));
  }
  const pid_t other = pid_in(file);
  REQUIRE(other > 0);
  const UnitId id = world.id("t.service");
  const std::vector<pid_t> all = world.os->processes(id);
  CHECK(all.front() == launch->pid);
  CHECK(std::ranges::count(all, other) == 1);
  CHECK(world.os->unit_of_process(other) == id);
  CHECK(world.os->unit_of_process(launch->pid) == id);
  CHECK_FALSE(world.os->unit_of_process(::getpid()).valid());
  CHECK(world.os->has_processes(id));

  world.os->watch_empty(id, true);
  const KillReport report = world.os->kill(whole(world, "t.service", launch->pid, SIGTERM));
  CHECK(report.main == 1);
  CHECK(report.rest >= 1);
  CHECK(report.error == 0);
  CHECK(world.until([&] { return !world.empties.empty(); }));
  CHECK(world.empties.front() == id);
  CHECK_FALSE(world.os->has_processes(id));
}

TEST_CASE("a daemon that outlives its parent stays the unit's and is guessed as its main process",
          "[os][real_os]") {
  OsWorld world;
  const std::string file = world.folder / "pid";
  auto launch = world.spawn("f.service", daemonizing(file, "exit 0"));
  REQUIRE(launch.ok());
  CHECK(world.status_of(launch->pid) == 0);
  const pid_t daemon = pid_in(file);
  const UnitId id = world.id("f.service");
  CHECK(world.os->guess_main_pid(id, 0) == daemon);
  CHECK(world.os->has_processes(id));
  CHECK(world.os->unit_of_process(daemon) == id);
  // It is our child now: nobody needs to watch it.
  CHECK_FALSE(world.os->watch_alien(id, daemon));
  world.os->watch_empty(id, true);
  CHECK(world.os->kill(whole(world, "f.service", 0, SIGKILL)).rest >= 1);
  CHECK(world.until([&] { return !world.empties.empty(); }));
}

TEST_CASE("an orphan that hides its environment is told by who lost it", "[os][real_os]") {
  OsWorld world;
  const std::string file = world.folder / "pid";
  auto launch = world.spawn("h.service", {"/bin/sh", "-c",
                                          "setsid env -i /bin/sh -c 'echo $$ > " + file +
                                              "; exec sleep 300' & while ! test "
                                              "-s " +
                                              file + "; do :; done; exit 0"});
  REQUIRE(launch.ok());
  CHECK(world.status_of(launch->pid) == 0);
  CHECK(world.os->guess_main_pid(world.id("h.service"), 0) == pid_in(file));
}

TEST_CASE("two candidates make no guess", "[os][real_os]") {
  OsWorld world;
  auto launch = world.spawn("g.service", {"/bin/sh", "-c", "sleep 300 & sleep 300 & exit 0"});
  REQUIRE(launch.ok());
  CHECK(world.status_of(launch->pid) == 0);
  const UnitId id = world.id("g.service");
  CHECK(world.os->processes(id).size() == 2);
  CHECK(world.os->guess_main_pid(id, 0) == 0);
}

TEST_CASE("a unit that is empty when it is watched is told once", "[os][real_os]") {
  OsWorld world;
  CHECK(world.run("e.service", {"/bin/true"}) == 0);
  world.os->watch_empty(world.id("e.service"), true);
  CHECK(world.until([&] { return world.empties.size() == 1; }));
  CHECK_FALSE(world.turn(0));
}

TEST_CASE("without /proc the started processes are known and end", "[os][real_os][faults]") {
  RealOsConfig config = OsWorld::plain_config();
  config.proc = "/nowhere";
  OsWorld world(std::move(config));
  CHECK(world.log.has("no /proc here"));
  CHECK(world.os->backend().starts_with("started processes alone"));
  auto launch = world.spawn("n.service", {"/bin/sleep", "300"});
  REQUIRE(launch.ok());
  const UnitId id = world.id("n.service");
  CHECK(world.os->processes(id) == std::vector<pid_t>{launch->pid});
  CHECK(world.os->is_alive(launch->pid));
  world.os->watch_empty(id, true);
  CHECK(world.os->kill(whole(world, "n.service", launch->pid, SIGTERM)).main == 1);
  CHECK(world.until([&] { return !world.empties.empty(); }));
}

TEST_CASE("with cgroups a unit's processes are those of its group", "[os][real_os][cgroup]") {
  ONSET_NEEDS(is_root(), "making cgroups needs root");
  const OwnCgroup own;
  ONSET_NEEDS(own.usable(), "no writable cgroup v2 hierarchy");
  OsWorld world(own.config());
  INFO(world.os->backend() << "\n" << world.log.all());
  REQUIRE(world.os->backend() == "cgroup v2 at " + own.path());
  const std::string file = world.folder / "pid";
  auto launch = world.spawn("c.service", daemonizing(file, "exit 0"));
  REQUIRE(launch.ok());
  CHECK(world.status_of(launch->pid) == 0);
  const UnitId id = world.id("c.service");
  Unit unit;
  unit.id = "c.service";
  CHECK(world.os->usage(id, unit).cpu_nsec.has_value());
  REQUIRE(world.os->freeze(id, unit, true).ok());
  CHECK(world.os->is_frozen(id));
  REQUIRE(world.os->freeze(id, unit, false).ok());
  CHECK(world.os->control_group(id, unit) ==
        own.path().substr(own.path().rfind('/')) + "/system.slice/c.service");
  const pid_t daemon = pid_in(file);
  CHECK(std::ranges::count(world.os->processes(id), daemon) == 1);
  CHECK(world.os->guess_main_pid(id, 0) == daemon);
  CHECK(world.os->unit_of_process(daemon) == id);
  world.os->watch_empty(id, true);
  CHECK(world.os->kill(whole(world, "c.service", 0, SIGKILL)).rest >= 1);
  CHECK(world.until([&] { return !world.empties.empty(); }));
  CHECK_FALSE(world.os->has_processes(id));
  world.os->release(id, world.unit("c.service"), true);
  CHECK(::access((own.path() + "/system.slice/c.service").c_str(), F_OK) != 0);
  const Unit slice = system_slice();
  world.os->release(UnitId{4711}, slice, false);
  CHECK(::access((own.path() + "/system.slice").c_str(), F_OK) != 0);
  REQUIRE(world.run("c.service", {"/bin/true"}) == 0);  // makes it anew
  world.os->release(UnitId{4711}, slice, false);
  // Empty between two commands, and still the service's: its watch lives there.
  CHECK(::access((own.path() + "/system.slice/c.service").c_str(), F_OK) == 0);
  world.os->release(id, world.unit("c.service"), true);
  world.os->forget(UnitId{4711}, slice);
  CHECK(::access((own.path() + "/system.slice").c_str(), F_OK) != 0);
}

TEST_CASE("a slice's processes are those of the units in it", "[os][real_os][cgroup]") {
  ONSET_NEEDS(is_root(), "making cgroups needs root");
  const OwnCgroup own;
  ONSET_NEEDS(own.usable(), "no writable cgroup v2 hierarchy");
  OsWorld world(own.config());
  INFO(world.os->backend());
  const auto launch = world.spawn("c.service", {"/bin/sleep", "60"});
  REQUIRE(launch.ok());
  const Unit slice = system_slice();
  KillRequest kill;
  kill.id = UnitId{4711};
  kill.unit = &slice;
  kill.to_main = kill.to_control = kill.to_rest = true;
  kill.signal = GENERATE(SIGTERM, SIGKILL);
  CHECK(world.os->kill(kill).rest == 1);
  CHECK(WTERMSIG(world.status_of(launch->pid)) == kill.signal);
  world.os->release(world.id("c.service"), world.unit("c.service"), true);
  world.os->release(kill.id, slice, false);
  CHECK(::access((own.path() + "/system.slice").c_str(), F_OK) != 0);
}

TEST_CASE("a child that is born frozen tells later how its launch went", "[os][real_os][cgroup]") {
  ONSET_NEEDS(is_root(), "making cgroups needs root");
  const OwnCgroup own;
  ONSET_NEEDS(own.usable(), "no writable cgroup v2 hierarchy");
  OsWorld world(own.config());
  INFO(world.os->backend());
  CHECK(world.run("first.service", {"/bin/true"}) == 0);  // makes the slice
  const std::string freezer = own.path() + "/system.slice/cgroup.freeze";
  write_text(freezer, "1");
  const auto good = world.spawn("good.service", {"/bin/sleep", "60"});
  const auto bad = world.spawn("bad.service", {"/no/such/thing"});
  const auto killed = world.spawn("killed.service", {"/bin/sleep", "60"});
  const auto aborted = world.spawn("aborted.service", {"/bin/sleep", "60"});
  write_text(own.path() + "/system.slice/killed.service/cgroup.kill", "1");
  REQUIRE((good.ok() && bad.ok() && killed.ok() && aborted.ok()));
  CHECK_FALSE((good->exec_done || bad->exec_done || killed->exec_done || aborted->exec_done));
  CHECK(WTERMSIG(world.status_of(killed->pid)) == SIGKILL);
  CHECK(std::ranges::count(world.execs, good->pid) == 0);
  CHECK_FALSE(world.log.has("bad.service"));
  // One that dumps core would, before Linux 5.16, end all who share its memory; the sanitizer's
  // has memory of its own.
  const int end = can_clone_onto_stack() ? SIGKILL : SIGABRT;
  REQUIRE(::kill(aborted->pid, SIGABRT) == 0);
  write_text(freezer, "0");
  CHECK(WTERMSIG(world.status_of(aborted->pid)) == end);
  CHECK(WEXITSTATUS(world.status_of(bad->pid)) == 203);
  CHECK(world.log.has("bad.service: cannot execute /no/such/thing"));
  CHECK(world.until([&] { return std::ranges::count(world.execs, good->pid) == 1; }));
  CHECK(std::ranges::count(world.execs, bad->pid) == 0);
  // And launches are again as ever.
  bool at_once = !can_clone_onto_stack();
  for (unsigned tries = 0; tries < 100 && !at_once; ++tries) {
    const auto next = world.spawn("next.service", {"/bin/true"});
    REQUIRE(next.ok());
    at_once = next->exec_done;
    world.status_of(next->pid);
  }
  CHECK(at_once);
}

TEST_CASE("a cgroup that others share is not taken", "[os][real_os][cgroup]") {
  ONSET_NEEDS(is_root(), "making cgroups needs root");
  const OwnCgroup own;
  ONSET_NEEDS(own.usable(), "no writable cgroup v2 hierarchy");
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t other = ::fork();
  if (other == 0) {
    char c = 0;
    ::close(ends[1]);
    (void)!::read(ends[0], &c, 1);
    ::_exit(0);
  }
  ::close(ends[0]);
  {
    OsWorld world(own.config());
    CHECK(world.os->backend() == "process tree (its cgroup is shared with other processes)");
  }
  ::close(ends[1]);
}

TEST_CASE("a signal is followed by SIGCONT and SIGHUP where asked", "[os][real_os]") {
  OsWorld world;
  // Without a child, of whose end by SIGUSR1 the shell would tell on the runner's terminal.
  const auto launch = world.spawn(
      "s.service", {"/bin/sh", "-c", "trap 'exit 9' HUP; trap : USR1; kill -STOP $$; exit 1"});
  REQUIRE(launch.ok());
  siginfo_t stopped{};
  REQUIRE(::waitid(P_PID, static_cast<id_t>(launch->pid), &stopped, WSTOPPED | WEXITED | WNOWAIT) ==
          0);
  REQUIRE(stopped.si_code == CLD_STOPPED);
  KillRequest kill = whole(world, "s.service", launch->pid, SIGUSR1);
  kill.then_continue = true;
  kill.then_hangup = true;
  CHECK(world.os->kill(kill).main == 1);
  CHECK(WEXITSTATUS(world.status_of(launch->pid)) == 9);
}

TEST_CASE("a file is seen when it comes, its folders too", "[os][real_os][path_watch]") {
  OsWorld world;
  world.unit("p.service");
  const UnitId id = world.id("p.service");
  const std::string file = world.folder / "a/b/c.pid";
  world.os->watch_path(id, file);
  ::mkdir((world.folder / "a").c_str(), 0755);
  REQUIRE(world.until([&] { return !world.paths.empty(); }));
  ::mkdir((world.folder / "a/b").c_str(), 0755);
  world.until([&] { return world.paths.size() >= 2; });
  world.paths.clear();
  write_text(file, "1\n");
  REQUIRE(world.until([&] { return !world.paths.empty(); }));
  CHECK(world.paths.front() == id);
  while (world.turn(0)) {
  }
  world.os->watch_path(id, "");
  world.paths.clear();
  write_text(file, "2\n");
  while (world.turn(0)) {
  }
  CHECK(world.paths.empty());
}

TEST_CASE("the end of a process that is not our child is told", "[os][real_os]") {
  OsWorld world;
  world.unit("a.service");
  int ends[2];
  int back[2];
  REQUIRE(::pipe(ends) == 0);
  REQUIRE(::pipe(back) == 0);
  const pid_t middle = ::fork();
  if (middle == 0) {
    const pid_t alien = ::fork();
    if (alien == 0) {
      char c = 0;
      ::close(ends[1]);
      (void)!::read(ends[0], &c, 1);
      ::_exit(0);
    }
    (void)!::write(back[1], &alien, sizeof alien);
    ::close(ends[1]);
    ::waitpid(alien, nullptr, 0);
    ::_exit(0);
  }
  pid_t alien = 0;
  REQUIRE(::read(back[0], &alien, sizeof alien) == sizeof alien);
  CHECK(world.os->watch_alien(world.id("a.service"), alien));
  CHECK(world.aliens.empty());
  ::close(ends[1]);
  ::close(ends[0]);
  CHECK(world.until([&] { return !world.aliens.empty(); }));
  CHECK(world.aliens.front() == alien);
  world.status_of(middle);
  ::close(back[0]);
  ::close(back[1]);
}

namespace {

/// A process with copies of all descriptors, as one has that was cloned and has not executed.
class CopyOfAll {
 public:
  CopyOfAll() : pid_(::fork()) {
    while (pid_ == 0) ::pause();
  }
  ~CopyOfAll() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  CopyOfAll(const CopyOfAll&) = delete;
  CopyOfAll& operator=(const CopyOfAll&) = delete;

 private:
  pid_t pid_;
};

bool is_readable(BorrowedFd fd) {
  pollfd ready{fd.get(), POLLIN, 0};
  return ::poll(&ready, 1, 0) > 0;
}

}  // namespace

TEST_CASE("a launch's pipe that another child has too is heard of no more once it was read",
          "[os][real_os][faults]") {
  OsWorld world;
  world.unit("s.service").exec->oom_score_adjust = 100;  // with memory of its own, by a pipe
  const auto launch = world.spawn("s.service", {GENERATE("/bin/sleep", "/no/such/thing"), "300"});
  REQUIRE(launch.ok());
  const CopyOfAll late;
  REQUIRE(world.os->is_launching());
  REQUIRE(world.until([&] { return !world.os->is_launching(); }));
  CHECK_FALSE(is_readable(world.os->poll_fd()));
}

TEST_CASE("the end of what is not our child is told once, whoever else has its descriptor",
          "[os][real_os][faults]") {
  OsWorld world;
  world.unit("a.service");
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t middle = ::fork();
  if (middle == 0) {
    const pid_t alien = ::fork();
    while (alien == 0) ::pause();
    (void)!::write(ends[1], &alien, sizeof alien);
    ::waitpid(alien, nullptr, 0);
    ::_exit(0);
  }
  pid_t alien = 0;
  REQUIRE(::read(ends[0], &alien, sizeof alien) == sizeof alien);
  CHECK(world.os->watch_alien(world.id("a.service"), alien));
  const CopyOfAll late;
  ::kill(alien, SIGKILL);
  CHECK(world.until([&] { return !world.aliens.empty(); }));
  world.status_of(middle);
  CHECK_FALSE(is_readable(world.os->poll_fd()));
  CHECK(world.aliens == std::vector<pid_t>{alien});
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_CASE("a PID file is believed only with reason", "[os][real_os][pid_file][faults]") {
  OsWorld world;
  auto launch = world.spawn("m.service", {"/bin/sleep", "300"});
  auto other = world.spawn("o.service", {"/bin/sleep", "300"});
  REQUIRE(launch.ok());
  REQUIRE(other.ok());
  const UnitId id = world.id("m.service");
  const std::string file = world.folder / "m.pid";
  const auto read = [&] { return world.os->read_pid_file(id, world.unit("m.service"), file); };

  SECTION("no file is no problem, neither is an empty one") {
    CHECK(read().pid == 0);
    CHECK(read().problem.empty());
    write_text(file, "\n");
    CHECK(read().problem.empty());
  }
  SECTION("the unit's own process") {
    write_text(file, format("{}\n", launch->pid));
    CHECK(read().pid == launch->pid);
    CHECK_FALSE(read().alien);
  }
  SECTION("another unit's, PID 1, ourselves, nobody's, nonsense") {
    write_text(file, format("{}\n", other->pid));
    CHECK(read().pid == 0);
    CHECK(read().problem.find("another unit") != std::string::npos);
    for (const std::string text : {"1", "0", "-5", "+7", "0x10", "99999999999", "12 13", "abc"}) {
      write_text(file, text);
      INFO(text);
      CHECK(read().pid == 0);
      CHECK_FALSE(read().problem.empty());
    }
    write_text(file, format("{}", ::getpid()));
    CHECK(read().pid == 0);
  }
  SECTION("a zombie") {
    const pid_t zombie = ::fork();
    if (zombie == 0) ::_exit(0);
    siginfo_t info{};
    ::waitid(P_PID, static_cast<id_t>(zombie), &info, WEXITED | WNOWAIT);
    write_text(file, format("{}\n", zombie));
    CHECK(read().pid == 0);
    CHECK(read().problem.find("does not run") != std::string::npos);
  }
  SECTION("a FIFO in its place does not hold us up") {
    REQUIRE(::mkfifo(file.c_str(), 0600) == 0);
    CHECK(read().pid == 0);
    CHECK(read().problem.find("not a regular file") != std::string::npos);
  }
  SECTION("what another user wrote counts for the unit's own processes alone") {
    ONSET_NEEDS(is_root(), "needs files of other users");
    write_text(file, format("{}\n", ::getppid()));
    CHECK(read().pid == ::getppid());  // root wrote it
    CHECK(read().alien);
    REQUIRE(::chown(file.c_str(), 1, 1) == 0);
    CHECK(read().pid == 0);
    write_text(file, format("{}\n", launch->pid));
    CHECK(read().pid == launch->pid);
  }
  SECTION("a link that another user made is questionable") {
    ONSET_NEEDS(is_root(), "needs files of other users");
    const std::string theirs = world.folder / "theirs";
    ::mkdir(theirs.c_str(), 0755);
    write_text(world.folder / "roots.pid", format("{}\n", ::getppid()));
    REQUIRE(::symlink((world.folder / "roots.pid").c_str(), (theirs + "/x.pid").c_str()) == 0);
    REQUIRE(::lchown((theirs + "/x.pid").c_str(), 1, 1) == 0);
    REQUIRE(::chown(theirs.c_str(), 1, 1) == 0);
    const auto reading = world.os->read_pid_file(id, world.unit("m.service"), theirs + "/x.pid");
    CHECK(reading.pid == 0);
    CHECK_FALSE(reading.problem.empty());
  }
}

TEST_CASE("an invocation is new each time and a UUID", "[os][real_os]") {
  OsWorld world;
  const InvocationId a = world.os->new_invocation();
  const InvocationId b = world.os->new_invocation();
  CHECK(a != b);
  CHECK((a[6] >> 4U) == 4);
  CHECK((a[8] >> 6U) == 2);
}

namespace {

/// In a mount namespace whose /dev is empty: 0 for right, else what was wrong.
int run_without_null(unsigned long mount_flags) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    if (::unshare(CLONE_NEWNS) != 0 ||
        ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("none", "/dev", "tmpfs", mount_flags, nullptr) != 0) {
      ::_exit(77);
    }
    int wrong = 0;
    try {
      OsWorld world;
      const bool said = world.log.has("no /dev/null here");
      const bool made = (mount_flags & MS_NODEV) == 0;
      if (said == made) wrong = 1;
      world.unit("n.service").exec->standard_output =
          StdStream{ExecInput::Null, ExecOutput::Null, "", ""};
      // End of file to read; what is written is lost, if need be with an error.
      const int status = world.run(
          "n.service", {"/bin/sh", "-c", "read x && exit 1; echo lost || exit 2; exit 3"});
      if (WEXITSTATUS(status) != (made ? 3 : 2)) wrong = 10 + WEXITSTATUS(status);
    } catch (...) {
      wrong = 9;
    }
    ::_exit(wrong);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 99;
}

}  // namespace

TEST_CASE("without /dev/null services start all the same", "[os][real_os][faults]") {
  ONSET_NEEDS(is_root(), "a mount namespace needs root");
  const int made = run_without_null(0);
  ONSET_NEEDS(made != 77, "no mount namespaces here");
  CHECK(made == 0);                        // a null device of our own
  CHECK(run_without_null(MS_NODEV) == 0);  // pipes in its place
}
