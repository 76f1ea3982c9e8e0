#pragma once
// The options of `onset init` (design, section 2). PID 1 warns about one that
// it does not know and goes on.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace onset {

enum class LogTarget { Console, Kmsg, Null };

/// "console" (or "auto"), "kmsg", "null".
std::optional<LogTarget> parse_log_target(std::string_view text);
std::string_view log_target_name(LogTarget target);

struct InitOptions {
  bool user = false;
  std::string unit;              ///< empty: the kernel command line's, or default.target
  std::string unit_path;         ///< colon-joined, in place of the search path
  std::string config_path;       ///< colon-joined, in place of the folders of system.conf
  std::optional<int> log_level;  ///< syslog's: 3 err … 7 debug; unset: LogLevel= of system.conf
  LogTarget log_target = LogTarget::Console;
  std::optional<bool> show_status;  ///< unset: ShowStatus= of system.conf
  std::vector<std::string> words;   ///< as a kernel command line has them
  std::vector<std::string> warnings;
};

/// `arguments` without the program's name and `init`. `environment_unit_path`
/// is SYSTEMD_UNIT_PATH, or null.
InitOptions parse_init_options(const std::vector<std::string>& arguments,
                               const char* environment_unit_path);

}  // namespace onset
