// Which applet, by name and pid: nothing else.

#include <unistd.h>

#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "init/applet.h"
#include "init/command_line.h"
#include "init/entrypoint.h"
#include "init/manager_process.h"

namespace {

int run_init(int argc, char** argv) {
  std::vector<std::string> arguments(argv + 1, argv + argc);
  if (!arguments.empty() && arguments.front() == "init") arguments.erase(arguments.begin());
  return onset::run_manager(onset::parse_init_options(arguments, getenv("SYSTEMD_UNIT_PATH")),
                            environ);
}

int run(int argc, char** argv) {
  const bool is_pid1 = getpid() == 1;
  const auto call = onset::parse_entrypoint(argv, is_pid1);
  const char* const first = argc > 1 ? argv[1] : "";
  const char* const second = argc > 2 ? argv[2] : "";
  switch (onset::applet_of(argc > 0 ? argv[0] : "", first, second, is_pid1,
                           call.verdict != onset::EntrypointVerdict::NotOurs)) {
    case onset::Applet::Entrypoint:
      onset::run_entrypoint(call, environ);
    case onset::Applet::Manager:
      return run_init(argc, argv);
    case onset::Applet::CommandLine:
      return onset::run_command_line(argc, argv, environ);
  }
  return 2;
}

/// Of an end for want of memory: the end of PID 1 is the end of all there is.
constexpr int kAttempts = 10;

}  // namespace

int main(int argc, char** argv) {
  for (int attempt = 1;; ++attempt) {
    try {
      return run(argc, argv);
    } catch (const std::bad_alloc&) {
      if (getpid() == 1 && attempt < kAttempts) continue;
      constexpr std::string_view kText = "onset: out of memory\n";
      (void)!write(STDERR_FILENO, kText.data(), kText.size());
      return 1;
    }
  }
}
