#include "os/launch.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <iterator>
#include <string_view>

#include "base/format.h"
#include "os/launch_clone.h"
#include "unit/os/os_world.h"

using namespace onset;
using namespace onset::test;

namespace {

/// Takes one of the first 32 out of the effective set for as long as it lives.
class WithoutCapability {
 public:
  explicit WithoutCapability(unsigned number) {
    REQUIRE(::syscall(SYS_capget, &header_, before_.data()) == 0);
    auto lowered = before_;
    lowered[0].effective &= ~(1U << number);
    REQUIRE(::syscall(SYS_capset, &header_, lowered.data()) == 0);
  }
  ~WithoutCapability() { (void)::syscall(SYS_capset, &header_, before_.data()); }
  WithoutCapability(const WithoutCapability&) = delete;
  WithoutCapability& operator=(const WithoutCapability&) = delete;

 private:
  __user_cap_header_struct header_{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> before_{};
};

}  // namespace

TEST_CASE("a service finds the process that the manual describes", "[os][launch]") {
  OsWorld world;
  // Descriptors without close-on-exec of a careless library must not get through.
  const int leak = ::open("/dev/null", O_RDONLY);
  const int high = ::fcntl(leak, F_DUPFD, 200);
  const std::string text = world.probe("plain.service");
  ::close(leak);
  ::close(high);
  INFO(text);
  CHECK(descriptors(text) == "0 1 2 ");
  CHECK(probed(text, "fd 0") == "/dev/null mode=0");
  CHECK(probed(text, "cwd") == "/");
  CHECK(probed(text, "umask") == "0022");
  CHECK(probed(text, "nice") == std::to_string(getpriority(PRIO_PROCESS, 0)));
  CHECK(probed(text, "ctty") == "no");
  CHECK(probed(text, "blocked").empty());
  CHECK(probed(text, "ignored") == "13");
  CHECK(probed(text, "inheritable") == "0");
  CHECK(probed(text, "no_new_privs") == "0");
  CHECK(probed(text, "session") == probed(text, "pid"));
  CHECK(probed(text, "group") == probed(text, "pid"));
  CHECK(probed_env(text, "SYSTEMD_EXEC_PID=" + probed(text, "pid")));
  CHECK(probed_env(text, "PATH=" + std::string(kDefaultPath)));
  CHECK(probed_env(text, "INVOCATION_ID=" + invocation_text(world.request.invocation)));
  CHECK(text.find("env: HOME=") == std::string::npos);
  CHECK(text.find("env: USER=") == std::string::npos);
}

TEST_CASE("signals that the manager ignores or blocks are the service's again", "[os][launch]") {
  struct sigaction before {};
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  ::sigaction(SIGHUP, &ignore, &before);
  std::string text;
  {
    OsWorld world;
    sigset_t some;
    sigset_t old;
    sigemptyset(&some);
    sigaddset(&some, SIGTERM);
    sigaddset(&some, SIGUSR1);
    sigprocmask(SIG_BLOCK, &some, &old);
    world.unit("s.service").exec->ignore_sigpipe = false;
    text = world.probe("s.service");
    sigprocmask(SIG_SETMASK, &old, nullptr);
  }
  ::sigaction(SIGHUP, &before, nullptr);
  CHECK(probed(text, "blocked").empty());
  CHECK(probed(text, "ignored").empty());
}

TEST_CASE("User=, Group= and SupplementaryGroups= become the process's ids", "[os][launch]") {
  ONSET_NEEDS(is_root(), "changing the user needs root");
  OsWorld world;
  ExecConfig& exec = *world.unit("u.service").exec;
  exec.user = "daemon";
  SECTION("the user's own group") {
    const std::string text = world.probe("u.service");
    INFO(text);
    CHECK(probed(text, "uids") == "1 1 1");
    CHECK(probed(text, "gids") == "1 1 1");
    CHECK(probed(text, "groups") == "1");
    CHECK(probed(text, "effective") == "0");
    CHECK(probed(text, "permitted") == "0");
    CHECK(probed_env(text, "USER=daemon"));
    CHECK(probed_env(text, "LOGNAME=daemon"));
    CHECK(probed_env(text, "HOME=/usr/sbin"));
    CHECK(text.find("env: SHELL=") == std::string::npos);  // nologin
  }
  SECTION("another group and further ones") {
    exec.group = "games";
    exec.supplementary_groups = {"bin", "sys"};
    const std::string text = world.probe("u.service");
    CHECK(probed(text, "gids") == "60 60 60");
    CHECK(probed(text, "groups") == "2 3 60");  // as the kernel sorts them
  }
  SECTION("+ keeps every right, ! the user") {
    exec.no_new_privileges = true;
    for (const bool full : {true, false}) {
      ::chmod(world.folder.path().c_str(), 0777);
      ExecCommand command;
      command.path = probe_program();
      const std::string out = world.folder / (full ? "full" : "setuid");
      command.argv = {probe_program(), out};
      command.full_privileges = full;
      command.no_setuid = !full;
      auto launch = world.spawn_command("u.service", command);
      REQUIRE(launch.ok());
      CHECK(world.status_of(launch->pid) == 0);
      const std::string text = read_text(out);
      CHECK(probed(text, "uids") == "0 0 0");
      CHECK(probed(text, "no_new_privs") == (full ? "0" : "1"));
      CHECK(probed_env(text, "USER=daemon"));
    }
  }
  SECTION("PermissionsStartOnly= leaves the others to root") {
    world.unit("u.service").service->permissions_start_only = true;
    CHECK(probed(world.probe("u.service", ExecRole::StartPre), "uids") == "0 0 0");
    CHECK(probed(world.probe("u.service", ExecRole::Start), "uids") == "1 1 1");
  }
}

TEST_CASE("DynamicUser= runs as a user that exists, never as root instead", "[os][launch]") {
  ONSET_NEEDS(is_root(), "changing the user needs root");
  OsWorld world;
  SECTION("nobody can make one up") {
    world.unit("nobody-has-this-name.service").exec->dynamic_user = true;
    auto launch = world.spawn("nobody-has-this-name.service", {"/bin/true"});
    REQUIRE(launch.ok());
    CHECK(WEXITSTATUS(world.status_of(launch->pid)) == 217);
    CHECK(world.log.has("DynamicUser= can't make up a user yet"));
  }
  SECTION("the user of the unit's name") {
    world.unit("daemon.service").exec->dynamic_user = true;
    CHECK(probed(world.probe("daemon.service"), "uids") == "1 1 1");
  }
  SECTION("the user that User= names") {
    world.unit("u.service").exec->dynamic_user = true;
    world.unit("u.service").exec->user = "games";
    CHECK(probed(world.probe("u.service"), "uids") == "5 5 5");
  }
}

TEST_CASE("a process's own id can be one of its arguments", "[os][launch]") {
  for (const bool slow : {false, true}) {
    OsWorld world;
    const std::string out = world.folder / "said";
    if (slow) world.unit("s.service").exec->tty_reset = true;
    world.request.watchdog = std::chrono::seconds(3);
    ExecCommand command;
    command.path = "/bin/sh";
    command.argv = {"/bin/sh", "-c", "echo $$$$ $0 $1 > " + out, "$SYSTEMD_EXEC_PID",
                    "<${WATCHDOG_PID}|${SYSTEMD_EXEC_PID}>"};
    auto launch = world.spawn_command("s.service", command);
    REQUIRE(launch.ok());
    REQUIRE(world.status_of(launch->pid) == 0);
    const std::string pid = std::to_string(launch->pid);
    CHECK(read_text(out) == pid + " " + pid + " <" + pid + "|" + pid + ">\n");
  }
}

TEST_CASE("capabilities are bounded, raised and locked as asked", "[os][launch]") {
  ONSET_NEEDS(is_root(), "capabilities need root");
  OsWorld world;
  ExecConfig& exec = *world.unit("c.service").exec;
  const std::uint64_t bind = 1ULL << CAP_NET_BIND_SERVICE;
  const std::uint64_t kill = 1ULL << CAP_KILL;
  SECTION("the bounding set of a root service") {
    exec.capability_bounding_set = bind | kill;
    const std::string text = world.probe("c.service");
    CHECK(probed(text, "bounding") == format("{:x}", bind | kill));
    CHECK(probed(text, "effective") == format("{:x}", bind | kill));
  }
  SECTION("the ambient set of another user") {
    exec.user = "daemon";
    exec.ambient_capabilities = bind;
    exec.capability_bounding_set = bind;
    const std::string text = world.probe("c.service");
    INFO(text);
    CHECK(probed(text, "uids") == "1 1 1");
    CHECK(probed(text, "ambient") == format("{:x}", bind));
    CHECK(probed(text, "effective") == format("{:x}", bind));
    CHECK(probed(text, "permitted") == format("{:x}", bind));
    CHECK(probed(text, "bounding") == format("{:x}", bind));
  }
  SECTION("secure bits and NoNewPrivileges=") {
    exec.user = "daemon";
    exec.secure_bits = 1 << 0 | 1 << 1;  // noroot, noroot-locked
    exec.no_new_privileges = true;
    const std::string text = world.probe("c.service");
    CHECK(probed(text, "securebits") == "3");
    CHECK(probed(text, "no_new_privs") == "1");
    CHECK(probed(text, "permitted") == "0");
  }
}

TEST_CASE("limits, nice, umask and OOM score are set", "[os][launch]") {
  OsWorld world;
  ExecConfig& exec = *world.unit("l.service").exec;
  exec.umask = 0077;
  exec.nice = 5;
  exec.oom_score_adjust = 500;
  exec.limits = {{RLIMIT_NOFILE, 100, 200}, {RLIMIT_CORE, 0, 0}};
  const std::string text = world.probe("l.service");
  CHECK(probed(text, "umask") == "0077");
  CHECK(probed(text, "nice") == "5");
  CHECK(probed(text, "oom_score_adj") == "500");
  CHECK(probed(text, format("limit {}", static_cast<int>(RLIMIT_NOFILE))) == "100 200");
  CHECK(probed(text, format("limit {}", static_cast<int>(RLIMIT_CORE))) == "0 0");
}

TEST_CASE("a limit beyond what can be had is clamped and said once", "[os][launch]") {
  const WithoutCapability lowered(CAP_SYS_RESOURCE);
  const SelfFacts self = read_self_facts();
  ONSET_NEEDS(self.limits[RLIMIT_NOFILE].rlim_max != RLIM_INFINITY, "no limit to run into");
  OsWorld world;
  world.unit("l.service").exec->limits = {{RLIMIT_NOFILE, RLIM_INFINITY, RLIM_INFINITY}};
  const std::string most = format("{}", self.limits[RLIMIT_NOFILE].rlim_max);
  for (int i = 0; i < 2; ++i) {
    const std::string text = world.probe("l.service");
    CHECK(probed(text, format("limit {}", static_cast<int>(RLIMIT_NOFILE))) == most + " " + most);
  }
  CHECK(std::ranges::count_if(world.log.lines, [](const std::string& l) {
          return l.find("LimitNOFILE=infinity needs CAP_SYS_RESOURCE") != std::string::npos;
        }) == 1);
}

TEST_CASE("a limit that not even root may set is the highest that may be had", "[os][launch]") {
  // fs.nr_open bounds LimitNOFILE= for everybody.
  const rlim_t highest = read_self_facts().limits[RLIMIT_NOFILE].rlim_max;
  ONSET_NEEDS(highest != RLIM_INFINITY, "no limit to run into");
  OsWorld world;
  world.unit("l.service").exec->limits = {{RLIMIT_NOFILE, RLIM_INFINITY, RLIM_INFINITY}};
  const std::string most = format("{}", highest);
  CHECK(probed(world.probe("l.service"), format("limit {}", static_cast<int>(RLIMIT_NOFILE))) ==
        most + " " + most);
}

TEST_CASE("a bare name is looked up in the search path, ExecSearchPath= before it",
          "[os][launch]") {
  OsWorld world;
  CHECK(world.run("p.service", {"true"}) == 0);
  world.unit("p.service").exec->exec_search_path = world.folder.path();
  CHECK(WEXITSTATUS(world.run("p.service", {"true"})) == 203);
}

TEST_CASE("the fast path knows at once whether execve happened", "[os][launch]") {
  ONSET_NEEDS(can_clone_onto_stack(), "its stack is not the sanitizer's");
  OsWorld world;
  // On a machine that is busy enough any one may be late.
  bool at_once = false;
  for (unsigned tries = 0; tries < 100 && !at_once; ++tries) {
    auto good = world.spawn("e.service", {"/bin/true"});
    REQUIRE(good.ok());
    at_once = good->exec_done;
    world.status_of(good->pid);
  }
  CHECK(at_once);
  auto bad = world.spawn("e.service", {"/no/such/thing"});
  REQUIRE(bad.ok());
  CHECK_FALSE(bad->exec_done);
  CHECK(WEXITSTATUS(world.status_of(bad->pid)) == 203);
}

TEST_CASE("the child on the manager's memory calls nothing that keeps state", "[os][launch]") {
  ONSET_NEEDS(can_clone_onto_stack(), "instrumented code calls the sanitizer");
  ONSET_NEEDS(::system("nm " ONSET_CHILD_ROOMS " >/dev/null 2>&1") == 0, "no nm, or no objects");
  std::FILE* list = ::popen("nm -uC " ONSET_CHILD_ROOMS " | sed -n 's/^ *U //p' | sort -u", "r");
  REQUIRE(list != nullptr);
  std::string called;
  char line[512];
  while (std::fgets(line, sizeof line, list) != nullptr) {
    const std::string_view name(line, std::string_view(line).find_first_of("(\n"));
    // Each other's, pure text, and what a plan has only where memory is its own.
    static constexpr std::string_view kFine[] = {
        "onset::set_up_streams",
        "onset::set_credentials",
        "onset::set_scheduling",
        "onset::close_all_descriptors",
        "onset::pass_descriptors",
        "onset::describe",
        "onset::change_tree_owner",
        "onset::prepare_terminal",
        "onset::claim_terminal",
        "onset::open_terminal",
        "memmove",
        "memcpy",
        "memset",
        "strlen",
        "_GLOBAL_OFFSET_TABLE_",
        "__stack_chk_fail",
        // Of a build that counts lines, before main and after it.
        "__gcov_init",
        "__gcov_exit",
        "__gcov_merge_add",
    };
    if (std::ranges::find(kFine, name) == std::end(kFine)) called += line;
  }
  ::pclose(list);
  CHECK(called.empty());
}

TEST_CASE("OOMScoreAdjust= of a service leaves the manager's own alone", "[os][launch]") {
  OsWorld world;
  const std::string before = read_text("/proc/self/oom_score_adj");
  CHECK(world.run("plain.service", {"/bin/true"}) == 0);
  world.unit("o.service").exec->oom_score_adjust = 700;
  CHECK(probed(world.probe("o.service"), "oom_score_adj") == "700");
  CHECK(read_text("/proc/self/oom_score_adj") == before);
}

TEST_CASE("the slow path tells of execve when it happens", "[os][launch]") {
  OsWorld world;
  world.unit("e.service").exec->standard_output =
      StdStream{ExecInput::Null, ExecOutput::FileAppend, world.folder / "out", ""};
  auto launch = world.spawn("e.service", {"/bin/sh", "-c", "echo said; exec sleep 60"});
  REQUIRE(launch.ok());
  CHECK_FALSE(launch->exec_done);
  CHECK(world.until([&] { return !world.execs.empty(); }));
  CHECK(world.execs == std::vector<pid_t>{launch->pid});
}

TEST_CASE("a FIFO as output holds up the service, never the manager", "[os][launch]") {
  OsWorld world;
  const std::string fifo = world.folder / "fifo";
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  world.unit("w.service").exec->standard_output =
      StdStream{ExecInput::Null, ExecOutput::File, fifo, ""};
  auto launch = world.spawn("w.service", {"/bin/echo", "through"});
  REQUIRE(launch.ok());  // it came back although nobody reads
  CHECK_FALSE(launch->exec_done);
  KillRequest kill;
  kill.id = world.id("w.service");
  kill.main_pid = launch->pid;
  kill.signal = SIGTERM;
  kill.to_main = true;
  CHECK(world.os->kill(kill).main == 1);
  const int status = world.status_of(launch->pid);
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGTERM);
}

