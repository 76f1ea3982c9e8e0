#pragma once
// Where system.conf and user.conf are: systemd-system.conf(5), CONFIGURATION
// DIRECTORIES AND PRECEDENCE.
//
//   folders, first wins → the first main file that is there
//                       → then NAME.d/*.conf of all folders, by file name; of equal
//                         names the first folder's, so that it hides the others

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"
#include "unit/file_source.h"
#include "unit/manager_settings.h"
#include "unit/specifiers.h"

namespace onset {

/// The folders of the system's manager, or of a user's: as the unit search path,
/// with onset's own before systemd's.
std::vector<std::string> default_config_path(bool user_manager, const HostFacts& host);

/// `overrides` come after all files. Never fails: what can't be read or understood is told with
/// file and line and left out.
ManagerSettings read_manager_settings(FileSource& files, const std::vector<std::string>& folders,
                                      bool user_manager, const HostFacts& host,
                                      std::span<const ManagerOverride> overrides,
                                      Diagnostics& diagnostics);

}  // namespace onset
