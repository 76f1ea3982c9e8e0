// Launches that can't be as they should: each step that fails, calls that are not there.
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <seccomp.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string_view>

#include "base/format.h"
#include "unit/os/os_world.h"

using namespace onset;
using namespace onset::test;

namespace {

struct FailingStep {
  const char* name;
  int status;
  const char* said;
  void (*arrange)(ExecConfig&);
  bool needs_root;
};

constexpr FailingStep kFailing[] = {
    {"USER", 217, "there is no user \"nobody-at-all\"",
     [](ExecConfig& e) { e.user = "nobody-at-all"; }, false},
    {"USER", 217, "not a valid user number", [](ExecConfig& e) { e.user = "4294967296"; }, false},
    {"GROUP", 216, "there is no group \"no-group-at-all\"",
     [](ExecConfig& e) { e.group = "no-group-at-all"; }, false},
    {"CHDIR", 200, "cannot change the working directory to /does/not/exist: No such file",
     [](ExecConfig& e) { e.working_directory = "/does/not/exist"; }, false},
    {"STDIN", 208, "cannot set up standard input /does/not/exist",
     [](ExecConfig& e) {
       e.standard_input = StdStream{ExecInput::File, ExecOutput::Inherit, "/does/not/exist", ""};
     },
     false},
    {"STDIN", 208, "no socket was passed",
     [](ExecConfig& e) {
       e.standard_input = StdStream{ExecInput::Socket, ExecOutput::Inherit, "", ""};
     },
     false},
    {"STDIN", 208, "cannot set up standard input /dev/null: Inappropriate ioctl",
     [](ExecConfig& e) {
       e.standard_input = StdStream{ExecInput::TtyFail, ExecOutput::Inherit, "", ""};
       e.tty_path = "/dev/null";
     },
     false},
    {"STDOUT", 209, "/does/not/exist",
     [](ExecConfig& e) {
       e.standard_output =
           StdStream{ExecInput::Null, ExecOutput::FileAppend, "/does/not/exist", ""};
     },
     false},
    {"STDERR", 222, "/does/not/exist",
     [](ExecConfig& e) {
       e.standard_error =
           StdStream{ExecInput::Null, ExecOutput::FileTruncate, "/does/not/exist", ""};
     },
     false},
    {"CHROOT", 210, "cannot change the root directory to /does/not/exist",
     [](ExecConfig& e) { e.root_directory = "/does/not/exist"; }, true},
    {"RUNTIME_DIRECTORY", 233, "Not a directory",
     [](ExecConfig& e) {
       e.directories[0] = DirectorySet{{{"taken", {}}}, 0755};
     },
     false},
    {"CAPABILITIES", 218, "cannot set capabilities: Operation not permitted",
     [](ExecConfig& e) {
       // Nobody can raise what the bounding set no longer has.
       e.user = "daemon";
       e.capability_bounding_set = 0;
       e.ambient_capabilities = 1ULL << CAP_SYS_RESOURCE;
     },
     true},
};

}  // namespace

TEST_CASE("each step that fails ends the process with its own status, and nothing is executed",
          "[os][launch][faults]") {
  for (const FailingStep& step : kFailing) {
    if (step.needs_root && !is_root()) continue;
    if (std::string_view(step.name) == "CAPABILITIES" &&
        read_self_facts().has_capability(CAP_SYS_RESOURCE)) {
      continue;
    }
    OsWorld world;
    ::mkdir((world.folder / "run").c_str(), 0755);
    write_text(world.folder / "run/taken", "a file");
    step.arrange(*world.unit("f.service").exec);
    const std::string witness = world.folder / "executed";
    const int status = world.run("f.service", {"/bin/touch", witness});
    INFO(step.name << ": " << world.log.all());
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == step.status);
    CHECK(world.log.has(step.said));
    CHECK(world.log.has(format("(step {}, status {})", step.name, step.status)));
    CHECK(world.log.lines.size() == 1);
    CHECK(::access(witness.c_str(), F_OK) != 0);
    CHECK(world.execs.empty());
  }
}

TEST_CASE("what cannot be executed is said by name with status 203", "[os][launch][faults]") {
  OsWorld world;
  CHECK(WEXITSTATUS(world.run("x.service", {"/usr/sbin/no-such-daemon"})) == 203);
  CHECK(world.log.has(
      "x.service: cannot execute /usr/sbin/no-such-daemon: No such file or directory (step EXEC, "
      "status 203)"));
  CHECK(WEXITSTATUS(world.run("x.service", {"no-such-command"})) == 203);
  CHECK(world.log.has("cannot execute no-such-command: No such file or directory"));
  CHECK(WEXITSTATUS(world.run("x.service", {"/etc/passwd"})) == 203);
  CHECK(world.log.has("cannot execute /etc/passwd: Permission denied"));
}

