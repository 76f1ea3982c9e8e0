#pragma once
// The child of the entrypoint: its process group, the terminal, the inherited
// signal mask, LISTEN_PID, then execve as execvp(3) searches. It most often runs
// in its parent's memory, so nothing here allocates. What fails is told on
// stderr by the child itself, which then ends with 127 or 126.

#include <sys/types.h>

#include "base/unique_fd.h"
#include "init/entrypoint.h"
#include "init/entrypoint_signals.h"

namespace onset {

inline constexpr int kExitCannotExecute = 126;

/// What the child needs, made ready before it exists.
struct EntrypointLaunch {
  const EntrypointOptions& options;
  char** env;
  SignalSet mask;                // as it was inherited
  bool restore_sigchld_ignored;  // SIGCHLD was ignored
  BorrowedFd terminal;           // to be made the child's, if any
  pid_t parent;
  char* listen_pid;  // where the child's pid goes: claim_listen_pid()
};

/// Where the child's pid goes in the environment, if anywhere: if LISTEN_PID names
/// the process `self`, its entry is replaced by one for the child to complete
/// (sd_listen_fds(3)). One that names another process stays.
char* claim_listen_pid(char** env, pid_t self) noexcept;

/// Starts the command; -1 and errno on failure. On a terminal the child is
/// forked: ^Z before its exec would hold a parent that waits in vfork for ever.
pid_t start_command(EntrypointLaunch& launch) noexcept;

}  // namespace onset
