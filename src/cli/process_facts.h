#pragma once
// A process as /proc shows it to whoever asks: its threads, where each waits in the kernel and for
// what, and how near it is to its limits. Read by the command, not by the manager: files of a
// process that hangs may hang too. Sources: proc(5), and of a mutex's owner glibc's layout.

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/process_text.h"
#include "base/result.h"
#include "cli/lock_table.h"
#include "unit/file_source.h"

namespace onset {

/// Another process's memory, process_vm_readv(2).
class ProcessMemory {
 public:
  virtual ~ProcessMemory() = default;
  /// As many bytes, or an error.
  virtual Result<std::string> read(pid_t pid, std::uint64_t address, std::size_t size) = 0;
};

/// The system call that a thread is in.
struct ThreadCall {
  std::int64_t number = -1;  ///< -1: in none
  std::uint64_t arguments[6] = {};
};
/// /proc/PID/task/TID/syscall; nothing while it runs, or if that is not to be seen.
std::optional<ThreadCall> parse_thread_call(std::string_view text);

/// A thread that another one keeps from going on.
struct ThreadWait {
  enum class For : std::uint8_t { Mutex, End } what{};
  pid_t thread = 0;  ///< the one that has the mutex, or whose end is waited for
};

struct ThreadFacts {
  pid_t tid = 0;
  char state = '?';  ///< as ps(1) has them: R S D T t Z X I
  std::string name;
  std::string wait_channel;        ///< the kernel's function; empty: none, or not to be seen
  std::vector<std::string> stack;  ///< the kernel's, the innermost first; empty likewise
  std::optional<ThreadWait> wait;
  std::string lock_path;  ///< the file whose lock it waits for
};

/// What is used of a limit, in percent at least `kNearLimit`.
struct LimitUse {
  std::string what;  ///< "open files"
  std::uint64_t used = 0;
  std::uint64_t limit = 0;
};
inline constexpr unsigned kNearLimit = 80;
constexpr bool is_near(std::uint64_t used, std::uint64_t limit) {
  return limit != 0 && static_cast<double>(used) * 100 >= static_cast<double>(limit) * kNearLimit;
}

struct ProcessFacts {
  pid_t pid = 0;
  std::string name;
  std::vector<ThreadFacts> threads;  ///< by number; at most kThreadsShown
  std::size_t thread_count = 0;
  std::vector<LimitUse> limits;  ///< those that are nearly used up
  std::vector<FileLock> held;    ///< by its open files, flock(2)'s and those of open files
};
inline constexpr std::size_t kThreadsShown = 64;

/// Nothing if the process is gone. `memory` may be null.
std::optional<ProcessFacts> read_process(FileSource& files, ProcessMemory* memory, pid_t pid);

}  // namespace onset
