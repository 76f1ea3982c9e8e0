#pragma once
// What early services read: sysctl.d(5), modules-load.d(5). Pure: files through FileSource; what
// they ask for comes back as data.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"
#include "unit/file_source.h"

namespace onset {

/// The folders in which NAME.d is looked for, the first wins.
std::vector<std::string> conf_folders(std::string_view name);

/// The *.conf of all folders by their file names; of equal names the first folder's, so that it
/// hides the others, or masks them by being a link to /dev/null. Paths.
std::vector<std::string> conf_files(FileSource& files, std::span<const std::string> folders,
                                    Diagnostics& diagnostics);

struct SysctlSetting {
  std::string key;  ///< below /proc/sys, with slashes: "net/ipv4/ip_forward"; may be a pattern
  std::string value;
  bool ignore_failure = false;  ///< "-" in front
  bool excludes = false;        ///< "-KEY" without a value: patterns leave it alone
  std::string file;
  unsigned line = 0;
};

/// A key as written to the path below /proc/sys. Where the first separator is a dot, dots and
/// slashes change places; where it is a slash, all stay.
std::string sysctl_path(std::string_view key);

/// The lines of one file. What can't be one is told.
std::vector<SysctlSetting> parse_sysctl(std::string_view text, const std::string& file,
                                        Diagnostics& diagnostics);

/// What is to be written, in this order: patterns resolved against what is below /proc/sys, of
/// each key the last setting. A key given as itself is not for patterns.
std::vector<SysctlSetting> plan_sysctl(const std::vector<SysctlSetting>& settings,
                                       FileSource& files, Diagnostics& diagnostics);

/// The names of one file of modules-load.d.
std::vector<std::string> parse_module_names(std::string_view text);
/// Those of modules_load= on the kernel's command line; in an initrd of rd.modules_load= too.
std::vector<std::string> modules_of_command_line(std::string_view line, bool in_initrd);

}  // namespace onset