TEST_CASE("standard streams go where the unit says", "[os][launch]") {
  OsWorld world;
  ExecConfig& exec = *world.unit("o.service").exec;
  const std::string out = world.folder / "out";
  SECTION("append keeps, truncate does not, errors follow output") {
    write_text(out, "before\n");
    exec.standard_output = StdStream{ExecInput::Null, ExecOutput::FileAppend, out, ""};
    CHECK(world.run("o.service", {"/bin/sh", "-c", "echo one; echo two >&2"}) == 0);
    CHECK(read_text(out) == "before\none\ntwo\n");
    exec.standard_output->output = ExecOutput::FileTruncate;
    CHECK(world.run("o.service", {"/bin/sh", "-c", "echo three"}) == 0);
    CHECK(read_text(out) == "three\n");
  }
  SECTION("file for input") {
    write_text(world.folder / "in", "typed\n");
    exec.standard_input = StdStream{ExecInput::File, ExecOutput::Inherit, world.folder / "in", ""};
    exec.standard_output = StdStream{ExecInput::Null, ExecOutput::File, out, ""};
    CHECK(world.run("o.service", {"/bin/cat"}) == 0);
    CHECK(read_text(out) == "typed\n");
  }
  SECTION("data from the unit") {
    exec.standard_input = StdStream{ExecInput::Data, ExecOutput::Inherit, "", ""};
    exec.standard_input_data = "some text\n";
    exec.standard_output = StdStream{ExecInput::Null, ExecOutput::File, out, ""};
    CHECK(world.run("o.service", {"/bin/cat"}) == 0);
    CHECK(read_text(out) == "some text\n");
  }
  SECTION("null for all") {
    exec.standard_output = StdStream{ExecInput::Null, ExecOutput::Null, "", ""};
    const std::string text = world.probe("o.service");
    CHECK(probed(text, "fd 1") == "/dev/null mode=1");
    CHECK(probed(text, "fd 2") == "/dev/null mode=1");
  }
}

