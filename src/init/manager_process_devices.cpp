// What devices there are, from the kernel or udev to the engine. On a machine alone: a container's
// devices are its host's, which tells it nothing of them.

#include <sys/epoll.h>

#include "base/format.h"
#include "init/manager_process.h"

namespace onset {

void ManagerProcess::open_device_watch() {
  if (surroundings_ != Surroundings::Machine) return;
  devices_ = std::make_unique<DeviceWatch>();
  if (auto opened = devices_->open(); !opened) {
    console_.line(4, "",
                  format("devices that come or go are not seen: {}", to_string(opened.error())));
  }
  os_->set_device_watch(devices_.get());
}

SysResult ManagerProcess::watch_devices() {
  if (devices_ == nullptr || !devices_->fd()) return {};
  return loop_->watch(devices_->fd(), EPOLLIN, on_devices_);
}

void ManagerProcess::handle_devices() {
  devices_->drain();
  tell_devices();
}

/// bad_alloc: what is left is told by the next turn.
void ManagerProcess::tell_devices() {
  if (devices_ == nullptr || devices_->news().empty()) return;
  const MemoryReserve::Open finish(reserve_, 0);
  manager_->devices_changed(devices_->news(), read_clock());
  devices_->forget_news();
}

}  // namespace onset
