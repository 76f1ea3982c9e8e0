#include "unit/os/os_world.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>

#include "os/directories.h"
#include "os/host_facts.h"
#include "os/kernel.h"

namespace onset::test {

void note_skip(std::string_view why) {
  const char* fd = ::getenv("ONSET_RESULT_FD");
  if (fd == nullptr) return;
  const std::string line =
      "skipped\t" + Catch::getResultCapture().getCurrentTestName() + "\t" + std::string(why) + "\n";
  if (::write(std::atoi(fd), line.data(), line.size()) < 0) WARN("the skip was not noted");
}

bool is_root() {
  return ::geteuid() == 0;
}

const char* probe_program() {
  const char* staged = ::getenv("ONSET_PROBE");
  return staged != nullptr ? staged : ONSET_PROBE;
}

ScratchFolder::ScratchFolder() {
  char name[] = "/tmp/onset-test-XXXXXX";
  const char* made = ::mkdtemp(name);
  REQUIRE(made != nullptr);
  path_ = made;
  REQUIRE(::chmod(path_.c_str(), 0755) == 0);
}

ScratchFolder::~ScratchFolder() {
  const auto slash = path_.rfind('/');
  (void)remove_tree(path_.substr(0, slash), path_.substr(slash + 1), 1U << 20U);
}

std::string ScratchFolder::operator/(std::string_view name) const {
  return path_ + "/" + std::string(name);
}

std::string read_text(const std::string& path) {
  auto text = read_kernel_file(path.c_str(), 16U << 20U);
  return text ? *text : std::string();
}

void write_text(const std::string& path, std::string_view text) {
  auto fd = open_path(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  REQUIRE(fd.ok());
  REQUIRE(::write(fd->get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
}

void KeptLog::log(Say::Level /*level*/, std::string_view unit, std::string_view text) {
  lines.push_back(std::string(unit) + ": " + std::string(text));
}

bool KeptLog::has(std::string_view part) const {
  return std::ranges::any_of(
      lines, [&](const std::string& l) { return l.find(part) != std::string::npos; });
}

std::string KeptLog::all() const {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

RealOsConfig OsWorld::plain_config() {
  RealOsConfig config;
  RealFiles files;
  Accounts accounts(files);
  config.host = read_host_facts(false, {}, files, accounts);
  config.use_cgroups = false;
  return config;
}

OsWorld::OsWorld(RealOsConfig config) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  signals_ = UniqueFd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  config.host.runtime_dir = folder / "run";
  config.host.state_dir = folder / "state";
  config.host.cache_dir = folder / "cache";
  config.host.logs_dir = folder / "logs";
  config.host.config_dir = folder / "etc";
  auto made = RealOs::create(std::move(config), log);
  REQUIRE(made.ok());
  os = std::move(*made);
  request.invocation = os->new_invocation();
}

OsWorld::~OsWorld() {
  // Whatever a case left behind goes by its own process ids.
  for (std::uint32_t i = 0; i < units_.size(); ++i) {
    for (const pid_t pid : os->processes(UnitId{i})) ::kill(pid, SIGKILL);
  }
  until([this] {
    for (std::uint32_t i = 0; i < units_.size(); ++i) {
      if (os->has_processes(UnitId{i})) return false;
    }
    return true;
  });
  for (std::uint32_t i = 0; i < units_.size(); ++i) os->release(UnitId{i}, *units_[i], true);
  os.reset();
}

Unit& OsWorld::unit(std::string_view name) {
  for (auto& u : units_) {
    if (u->id == name) return *u;
  }
  auto made = std::make_unique<Unit>();
  made->id = name;
  made->exec = std::make_unique<ExecConfig>();
  made->kill = std::make_unique<KillConfig>();
  made->cgroup = std::make_unique<CgroupConfig>();
  made->service = std::make_unique<ServiceConfig>();
  units_.push_back(std::move(made));
  return *units_.back();
}

UnitId OsWorld::id(std::string_view name) const {
  for (std::uint32_t i = 0; i < units_.size(); ++i) {
    if (units_[i]->id == name) return UnitId{i};
  }
  return {};
}

Result<Launch> OsWorld::spawn_command(std::string_view name, const ExecCommand& command,
                                      ExecRole role) {
  LaunchRequest r = request;
  r.unit = &unit(name);
  r.id = id(name);
  r.command = &command;
  r.role = role;
  return os->spawn(r);
}

Result<Launch> OsWorld::spawn(std::string_view name, std::vector<std::string> argv, ExecRole role) {
  ExecCommand command;
  command.path = argv.front();
  command.argv = std::move(argv);
  command.no_env_expand = true;  // the shell's variables are the shell's
  return spawn_command(name, command, role);
}

int OsWorld::run(std::string_view name, std::vector<std::string> argv, ExecRole role) {
  auto launch = spawn(name, std::move(argv), role);
  if (!launch) return -1;
  return status_of(launch->pid);
}

std::string OsWorld::probe(std::string_view name, ExecRole role) {
  ::chmod(folder.path().c_str(), 0777);
  const std::string out = folder / "probe.out";
  ::unlink(out.c_str());
  const int status = run(name, {probe_program(), out}, role);
  INFO(log.all());
  CHECK(status == 0);
  return read_text(out);
}

int OsWorld::status_of(pid_t pid) {
  int status = -1;
  until([&] {
    for (const auto& exit : exits) {
      if (exit.first == pid) {
        status = exit.second;
        return true;
      }
    }
    return false;
  });
  return status;
}

void OsWorld::reap() {
  signalfd_siginfo info{};
  while (::read(signals_.get(), &info, sizeof info) > 0) {
  }
  for (;;) {
    int status = 0;
    const pid_t pid = ::waitpid(-1, &status, WNOHANG);
    if (pid <= 0) break;
    os->reaped(pid, *this);
    exits.emplace_back(pid, status);
  }
  os->after_reap(*this);
}

bool OsWorld::turn(int milliseconds) {
  pollfd fds[2] = {{os->poll_fd().get(), POLLIN, 0}, {signals_.get(), POLLIN, 0}};
  if (::poll(fds, 2, milliseconds) <= 0) return false;
  if (fds[0].revents != 0) os->drain(*this);
  if (fds[1].revents != 0) reap();
  return true;
}

std::string probed(const std::string& text, std::string_view key) {
  const std::string start = std::string(key) + ":";
  std::size_t at = 0;
  while (at < text.size()) {
    const auto end = text.find('\n', at);
    const std::string line = text.substr(at, end - at);
    if (line.starts_with(start)) {
      return line.size() > start.size() ? line.substr(start.size() + 1) : "";
    }
    if (end == std::string::npos) break;
    at = end + 1;
  }
  return "-";
}

bool probed_env(const std::string& text, std::string_view assignment) {
  return text.find("env: " + std::string(assignment) + "\n") != std::string::npos;
}

std::string descriptors(const std::string& text) {
  std::string found;
  std::size_t at = 0;
  while ((at = text.find("\nfd ", at)) != std::string::npos) {
    const auto end = text.find(':', at);
    found += text.substr(at + 4, end - at - 4) + " ";
    at = end;
  }
  return found;
}

}  // namespace onset::test
