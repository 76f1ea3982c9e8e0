#pragma once
// LaunchRequest → LaunchPlan: all that a launch needs to know, look up, read
// and allocate happens here, in PID 1, before the clone.
//
// What systemd finds out in the child (no such user, no such directory, …) is
// found out here, but still ends the process with systemd's exit status: the
// plan is then one whose child only exits. What systemd refuses before it forks
// (an EnvironmentFile= that is missing) is an error of build().

#include <set>
#include <string>
#include <utility>

#include "base/result.h"
#include "engine/os.h"
#include "os/accounts.h"
#include "os/directories.h"
#include "os/launch_plan.h"
#include "os/launch_settings.h"
#include "os/log_sink.h"
#include "os/socket_table.h"
#include "unit/environment.h"
#include "unit/file_source.h"

namespace onset {

class LaunchBuilder {
 public:
  LaunchBuilder(const LaunchSettings& settings, FileSource& files, Accounts& accounts,
                LogSink& log);

  /// Everything but the cgroup.
  Result<LaunchPlan> build(const LaunchRequest& request, const PassedSockets& passed = {});
  /// What every process has in its environment, before what its unit says.
  [[nodiscard]] const Environment& base() const { return base_; }

 private:
  /// Which of the unit's settings hold for this command (prefixes, …StartOnly=).
  struct Scope {
    bool sandbox = true;  ///< limits, capabilities, NoNewPrivileges=
    bool change_user = true;
    bool change_root = true;
    bool terminal_input = true;
  };
  static Scope scope_of(const LaunchRequest& request);

  struct Identity {
    Account account;
    bool has_account = false;
    bool has_group = false;
    gid_t gid = 0;
  };
  bool find_identity(LaunchPlan& plan, const ExecConfig& exec, Identity& identity);
  void plan_identity(LaunchPlan& plan, const ExecConfig& exec, const Identity& identity);
  void plan_capabilities(LaunchPlan& plan, const ExecConfig& exec) const;
  void plan_limits(LaunchPlan& plan, const ExecConfig& exec, bool sandbox);
  Limit clamp(const LaunchPlan& plan, Limit limit);
  static std::string plan_directory(LaunchPlan& plan, ExecDirectory kind,
                                    const DirectoryEntry& entry, DirectoryWish wish);
  void plan_directories(LaunchPlan& plan, const ExecConfig& exec, const Identity& identity,
                        std::vector<std::string>& variables);
  void plan_working_directory(LaunchPlan& plan, const ExecConfig& exec, const Identity& identity);
  void plan_command(LaunchPlan& plan, const LaunchRequest& request, const Environment& environment);

  const LaunchSettings& settings_;
  FileSource& files_;
  Accounts& accounts_;
  LogSink& log_;
  Environment base_;
  std::set<std::pair<std::string, int>> clamped_;  ///< limits already spoken of
};

}  // namespace onset
