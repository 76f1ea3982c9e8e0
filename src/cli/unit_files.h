#pragma once
// Unit files as the command line reads and changes them itself, with or without
// a manager: what a loader or installer is to be made with.

#include <string>

#include "cli/command.h"
#include "unit/loader.h"

namespace onset {

/// The folder that --root= names, without a trailing slash; empty: "/".
std::string root_of(const Options& options);
/// The search path is that of the manager that runs, unless --root= is given.
LoaderConfig loader_config(Command& command);
/// Whether the files are to be handled without asking any manager.
bool works_on_files_alone(const Command& command);

}  // namespace onset
