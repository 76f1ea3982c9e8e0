#include "init/runtime_directory.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/format.h"
#include "base/unique_fd.h"
#include "control/runtime_paths.h"

namespace onset {
namespace {

/// Ours, a folder, not a link, and writable: otherwise the errno.
int try_directory(const std::string& path) {
  if (mkdir(path.c_str(), 0755) < 0 && errno != EEXIST) return errno;
  UniqueFd fd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) return errno;
  struct stat st {};
  if (fstat(fd.get(), &st) < 0) return errno;
  if (st.st_uid != geteuid()) return EPERM;
  if ((st.st_mode & 022) != 0 && fchmod(fd.get(), 0755) < 0) return errno;
  // Without AT_EACCESS, which is faccessat2: filters answer EPERM for that one.
  if (access(path.c_str(), W_OK | X_OK) < 0) return errno;
  return 0;
}

}  // namespace

RuntimeDirectory make_runtime_directory(bool user_manager, const char* xdg_runtime_dir) {
  RuntimeDirectory result;
  const std::string_view xdg = xdg_runtime_dir != nullptr ? xdg_runtime_dir : "";
  for (const std::string& path : runtime_directory_candidates(user_manager, geteuid(), xdg)) {
    const int err = try_directory(path);
    if (err == 0) {
      result.path = path;
      return result;
    }
    result.losses.push_back(format("{} can't be used: {}", path, errno_text(err)));
  }
  result.losses.emplace_back("no folder for the sockets: no control, no notifications");
  return result;
}

}  // namespace onset
