#include "init/command_line.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <new>
#include <string>
#include <vector>

#include "base/format.h"
#include "base/text.h"
#include "base/unique_fd.h"
#include "cli/context.h"
#include "cli/runtime_finder.h"
#include "init/live_terminal.h"
#include "init/terminal_message.h"
#include "init/unit_files.h"
#include "loop/clock.h"
#include "os/accounts.h"
#include "os/files.h"
#include "os/host_facts.h"
#include "os/identity.h"
#include "os/virtualization.h"
#include "unit/values.h"

namespace onset {
namespace {

class FdSink final : public TextSink {
 public:
  explicit FdSink(int fd) : fd_(fd) {}
  void write(std::string_view text) override {
    while (!text.empty()) {
      const ssize_t n = ::write(fd_, text.data(), text.size());
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return;
      text.remove_prefix(static_cast<std::size_t>(n));
    }
  }

 private:
  int fd_;
};

/// Standard output in large pieces: `show` has hundreds of lines.
class BufferedSink final : public TextSink {
 public:
  explicit BufferedSink(int fd) : sink_(fd) {}
  ~BufferedSink() override { flush(); }
  void write(std::string_view text) override {
    buffer_ += text;
    if (buffer_.size() >= kEnough) flush();
  }
  void flush() {
    sink_.write(buffer_);
    buffer_.clear();
  }

 private:
  static constexpr std::size_t kEnough = 32768;
  FdSink sink_;
  std::string buffer_;
};

/// Standard error, behind what has been said on standard output so far.
class ErrorSink final : public TextSink {
 public:
  explicit ErrorSink(BufferedSink& out) : out_(out) {}
  void write(std::string_view text) override {
    out_.flush();
    sink_.write(text);
  }

