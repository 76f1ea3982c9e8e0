#pragma once
// One unit as its files describe it. Immutable once loaded: what the unit is
// doing lives in engine/.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"
#include "base/time.h"
#include "unit/condition.h"
#include "unit/dependency.h"
#include "unit/emergency_action.h"
#include "unit/exec_config.h"
#include "unit/kill_config.h"
#include "unit/mount_config.h"
#include "unit/name.h"
#include "unit/resource_config.h"
#include "unit/scheduling_config.h"
#include "unit/scope_config.h"
#include "unit/service_config.h"
#include "unit/socket_config.h"

namespace onset {

enum class LoadState : std::uint8_t { Stub, Loaded, NotFound, BadSetting, Error, Merged, Masked };

/// How a job that a unit's state pulls in is queued (OnFailureJobMode=), and
/// how one that a user asks for is (systemctl --job-mode=).
enum class JobMode : std::uint8_t {
  Fail,
  Replace,
  ReplaceIrreversibly,
  Isolate,
  Flush,
  IgnoreDependencies,
  IgnoreRequirements,
};

enum class CollectMode : std::uint8_t { Inactive, InactiveOrFailed };

/// A dependency as written: the other unit still by name.
struct NamedDependency {
  DependencyKind kind{};
  std::string name;
  bool implicit = false;  ///< added by the loader, not written in a file
};

struct UnitConfig {
  std::string description;
  std::vector<std::string> documentation;
  std::vector<NamedDependency> dependencies;
  std::vector<std::string> requires_mounts_for;
  std::vector<Condition> conditions;
  std::vector<Condition> asserts;

  std::optional<Duration> start_limit_interval;  ///< unset: the manager's default
  std::optional<unsigned> start_limit_burst;
  EmergencyAction start_limit_action = EmergencyAction::None;
  EmergencyAction success_action = EmergencyAction::None;
  EmergencyAction failure_action = EmergencyAction::None;
  std::optional<int> success_action_exit_status;
  std::optional<int> failure_action_exit_status;
  std::string reboot_argument;

  Duration job_timeout = kInfinity;
  std::optional<Duration> job_running_timeout;  ///< unset: job_timeout's default of the type
  EmergencyAction job_timeout_action = EmergencyAction::None;
  std::string job_timeout_reboot_argument;

  JobMode on_failure_job_mode = JobMode::Replace;
  JobMode on_success_job_mode = JobMode::Fail;
  CollectMode collect_mode = CollectMode::Inactive;
  bool default_dependencies = true;
  bool refuse_manual_start = false;
  bool refuse_manual_stop = false;
  bool allow_isolate = false;
  bool ignore_on_isolate = false;
  bool stop_when_unneeded = false;
  bool survive_final_kill_signal = false;
  std::string source_path;
};

/// [Install]; read by enable and its kin, never by the engine.
struct InstallConfig {
  std::vector<std::string> alias;
  std::vector<std::string> wanted_by;
  std::vector<std::string> required_by;
  std::vector<std::string> upheld_by;
  std::vector<std::string> also;
  std::string default_instance;
  [[nodiscard]] bool empty() const {
    return alias.empty() && wanted_by.empty() && required_by.empty() && upheld_by.empty() &&
           also.empty();
  }
};

/// The part of [Slice], [Service], [Socket]… that places a unit in the cgroup
/// tree. What it may use there is in ResourceConfig.
struct CgroupConfig {
  std::string slice;  ///< after the loader: what holds, system.slice if nothing else is said
  bool delegate = false;
};

struct Unit {
  std::string id;                    ///< the primary name
  std::vector<std::string> aliases;  ///< further names
  UnitType type = UnitType::Service;
  LoadState load_state = LoadState::Stub;
  std::string load_error;     ///< why not Loaded: file:line and reason
  std::string fragment_path;  ///< empty: none; "builtin:NAME": of the binary; masked: the mask
  std::vector<std::string> dropin_paths;
  std::int64_t fragment_mtime_ns = 0;  ///< as it was read; 0: no file
  std::int64_t dropin_mtime_ns = 0;    ///< the newest one's
  bool is_transient = false;           ///< made while the system runs: its file goes with it
  /// Names of directives that its files set and onset does not honour yet.
  std::vector<std::string_view> not_honoured;

  UnitConfig config;
  std::unique_ptr<ExecConfig> exec;              ///< of types that run processes
  std::unique_ptr<SchedulingConfig> scheduling;  ///< of those with settings of it
  std::unique_ptr<KillConfig> kill;
  std::unique_ptr<CgroupConfig> cgroup;
  std::unique_ptr<ResourceConfig> resource;  ///< of units that limit or count what they use
  std::unique_ptr<ServiceConfig> service;    ///< of services
  std::unique_ptr<SocketConfig> socket;      ///< of sockets
  std::unique_ptr<ScopeConfig> scope;        ///< of scopes
  std::unique_ptr<MountConfig> mount;        ///< of mounts
  std::unique_ptr<SwapConfig> swap;          ///< of swaps
  std::unique_ptr<AutomountConfig> automount;
  std::unique_ptr<SliceConfig> slice;      ///< of slices that limit how many units are up
  std::unique_ptr<InstallConfig> install;  ///< of files that have the section
};

}  // namespace onset
