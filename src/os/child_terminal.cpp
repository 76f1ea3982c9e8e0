#include "os/child_terminal.h"

#include <fcntl.h>
#include <linux/vt.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

namespace onset {
namespace {

/// A line that a person can type at: what getty expects to find.
void reset_line(int fd) noexcept {
  (void)::ioctl(fd, TIOCNXCL);
  termios line{};
  if (::tcgetattr(fd, &line) != 0) return;
  line.c_iflag &= ~static_cast<tcflag_t>(IGNBRK | BRKINT | ISTRIP | INLCR | IGNCR | IUCLC);
  line.c_iflag |= ICRNL | IMAXBEL | IUTF8;
  line.c_oflag |= ONLCR | OPOST;
  line.c_cflag |= CREAD;
  line.c_lflag = ISIG | ICANON | IEXTEN | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE;
  line.c_cc[VINTR] = 03;
  line.c_cc[VQUIT] = 034;
  line.c_cc[VERASE] = 0177;
  line.c_cc[VKILL] = 025;
  line.c_cc[VEOF] = 04;
  line.c_cc[VSTART] = 021;
  line.c_cc[VSTOP] = 023;
  line.c_cc[VSUSP] = 032;
  line.c_cc[VLNEXT] = 026;
  line.c_cc[VWERASE] = 027;
  line.c_cc[VREPRINT] = 022;
  line.c_cc[VEOL] = 0;
  line.c_cc[VEOL2] = 0;
  line.c_cc[VTIME] = 0;
  line.c_cc[VMIN] = 1;
  (void)::tcsetattr(fd, TCSANOW, &line);
  (void)::tcflush(fd, TCIOFLUSH);
}

/// The number of a virtual console, "/dev/tty3": 3; 0 for anything else.
int console_number(const char* path) noexcept {
  if (std::strncmp(path, "/dev/tty", 8) != 0) return 0;
  int number = 0;
  for (const char* c = path + 8; *c != '\0'; ++c) {
    if (*c < '0' || *c > '9' || number > 63) return 0;
    number = number * 10 + (*c - '0');
  }
  return number;
}

void free_console(const char* path) noexcept {
  const int number = console_number(path);
  if (number > 0) {
    const int control = ::open("/dev/tty0", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    const bool freed = control >= 0 && ::ioctl(control, VT_DISALLOCATE, number) == 0;
    if (control >= 0) ::close(control);
    if (freed) return;
  }
  // In use or no virtual console: wipe it, scroll-back too.
  const int fd = ::open(path, O_WRONLY | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return;
  static constexpr char kWipe[] = "\033[r\033[H\033[3J\033[2J";
  (void)!::write(fd, kWipe, sizeof kWipe - 1);
  ::close(fd);
}

/// Forgets the closings so far, our own among them.
void forget_events(int watch) noexcept {
  alignas(inotify_event) char buffer[4096];
  pollfd ready{watch, POLLIN, 0};
  while (::poll(&ready, 1, 0) > 0) {
    if (::read(watch, buffer, sizeof buffer) <= 0) return;
  }
}

/// Waits until somebody closes the terminal.
int wait_for_release(int watch) noexcept {
  alignas(inotify_event) char buffer[4096];
  const ssize_t n = ::read(watch, buffer, sizeof buffer);
  return n < 0 && errno != EINTR ? -errno : 0;
}

}  // namespace

void prepare_terminal(const TerminalPlan& plan) noexcept {
  if (!plan.hang_up && !plan.reset && !plan.disallocate) return;
  const char* path = plan.path.c_str();
  const int fd = ::open(path, O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
  if (fd >= 0) {
    if (plan.reset) reset_line(fd);
    // The hang-up goes to whoever has it: we may be of that session's group.
    if (plan.hang_up) (void)::ioctl(fd, TIOCVHANGUP);
    ::close(fd);
  }
  if (plan.disallocate) free_console(path);
}

int open_terminal(const char* path, int flags) noexcept {
  const int fd = ::open(path, flags | O_NOCTTY | O_CLOEXEC);
  if (fd < 0) return -errno;
  if (::isatty(fd) == 1) return fd;
  ::close(fd);
  return -ENOTTY;
}

int claim_terminal(const TerminalPlan& plan) noexcept {
  const char* path = plan.path.c_str();
  int watch = -1;
  if (plan.claim == TerminalPlan::Claim::Wait) {
    watch = ::inotify_init1(IN_CLOEXEC);
    if (watch >= 0 && ::inotify_add_watch(watch, path, IN_CLOSE) < 0) {
      ::close(watch);
      watch = -1;
    }
  }
  for (;;) {
    if (watch >= 0) forget_events(watch);
    const int fd = open_terminal(path, O_RDWR);
    if (fd < 0) return fd;
    const int force = plan.claim == TerminalPlan::Claim::Force ? 1 : 0;
    if (::ioctl(fd, TIOCSCTTY, force) == 0) {
      if (watch >= 0) ::close(watch);
      return fd;
    }
    const int error = errno;
    const int waited = error == EPERM && watch >= 0 ? wait_for_release(watch) : -error;
    ::close(fd);  // after the wait, so that this closing is not what ends it
    if (waited != 0) return waited;
  }
}

}  // namespace onset
