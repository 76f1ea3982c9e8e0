#pragma once
// Who is at the other end of a control connection, as the kernel tells PID 1,
// and whether that one may speak at all. Decided before a byte is read.

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace onset {

/// SO_PEERCRED and SO_PEERGROUPS, unix(7): fixed when the peer connected.
struct PeerCredentials {
  pid_t pid = 0;  ///< 0: outside the manager's PID namespace
  uid_t uid = 0;  ///< as the manager's user namespace maps it
  gid_t gid = 0;
  std::vector<gid_t> groups;  ///< supplementary ones
};

struct ControlPolicy {
  uid_t manager_uid = 0;
  /// What the kernel shows for ids without a mapping (/proc/sys/kernel/overflowuid).
  uid_t overflow_uid = 65534;
  gid_t overflow_gid = 65534;
  /// A group whose members may control the manager as root may.
  std::optional<gid_t> group;
};

/// The second opinion, on where the peer runs: a sandboxed service that is uid 0
/// must not start an unrestricted unit.
class PeerGate {
 public:
  virtual ~PeerGate() = default;
  /// The error: it could not look (EMFILE, …). The peer is refused then, too.
  virtual Result<bool> admits(const PeerCredentials& peer) = 0;
};

/// Pure. Root and the manager's own user, and the policy's group; never a peer
/// without a pid of ours or with an unmapped uid, even where the manager itself
/// runs as that number: there it can't be told from a stranger.
bool is_authorised(const PeerCredentials& peer, const ControlPolicy& policy);

Result<PeerCredentials> read_peer(BorrowedFd socket);

}  // namespace onset
