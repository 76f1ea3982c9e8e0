#pragma once
// Signals as a descriptor: all of them blocked, read from one signalfd.

#include <sys/types.h>

#include <optional>

#include "base/result.h"
#include "base/unique_fd.h"

namespace onset {

struct SignalInfo {
  int number = 0;
  pid_t sender = 0;
};

class SignalQueue {
 public:
  /// Blocks every signal that can be blocked and should be seen here. Faults of
  /// our own code (SEGV, BUS, ILL, FPE, ABRT, SYS, TRAP) stay as they are.
  static Result<SignalQueue> create();

  [[nodiscard]] BorrowedFd fd() const { return fd_; }
  /// The next pending signal; none left: nullopt. Never blocks.
  std::optional<SignalInfo> next();

 private:
  explicit SignalQueue(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

}  // namespace onset
