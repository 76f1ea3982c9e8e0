#include "init/console.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "base/format.h"
#include "base/text.h"

namespace onset {
namespace {

constexpr std::size_t kMaxLine = 2048;

}  // namespace

Console::Console(LogTarget target, int level) : target_(target), level_(level) {
  if (target_ == LogTarget::Kmsg) {
    own_ = UniqueFd(open("/dev/kmsg", O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    if (own_) {
      out_ = own_;
      return;
    }
    target_ = LogTarget::Console;
  }
  out_ = BorrowedFd(STDERR_FILENO);
  struct stat st {};
  if (fstat(STDERR_FILENO, &st) < 0) {
    out_ = BorrowedFd();
    return;
  }
  if (S_ISREG(st.st_mode)) return;
  own_ = UniqueFd(open("/proc/self/fd/2", O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (own_) {
    out_ = own_;
  } else {
    ask_first_ = true;
  }
  colour_ = isatty(STDERR_FILENO) == 1;
}

bool Console::write_now(std::string_view bytes) {
  if (ask_first_) {
    pollfd p{out_.get(), POLLOUT, 0};
    if (poll(&p, 1, 0) != 1 || (p.revents & POLLOUT) == 0) return false;
    const ssize_t sent = send(out_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0) return static_cast<std::size_t>(sent) == bytes.size();
    if (errno != ENOTSOCK) return false;
  }
  return write(out_.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size());
}

void Console::line(int level, std::string_view subject, std::string_view text) {
  if (level > level_ || target_ == LogTarget::Null || !out_) return;
  std::string s;
  if (target_ == LogTarget::Kmsg) s = format("<{}>onset: ", 24 + level);
  const bool bright = colour_ && level <= 4;
  if (bright) s += level <= 3 ? "\x1b[31m" : "\x1b[33m";
  if (!subject.empty()) s += format("{}: ", c_escape(subject));
  s += c_escape(text.substr(0, kMaxLine));
  if (bright) s += "\x1b[0m";
  s += '\n';
  if (lost_ > 0) {
    if (!write_now(format("onset: {} lines lost, the console was full\n", lost_))) {
      ++lost_;
      return;
    }
    lost_ = 0;
  }
  if (!write_now(s)) ++lost_;
}

}  // namespace onset
