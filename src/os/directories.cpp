#include "os/directories.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <new>
#include <utility>
#include <vector>

#include "os/kernel.h"

namespace onset {
namespace {

constexpr int kDirectory = O_RDONLY | O_DIRECTORY | O_NONBLOCK;

/// The next name of a path; slashes are skipped.
std::string next_name(std::string_view& rest) {
  while (rest.starts_with('/')) rest.remove_prefix(1);
  const auto end = rest.find('/');
  std::string name(rest.substr(0, end));
  rest = end == std::string_view::npos ? std::string_view() : rest.substr(end);
  while (rest.starts_with('/')) rest.remove_prefix(1);
  return name;
}

bool trusted(uid_t uid) {
  return uid == 0 || uid == ::geteuid();
}

/// Whether a link in this folder can only have been put there by root or us.
bool link_is_trusted(int parent, const char* name) {
  struct stat folder {};
  struct stat link {};
  if (::fstat(parent, &folder) != 0) return false;
  if (::fstatat(parent, name, &link, AT_SYMLINK_NOFOLLOW) != 0) return false;
  const bool sticky = (folder.st_mode & S_ISVTX) != 0;
  const bool closed = (folder.st_mode & 0022) == 0 || sticky;
  return S_ISLNK(link.st_mode) && trusted(folder.st_uid) && trusted(link.st_uid) && closed;
}

Result<UniqueFd> enter(int parent, const std::string& name) {
  auto fd = open_at(parent, name.c_str(), kDirectory | O_NOFOLLOW);
  if (fd) return fd;
  const int err = fd.error().err;
  if ((err == ELOOP || err == ENOTDIR) && link_is_trusted(parent, name.c_str())) {
    return open_at(parent, name.c_str(), kDirectory);
  }
  return fd;
}

/// The base folder itself: a path of the manager's own, links followed.
Result<UniqueFd> open_base(std::string_view base, bool make) {
  const std::string path(base);
  auto fd = open_path(path.c_str(), kDirectory);
  if (fd || fd.error().err != ENOENT || !make) return fd;
  for (std::size_t at = path.find('/', 1);; at = path.find('/', at + 1)) {
    const std::string part = path.substr(0, at);
    if (::mkdir(part.c_str(), 0755) != 0 && errno != EEXIST) {
      return Failure{SysError{"mkdir", errno}};
    }
    if (at == std::string::npos) break;
  }
  return open_path(path.c_str(), kDirectory);
}

/// Makes a folder with exactly this mode: the umask has no say.
Result<bool> make_one(int parent, const std::string& name, mode_t mode) {
  if (::mkdirat(parent, name.c_str(), mode & 0700) == 0) return true;
  if (errno == EEXIST) return false;
  return Failure{SysError{"mkdir", errno}};
}

bool name_is_plain(const std::string& name) {
  return !name.empty() && name != "." && name != ".." && name.find('\0') == std::string::npos;
}

/// Goes down to the folder that holds the last name of `relative`.
Result<std::pair<UniqueFd, std::string>> open_parent(std::string_view base,
                                                     std::string_view relative, bool make) {
  auto fd = open_base(base, make);
  if (!fd) return Failure{fd.error()};
  for (;;) {
    std::string name = next_name(relative);
    if (!name_is_plain(name)) return Failure{SysError{"path", EINVAL}};
    if (relative.empty()) return std::pair(std::move(*fd), std::move(name));
    if (make) {
      auto made = make_one(fd->get(), name, 0755);
      if (!made) return Failure{made.error()};
      if (*made) (void)::fchmodat(fd->get(), name.c_str(), 0755, 0);
    }
    auto next = enter(fd->get(), name);
    if (!next) return Failure{next.error()};
    fd = std::move(next);
  }
}

struct Place {  // one folder of the walk: how to find back to it
  dev_t device = 0;
  ino_t inode = 0;
  std::string name;  ///< in the folder above
};

bool is_dots(const char* name) {
  return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

Place place_of(int fd, std::string name) {
  struct stat st {};
  if (::fstat(fd, &st) != 0) return {0, 0, std::move(name)};
  return {st.st_dev, st.st_ino, std::move(name)};
}

}  // namespace

Result<DirectoryMade> make_directory(const DirectoryWish& wish) {
  auto parent = open_parent(wish.base, wish.relative, true);
  if (!parent) return Failure{parent.error()};
  auto made = make_one(parent->first.get(), parent->second, wish.mode);
  if (!made) return Failure{made.error()};
  auto fd = enter(parent->first.get(), parent->second);
  if (!fd) return Failure{fd.error()};
  if (!*made && !wish.change_existing) return DirectoryMade{std::move(*fd), false};

  struct stat st {};
  if (::fstat(fd->get(), &st) != 0) return Failure{SysError{"fstat", errno}};
  const bool owned = (wish.uid == kKeepOwner || st.st_uid == wish.uid) &&
                     (wish.gid == kKeepGroup || st.st_gid == wish.gid);
  // Owner first: chown takes set-id bits away that the mode may ask for.
  if (*made && !owned && ::fchown(fd->get(), wish.uid, wish.gid) != 0) {
    const int err = errno;
    ::unlinkat(parent->first.get(), parent->second.c_str(), AT_REMOVEDIR);
    return Failure{SysError{"chown", err}};
  }
  if ((st.st_mode & 07777) != (wish.mode & 07777) && ::fchmod(fd->get(), wish.mode & 07777) != 0) {
    return Failure{SysError{"chmod", errno}};
  }
  return DirectoryMade{std::move(*fd), !*made && !owned};
}

SysResult make_directory_link(std::string_view base, std::string_view relative,
                              std::string_view link) {
  auto parent = open_parent(base, link, true);
  if (!parent) return Failure{parent.error()};
  std::string target;
  for (const char c : link) {
    if (c == '/') target += "../";
  }
  target += relative;
  const int fd = parent->first.get();
  const char* name = parent->second.c_str();
  if (::symlinkat(target.c_str(), fd, name) == 0) return {};
  if (errno != EEXIST) return Failure{SysError{"symlink", errno}};
  std::string present(PATH_MAX, '\0');
  const ssize_t n = ::readlinkat(fd, name, present.data(), present.size());
  if (n < 0 || std::string_view(present).substr(0, static_cast<std::size_t>(n)) != target) {
    return Failure{SysError{"symlink", EEXIST}};
  }
  return {};
}

namespace {

struct OwnerChange {
  uid_t uid = 0;
  gid_t gid = 0;
  uid_t before = 0;  ///< whose the top was
};

/// One entry that is no folder.
int change_entry(int folder, const char* name, const struct stat& st, const OwnerChange& to) {
  if ((to.uid == kKeepOwner || st.st_uid == to.uid) &&
      (to.gid == kKeepGroup || st.st_gid == to.gid)) {
    return 0;
  }
  if (st.st_nlink > 1 && st.st_uid != to.before) return 0;
  // By an own descriptor, so that what is changed is what was looked at.
  const int fd = ::openat(folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return errno == ENOENT ? 0 : errno;
  struct stat now {};
  int error = 0;
  if (::fstat(fd, &now) != 0) {
    error = errno;
  } else if (now.st_ino == st.st_ino && now.st_dev == st.st_dev && now.st_nlink == st.st_nlink &&
             ::fchownat(fd, "", to.uid, to.gid, AT_EMPTY_PATH) != 0) {
    error = errno;
  }
  ::close(fd);
  return error;
}

/// Changes what lies in one folder and notes the folders in it.
int change_folder(int fd, const OwnerChange& to, dev_t device, std::vector<std::string>& below) {
  const Folder dir = open_folder(fd, ".");
  if (!dir) return errno;
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(dir.get());
    if (entry == nullptr) return errno;
    if (is_dots(entry->d_name)) continue;
    struct stat st {};
    if (::fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno == ENOENT) continue;
      return errno;
    }
    if (st.st_dev != device) continue;  // another file system is not ours to give away
    if (S_ISDIR(st.st_mode)) {
      below.emplace_back(entry->d_name);
    } else if (const int error = change_entry(fd, entry->d_name, st, to); error != 0) {
      return error;
    }
  }
}

/// Depth first with a stack of what is left to do in each folder on the way.
int change_tree(int top, const OwnerChange& to) {
  struct Level {
    UniqueFd fd;
    Place place;
    std::vector<std::string> below;
  };
  struct stat st {};
  if (::fstat(top, &st) != 0) return errno;
  std::vector<Level> path;
  path.push_back({UniqueFd(::openat(top, ".", kDirectory | O_CLOEXEC)), place_of(top, {}), {}});
  if (!path.back().fd) return errno;
  if (const int e = change_folder(path.back().fd.get(), to, st.st_dev, path.back().below); e != 0) {
    return e;
  }
  // Only the deepest folder is held open; the way back is "..", checked.
  while (true) {
    Level& level = path.back();
    if (level.below.empty()) {
      if (path.size() == 1) break;
      if (::fchown(level.fd.get(), to.uid, to.gid) != 0) return errno;
      UniqueFd up(::openat(level.fd.get(), "..", kDirectory | O_CLOEXEC));
      path.pop_back();
      const Place found = up ? place_of(up.get(), {}) : Place{};
      if (found.inode != path.back().place.inode || found.device != path.back().place.device) {
        return ESTALE;  // somebody moved the tree under our feet
      }
      path.back().fd = std::move(up);
      continue;
    }
    const std::string name = std::move(level.below.back());
    level.below.pop_back();
    UniqueFd next(::openat(level.fd.get(), name.c_str(), kDirectory | O_NOFOLLOW | O_CLOEXEC));
    if (!next) {
      if (errno == ENOENT || errno == ELOOP || errno == ENOTDIR) continue;
      return errno;
    }
    Level down{std::move(next), {}, {}};
    down.place = place_of(down.fd.get(), name);
    if (down.place.device != st.st_dev) continue;
    if (const int e = change_folder(down.fd.get(), to, st.st_dev, down.below); e != 0) return e;
    level.fd.reset();
    path.push_back(std::move(down));
  }
  return ::fchown(top, to.uid, to.gid) == 0 ? 0 : errno;
}

}  // namespace

int change_tree_owner(BorrowedFd top, uid_t uid, gid_t gid) noexcept {
  struct stat st {};
  if (::fstat(top.get(), &st) != 0) return errno;
  try {
    return change_tree(top.get(), {uid, gid, st.st_uid});
  } catch (const std::bad_alloc&) {
    return ENOMEM;
  }
}

namespace {

/// Empties one folder of all that is no folder; the name of the first folder
/// in it, empty if there is none.
Result<std::string> empty_folder(int fd, unsigned& budget) {
  const Folder dir = open_folder(fd, ".");
  if (!dir) return Failure{SysError{"opendir", errno}};
  std::string below;
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(dir.get());
    if (entry == nullptr) break;
    if (is_dots(entry->d_name)) continue;
    if (budget == 0) return Failure{SysError{"remove", EAGAIN}};
    --budget;
    if (::unlinkat(fd, entry->d_name, 0) == 0 || errno == ENOENT) continue;
    // EISDIR on Linux, EPERM by POSIX. An empty folder goes at once.
    if (errno != EISDIR && errno != EPERM) return Failure{SysError{"unlink", errno}};
    if (::unlinkat(fd, entry->d_name, AT_REMOVEDIR) == 0) continue;
    if (errno != ENOTEMPTY && errno != EEXIST) return Failure{SysError{"rmdir", errno}};
    if (below.empty()) below = entry->d_name;
  }
  if (errno != 0) return Failure{SysError{"readdir", errno}};
  return below;
}

int empty_tree(UniqueFd fd, unsigned& budget) {
  std::vector<Place> path{place_of(fd.get(), {})};
  for (;;) {
    auto below = empty_folder(fd.get(), budget);
    if (!below) return below.error().err;
    if (!below->empty()) {
      UniqueFd next(::openat(fd.get(), below->c_str(), kDirectory | O_NOFOLLOW | O_CLOEXEC));
      if (!next) return errno;
      path.push_back(place_of(next.get(), *below));
      if (path.back().device != path.front().device) return EBUSY;  // a mount below
      fd = std::move(next);
      continue;
    }
    if (path.size() == 1) return 0;
    UniqueFd up(::openat(fd.get(), "..", kDirectory | O_CLOEXEC));
    const std::string name = std::move(path.back().name);
    path.pop_back();
    const Place found = up ? place_of(up.get(), {}) : Place{};
    if (found.inode != path.back().inode || found.device != path.back().device) return ESTALE;
    if (::unlinkat(up.get(), name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT) return errno;
    fd = std::move(up);
  }
}

}  // namespace

Removal remove_tree(std::string_view base, std::string_view relative, unsigned budget) {
  auto parent = open_parent(base, relative, false);
  if (!parent) return {parent.error().err == ENOENT ? 0 : parent.error().err, true};
  const int fd = parent->first.get();
  const char* name = parent->second.c_str();
  if (::unlinkat(fd, name, 0) == 0 || errno == ENOENT) return {};
  if (errno != EISDIR && errno != EPERM) return {errno, true};
  UniqueFd top(::openat(fd, name, kDirectory | O_NOFOLLOW | O_CLOEXEC));
  if (!top) return {errno, true};
  const int error = empty_tree(std::move(top), budget);
  if (error == EAGAIN) return {0, false};
  if (error != 0) return {error, true};
  if (::unlinkat(fd, name, AT_REMOVEDIR) != 0 && errno != ENOENT) return {errno, true};
  return {};
}

}  // namespace onset
