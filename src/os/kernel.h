#pragma once
// Small wrappers of system calls that os/ makes in several rooms. Each captures
// errno at once; a signal in between is no error.

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"

namespace onset {

/// open(2) relative to a directory, always O_CLOEXEC and O_NOCTTY; EINTR is retried.
Result<UniqueFd> open_at(int directory, const char* path, int flags, mode_t mode = 0);
inline Result<UniqueFd> open_path(const char* path, int flags, mode_t mode = 0) {
  return open_at(AT_FDCWD, path, flags, mode);
}

/// A folder that is read, with a descriptor of its own.
using Folder = std::unique_ptr<DIR, int (*)(DIR*)>;
/// Empty, with errno, where it can't be opened. A link is followed.
Folder open_folder(int directory, const char* path);

/// Everything up to `limit` bytes; a longer source is EFBIG.
Result<std::string> read_all(BorrowedFd fd, std::size_t limit);

/// A file of /proc or /sys, whole; at most `limit` bytes (longer: EFBIG).
Result<std::string> read_kernel_file(const char* path, std::size_t limit = 65536);
Result<std::string> read_kernel_file_at(BorrowedFd directory, const char* path,
                                        std::size_t limit = 65536);

/// One write of a whole short text, as kernel files want it.
SysResult write_kernel_file_at(BorrowedFd directory, const char* path, std::string_view text);

/// Without the line ends and blanks at the end.
std::string_view without_line_end(std::string_view text);

}  // namespace onset
