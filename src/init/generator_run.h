#pragma once
// A run of generators that its starter need not wait for: a child that forks them and writes what
// they have come to into a pipe.

#include <sys/types.h>

#include <memory>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "base/unique_fd.h"
#include "init/generators.h"

namespace onset {

class GeneratorRun {
 public:
  /// The child has nothing of ours but its streams. It is the starter's to collect.
  static Result<std::unique_ptr<GeneratorRun>> start(const GeneratorPlan& plan);
  ~GeneratorRun();
  GeneratorRun(const GeneratorRun&) = delete;
  GeneratorRun& operator=(const GeneratorRun&) = delete;

  /// Readable: there is something to read().
  [[nodiscard]] BorrowedFd fd() const { return pipe_; }
  /// Some seconds after the programs' own: the child itself hangs.
  [[nodiscard]] MonoTime deadline() const { return deadline_; }
  /// True: that was all.
  bool read();
  /// After read() was true, or when the deadline has come.
  GeneratorReport finish();
  /// All of the above in one, by waiting.
  GeneratorReport wait();

 private:
  GeneratorRun(UniqueFd pipe, pid_t pid, MonoTime deadline)
      : pipe_(std::move(pipe)), pid_(pid), deadline_(deadline) {}

  UniqueFd pipe_;
  pid_t pid_;
  MonoTime deadline_;
  std::string text_;
  bool closed_ = false;    ///< the child has let go of it
  bool complete_ = false;  ///< and had told all
};

}  // namespace onset
