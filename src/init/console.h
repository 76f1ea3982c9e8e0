#pragma once
// Onset's own lines. PID 1 must not block on a console that nobody drains: what
// can't be written at once is dropped, counted and told with the next line that
// gets through.

#include <string_view>

#include "base/time.h"
#include "base/unique_fd.h"
#include "init/options.h"

namespace onset {

class Console {
 public:
  /// Takes standard error over (or /dev/kmsg): reopened non-blocking where the
  /// kernel allows it; else each write is held to a few milliseconds, and one
  /// that was held up is followed by none for a second.
  Console(LogTarget target, int level);

  /// One line, with what it is about in front ("nginx.service: …"; empty:
  /// none). `level` is syslog's.
  /// Without memory for it the line is lost, and counted.
  void line(int level, std::string_view subject, std::string_view text);
  void set_level(int level) { level_ = level; }
  [[nodiscard]] int level() const { return level_; }
  [[nodiscard]] LogTarget target() const { return target_; }

  /// One line as it is, whatever the level: fit for a terminal already.
  void plain(std::string_view text);
  /// The last line of the screen, until another takes its place or any other line comes. Empty: it
  /// goes. Where nobody can overwrite it it is a line like others.
  void passing(std::string_view text);
  [[nodiscard]] bool has_colour() const { return colour_; }

 private:
  void write_line(int level, std::string_view subject, std::string_view text);
  void write_whole(std::string_view text);
  bool write_now(std::string_view bytes);
  long write_shared(std::string_view bytes);

  LogTarget target_;
  int level_;
  UniqueFd own_;  ///< the reopened descriptor
  BorrowedFd out_;
  bool shared_ = false;  ///< could not be reopened
  MonoTime held_up_until_{0};
  bool colour_ = false;
  bool torn_ = false;     ///< the last line lacks its end
  bool passing_ = false;  ///< the last line is one that goes
  unsigned long lost_ = 0;
};

}  // namespace onset
