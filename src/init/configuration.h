#pragma once
// system.conf (user.conf) at work in this process: what its files say, the command
// line over it, and below it what the manual gives where nobody says anything.
//
// Resource limits that are not set: systemd-system.conf(5) has defaults of its own
// for two of them. Those hold on a machine, where the kernel's are of no use; in a
// container and for a user, whoever started the manager has decided, and what it
// was given its services are given.

#include <string>
#include <vector>

#include "base/diagnostic.h"
#include "init/options.h"
#include "init/signal_table.h"
#include "os/launch_settings.h"
#include "unit/environment.h"
#include "unit/file_source.h"
#include "unit/kernel_command_line.h"
#include "unit/manager_settings.h"

namespace onset {

struct ConfigurationContext {
  FileSource& files;
  const InitOptions& options;
  const HostFacts& host;
  const KernelRequest& kernel;
  Surroundings surroundings = Surroundings::Machine;
  std::vector<std::string> environment;  ///< the manager's own, as it was started
  std::vector<Limit> inherited;          ///< limits that it has changed for itself since
};

class Configuration {
 public:
  explicit Configuration(ConfigurationContext context) : context_(std::move(context)) {}

  /// The files, anew. What is wrong in them is appended.
  void read(Diagnostics& diagnostics);

  /// With `limits` completed.
  [[nodiscard]] const ManagerSettings& settings() const { return settings_; }
  [[nodiscard]] int log_level() const;
  /// Without a word from anybody all is shown; on a quiet kernel, what fails or takes long.
  [[nodiscard]] ShowStatus show_status() const;
  /// The manager's own, with ManagerEnvironment= over it.
  [[nodiscard]] std::vector<std::string> environment() const;
  [[nodiscard]] LaunchDefaults launch_defaults() const;

  /// What clients have set stays over a reload. False: that would be too much, nothing is done.
  /// What the generators of the environment have said last, below that.
  void set_generated_environment(std::vector<std::string> assignments) {
    generated_environment_ = std::move(assignments);
  }
  [[nodiscard]] const std::vector<std::string>& client_environment() const {
    return client_environment_.assignments();
  }
  bool change_environment(const std::vector<std::string>& unset,
                          const std::vector<std::string>& set);

 private:
  void complete_limits(Diagnostics& diagnostics);
  void complete_machine_limits();

  ConfigurationContext context_;
  ManagerSettings settings_;
  std::vector<std::string> generated_environment_;
  Environment client_environment_;
};

/// The folders of system.conf: `config_path` (colon-joined) if given, a trailing
/// colon adding the default ones.
std::vector<std::string> manager_config_path(const std::string& config_path, bool user_manager,
                                             const HostFacts& host);

}  // namespace onset
