#pragma once
// One line on stderr from a process that must neither allocate nor wait: the
// entrypoint before and after its command, and the child that shares its memory.

#include <poll.h>
#include <unistd.h>

#include <cstddef>
#include <string_view>

namespace onset {

/// Drops the text where writing would block: nobody may be reading. At most
/// PIPE_BUF bytes, with SIGPIPE blocked.
inline void write_stderr(const char* text, std::size_t size) noexcept {
  pollfd ready{STDERR_FILENO, POLLOUT, 0};
  if (poll(&ready, 1, 0) != 1 || (ready.revents & POLLOUT) == 0) return;
  [[maybe_unused]] const ssize_t sent = write(STDERR_FILENO, text, size);
}

/// One line for stderr, at most `kSize` bytes and cut there.
class Line {
 public:
  Line() noexcept { add("onset: "); }
  Line& add(std::string_view text) noexcept {
    for (const char c : text) put(static_cast<unsigned char>(c) < ' ' || c == '\x7f' ? '?' : c);
    return *this;
  }
  Line& add(long number) noexcept {
    char digits[20];
    std::size_t at = sizeof digits;
    auto rest = static_cast<unsigned long>(number < 0 ? 0 : number);
    do digits[--at] = static_cast<char>('0' + rest % 10);
    while ((rest /= 10) != 0 && at > 0);
    return add(std::string_view(digits + at, sizeof digits - at));
  }
  void send() noexcept {
    text_[size_++] = '\n';
    write_stderr(text_, size_);
  }

 private:
  static constexpr std::size_t kSize = 1024;
  void put(char c) noexcept {
    if (size_ < kSize - 1) text_[size_++] = c;
  }
  char text_[kSize];
  std::size_t size_ = 0;
};

}  // namespace onset
