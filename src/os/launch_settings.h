#pragma once
// What every process of a manager is started with, whatever its unit says.

#include <optional>
#include <string>
#include <vector>

#include "os/self.h"
#include "unit/exec_config.h"
#include "unit/resource_config.h"
#include "unit/specifiers.h"

namespace onset {

/// systemd's fixed search path, with the tail for a /bin that is not a link.
inline constexpr std::string_view kDefaultPath =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What the manager's configuration says of every process; a reload may change it.
struct LaunchDefaults {
  std::vector<std::string> environment;  ///< DefaultEnvironment=, NAME=VALUE
  /// What generators and then clients have set, over it. Names that only a process of this
  /// manager may be told are left out.
  std::vector<std::string> changed_environment;
  std::vector<Limit> limits;  ///< for what a unit does not set
  ExecOutput output = ExecOutput::Journal;
  ExecOutput error_output = ExecOutput::Inherit;
  std::optional<int> oom_score_adjust;
  bool memory_accounting = true;
  PressureWatch pressure_watch = PressureWatch::Skip;
  Duration pressure_threshold = std::chrono::milliseconds(200);
};

struct LaunchSettings {
  bool user_manager = false;
  HostFacts host;
  SelfFacts self;
  std::string notify_socket;             ///< $NOTIFY_SOCKET, empty: none
  std::vector<std::string> environment;  ///< the manager's own, NAME=VALUE
  LaunchDefaults defaults;
  std::string pressure_folder;  ///< of the groups, if the kernel measures memory's; else empty
  // Descriptors of PID 1, 3 or higher, that stay open:
  int null_input = -1;
  int null_output = -1;
  int output = -1;  ///< where the journal targets go until there are logs
  int error_output = -1;
};

}  // namespace onset
