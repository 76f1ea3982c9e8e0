// Block every signal, start the command, then take signals one by one: SIGCHLD
// reaps, any other is passed on. Nothing here allocates, and after the command
// has been started nothing gives up: the end of PID 1 is the end of all.

#include "init/entrypoint.h"

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>

#include "base/unique_fd.h"
#include "init/entrypoint_child.h"
#include "init/entrypoint_line.h"
#include "init/entrypoint_signals.h"

namespace onset {
namespace {

constexpr int kExitUsage = 2;
constexpr int kReapAtOnce = 512;  // then signals get their turn

/// The next pending signal of the set, or -1 and errno (EAGAIN after `timeout`).
int take_signal(SignalSet set, siginfo_t* info, const timespec* timeout) noexcept {
  return static_cast<int>(syscall(SYS_rt_sigtimedwait, &set, info, timeout, sizeof set));
}
constexpr timespec kNow{0, 0};

[[noreturn]] void refuse(const EntrypointCall& call) noexcept {
  Line().add(call.at).add(": ").add(call.expected).send();
  write_stderr(kEntrypointUsage, std::strlen(kEntrypointUsage));
  _exit(kExitUsage);
}

/// The controlling terminal among the standard descriptors, whichever group has it.
BorrowedFd find_terminal() noexcept {
  for (int fd = 0; fd <= 2; ++fd) {
    if (tcgetpgrp(fd) >= 0) return BorrowedFd(fd);
  }
  return BorrowedFd();
}

bool has_foreground(BorrowedFd terminal) noexcept {
  return terminal && tcgetpgrp(terminal.get()) == getpgrp();
}

class Supervisor {
 public:
  Supervisor(const EntrypointOptions& options, pid_t self, pid_t child, BorrowedFd terminal,
             bool owns_foreground) noexcept
      : options_(options),
        self_(self),
        child_(child),
        terminal_(terminal),
        owns_foreground_(owns_foreground) {}

  /// Returns the exit code once the command, or with -w the last descendant, is gone.
  int run() noexcept;

 private:
  enum class Reaped : std::uint8_t { AllForNow, Some, Finished };

  Reaped reap(int flags) noexcept;
  void note_exit(pid_t pid, int status) noexcept;
  void forward(int sig, const siginfo_t& info) noexcept;
  void command_stopped(int sig) noexcept;
  void stop_self() noexcept;
  void give_terminal() noexcept;