TEST_CASE("the environment has the manual's order of precedence", "[os][launch]") {
  RealOsConfig config = OsWorld::plain_config();
  config.notify_socket = "/run/onset/notify";
  config.environment = {"PASSED=yes", "SECRET=no", "OVER=manager"};
  config.defaults.environment = {"DEFAULT=1", "OVER=default", "PATH=/default"};
  OsWorld world(std::move(config));
  write_text(world.folder / "a.env", "FROM_FILE=a\nOVER='file a'\nbad line\n");
  write_text(world.folder / "b.env", "OVER=\"file b\"\nGONE=1\n");
  ExecConfig& exec = *world.unit("n.service").exec;
  exec.pass_environment = {"PASSED", "OVER", "NOT_THERE"};
  exec.environment = {"OVER=unit", "OWN=1", "MAINPID=mine"};
  exec.environment_files = {{world.folder / "*.env", false}, {world.folder / "none", true}};
  exec.unset_environment = {"GONE", "OWN=2"};
  world.unit("n.service").service->pid_file = "/run/n.pid";
  world.request.main_pid = 77;
  world.request.notify_socket = true;
  world.request.watchdog = std::chrono::seconds(3);
  world.request.environment = {"SERVICE_RESULT=success"};
  const std::string text = world.probe("n.service");
  INFO(text);
  CHECK(probed_env(text, "PASSED=yes"));
  CHECK(text.find("SECRET") == std::string::npos);
  CHECK(probed_env(text, "DEFAULT=1"));
  CHECK(probed_env(text, "PATH=/default"));
  CHECK(probed_env(text, "OVER=file b"));
  CHECK(probed_env(text, "FROM_FILE=a"));
  CHECK(probed_env(text, "OWN=1"));
  CHECK(text.find("GONE") == std::string::npos);
  CHECK(probed_env(text, "MAINPID=mine"));
  CHECK(probed_env(text, "PIDFILE=/run/n.pid"));
  CHECK(probed_env(text, "NOTIFY_SOCKET=/run/onset/notify"));
  CHECK(probed_env(text, "WATCHDOG_USEC=3000000"));
  CHECK(probed_env(text, "WATCHDOG_PID=" + probed(text, "pid")));
  CHECK(probed_env(text, "SERVICE_RESULT=success"));
  CHECK(world.log.has("a.env:3:"));
}

