#include "control/peer.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace onset {

bool is_authorised(const PeerCredentials& peer, const ControlPolicy& policy) {
  if (peer.pid <= 0 || peer.uid == policy.overflow_uid) return false;
  if (peer.uid == 0 || peer.uid == policy.manager_uid) return true;
  if (!policy.group || *policy.group == policy.overflow_gid) return false;
  return peer.gid == *policy.group ||
         std::find(peer.groups.begin(), peer.groups.end(), *policy.group) != peer.groups.end();
}

Result<PeerCredentials> read_peer(BorrowedFd socket) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
    return Failure{SysError{"getsockopt SO_PEERCRED", errno}};
  }
  PeerCredentials peer{credentials.pid, credentials.uid, credentials.gid, {}};
  // With no room the kernel says how much is wanted. A kernel without the
  // option (before 4.13) leaves the peer with its main group alone.
  size = 0;
  if (::getsockopt(socket.get(), SOL_SOCKET, SO_PEERGROUPS, nullptr, &size) == 0 ||
      errno != ERANGE) {
    return peer;
  }
  peer.groups.resize(size / sizeof(gid_t));
  if (::getsockopt(socket.get(), SOL_SOCKET, SO_PEERGROUPS, peer.groups.data(), &size) != 0) {
    peer.groups.clear();
  }
  return peer;
}

}  // namespace onset
