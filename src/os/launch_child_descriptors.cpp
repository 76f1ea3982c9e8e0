// Which descriptors a process that is about to execute keeps: none but those named.

#include <fcntl.h>
#include <sys/resource.h>

#include <cstdint>

#include "os/launch_child.h"
#include "os/launch_run.h"
#include "os/raw_syscall.h"

namespace onset {
namespace {

bool close_by_range(int first, int keep) noexcept {
#ifdef SYS_close_range
  const auto from = static_cast<unsigned>(first);
  if (keep < first) return raw::call(SYS_close_range, from, ~0U, 0U) == 0;
  const auto kept = static_cast<unsigned>(keep);
  if (kept > from && raw::call(SYS_close_range, from, kept - 1, 0U) != 0) return false;
  return raw::call(SYS_close_range, kept + 1, ~0U, 0U) == 0;
#else
  (void)first;
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
bool close_by_list(int first, int keep) noexcept {
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
        if (fd >= first && fd != keep && fd != list && raw::call(SYS_close, fd) == 0) closed = true;
        at += record->length;
      }
    }
    raw::call(SYS_close, list);
  }
  return true;
}

/// Without close_range(2) and /proc: up to the limit. All of onset's own are
/// close-on-exec, so that the bound leaves nothing that we know of.
bool close_by_counting(int first, int keep) noexcept {
  rlimit limit{};
  if (raw::call(SYS_prlimit64, 0, RLIMIT_NOFILE, nullptr, &limit) != 0) return false;
  const rlim_t most = 65536;
  const int end = static_cast<int>(limit.rlim_cur < most ? limit.rlim_cur : most);
  for (int fd = first; fd < end; ++fd) {
    if (fd != keep) raw::call(SYS_close, fd);
  }
  return true;
}

constexpr int kFirstPassed = 3;

/// Whether reads of it wait: it is the same for all who have it.
void set_blocking(const Run& run, int fd) noexcept {
  const long flags = raw::call(SYS_fcntl, fd, F_GETFL);
  if (flags < 0) return;
  const long wanted = run.plan.passed_block ? flags & ~O_NONBLOCK : flags | O_NONBLOCK;
  if (wanted != flags) raw::call(SYS_fcntl, fd, F_SETFL, wanted);
}

}  // namespace

/// First out of the way: a place that one takes may be another's.
int pass_descriptors(const Run& run) noexcept {
  LaunchPlan& plan = run.plan;
  const int first = kFirstPassed + static_cast<int>(plan.passed.size());
  if (first == kFirstPassed) return first;
  for (int& fd : plan.passed) {
    set_blocking(run, fd);
    fd = static_cast<int>(
        run.must(LaunchStep::Fds, raw::call(SYS_fcntl, fd, F_DUPFD_CLOEXEC, first)));
  }
  if (plan.report_pipe >= kFirstPassed && plan.report_pipe < first) {
    plan.report_pipe = static_cast<int>(
        run.must(LaunchStep::Fds, raw::call(SYS_fcntl, plan.report_pipe, F_DUPFD_CLOEXEC, first)));
  }
  int place = kFirstPassed;
  for (const int fd : plan.passed) run.must(LaunchStep::Fds, raw::call(SYS_dup3, fd, place++, 0));
  return first;
}

bool close_all_descriptors(int first, int keep) noexcept {
  return close_by_range(first, keep) || close_by_list(first, keep) ||
         close_by_counting(first, keep);
}

}  // namespace onset
