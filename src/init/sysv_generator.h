#pragma once
// Units for the init scripts that have none: systemd-sysv-generator(8) on this machine's folders.
// What a script becomes is unit/sysv_script.

#include <string>
#include <vector>

#include "unit/file_source.h"

namespace onset {

struct SysvPlaces {
  std::string scripts = "/etc/init.d";
  std::string runlevels = "/etc";  ///< where rc2.d and its kin are
};

/// Whether there is a script at all.
bool has_sysv_scripts(FileSource& files, const SysvPlaces& places);

/// Writes them into `folder`, with the links by which they are wanted; what was wrong, a line
/// each. A name that has a file in one of `search_path`'s folders is left alone.
std::vector<std::string> generate_sysv_units(FileSource& files, const SysvPlaces& places,
                                             const std::vector<std::string>& search_path,
                                             const std::string& folder);

}  // namespace onset
