#pragma once
// RuntimeDirectory=, StateDirectory=, CacheDirectory=, LogsDirectory=,
// ConfigurationDirectory= (systemd.exec(5)): made, owned and removed.
//
// Everything goes by descriptor from the base folder (/run, /var/lib, …) down,
// one name at a time (fault C13). A link in the way is followed only where
// nobody but the manager's own user or root can have put it: link and folder
// belong to one of them and the folder is writable by no one else. Trees are
// walked without recursion.

#include <sys/types.h>

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"

namespace onset {

inline constexpr uid_t kKeepOwner = static_cast<uid_t>(-1);
inline constexpr gid_t kKeepGroup = static_cast<gid_t>(-1);

struct DirectoryWish {
  std::string_view base;      ///< absolute; made if it is not there
  std::string_view relative;  ///< normalised, without "..": the names below it
  mode_t mode = 0755;
  uid_t uid = kKeepOwner;  ///< kKeepOwner: whoever has or makes it
  gid_t gid = kKeepGroup;
  bool change_existing = true;  ///< false: one that exists keeps mode and owner (Configuration…)
};

/// The directory, made or found. `wrong_owner` if it was there before and
/// belongs to somebody else: then its whole tree is to change hands.
struct DirectoryMade {
  UniqueFd fd;
  bool wrong_owner = false;
};

Result<DirectoryMade> make_directory(const DirectoryWish& wish);

/// A relative link `link` → `relative`, both below `base`. One that is there
/// and leads there is fine; anything else there is EEXIST.
SysResult make_directory_link(std::string_view base, std::string_view relative,
                              std::string_view link);

/// Gives a tree to an owner, the top last, so that an interrupted change is
/// begun again. Links are changed themselves. A file with several links is
/// left alone unless it belonged to the top's owner: it may be someone's file
/// from elsewhere. 0 or errno.
int change_tree_owner(BorrowedFd top, uid_t uid, gid_t gid) noexcept;

struct Removal {
  int error = 0;         ///< the first that was not "no such file"
  bool complete = true;  ///< false: `budget` ran out before the tree was gone
};

/// Removes base/relative and all below it; a link itself, never what it leads
/// to. Stops after `budget` entries.
Removal remove_tree(std::string_view base, std::string_view relative, unsigned budget);

}  // namespace onset