TEST_CASE("a missing EnvironmentFile= refuses the start and is named", "[os][launch]") {
  OsWorld world;
  world.unit("n.service").exec->environment_files = {{"/does/not/exist", false}};
  auto launch = world.spawn("n.service", {"/bin/true"});
  REQUIRE_FALSE(launch.ok());
  CHECK(launch.error().err == ENOENT);
  CHECK(world.log.has("cannot read EnvironmentFile=/does/not/exist: No such file or directory"));
}

TEST_CASE("directories of a service are made, owned, named and removed",
          "[os][launch][directories]") {
  OsWorld world;
  ExecConfig& exec = *world.unit("d.service").exec;
  exec.directories[0] = DirectorySet{{{"one", {"link-to-one"}}, {"deep/two", {}}}, 02750};
  exec.directories[1] = DirectorySet{{{"state", {}}}, 0700};
  if (is_root()) exec.user = "daemon";
  const std::string text = world.probe("d.service");
  const std::string run = world.folder / "run";
  CHECK(probed_env(text, "RUNTIME_DIRECTORY=" + run + "/one:" + run + "/deep/two"));
  CHECK(probed_env(text, "STATE_DIRECTORY=" + (world.folder / "state/state")));
  struct stat st {};
  REQUIRE(::stat((run + "/deep/two").c_str(), &st) == 0);
  CHECK((st.st_mode & 07777) == 02750);
  if (is_root()) CHECK(st.st_uid == 1);
  REQUIRE(::stat((run + "/link-to-one").c_str(), &st) == 0);
  REQUIRE(::stat((run + "/deep").c_str(), &st) == 0);
  CHECK((st.st_mode & 07777) == 0755);
  CHECK(st.st_uid == ::geteuid());

  write_text(run + "/one/file", "x");
  world.os->release(world.id("d.service"), world.unit("d.service"), true);
  CHECK(::access((run + "/one").c_str(), F_OK) != 0);
  CHECK(::access((run + "/link-to-one").c_str(), F_OK) != 0);
  CHECK(::access((run + "/deep/two").c_str(), F_OK) != 0);
  CHECK(::access((world.folder / "state/state").c_str(), F_OK) == 0);
}

