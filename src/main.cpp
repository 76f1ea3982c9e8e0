// Which applet, by name and pid: nothing else.

#include <unistd.h>

#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "init/applet.h"
#include "init/command_line.h"
#include "init/entrypoint.h"
#include "init/machine_programs.h"
#include "init/manager_process.h"
#include "init/memory_wait.h"
#include "init/mount_process.h"

namespace {

int run_init(int argc, char** argv) {
  std::vector<std::string> arguments(argv + 1, argv + argc);
  if (!arguments.empty() && arguments.front() == "init") arguments.erase(arguments.begin());
  return onset::run_manager(onset::parse_init_options(arguments, getenv("SYSTEMD_UNIT_PATH")),
                            environ);
}

int tell_out_of_memory() {
  constexpr std::string_view kText = "onset: out of memory\n";
  (void)!write(STDERR_FILENO, kText.data(), kText.size());
  return 1;
}

/// Once, as PID 1 too: what was printed would be printed again.
int run_command(int argc, char** argv) {
  try {
    return onset::run_command_line(argc, argv, environ);
  } catch (const std::bad_alloc&) {
    return tell_out_of_memory();
  }
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
    case onset::Applet::Machine:
      return onset::run_machine_program({argv + 2, argv + argc});
    case onset::Applet::CommandLine:
      return run_command(argc, argv);
    case onset::Applet::Mount:
      return onset::run_mount_applet({argv + 1, argv + argc});
  }
  return 2;
}

}  // namespace

/// The end of PID 1 is the end of all there is: it begins anew, until there is memory. What has
/// come up deals with the want of it alone.
int main(int argc, char** argv) {
  for (;;) {
    try {
      return run(argc, argv);
    } catch (const std::bad_alloc&) {
      if (getpid() != 1) return tell_out_of_memory();
      onset::wait_for_memory();
    }
  }
}