  const EntrypointOptions& options_;
  const pid_t self_;
  const pid_t child_;
  const BorrowedFd terminal_;
  bool owns_foreground_;  // the command's group has the terminal, from us
  bool running_ = true;
  int exit_code_ = kExitCannotExecute;
};

int Supervisor::run() noexcept {
  Reaped reaped = Reaped::AllForNow;
  while (reaped != Reaped::Finished) {
    siginfo_t info;
    const int sig = take_signal(kTaken, &info, reaped == Reaped::Some ? &kNow : nullptr);
    if (sig == SIGCHLD || (sig < 0 && errno == EAGAIN)) {
      reaped = reap(WNOHANG);
    } else if (sig > 0) {
      forward(sig, info);
    } else if (errno != EINTR) {
      reaped = reap(0);  // the call itself is refused: no signals, but the exit code
    }
  }
  if (owns_foreground_) tcsetpgrp(terminal_.get(), getpgrp());
  return exit_code_;
}

/// Reaps whatever is there: one SIGCHLD may stand for many children. In a flood
/// it comes back after some, so that a SIGTERM is not held up.
Supervisor::Reaped Supervisor::reap(int flags) noexcept {
  if (terminal_) flags |= WUNTRACED;
  for (int i = 0; i < kReapAtOnce; ++i) {
    int status = 0;
    const pid_t pid = waitpid(-1, &status, flags);
    if (pid == 0) return Reaped::AllForNow;
    if (pid < 0) {
      if (errno == EINTR) continue;
      return Reaped::Finished;  // ECHILD
    }
    if (WIFSTOPPED(status)) {
      if (pid == child_) command_stopped(WSTOPSIG(status));
      continue;
    }
    note_exit(pid, status);
    if (!running_ && !options_.wait_descendants) return Reaped::Finished;
  }
  return Reaped::Some;
}

void Supervisor::note_exit(pid_t pid, int status) noexcept {
  const int code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  const bool is_command = running_ && pid == child_;
  if (is_command) {
    running_ = false;
    exit_code_ = options_.is_success[static_cast<std::size_t>(code)] ? 0 : code;
  }
  if (options_.verbosity >= (is_command ? 1 : 2)) {
    Line()
        .add(is_command ? "the command, PID " : "reaped PID ")
        .add(pid)
        .add(", ended with ")
        .add(code)
        .send();
  }
}

constexpr bool is_job_control(int sig) {
  return sig == SIGTSTP || sig == SIGTTIN || sig == SIGTTOU;
}

void Supervisor::forward(int sig, const siginfo_t& info) noexcept {
  if (sig == SIGPIPE && info.si_pid == self_) return;  // of our own message
  const int sent = options_.rewrite[static_cast<std::size_t>(sig)];
  // After a stop on a terminal the whole group has to go on.
  const bool resume = sig == SIGCONT && terminal_;
  if (resume) give_terminal();
  const pid_t target = options_.to_group || resume || !running_ ? -child_ : child_;
  if (options_.verbosity >= 1) {
    Line line;
    line.add("signal ").add(sig);
    if (sent == 0) line.add(" ignored");
    if (sent != 0)
      line.add(target < 0 ? " forwarded to the group as " : " forwarded as ").add(sent);
    line.send();
  }
  if (sent == 0) return;
  const int result = info.si_code == SI_QUEUE && target > 0 ? sigqueue(target, sent, info.si_value)
                                                            : kill(target, sent);
  if (result != 0 && errno != ESRCH) {  // ESRCH: it is gone, and a SIGCHLD says so
    Line().add("cannot forward signal ").add(sig).add(": ").add(strerrordesc_np(errno)).send();
  }
  if (is_job_control(sig) && (is_job_control(sent) || sent == SIGSTOP)) {
    kill(self_, SIGTSTP);
    stop_self();
  }
}

/// Stops here if the kernel agrees: PID 1 and orphaned groups, which nobody could
/// continue, go on at once. SIGTSTP is pending. Comes back after SIGCONT.
void Supervisor::stop_self() noexcept {
  set_mask(kTaken & ~only(SIGTSTP));
  set_mask(kTaken);
  siginfo_t info;
  if (take_signal(only(SIGCONT), &info, &kNow) != SIGCONT) return;  // it never stopped
  owns_foreground_ = false;  // the shell took it, and may have given it back
  forward(SIGCONT, info);
}

void Supervisor::command_stopped(int sig) noexcept {
  if ((sig == SIGTTIN || sig == SIGTTOU) && has_foreground(terminal_)) {
    give_terminal();  // a shell gave it to our group, without a SIGCONT
    kill(-child_, SIGCONT);
    return;
  }
  if (self_ == 1) return;
  kill(0, SIGTSTP);  // ourselves too: the whole job that the shell knows
  stop_self();
}

void Supervisor::give_terminal() noexcept {
  if (!has_foreground(terminal_)) return;
  tcsetpgrp(terminal_.get(), child_);
  owns_foreground_ = true;
}

/// SIGCHLD ignored would reap the command behind our back. True if it was.
bool unignore_sigchld() noexcept {
  struct sigaction act {};
  struct sigaction old {};
  act.sa_handler = SIG_DFL;
  sigaction(SIGCHLD, &act, &old);
  return old.sa_handler == SIG_IGN;
}

/// Signals from here on; one for a parent that is gone already included.
void arm_own_parent_death_signal(int sig, pid_t self) noexcept {
  const pid_t parent = getppid();
  prctl(PR_SET_PDEATHSIG, sig);
  if (getppid() != parent) kill(self, sig);
}

}  // namespace

void run_entrypoint(const EntrypointCall& call, char** env) noexcept {
  const SignalSet inherited = set_mask(kTaken);
  if (call.verdict != EntrypointVerdict::Accepted) refuse(call);
  const EntrypointOptions& options = call.options;
  const bool sigchld_ignored = unignore_sigchld();
  const pid_t self = getpid();
  if (options.parent_death_signal != 0) {
    arm_own_parent_death_signal(options.parent_death_signal, self);
  }
  if (self != 1 && prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) {
    Line().add("orphans will not be reaped: ").add(strerrordesc_np(errno)).send();
  }

  const BorrowedFd terminal = find_terminal();
  const bool foreground = has_foreground(terminal);
  EntrypointLaunch launch{options,
                          env,
                          inherited,
                          sigchld_ignored,
                          foreground ? terminal : BorrowedFd(),
                          self,
                          claim_listen_pid(env, self)};
  const pid_t child = start_command(launch);
  if (child < 0) {
    Line()
        .add("no process for ")
        .add(options.command[0])
        .add(": ")
        .add(strerrordesc_np(errno))
        .send();
    _exit(kExitCannotExecute);
  }
  if (options.verbosity >= 1) {
    Line().add("started ").add(options.command[0]).add(" as PID ").add(child).send();
  }

  // No way out from here on but the command's end.
  _exit(Supervisor(options, self, child, terminal, foreground).run());
}

}  // namespace onset
