#pragma once
// Whether any process was made in this PID namespace since one last looked: the
// last number that was given away stands in /proc/loadavg (proc(5)), and every fork
// moves it. One read of 2 µs, where listing a thousand children takes 250.
//
// The number comes round again after pid_max forks. So what was known is taken for old
// as soon as nobody has looked for longer than that many forks must take. What forks with a
// number of its own choice (CAP_CHECKPOINT_RESTORE: clone3's set_tid, ns_last_pid) is not seen.

#include <sys/types.h>

#include <chrono>
#include <cstdint>

#include "base/unique_fd.h"

namespace onset {

class ForkWatch {
 public:
  /// `proc`: a procfs of this PID namespace. Without one, or where loadavg or the PIDs are
  /// not the kernel's usual ones, nothing is ever known.
  /// `patience`: how long a look holds without another one.
  explicit ForkWatch(BorrowedFd proc, std::chrono::milliseconds patience = kPatience);
  ForkWatch() = default;

  /// Below what 32,768 forks take on any machine: one takes 10 µs at the least, and those of
  /// one PID namespace wait for each other's lock.
  static constexpr std::chrono::milliseconds kPatience{50};

  /// The same number as before: no process was made meanwhile but those that made() was
  /// told of. 0: that can't be known here.
  std::uint32_t generation();
  /// As it was at the last look.
  [[nodiscard]] std::uint32_t known() const { return loadavg_ ? generation_ : 0; }
  /// onset has made a process. True: it is the newest, so it has no child yet.
  bool made(pid_t pid);

 private:
  [[nodiscard]] pid_t read_last() const;
  void saw(pid_t last, bool is_explained);

  UniqueFd loadavg_;
  pid_t last_ = 0;
  std::uint32_t generation_ = 1;
  std::chrono::milliseconds patience_{0};
  std::chrono::milliseconds looked_{0};  ///< on CLOCK_MONOTONIC
};

}  // namespace onset
