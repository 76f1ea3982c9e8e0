#include "os/kernel.h"

#include <unistd.h>

namespace onset {

Result<UniqueFd> open_at(int directory, const char* path, int flags, mode_t mode) {
  for (;;) {
    const int fd = ::openat(directory, path, flags | O_CLOEXEC | O_NOCTTY, mode);
    if (fd >= 0) return UniqueFd(fd);
    if (errno != EINTR) return Failure{SysError{"open", errno}};
  }
}

Folder open_folder(int directory, const char* path) {
  auto fd = open_at(directory, path, O_RDONLY | O_DIRECTORY | O_NONBLOCK);
  DIR* const folder = fd ? ::fdopendir(fd->get()) : nullptr;
  const int err = fd ? errno : fd.error().err;
  if (folder != nullptr) (void)fd->release();
  errno = err;
  return {folder, ::closedir};
}

Result<std::string> read_all(BorrowedFd fd, std::size_t limit) {
  std::string text;
  std::size_t room = 4096;
  for (;;) {
    const std::size_t have = text.size();
    text.resize(have + room);
    const ssize_t n = ::read(fd.get(), text.data() + have, room);
    const int err = errno;
    text.resize(have + (n > 0 ? static_cast<std::size_t>(n) : 0));
    if (n == 0) return text;
    if (n < 0 && err != EINTR) return Failure{SysError{"read", err}};
    if (text.size() > limit) return Failure{SysError{"read", EFBIG}};
    if (room < 65536) room *= 2;
  }
}

Result<std::string> read_kernel_file_at(BorrowedFd directory, const char* path, std::size_t limit) {
  auto fd = open_at(directory.get(), path, O_RDONLY | O_NONBLOCK);
  if (!fd) return Failure{fd.error()};
  return read_all(*fd, limit);
}

Result<std::string> read_kernel_file(const char* path, std::size_t limit) {
  return read_kernel_file_at(BorrowedFd(AT_FDCWD), path, limit);
}

SysResult write_kernel_file_at(BorrowedFd directory, const char* path, std::string_view text) {
  auto fd = open_at(directory.get(), path, O_WRONLY | O_NONBLOCK);
  if (!fd) return Failure{fd.error()};
  for (;;) {
    const ssize_t n = ::write(fd->get(), text.data(), text.size());
    if (n == static_cast<ssize_t>(text.size())) return {};
    if (n >= 0) return Failure{SysError{"write", EIO}};
    if (errno != EINTR) return Failure{SysError{"write", errno}};
  }
}

std::string_view without_line_end(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ' ||
                           text.back() == '\t')) {
    text.remove_suffix(1);
  }
  return text;
}

}  // namespace onset
