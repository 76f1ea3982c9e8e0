#pragma once
// One Listen…= of a socket unit, opened: systemd.socket(5). Nothing here waits.

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "unit/socket_config.h"

namespace onset {

/// Of nodes in the file system; -1: whoever makes them.
struct NodeOwner {
  uid_t uid = static_cast<uid_t>(-1);
  gid_t gid = static_cast<gid_t>(-1);
};

/// Bound, listening where it takes connections, non-blocking, close-on-exec. The error is a
/// sentence with the address. What the kernel refuses of the settings that systemd does without
/// too is told in `losses`.
Result<UniqueFd, std::string> open_listen(const ListenAddress& listen, const SocketConfig& config,
                                          const NodeOwner& owner, std::vector<std::string>& losses);

/// Symlinks=, to the one path that the unit has; what can't be is told.
void make_socket_links(const SocketConfig& config, std::vector<std::string>& losses);
/// RemoveOnStop=: nodes and links.
void remove_socket_nodes(const SocketConfig& config);

}  // namespace onset
