#pragma once
// A step that may block for ever in the kernel (umount(2), sync(2), swapoff(2)), done in a child
// that is waited for until a deadline. For the time after the event loop; SIGCHLD is blocked.

#include <sys/types.h>
#include <unistd.h>

#include <new>

#include "base/time.h"

namespace onset {

enum class ChildEnd : unsigned char {
  Done,
  Failed,   ///< its status was not 0, or a signal has ended it
  Late,     ///< it is still there
  NotMade,  ///< no process or memory for it
};

/// What it returns is its exit status; it may want memory and get none. 0: no child could be made.
template <class Step>
pid_t begin_child(Step step) {
  const pid_t pid = fork();
  if (pid != 0) return pid < 0 ? 0 : pid;
  int status = 1;
  try {
    status = step();
  } catch (const std::bad_alloc&) {
  }
  _exit(status);
}

/// Reaps whatever else ends meanwhile. `pid` 0 is NotMade.
ChildEnd await_child(pid_t pid, MonoTime deadline);

/// The next SIGCHLD, at `until` the latest; may come early.
void await_any_child(MonoTime until);

}  // namespace onset
