#include "os/files.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>

#include "base/format.h"
#include "base/unique_fd.h"
#include "os/kernel.h"

namespace onset {
namespace {

/// A path as the kernel wants it; one with a NUL inside can name nothing.
Result<std::string> terminated(std::string_view path) {
  if (path.empty() || path.find('\0') != std::string_view::npos) {
    return Failure{SysError{"path", EINVAL}};
  }
  return std::string(path);
}

FileKind kind_of(mode_t mode) {
  if (S_ISREG(mode)) return FileKind::Regular;
  if (S_ISDIR(mode)) return FileKind::Directory;
  if (S_ISLNK(mode)) return FileKind::Symlink;
  if (S_ISCHR(mode)) return FileKind::CharDevice;
  return FileKind::Other;
}

FileStatus status_of(const struct stat& st) {
  FileStatus status;
  status.kind = kind_of(st.st_mode);
  status.executable = S_ISREG(st.st_mode) && (st.st_mode & 0111) != 0;
  status.mode = st.st_mode & 07777;
  status.owner = st.st_uid;
  status.is_null_device = S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3);
  status.size = static_cast<std::uint64_t>(st.st_size);
  status.mtime_ns =
      static_cast<std::int64_t>(st.st_mtim.tv_sec) * 1'000'000'000 + st.st_mtim.tv_nsec;
  return status;
}

FileKind kind_of_entry(int directory, const dirent& entry) {
  switch (entry.d_type) {
    case DT_REG:
      return FileKind::Regular;
    case DT_DIR:
      return FileKind::Directory;
    case DT_LNK:
      return FileKind::Symlink;
    case DT_CHR:
      return FileKind::CharDevice;
    case DT_UNKNOWN: {
      struct stat st {};
      if (::fstatat(directory, entry.d_name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
        return kind_of(st.st_mode);
      }
      return FileKind::Other;
    }
    default:  // the other values of d_type(3) are devices, FIFOs and sockets
      return FileKind::Other;
  }
}

Result<FileStatus> status_at(std::string_view path, int flags) {
  auto name = terminated(path);
  if (!name) return Failure{name.error()};
  struct stat st {};
  if (::fstatat(AT_FDCWD, name->c_str(), &st, flags) != 0) return Failure{SysError{"stat", errno}};
  return status_of(st);
}

/// A file whose size is known, in one go: a read that ends short is its end.
Result<std::string> read_sized(BorrowedFd fd, std::size_t size, std::size_t limit) {
  if (size == 0) return read_all(fd, limit);  // /proc and its like tell no size
  std::string text(size + 1, '\0');
  ssize_t n = -1;
  do {
    n = ::read(fd.get(), text.data(), text.size());
  } while (n < 0 && errno == EINTR);
  if (n < 0) return Failure{SysError{"read", errno}};
  text.resize(static_cast<std::size_t>(n));
  if (text.size() <= size) return text;
  auto rest = read_all(fd, limit);  // it has grown meanwhile
  if (!rest) return rest;
  if (text.size() + rest->size() > limit) return Failure{SysError{"read", EFBIG}};
  return text + *rest;
}

SysResult write_whole(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno != EINTR) return Failure{SysError{"write", errno}};
    if (n > 0) text.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

/// A name beside the target that nobody else has: 64 random bits.
std::string temporary_name(std::string_view path) {
  std::uint64_t random = 0;
  if (::getrandom(&random, sizeof random, GRND_NONBLOCK) != sizeof random) {
    random = static_cast<std::uint64_t>(::getpid());
  }
  const auto slash = path.rfind('/');
  const auto folder =
      slash == std::string_view::npos ? std::string_view() : path.substr(0, slash + 1);
  const auto base = slash == std::string_view::npos ? path : path.substr(slash + 1);
  return format("{}.#{}{:016x}", folder, base, random);
}

}  // namespace

Result<std::string> RealFiles::read(std::string_view path, std::size_t limit) {
  auto content = read_with_status(path, limit);
  if (!content) return Failure{content.error()};
  return std::move(content->text);
}

Result<FileSource::Content> RealFiles::read_with_status(std::string_view path, std::size_t limit) {
  auto name = terminated(path);
  if (!name) return Failure{name.error()};
  auto fd = open_path(name->c_str(), O_RDONLY | O_NONBLOCK);
  if (!fd) {
    // A FIFO or socket answers ENXIO, a device without a driver ENODEV.
    const int err = fd.error().err;
    return Failure{SysError{"open", err == ENXIO || err == ENODEV ? EINVAL : err}};
  }
  struct stat st {};
  if (::fstat(fd->get(), &st) != 0) return Failure{SysError{"fstat", errno}};
  if (S_ISDIR(st.st_mode)) return Failure{SysError{"read", EISDIR}};
  if (!S_ISREG(st.st_mode)) return Failure{SysError{"read", EINVAL}};
  if (st.st_size > 0 && static_cast<std::uint64_t>(st.st_size) > limit) {
    return Failure{SysError{"read", EFBIG}};
  }
  auto text = read_sized(*fd, static_cast<std::size_t>(st.st_size), limit);
  if (!text) return Failure{text.error()};
  return Content{std::move(*text), status_of(st)};
}

Result<std::vector<DirectoryItem>> RealFiles::list(std::string_view directory) {
  auto name = terminated(directory);
  if (!name) return Failure{name.error()};
  const Folder dir = open_folder(AT_FDCWD, name->c_str());
  if (!dir) return Failure{SysError{"open", errno}};
  const int number = ::dirfd(dir.get());
  std::vector<DirectoryItem> items;
  bool has_itself = false;
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(dir.get());
    if (entry == nullptr) break;
    has_itself = true;
    const std::string_view item = entry->d_name;
    if (item == "." || item == "..") continue;
    items.push_back({std::string(item), kind_of_entry(number, *entry)});
  }
  if (errno != 0) return Failure{SysError{"readdir", errno}};
  // readdir() hides that the folder was removed meanwhile; one that is there has "." at least.
  if (!has_itself) return Failure{SysError{"readdir", ENOENT}};
  return items;
}

