#pragma once
// The one wait of the process: epoll over descriptors, with one timerfd for the
// earliest deadline. At rest it is one epoll_wait that does not return.

#include <cstdint>

#include "base/result.h"
#include "base/time.h"
#include "base/unique_fd.h"

namespace onset {

/// Told when its descriptor is ready; `events` are EPOLLIN and so on.
class FdHandler {
 public:
  virtual ~FdHandler() = default;
  virtual void ready(std::uint32_t events) = 0;
};

class EventLoop {
 public:
  static Result<EventLoop> create();
  EventLoop(EventLoop&&) = default;

  /// The handler must outlive the watch. Level-triggered.
  SysResult watch(BorrowedFd fd, std::uint32_t events, FdHandler& handler);
  void unwatch(BorrowedFd fd);

  /// Waits for descriptors or the deadline, then calls the handlers that are
  /// ready. A deadline in the past returns at once. EINTR is success. bad_alloc: of one of the
  /// handlers, after all of them.
  SysResult wait(MonoTime deadline);

 private:
  EventLoop(UniqueFd epoll, UniqueFd timer) : epoll_(std::move(epoll)), timer_(std::move(timer)) {}
  /// False: the timer is as it was.
  bool arm(MonoTime deadline);

  UniqueFd epoll_;
  UniqueFd timer_;
  MonoTime armed_ = kNever;
};

}  // namespace onset
