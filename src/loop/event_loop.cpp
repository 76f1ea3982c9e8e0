#include "loop/event_loop.h"

#include <sys/epoll.h>
#include <sys/timerfd.h>

#include <array>
#include <cerrno>
#include <cstdint>

#include "base/out_of_memory.h"

namespace onset {
namespace {

/// Milliseconds until a timer that could not be set is tried again.
constexpr int kUntilArmedAgain = 10;

}  // namespace

Result<EventLoop> EventLoop::create() {
  UniqueFd epoll(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) return Failure{SysError{"epoll_create1", errno}};
  UniqueFd timer(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!timer) return Failure{SysError{"timerfd_create", errno}};
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = nullptr;  // the timer has no handler: it only ends the wait
  if (epoll_ctl(epoll.get(), EPOLL_CTL_ADD, timer.get(), &event) < 0) {
    return Failure{SysError{"epoll_ctl", errno}};
  }
  return EventLoop(std::move(epoll), std::move(timer));
}

SysResult EventLoop::watch(BorrowedFd fd, std::uint32_t events, FdHandler& handler) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &handler;
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd.get(), &event) == 0) return {};
  if (errno == EEXIST && epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd.get(), &event) == 0) return {};
  return Failure{SysError{"epoll_ctl", errno}};
}

void EventLoop::unwatch(BorrowedFd fd) {
  (void)epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd.get(), nullptr);
}

bool EventLoop::arm(MonoTime deadline) {
  if (deadline == armed_) return true;
  itimerspec spec{};
  if (deadline != kNever) {
    // A zero value would disarm: the past is 1 ns after boot.
    const std::int64_t us = deadline.us > 0 ? deadline.us : 0;
    spec.it_value.tv_sec = us / 1000000;
    spec.it_value.tv_nsec = us % 1000000 * 1000;
    if (us == 0) spec.it_value.tv_nsec = 1;
  }
  if (timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &spec, nullptr) < 0) return false;
  armed_ = deadline;
  return true;
}

SysResult EventLoop::wait(MonoTime deadline) {
  const int patience = arm(deadline) ? -1 : kUntilArmedAgain;
  std::array<epoll_event, 64> events{};
  const int n = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), patience);
  if (n < 0) {
    if (errno == EINTR) return {};
    return Failure{SysError{"epoll_wait", errno}};
  }
  bool has_run_out = false;
  for (int i = 0; i < n; ++i) {
    const epoll_event& e = events[static_cast<std::size_t>(i)];
    if (e.data.ptr == nullptr) {
      std::uint64_t expirations = 0;
      (void)!read(timer_.get(), &expirations, sizeof expirations);
      armed_ = kNever;
      continue;
    }
    // The kernel tells of them in the same order again: who is behind would never be told.
    has_run_out |=
        !if_memory_suffices([&e] { static_cast<FdHandler*>(e.data.ptr)->ready(e.events); });
  }
  if (has_run_out) throw_out_of_memory();
  return {};
}

}  // namespace onset
