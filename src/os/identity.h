#pragma once
// This process becomes another user's. For the command line: what PID 1 starts does it in
// os/launch_child_identity.

#include <sys/types.h>

#include <optional>
#include <vector>

#include "base/result.h"

namespace onset {

/// All three ids of each. The groups first: who is no longer root can't change them. Without a
/// user the groups stay.
SysResult take_identity(std::optional<uid_t> uid, gid_t gid, const std::vector<gid_t>& groups);

}  // namespace onset
