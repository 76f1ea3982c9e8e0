#pragma once
// Where a path leads, for who must not wait: PID 1.

#include <string>

namespace onset {

/// An absolute path with its links resolved, but only as far as the root's own file system goes.
/// What another one holds may be on a server that does not answer, or be mounted by PID 1 itself
/// once somebody looks (autofs): from there on, and where something is not there yet, the rest
/// is as it was written. At boot, before anything is mounted, that is all that there is.
std::string resolve_links(const std::string& path);

}  // namespace onset
