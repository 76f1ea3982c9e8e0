#pragma once
// What system.conf and user.conf set: the [Manager] section of
// systemd-system.conf(5), with the one table of its settings. Immutable once
// read; daemon-reload reads it anew. Files are found by unit/manager_files.h.

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"
#include "base/time.h"
#include "unit/directives.h"
#include "unit/emergency_action.h"
#include "unit/exec_config.h"
#include "unit/resource_config.h"
#include "unit/service_config.h"
#include "unit/specifiers.h"

namespace onset {

/// The initial values are the manual's, but for resource limits: where those
/// that are not set come from depends on the machine (init/configuration.h).
/// ShowStatus=: Auto and Error show what fails; Auto what takes long as well.
enum class ShowStatus : std::uint8_t { No, Error, Auto, Yes };
std::string_view to_string(ShowStatus s);

/// StatusUnitFormat=: what status lines call a unit by.
enum class StatusUnitFormat : std::uint8_t { Name, Description, Combined };
std::string_view to_string(StatusUnitFormat f);

struct ManagerSettings {
  Duration timeout_start = std::chrono::seconds(90);  ///< of services that are no oneshot
  Duration timeout_stop = std::chrono::seconds(90);
  std::optional<Duration> timeout_abort;  ///< unset: each unit's TimeoutStopSec=
  Duration restart_delay = std::chrono::milliseconds(100);
  Duration device_timeout = std::chrono::seconds(90);  ///< of jobs that wait for a device
  Duration start_limit_interval = std::chrono::seconds(10);
  unsigned start_limit_burst = 5;
  unsigned start_concurrency_max = kNoCountLimit;  ///< StartConcurrencyMax=, onset's own

  EmergencyAction ctrl_alt_del_burst_action = EmergencyAction::RebootForce;

  // The hardware watchdog: zero is off, kInfinity its own timeout.
  Duration runtime_watchdog{0};
  Duration reboot_watchdog = std::chrono::minutes(10);
  Duration kexec_watchdog{0};
  Duration runtime_watchdog_pre{0};
  std::string watchdog_device;  ///< empty: the first

  std::vector<std::string> environment;          ///< DefaultEnvironment=, NAME=VALUE
  std::vector<std::string> manager_environment;  ///< ManagerEnvironment=, likewise
  ExecOutput output = ExecOutput::Journal;
  ExecOutput error_output = ExecOutput::Inherit;
  std::vector<Limit> limits;  ///< DefaultLimit…=, those that are set
  std::optional<int> oom_score_adjust;

  bool cpu_accounting = true;
  bool memory_accounting = true;
  bool tasks_accounting = true;
  bool io_accounting = false;
  bool ip_accounting = false;
  OomPolicy oom_policy = OomPolicy::Stop;
  /// "auto" in systemd since 254, where processes are told unasked.
  PressureWatch pressure_watch = PressureWatch::Skip;
  Duration pressure_threshold = std::chrono::milliseconds(200);
  std::optional<std::uint64_t> tasks_max;  ///< unset: 15 % of what the machine can have

  std::optional<int> log_level;  ///< syslog's
  std::optional<ShowStatus> show_status;
  StatusUnitFormat status_unit_format = StatusUnitFormat::Combined;
};

struct ManagerDirective;

/// A setting that is known, set to something that matters, and not honoured.
struct ManagerNotYetUse {
  const ManagerDirective* directive = nullptr;
  std::string file;
  unsigned line = 0;
};

/// What one assignment is parsed in.
struct ManagerParseContext {
  ManagerSettings& settings;
  const SpecifierScope& scope;
  std::string_view file;
  unsigned line = 0;
  std::string_view key;
  Diagnostics& diagnostics;
  std::vector<ManagerNotYetUse>& not_yet;
};

struct ManagerDirective {
  std::string_view name = {};
  /// Empty: accepted. Otherwise what was expected, for the user.
  std::string (*parse)(ManagerParseContext&, std::string_view value) = nullptr;
  /// As `show` prints it; null: not a property of these settings, or a limit, which
  /// is two: find_limit() has them.
  std::string (*show)(const ManagerSettings&) = nullptr;
  Support support = Support::Honoured;
  std::string_view help = {};      ///< one line
  std::string_view property = {};  ///< its name in `show`, where that is another one
  std::string_view inert = {};     ///< of NotYet: the value that asks for nothing
  int resource = -1;               ///< of DefaultLimit…=: RLIMIT_…
};

/// An assignment that stands above those of all files.
struct ManagerOverride {
  std::string_view key;
  std::string value;
  std::string_view origin;  ///< in place of a file's name, for the user
};

/// Every setting of systemd-system.conf(5), in the manual's order.
std::span<const ManagerDirective> manager_directives();
/// Null if unknown.
const ManagerDirective* find_manager_directive(std::string_view name);

/// Applies one assignment of [Manager]. A value that can't be taken, or a name
/// that is not known, is a warning; what was set before stays.
void apply_manager_assignment(ManagerParseContext& context, std::string_view value);

/// The words of syslog(3), or 0 to 7.
std::optional<int> parse_log_level(std::string_view text);
std::string_view log_level_name(int level);

/// The limit of this resource; null if it is not set.
const Limit* find_limit(const std::vector<Limit>& limits, int resource);

}  // namespace onset