TEST_CASE("a directory of the wrong owner changes hands with all that is in it",
          "[os][launch][directories]") {
  ONSET_NEEDS(is_root(), "changing owners needs root");
  OsWorld world;
  ExecConfig& exec = *world.unit("d.service").exec;
  exec.user = "daemon";
  exec.directories[1] = DirectorySet{{{"s", {}}}, 0755};
  const std::string state = world.folder / "state";
  ::mkdir(state.c_str(), 0755);
  ::mkdir((state + "/s").c_str(), 0755);
  ::mkdir((state + "/s/deep").c_str(), 0755);
  write_text(state + "/s/deep/file", "x");
  write_text(world.folder / "outside", "x");
  REQUIRE(::symlink((world.folder / "outside").c_str(), (state + "/s/deep/link").c_str()) == 0);
  world.probe("d.service");
  struct stat st {};
  REQUIRE(::stat((state + "/s/deep/file").c_str(), &st) == 0);
  CHECK(st.st_uid == 1);
  REQUIRE(::lstat((state + "/s/deep/link").c_str(), &st) == 0);
  CHECK(st.st_uid == 1);
  REQUIRE(::stat((world.folder / "outside").c_str(), &st) == 0);
  CHECK(st.st_uid == 0);
}

TEST_CASE("WorkingDirectory= forms: a path, one that may be missing, the home", "[os][launch]") {
  OsWorld world;
  ExecConfig& exec = *world.unit("w.service").exec;
  exec.working_directory = "/usr";
  CHECK(probed(world.probe("w.service"), "cwd") == "/usr");
  exec.working_directory = "/does/not/exist";
  exec.working_directory_optional = true;
  CHECK(probed(world.probe("w.service"), "cwd") == "/");
  if (!is_root()) return;
  exec.working_directory = "~";
  exec.user = "daemon";
  CHECK(probed(world.probe("w.service"), "cwd") == "/usr/sbin");
}

