#pragma once
// Checks unit files offline, with the loader that the manager has: what
// `onset verify FILE…` does.

#include <string>
#include <vector>

#include "base/diagnostic.h"
#include "unit/file_source.h"
#include "unit/loader.h"

namespace onset {

/// Each of `paths` is the path of a unit file or the name of a unit; a file's
/// folder is searched first. Besides what the loader says: commands that are no
/// programs (unless their failure is ignored), and units that are required and
/// can't be loaded. A file in a folder like TREE/usr/lib/systemd/system (a package
/// that was unpacked there) is judged with its tree: units and programs are
/// looked for in it as well. Appends all to `diagnostics`, as they are met.
///
/// Returns the exit status: 1 if there was anything that the user has to mend
/// (Error or Warning), 0 if not; a Note alone (a setting that is not honoured
/// yet, an old form) is no fault.
int verify_files(FileSource& files, LoaderConfig config, const std::vector<std::string>& paths,
                 Diagnostics& diagnostics);

}  // namespace onset
