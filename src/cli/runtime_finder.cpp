#include "cli/runtime_finder.h"

#include <sys/stat.h>

#include <optional>

#include "base/format.h"
#include "control/peer.h"
#include "control/runtime_paths.h"

namespace onset {

namespace {

constexpr Duration kConnectPatience = std::chrono::seconds(5);

/// /tmp and /dev/shm are anybody's: a folder there may be a stranger's trap.
bool is_ours(const std::string& directory, unsigned uid) {
  struct stat found {};
  if (::lstat(directory.c_str(), &found) != 0) return true;  // connect says what is wrong
  return S_ISDIR(found.st_mode) && (found.st_uid == 0 || found.st_uid == uid);
}

bool is_trusted(const ControlClient& client, unsigned uid) {
  const auto peer = read_peer(client.fd());
  return peer && (peer->uid == 0 || peer->uid == uid);
}

}  // namespace

Result<ControlClient, ClientError> RuntimeFinder::find() {
  std::string looked;
  std::optional<ClientError> refused;
  for (const std::string& directory :
       runtime_directory_candidates(user_manager_, uid_, xdg_runtime_dir_)) {
    const std::string path = format("{}/{}", directory, kControlSocketName);
    looked += format("{}{}", looked.empty() ? "" : ", ", path);
    if (!is_ours(directory, uid_)) continue;
    auto client = ControlClient::connect(path, kConnectPatience);
    if (client && is_trusted(*client, uid_)) return client;
    if (!client && client.error().kind != ClientError::Kind::NoManager && !refused) {
      refused = client.error();
    }
  }
  if (refused) return Failure{*refused};
  return Failure{ClientError{ClientError::Kind::NoManager,
                             format("No onset manager is running here (looked for {}).", looked)}};
}

bool is_chroot() {
  struct stat first {};
  struct stat here {};
  if (::stat("/proc/1/root", &first) != 0 || ::stat("/", &here) != 0) return false;
  return first.st_dev != here.st_dev || first.st_ino != here.st_ino;
}

}  // namespace onset
