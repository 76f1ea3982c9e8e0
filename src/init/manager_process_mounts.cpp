// What is mounted, from the kernel's tables to the engine.

#include <sys/epoll.h>

#include "base/format.h"
#include "init/manager_process.h"

namespace onset {

void ManagerProcess::open_mount_watch() {
  mounts_ = std::make_unique<MountWatch>();
  os_->set_mount_watch(mounts_.get());
  if (!mounts_->mounts_fd()) {
    console_.line(4, "", "no /proc/self/mountinfo: mount units can't be seen to be mounted");
  }
}

SysResult ManagerProcess::watch_mounts() {
  for (const BorrowedFd fd : {mounts_->mounts_fd(), mounts_->swaps_fd()}) {
    if (!fd) continue;
    if (auto watched = loop_->watch(fd, EPOLLPRI, on_mounts_); !watched) return watched;
  }
  mounts_->distrust();  // what came before this was watched is not told
  return {};
}

/// Where they change faster than the table should be read, the descriptors would wake PID 1 for
/// nothing.
void ManagerProcess::handle_mounts() {
  if (mounts_->resume_at() != kNever) return;
  if (mounts_->ready(read_clock().mono)) return tell_mounts();
  loop_->unwatch(mounts_->mounts_fd());
  loop_->unwatch(mounts_->swaps_fd());
}

void ManagerProcess::look_at_mounts() {
  mounts_->resume();
  if (auto watched = watch_mounts(); !watched) {
    console_.line(3, "", format("mounts can't be watched: {}", to_string(watched.error())));
  }
  tell_mounts();
}

/// bad_alloc: what is left is told by the next turn.
void ManagerProcess::tell_mounts() {
  const MemoryReserve::Open finish(reserve_, 0);
  mounts_->refresh();
  if (mounts_->news().empty()) return;
  if (devices_ != nullptr) devices_->use(mounts_->mounts(), mounts_->swaps());
  manager_->mounts_changed(mounts_->news(), read_clock());
  mounts_->forget_news();
  tell_devices();
}

bool ManagerProcess::is_mount_process(pid_t pid) const {
  const UnitId id = manager_->unit_of_pid(pid);
  return id.valid() && is_mount_like(manager_->graph().unit(id));
}

}  // namespace onset
