#include "os/identity.h"

#include <grp.h>
#include <unistd.h>

#include <cerrno>

namespace onset {

SysResult take_identity(std::optional<uid_t> uid, gid_t gid, const std::vector<gid_t>& groups) {
  if (uid && ::setgroups(groups.size(), groups.data()) != 0) {
    return Failure{SysError{"setgroups", errno}};
  }
  if (::setresgid(gid, gid, gid) != 0) return Failure{SysError{"setresgid", errno}};
  if (uid && ::setresuid(*uid, *uid, *uid) != 0) return Failure{SysError{"setresuid", errno}};
  return {};
}

}  // namespace onset