 private:
  BufferedSink& out_;
  FdSink sink_{STDERR_FILENO};
};

class TerminalPrograms final : public ProgramRunner {
 public:
  explicit TerminalPrograms(Accounts& accounts) : accounts_(accounts) {}
  Result<int> run(const std::vector<std::string>& argv) override {
    std::vector<char*> words;
    for (const std::string& word : argv) words.push_back(const_cast<char*>(word.c_str()));
    words.push_back(nullptr);
    pid_t pid = 0;
    if (const int err = ::posix_spawnp(&pid, words[0], nullptr, nullptr, words.data(), environ);
        err != 0) {
      return Failure{SysError{"posix_spawn", err}};
    }
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0) {
      if (errno != EINTR) return Failure{SysError{"waitpid", errno}};
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  std::string become(const Successor& successor) override {
    for (const std::string& variable : successor.environment) {
      const std::size_t equals = variable.find('=');
      ::setenv(variable.substr(0, equals).c_str(), variable.substr(equals + 1).c_str(), 1);
    }
    if (!successor.nice.empty()) {
      const auto level = parse_int(successor.nice, -20, 19);
      if (!level) return format("Failed to parse nice value: {}", c_escape(successor.nice));
      if (::setpriority(PRIO_PROCESS, 0, static_cast<int>(*level)) != 0) {
        return format("Failed to set nice level: {}", errno_text(errno));
      }
    }
    if (std::string wrong = change_identity(successor); !wrong.empty()) return wrong;
    const std::string& folder = successor.working_directory;
    if (!folder.empty() && ::chdir(folder.c_str()) != 0) {
      return format("Failed to change directory to {}: {}", c_escape(folder), errno_text(errno));
    }
    std::vector<char*> words;
    for (const std::string& word : successor.argv) words.push_back(const_cast<char*>(word.c_str()));
    words.push_back(nullptr);
    ::execvp(words[0], words.data());
    return format("Failed to execute {}: {}", c_escape(successor.argv.front()), errno_text(errno));
  }
  Result<std::string> read_input() override {
    constexpr std::size_t kLimit = std::size_t{1} << 20;
    std::string text;
    std::array<char, 4096> piece{};
    for (;;) {
      const ssize_t n = ::read(STDIN_FILENO, piece.data(), piece.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return Failure{SysError{"read", errno}};
      if (n == 0) return text;
      text.append(piece.data(), static_cast<std::size_t>(n));
      if (text.size() > kLimit) return Failure{SysError{"read", EFBIG}};
    }
  }

 private:
  /// Groups first: who is no longer root can't change them.
  std::string change_identity(const Successor& successor) {
    if (successor.user.empty() && successor.group.empty()) return {};
    std::optional<Account> account;
    std::optional<gid_t> gid;
    if (!successor.user.empty()) {
      auto found = accounts_.user(successor.user);
      if (!found) return found.error();
      account = std::move(*found);
      gid = account->gid;
    }
    if (!successor.group.empty()) {
      auto found = accounts_.group(successor.group);
      if (!found) return found.error();
      gid = *found;
    }
    std::vector<gid_t> groups;
    if (account) {
      auto found = accounts_.groups_of(account->name, *gid);
      if (!found) return found.error();
      groups = std::move(*found);
    }
    const auto uid = account ? std::optional<uid_t>(account->uid) : std::nullopt;
    if (auto done = take_identity(uid, *gid, groups); !done) {
      return format("Failed to change user or group: {}", to_string(done.error()));
    }
    if (!account) return {};
    ::setenv("USER", account->name.c_str(), 1);
    ::setenv("LOGNAME", account->name.c_str(), 1);
    if (!account->home.empty()) ::setenv("HOME", account->home.c_str(), 1);
    if (!account->shell.empty()) ::setenv("SHELL", account->shell.c_str(), 1);
    return {};
  }
  Accounts& accounts_;
};

class RealMachine final : public Machine {
 public:
  SysResult end_now(std::string_view how) override {
    ::sync();
    int command = RB_AUTOBOOT;
    if (how == "poweroff") command = RB_POWER_OFF;
    if (how == "halt") command = RB_HALT_SYSTEM;
    if (::reboot(command) == 0) return {};
    return Failure{SysError{"reboot", errno}};
  }
  void write_to_terminal(const std::string& path, std::string_view text) override {
    onset::write_to_terminal(path, text);
  }
};

class ForeignMemory final : public ProcessMemory {
 public:
  Result<std::string> read(pid_t pid, std::uint64_t address, std::size_t size) override {
    std::string bytes(size, '\0');
    iovec here{bytes.data(), size};
    iovec there{reinterpret_cast<void*>(address), size};  // NOLINT: another process's address
    const ssize_t n = ::process_vm_readv(pid, &here, 1, &there, 1, 0);
    if (n < 0) return Failure{SysError{"process_vm_readv", errno}};
    bytes.resize(static_cast<std::size_t>(n));
    return bytes;
  }
};

std::string working_directory() {
  std::array<char, kPathMax + 1> path{};
  return ::getcwd(path.data(), path.size()) == nullptr ? std::string("/")
                                                       : std::string(path.data());
}

void measure_terminal(CliContext& context) {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) {
    if (size.ws_col > 0) context.columns = size.ws_col;
    if (size.ws_row > 0) context.rows = size.ws_row;
  }
  const auto columns = parse_uint<unsigned>(context.variable("COLUMNS"));
  if (columns && *columns > 0) context.columns = *columns;
}

int run(int argc, char** argv, char** environment) {
  std::vector<std::string> variables;
  std::map<std::string, std::string, std::less<>> by_name;
  for (char** e = environment; *e != nullptr; ++e) {
    variables.emplace_back(*e);
    const std::size_t equals = variables.back().find('=');
    if (equals != std::string::npos)
      by_name[variables.back().substr(0, equals)] = variables.back().substr(equals + 1);
  }
  RealFiles files;
  Accounts accounts(files);
  const std::string xdg = by_name.contains("XDG_RUNTIME_DIR") ? by_name["XDG_RUNTIME_DIR"] : "";
  RuntimeFinder system_manager(false, geteuid(), xdg);
  RuntimeFinder user_manager(true, geteuid(), xdg);
  BufferedSink out(STDOUT_FILENO);
  ErrorSink err(out);
  const std::vector<std::string> arguments(argv, argv + argc);
  const bool is_user = std::find(arguments.begin(), arguments.end(), "--user") != arguments.end();
  const std::string unit_path =
      by_name.contains("SYSTEMD_UNIT_PATH") ? by_name["SYSTEMD_UNIT_PATH"] : "";
  HostFacts host = read_host_facts(is_user, variables, files, accounts);
  std::vector<std::string> search_path = manager_search_path(unit_path, is_user, host);
  CliContext context{files,
                     files,
                     system_manager,
                     user_manager,
                     out,
                     err,
                     std::move(host),
                     std::move(search_path),
                     builtin_units(is_user),
                     std::move(by_name),
                     working_directory(),
                     read_clock()};
  context.is_tty = isatty(STDOUT_FILENO) == 1;
  measure_terminal(context);
  TerminalPrograms programs(accounts);
  context.programs = &programs;
  RealMachine machine;
  context.machine = &machine;
  RealTerminal terminal([&out] { out.flush(); });
  context.keys = &terminal;
  ForeignMemory memory;
  context.memory = &memory;
  context.own_pid = getpid();
  context.is_chroot = is_chroot();
  if (!arguments.empty() && arguments.front().ends_with("systemd-detect-virt")) {
    context.container = detect_container({}, files);
    context.virtual_machine = detect_vm(files);
  }
  return run_cli(context, arguments);
}

}  // namespace

int run_command_line(int argc, char** argv, char** environment) {
  try {
    return run(argc, argv, environment);
  } catch (const std::bad_alloc&) {
    FdSink(STDERR_FILENO).write("onset: out of memory\n");
    return 1;
  }
}

}  // namespace onset
