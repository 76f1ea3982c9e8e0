#include "init/live_terminal.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "loop/clock.h"

namespace onset {

RealTerminal::~RealTerminal() {
  if (before_) (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &*before_);
}

bool RealTerminal::begin() {
  termios now{};
  if (tcgetattr(STDIN_FILENO, &now) < 0) return false;
  const termios before = now;
  // Ctrl-C comes as a key too: a signal would leave the terminal as it is now.
  now.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO | ISIG);
  now.c_cc[VMIN] = 1;
  now.c_cc[VTIME] = 0;
  if (tcsetattr(STDIN_FILENO, TCSADRAIN, &now) < 0) return false;
  before_ = before;
  return true;
}

LiveTerminal::Answer RealTerminal::wait(Duration longest) {
  flush_();
  const MonoTime end = now() + longest;
  pollfd keys{before_ ? STDIN_FILENO : -1, POLLIN, 0};
  for (;;) {
    const Duration left = std::max(end - now(), Duration(0));
    const timespec patience{left.count() / 1'000'000, left.count() % 1'000'000 * 1000};
    const int ready = ppoll(&keys, 1, &patience, nullptr);
    if (ready < 0 && errno == EINTR) continue;
    char key = 0;
    if (ready > 0 && read(STDIN_FILENO, &key, 1) != 1) key = 'q';  // nobody is there any more
    return {key, now()};
  }
}

MonoTime RealTerminal::now() {
  return read_clock().mono;
}

}  // namespace onset
