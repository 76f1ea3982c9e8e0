#pragma once
// The environment of a service's process, systemd.exec(5), ENVIRONMENT
// VARIABLES IN SPAWNED PROCESSES. Later ones win:
//
//   the manager's (PATH, LANG; a user's manager passes its own on) → what the
//   manager says about this process → ExecSearchPath= → PassEnvironment= →
//   Environment= → EnvironmentFile= → and UnsetEnvironment= has the last word.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/os.h"
#include "os/accounts.h"
#include "os/launch_plan.h"
#include "os/launch_settings.h"
#include "os/log_sink.h"
#include "unit/environment.h"
#include "unit/file_source.h"

namespace onset {

/// The manager's part: the same for every process, so made once.
Environment manager_environment(const LaunchSettings& settings, FileSource& files);

struct EnvironmentSources {
  const LaunchSettings& settings;
  const Environment& base;  ///< of manager_environment()
  const LaunchRequest& request;
  const Account* account = nullptr;      ///< of User=
  std::vector<std::string> directories;  ///< RUNTIME_DIRECTORY=… and its siblings
  bool on_terminal = false;
};

/// MemoryPressureWatch=: the file to watch, "/dev/null" where watching is off, empty where the
/// processes are told of neither. `group` as cgroup_path() has it.
std::string watched_pressure_file(const LaunchSettings& settings, const Unit& unit,
                                  std::string_view group);

/// Fails only for an EnvironmentFile= that must be there and cannot be read;
/// that is said through `log` with its name.
Result<Environment> process_environment(const EnvironmentSources& sources, FileSource& files,
                                        LogSink& log);

}  // namespace onset
