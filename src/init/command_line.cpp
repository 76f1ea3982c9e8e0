#include "init/command_line.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <new>
#include <string>
#include <vector>

#include "cli/context.h"
#include "cli/runtime_finder.h"
#include "loop/clock.h"
#include "os/accounts.h"
#include "os/files.h"
#include "os/host_facts.h"

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

unsigned terminal_columns() {
  winsize size{};
  return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

int run(int argc, char** argv, char** environment) {
  std::vector<std::string> variables;
  std::map<std::string, std::string, std::less<>> by_name;
  for (char** e = environment; *e != nullptr; ++e) {
    variables.emplace_back(*e);
    const std::size_t equals = variables.back().find('=');
    if (equals != std::string::npos) by_name[variables.back().substr(0, equals)] = variables.back().substr(equals + 1);
  }
  RealFiles files;
  Accounts accounts(files);
  const std::string xdg = by_name.contains("XDG_RUNTIME_DIR") ? by_name["XDG_RUNTIME_DIR"] : "";
  RuntimeFinder system_manager(false, geteuid(), xdg);
  RuntimeFinder user_manager(true, geteuid(), xdg);
  FdSink out(STDOUT_FILENO);
  FdSink err(STDERR_FILENO);
  CliContext context{files, files, system_manager, user_manager, out, err,
                     read_host_facts(false, variables, files, accounts), builtin_units(false),
                     std::move(by_name), read_clock()};
  context.is_tty = isatty(STDOUT_FILENO) == 1;
  context.columns = terminal_columns();
  context.is_chroot = is_chroot();
  return run_cli(context, std::vector<std::string>(argv, argv + argc));
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