Result<std::string> RealFiles::read_link(std::string_view path) {
  auto name = terminated(path);
  if (!name) return Failure{name.error()};
  std::string target(PATH_MAX, '\0');
  const ssize_t n = ::readlink(name->c_str(), target.data(), target.size());
  if (n < 0) return Failure{SysError{"readlink", errno}};
  target.resize(static_cast<std::size_t>(n));
  return target;
}

Result<FileStatus> RealFiles::lstat(std::string_view path) {
  return status_at(path, AT_SYMLINK_NOFOLLOW);
}

Result<FileStatus> RealFiles::stat(std::string_view path) {
  return status_at(path, 0);
}

SysResult RealFiles::make_directories(std::string_view path) {
  auto name = terminated(path);
  if (!name) return Failure{name.error()};
  // Each parent in turn; what exists is fine, whatever it is: the next step will tell.
  for (std::size_t at = name->find('/', 1);; at = name->find('/', at + 1)) {
    const std::string part = name->substr(0, at);
    if (::mkdir(part.c_str(), 0755) != 0 && errno != EEXIST) {
      const int err = errno;
      struct stat st {};
      if (::stat(part.c_str(), &st) != 0 || !S_ISDIR(st.st_mode)) {
        return Failure{SysError{"mkdir", err}};
      }
    }
    if (at == std::string::npos) break;
  }
  struct stat st {};
  if (::stat(name->c_str(), &st) != 0) return Failure{SysError{"stat", errno}};
  if (!S_ISDIR(st.st_mode)) return Failure{SysError{"mkdir", ENOTDIR}};
  return {};
}

SysResult RealFiles::make_link(std::string_view target, std::string_view path) {
  auto to = terminated(target);
  if (!to) return Failure{to.error()};
  auto name = terminated(path);
  if (!name) return Failure{name.error()};
  const std::string beside = temporary_name(*name);
  if (::symlink(to->c_str(), beside.c_str()) != 0) return Failure{SysError{"symlink", errno}};
  if (::rename(beside.c_str(), name->c_str()) == 0) return {};
  const int err = errno;
  ::unlink(beside.c_str());
  return Failure{SysError{"rename", err}};
}

SysResult RealFiles::remove(std::string_view path) {
  auto name = terminated(path);
  if (!name) return Failure{name.error()};
  if (::unlink(name->c_str()) != 0) return Failure{SysError{"unlink", errno}};
  return {};
}

void RealFiles::remove_empty_directory(std::string_view path) {
  auto name = terminated(path);
  if (name) (void)::rmdir(name->c_str());
}

SysResult RealFiles::write_file(std::string_view path, std::string_view text, std::uint32_t mode) {
  auto name = terminated(path);
  if (!name) return Failure{name.error()};
  const std::string beside = temporary_name(*name);
  auto fd = open_path(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode & 07777);
  if (!fd) return Failure{fd.error()};
  SysResult done = write_whole(fd->get(), text);
  if (done.ok() && ::fchmod(fd->get(), mode & 07777) != 0) {
    done = Failure{SysError{"fchmod", errno}};
  }
  if (done.ok() && ::rename(beside.c_str(), name->c_str()) != 0) {
    done = Failure{SysError{"rename", errno}};
  }
  if (!done.ok()) ::unlink(beside.c_str());
  return done;
}

}  // namespace onset
