#include "loop/bounded_write.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace onset {
namespace {

void interrupt(int /*signal*/) {}

/// SIGALRM after `limit`, and again and again, should it come before the call that
/// it is to interrupt.
class Alarm {
 public:
  explicit Alarm(Duration limit) noexcept {
    struct sigaction action {};
    action.sa_handler = interrupt;  // without SA_RESTART
    sigfillset(&action.sa_mask);
    sigaction(SIGALRM, &action, &handler_);
    sigset_t alarm;
    sigemptyset(&alarm);
    sigaddset(&alarm, SIGALRM);
    unblocked_ = sigprocmask(SIG_UNBLOCK, &alarm, &mask_) == 0;
    const timeval time{limit.count() / 1000000, limit.count() % 1000000};
    const itimerval timer{time, time};
    setitimer(ITIMER_REAL, &timer, nullptr);
  }
  ~Alarm() {
    const itimerval off{};
    setitimer(ITIMER_REAL, &off, nullptr);  // one that is pending is taken here
    if (unblocked_) sigprocmask(SIG_SETMASK, &mask_, nullptr);
    sigaction(SIGALRM, &handler_, nullptr);
  }
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;

 private:
  struct sigaction handler_ {};
  sigset_t mask_{};
  bool unblocked_ = false;
};

}  // namespace

long write_within(Duration limit, BorrowedFd fd, std::string_view bytes) noexcept {
  pollfd ready{fd.get(), POLLOUT, 0};
  if (poll(&ready, 1, 0) != 1) return 0;
  const ssize_t sent = send(fd.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent >= 0) return sent;
  if (errno != ENOTSOCK) return errno == EAGAIN ? 0 : -errno;
  const Alarm alarm(limit);
  const ssize_t written = write(fd.get(), bytes.data(), bytes.size());
  if (written >= 0) return written;
  return errno == EINTR || errno == EAGAIN ? 0 : -errno;
}

}  // namespace onset