TEST_CASE("RootDirectory= leaves nothing of the old root in reach", "[os][launch]") {
  ONSET_NEEDS(is_root(), "chroot needs root");
  OsWorld world;
  const std::string root = world.folder / "root";
  ::mkdir(root.c_str(), 0755);
  ::mkdir((root + "/inside").c_str(), 0777);
  write_text(root + "/probe", read_text(probe_program()));
  ::chmod((root + "/probe").c_str(), 0755);
  ExecConfig& exec = *world.unit("r.service").exec;
  exec.root_directory = root;
  exec.working_directory = "/inside";
  CHECK(world.run("r.service", {"/probe", "/inside/out"}) == 0);
  const std::string text = read_text(root + "/inside/out");
  CHECK(probed(text, "cwd") == "/inside");
  INFO(world.log.all());
  CHECK(descriptors(text) == "0 1 2 ");
}

TEST_CASE("StandardInput=tty makes the terminal the controlling one", "[os][launch]") {
  OsWorld world;
  const UniqueFd master(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  ONSET_NEEDS(master && ::grantpt(master.get()) == 0 && ::unlockpt(master.get()) == 0,
              "no pseudo-terminals here");
  char name[64];
  REQUIRE(::ptsname_r(master.get(), name, sizeof name) == 0);
  ExecConfig& exec = *world.unit("t.service").exec;
  exec.standard_input = StdStream{ExecInput::Tty, ExecOutput::Inherit, "", ""};
  exec.standard_output = StdStream{ExecInput::Null, ExecOutput::Inherit, "", ""};
  exec.tty_path = name;
  exec.tty_reset = true;
  SECTION("alone") {
    const std::string text = world.probe("t.service");
    INFO(text);
    CHECK(probed(text, "ctty") == "yes");
    CHECK(probed(text, "fd 0") == std::string(name) + " mode=2");
    CHECK(probed(text, "fd 2") == std::string(name) + " mode=2");
    CHECK(probed_env(text, "TERM=vt220"));
  }
  SECTION("the next one waits until the terminal is let go, tty-fail does not") {
    auto first = world.spawn("t.service", {"/bin/sleep", "300"});
    REQUIRE(first.ok());
    REQUIRE(world.until([&] { return !world.execs.empty(); }));
    ExecConfig& other = *world.unit("w.service").exec;
    other.standard_input = exec.standard_input;
    other.tty_path = name;
    auto second = world.spawn("w.service", {"/bin/true"});
    REQUIRE(second.ok());
    ExecConfig& failing = *world.unit("n.service").exec;
    failing.standard_input = StdStream{ExecInput::TtyFail, ExecOutput::Inherit, "", ""};
    failing.tty_path = name;
    CHECK(WEXITSTATUS(world.run("n.service", {"/bin/true"})) == 208);
    CHECK(world.execs.size() == 1);
    ::kill(first->pid, SIGKILL);
    CHECK(world.status_of(second->pid) == 0);
  }
}
