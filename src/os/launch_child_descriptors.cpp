// Which descriptors a process that is about to execute keeps: none but those named.

#include <fcntl.h>
#include <sys/resource.h>

#include <cstdint>

#include "os/launch_child.h"
#include "os/raw_syscall.h"

namespace onset {
namespace {

bool close_by_range(int keep) noexcept {
#ifdef SYS_close_range
  if (keep < 0) return raw::call(SYS_close_range, 3U, ~0U, 0U) == 0;
  const auto kept = static_cast<unsigned>(keep);
  if (kept > 3 && raw::call(SYS_close_range, 3U, kept - 1, 0U) != 0) return false;
  return raw::call(SYS_close_range, kept + 1, ~0U, 0U) == 0;
#else
  (void)keep;
  return false;
#endif
}

struct DirectoryRecord {  // linux_dirent64, getdents64(2)
  std::uint64_t inode;
  std::int64_t offset;
  unsigned short length;
  unsigned char type;
  char name[1];
};

int number_in(const char* name) noexcept {
  int value = 0;
  if (*name == '\0') return -1;
  for (; *name != '\0'; ++name) {
    if (*name < '0' || *name > '9' || value > 100'000'000) return -1;
    value = value * 10 + (*name - '0');
  }
  return value;
}

/// Reads /proc/self/fd until a whole pass has closed nothing.
bool close_by_list(int keep) noexcept {
  alignas(DirectoryRecord) char buffer[2048];
  for (bool closed = true; closed;) {
    closed = false;
    const long list =
        raw::call(SYS_openat, AT_FDCWD, "/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (list < 0) return false;
    for (;;) {
      const long n = raw::call(SYS_getdents64, list, buffer, sizeof buffer);
      if (n <= 0) break;
      for (long at = 0; at < n;) {
        const auto* record = reinterpret_cast<const DirectoryRecord*>(buffer + at);
        const int fd = number_in(record->name);
        if (fd > 2 && fd != keep && fd != list && raw::call(SYS_close, fd) == 0) closed = true;
        at += record->length;
      }
    }
    raw::call(SYS_close, list);
  }
  return true;
}

/// Without close_range(2) and /proc: up to the limit. All of onset's own are
/// close-on-exec, so that the bound leaves nothing that we know of.
bool close_by_counting(int keep) noexcept {
  rlimit limit{};
  if (raw::call(SYS_prlimit64, 0, RLIMIT_NOFILE, nullptr, &limit) != 0) return false;
  const rlim_t most = 65536;
  const int end = static_cast<int>(limit.rlim_cur < most ? limit.rlim_cur : most);
  for (int fd = 3; fd < end; ++fd) {
    if (fd != keep) raw::call(SYS_close, fd);
  }
  return true;
}

}  // namespace

bool close_all_descriptors(int keep) noexcept {
  return close_by_range(keep) || close_by_list(keep) || close_by_counting(keep);
}

}  // namespace onset
