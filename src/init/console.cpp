#include "init/console.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <new>
#include <string>

#include "base/format.h"
#include "base/text.h"
#include "loop/bounded_write.h"
#include "loop/clock.h"

namespace onset {
namespace {

constexpr std::size_t kMaxLine = 2048;
constexpr Duration kPatience = std::chrono::milliseconds(5);
constexpr Duration kPause = std::chrono::seconds(1);
constexpr std::string_view kEraseLine = "\r\x1b[K";

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
    shared_ = true;
  }
  colour_ = isatty(STDERR_FILENO) == 1;
}

/// As write(2); 0: no room.
long Console::write_shared(std::string_view bytes) {
  const MonoTime before = read_clock().mono;
  if (before < held_up_until_) return 0;
  const long written = write_within(kPatience, out_, bytes);
  if (written >= 0 && written < static_cast<long>(bytes.size())) {
    const MonoTime after = read_clock().mono;
    if (after - before >= kPatience) held_up_until_ = after + kPause;
  }
  return written;
}

bool Console::write_now(std::string_view bytes) {
  const long written =
      shared_ ? write_shared(bytes) : write(out_.get(), bytes.data(), bytes.size());
  const bool whole = written == static_cast<long>(bytes.size());
  if (written > 0) torn_ = !whole;
  return whole;
}

void Console::line(int level, std::string_view subject, std::string_view text) {
  if (level > level_ || target_ == LogTarget::Null || !out_) return;
  try {
    write_line(level, subject, text);
  } catch (const std::bad_alloc&) {
    ++lost_;
  }
}

void Console::write_line(int level, std::string_view subject, std::string_view text) {
  std::string s;
  if (target_ == LogTarget::Kmsg) s = format("<{}>onset: ", 24 + level);
  const bool bright = colour_ && level <= 4;
  if (bright) s += level <= 3 ? "\x1b[31m" : "\x1b[33m";
  if (!subject.empty()) s += format("{}: ", c_escape(subject));
  s += c_escape(text.substr(0, kMaxLine));
  if (bright) s += "\x1b[0m";
  s += '\n';
  write_whole(s);
}

void Console::write_whole(std::string_view text) {
  if (passing_) {
    passing_ = false;
    (void)write_now(kEraseLine);
  }
  if (lost_ > 0) {
    const char* end = torn_ ? "\n" : "";
    if (!write_now(format("{}onset: {} lines lost, the console was full\n", end, lost_))) {
      ++lost_;
      return;
    }
    lost_ = 0;
  }
  if (!write_now(text)) ++lost_;
}

void Console::plain(std::string_view text) {
  if (!out_) return;
  try {
    write_whole(format("{}\n", text));
  } catch (const std::bad_alloc&) {
    ++lost_;
  }
}

void Console::passing(std::string_view text) {
  if (!colour_) {
    if (!text.empty()) plain(text);
    return;
  }
  // What it could not say is said again the next time.
  if (!out_ || lost_ > 0 || (text.empty() && !passing_)) return;
  try {
    passing_ = write_now(format("{}{}", kEraseLine, text)) && !text.empty();
    torn_ = false;
  } catch (const std::bad_alloc&) {
    return;
  }
}

}  // namespace onset
