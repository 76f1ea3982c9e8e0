// The steps are done by one child, which says of each how it went; where it says nothing for too
// long it is given up, and the next child goes on behind the step that it was at.
#include "init/detachment.h"

#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <linux/loop.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/swap.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/unique_fd.h"
#include "init/bounded_child.h"
#include "loop/clock.h"

namespace onset {
namespace {

/// After so much of the patience it is said what is waited for.
constexpr int kQuietPart = 5;

int errno_of(int result) {
  return result < 0 ? errno : 0;
}

int clear_loop(const char* path) {
  const UniqueFd fd(open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  return fd ? errno_of(ioctl(fd.get(), LOOP_CLR_FD, 0)) : errno;
}

int remove_mapping(std::uint64_t device) {
  const UniqueFd fd(open("/dev/mapper/control", O_RDWR | O_CLOEXEC));
  if (!fd) return errno;
  dm_ioctl request{};
  request.version[0] = DM_VERSION_MAJOR;
  request.data_size = sizeof request;
  request.dev = device;
  return errno_of(ioctl(fd.get(), DM_DEV_REMOVE, &request));
}

int do_step(const Detachment& step) {
  const char* const path = step.what.c_str();
  switch (step.kind) {
    case DetachKind::Unmount:
      return errno_of(umount2(path, UMOUNT_NOFOLLOW));
    case DetachKind::UnmountLazily:
      return errno_of(umount2(path, UMOUNT_NOFOLLOW | MNT_DETACH));
    case DetachKind::RemountReadOnly:
      return errno_of(mount(nullptr, path, nullptr, MS_REMOUNT | MS_RDONLY, nullptr));
    case DetachKind::SwapOff:
      return errno_of(swapoff(path));
    case DetachKind::ClearLoop:
      return clear_loop(path);
    case DetachKind::RemoveMapping:
      return remove_mapping(step.device);
  }
  return ENOSYS;
}

struct Worker {
  pid_t pid = 0;
  UniqueFd answers;
};

Worker begin_worker(std::span<const Detachment> steps) {
  int ends[2] = {-1, -1};
  if (pipe2(ends, O_CLOEXEC) < 0) return {};
  UniqueFd answers(ends[0]);
  const UniqueFd out(ends[1]);
  const pid_t pid = begin_child([&] {
    for (const Detachment& step : steps) {
      const int err = do_step(step);
      if (write(out.get(), &err, sizeof err) != sizeof err) return 1;
    }
    return 0;
  });
  if (pid == 0) return {};
  return {pid, std::move(answers)};
}

bool is_readable(BorrowedFd fd, Duration wait) {
  pollfd p{fd.get(), POLLIN, 0};
  const timespec limit{wait.count() / 1000000, wait.count() % 1000000 * 1000};
  return ppoll(&p, 1, &limit, nullptr) > 0;
}

/// The errno of the worker's next step.
int next_answer(const Worker& worker, const Detachment& step, Duration patience,
                const SlowStep& slow) {
  const Duration quiet = patience / kQuietPart;
  if (!is_readable(worker.answers, quiet)) {
    slow(step);
    if (!is_readable(worker.answers, patience - quiet)) return ETIME;
  }
  int err = 0;
  return read(worker.answers.get(), &err, sizeof err) == sizeof err ? err : EIO;
}

}  // namespace

std::string_view to_string(DetachKind kind) {
  switch (kind) {
    case DetachKind::Unmount:
    case DetachKind::UnmountLazily:
      return "unmounting";
    case DetachKind::RemountReadOnly:
      return "remounting read-only";
    case DetachKind::SwapOff:
      return "deactivating swap";
    case DetachKind::ClearLoop:
    case DetachKind::RemoveMapping:
      return "detaching";
  }
  return "";
}

std::vector<int> detach(std::span<const Detachment> steps, Duration patience,
                        const SlowStep& slow) {
  std::vector<int> results;
  while (results.size() < steps.size()) {
    const Worker worker = begin_worker(steps.subspan(results.size()));
    if (worker.pid == 0) {
      results.resize(steps.size(), EAGAIN);
      break;
    }
    int last = 0;
    while (results.size() < steps.size() && last != ETIME && last != EIO) {
      last = next_answer(worker, steps[results.size()], patience, slow);
      results.push_back(last);
    }
    if (last == ETIME) {
      (void)kill(worker.pid, SIGKILL);  // it ends when the device answers
    } else {
      (void)waitpid(worker.pid, nullptr, 0);
    }
  }
  return results;
}

}  // namespace onset