namespace {

/// What a launch came to in a process where some system calls answer `error`.
struct Shimmed {
  bool right = false;  ///< the probe ran, with descriptors 0 to 2 alone
  bool status_203 = false;
  bool slow_too = false;
};

Shimmed launch_without(std::initializer_list<int> calls, int error) {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t pid = ::fork();
  if (pid == 0) {
    Shimmed result;
    try {
      scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
      for (const int call : calls) {
        if (seccomp_rule_add(filter, SCMP_ACT_ERRNO(static_cast<unsigned>(error)), call, 0) != 0)
          ::_exit(2);
      }
      if (seccomp_load(filter) != 0) ::_exit(2);
      OsWorld world;
      const int leak = ::fcntl(ends[0], F_DUPFD, 50);
      const std::string text = world.probe("s.service");
      result.right = descriptors(text) == "0 1 2 " && probed(text, "ignored") == "13" &&
                     probed(text, "blocked").empty();
      result.status_203 = WEXITSTATUS(world.run("s.service", {"/no/such/thing"})) == 203 &&
                          world.log.has("cannot execute /no/such/thing");
      world.unit("f.service").exec->standard_output =
          StdStream{ExecInput::Null, ExecOutput::File, world.folder / "out", ""};
      result.slow_too = descriptors(world.probe("f.service")) == "0 1 2 ";
      ::close(leak);
    } catch (...) {
      ::_exit(3);
    }
    (void)!::write(ends[1], &result, sizeof result);
    ::_exit(0);
  }
  ::close(ends[1]);
  Shimmed result;
  const bool told = ::read(ends[0], &result, sizeof result) == sizeof result;
  ::close(ends[0]);
  ::waitpid(pid, nullptr, 0);
  CHECK(told);
  return result;
}

}  // namespace

TEST_CASE("without clone3, close_range and pidfd_open launches are the same",
          "[os][launch][faults]") {
  for (const int error : {ENOSYS, EPERM}) {
    for (const auto& calls : {std::initializer_list<int>{SCMP_SYS(clone3)},
                              std::initializer_list<int>{SCMP_SYS(close_range)},
                              std::initializer_list<int>{SCMP_SYS(clone3), SCMP_SYS(close_range),
                                                         SCMP_SYS(pidfd_open), SCMP_SYS(statx)}}) {
      const Shimmed result = launch_without(calls, error);
      INFO("errno " << error << ", " << calls.size() << " calls, the first " << *calls.begin());
      CHECK(result.right);
      CHECK(result.status_203);
      CHECK(result.slow_too);
    }
  }
}

TEST_CASE("a fork that the kernel refuses is an error to try again, not a fallback",
          "[os][launch][faults]") {
  const pid_t pid = ::fork();
  if (pid == 0) {
    bool refused = false;
    try {
      // Of another user, so that the limit on processes holds.
      if (::geteuid() == 0 &&
          (::setresgid(12345, 12345, 12345) != 0 || ::setresuid(12345, 12345, 12345) != 0)) {
        ::_exit(2);
      }
      OsWorld world;
      const rlimit none{1, 1};
      if (::setrlimit(RLIMIT_NPROC, &none) != 0) ::_exit(2);
      auto fast = world.spawn("p.service", {"/bin/true"});
      world.unit("q.service").exec->standard_output =
          StdStream{ExecInput::Null, ExecOutput::File, world.folder / "out", ""};
      auto slow = world.spawn("q.service", {"/bin/true"});
      refused = !fast && fast.error().err == EAGAIN && !slow && slow.error().err == EAGAIN;
    } catch (...) {
      ::_exit(3);
    }
    ::_exit(refused ? 0 : 1);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("as another user than root services run as that user", "[os][launch][faults]") {
  ONSET_NEEDS(is_root(), "becoming another user needs root");
  const pid_t pid = ::fork();
  if (pid == 0) {
    bool right = false;
    try {
      if (::setgroups(0, nullptr) != 0 || ::setresgid(12345, 12345, 12345) != 0 ||
          ::setresuid(12345, 12345, 12345) != 0) {
        ::_exit(2);
      }
      OsWorld world;
      ExecConfig& exec = *world.unit("u.service").exec;
      exec.directories[0] = DirectorySet{{{"mine", {}}}, 0700};
      const std::string text = world.probe("u.service");
      right = probed(text, "uids") == "12345 12345 12345" &&
              probed_env(text, "RUNTIME_DIRECTORY=" + (world.folder / "run/mine"));
      exec.user = "daemon";
      const int status = world.run("u.service", {"/bin/true"});
      right = right && WIFEXITED(status) && WEXITSTATUS(status) >= 216;
    } catch (...) {
      ::_exit(3);
    }
    ::_exit(right ? 0 : 1);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}
