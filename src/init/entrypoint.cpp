// Block every signal, start the command, then take signals one by one: SIGCHLD
// reaps, any other is passed on. Nothing here allocates, and after the command
// has been started nothing gives up: the end of PID 1 is the end of all.

#include "init/entrypoint.h"

#include <linux/limits.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <string_view>

#include "base/unique_fd.h"

namespace onset {
namespace {

constexpr int kExitUsage = 2;
constexpr int kExitCannotExecute = 126;
constexpr int kExitNotFound = 127;
constexpr int kReapAtOnce = 512;  // then signals get their turn

// The kernel's own signal set: libc's calls hide two real-time signals.
using SignalSet = std::uint64_t;
constexpr SignalSet only(int sig) {
  return SignalSet{1} << (sig - 1);
}
constexpr SignalSet kFaults = only(SIGFPE) | only(SIGILL) | only(SIGSEGV) | only(SIGBUS) |
                              only(SIGABRT) | only(SIGTRAP) | only(SIGSYS);
constexpr SignalSet kTaken = ~kFaults;

SignalSet set_mask(SignalSet mask) noexcept {
  SignalSet old = 0;
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, &old, sizeof mask);
  return old;
}

/// The next pending signal of the set, or -1 and errno (EAGAIN after `timeout`).
int take_signal(SignalSet set, siginfo_t* info, const timespec* timeout) noexcept {
  return static_cast<int>(syscall(SYS_rt_sigtimedwait, &set, info, timeout, sizeof set));
}
constexpr timespec kNow{0, 0};

/// Drops the text where writing would block: nobody may be reading. At most
/// PIPE_BUF bytes, with SIGPIPE blocked.
void write_stderr(const char* text, std::size_t size) noexcept {
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

// ---- the child -------------------------------------------------------------

/// What the child needs, made ready before it exists.
struct Launch {
  const EntrypointOptions& options;
  char** env;
  SignalSet mask;                // as it was inherited
  bool restore_sigchld_ignored;  // SIGCHLD was ignored
  BorrowedFd terminal;           // to be made the child's, if any
  pid_t parent;
  char* listen_pid;  // where the child's pid goes, if anywhere
};

char listen_pid_entry[32] = "LISTEN_PID=";

void write_decimal(char* to, pid_t number) noexcept {
  char digits[16];
  std::size_t count = 0;
  do digits[count++] = static_cast<char>('0' + number % 10);
  while ((number /= 10) != 0);
  while (count > 0) *to++ = digits[--count];
  *to = '\0';
}

/// The entry that begins with `name`, which ends in "=", or null.
char** find_variable(char** env, std::string_view name) noexcept {
  for (; *env != nullptr; ++env) {
    if (std::strncmp(*env, name.data(), name.size()) == 0) return env;
  }
  return nullptr;
}

/// If LISTEN_PID names this process, its entry is replaced by one for the child
/// to complete (sd_listen_fds(3)). One that names another process stays.
char* claim_listen_pid(char** env, pid_t self) noexcept {
  constexpr std::string_view kName = "LISTEN_PID=";
  char** entry = find_variable(env, kName);
  if (entry == nullptr) return nullptr;
  char* const value = listen_pid_entry + kName.size();
  write_decimal(value, self);
  if (std::strcmp(*entry, listen_pid_entry) != 0) return nullptr;
  *entry = listen_pid_entry;
  return value;
}

/// Tries the command in each folder of PATH as execvp(3) does, and returns the
/// errno that tells most. An empty folder is the current one.
/// execve(2), and like execvp(3) /bin/sh for a script without an interpreter
/// line. The words for it need no memory: the one before the command is "--".
void execute_file(char* file, char* const* command, char** env) noexcept {
  execve(file, command, env);
  if (errno != ENOEXEC) return;
  static char shell[] = "/bin/sh";
  char** const words = const_cast<char**>(command) - 1;
  char* const kept[] = {words[0], words[1]};
  words[0] = shell;
  words[1] = file;
  execve(shell, words, env);
  words[0] = kept[0];
  words[1] = kept[1];
  errno = ENOEXEC;
}

int execute_from_path(char* const* command, char** env) noexcept {
  constexpr std::string_view kName = "PATH=";
  char** const path = find_variable(env, kName);
  std::string_view rest = path != nullptr ? *path + kName.size() : "/bin:/usr/bin";
  const std::string_view name(command[0]);
  if (name.size() > NAME_MAX) return ENAMETOOLONG;
  bool denied = false;
  char file[PATH_MAX + NAME_MAX + 2];
  for (bool last = false; !last;) {
    const auto colon = rest.find(':');
    const std::string_view folder = rest.substr(0, colon);
    last = colon == std::string_view::npos;
    if (!last) rest.remove_prefix(colon + 1);
    if (folder.size() >= PATH_MAX) continue;
    char* end = file + folder.copy(file, folder.size());
    if (!folder.empty()) *end++ = '/';
    end[name.copy(end, name.size())] = '\0';
    execute_file(file, command, env);
    switch (errno) {
      case EACCES:
        denied = true;
        break;
      case ENOENT:
      case ENOTDIR:
      case ESTALE:
      case ENODEV:
      case ETIMEDOUT:
        break;
      default:
        return errno;
    }
  }
  return denied ? EACCES : ENOENT;
}

int execute(char* const* command, char** env) noexcept {
  if (*command[0] == '\0') return ENOENT;
  if (std::strchr(command[0], '/') == nullptr) return execute_from_path(command, env);
  execute_file(command[0], command, env);
  return errno;
}

void explain(const char* command, int err) noexcept {
  const char* text = strerrordesc_np(err);
  Line line;
  line.add(command).add(": ").add(text != nullptr ? text : "unknown error");
  // A script or a dynamic program whose interpreter is missing gives ENOENT too.
  if (err == ENOENT && std::strchr(command, '/') != nullptr && access(command, F_OK) == 0) {
    line.add(" (the file exists, its interpreter does not)");
  }
  line.send();
}

/// The parent's death, between its clone and our prctl, must not be missed.
void arm_parent_death_signal(const Launch& launch) noexcept {
  const int sig = launch.options.parent_death_signal;
  prctl(PR_SET_PDEATHSIG, sig);
  if (getppid() != launch.parent) kill(getpid(), sig);
}

/// Runs in the child, most often in the parent's memory: it changes nothing
/// there but the text of LISTEN_PID.
[[noreturn]] void run_child(const Launch& launch) noexcept {
  setpgid(0, 0);
  // SIGTTOU is still blocked, so a group in the background may do this.
  if (launch.terminal) tcsetpgrp(launch.terminal.get(), getpid());
  if (launch.options.parent_death_signal != 0) arm_parent_death_signal(launch);
  if (launch.listen_pid != nullptr) write_decimal(launch.listen_pid, getpid());
  if (launch.restore_sigchld_ignored) signal(SIGCHLD, SIG_IGN);
  set_mask(launch.mask);
  const int err = execute(launch.options.command, launch.env);
  set_mask(kTaken);  // a SIGPIPE of our own message must not replace the exit code
  explain(launch.options.command[0], err);
  _exit(err == ENOENT ? kExitNotFound : kExitCannotExecute);
}

int child_main(void* launch) {
  run_child(*static_cast<const Launch*>(launch));
}

alignas(64) char child_stack[64 * 1024];

/// A child that has its own copy of memory.
pid_t fork_child(Launch& launch) noexcept {
#ifdef SYS_fork
  // Not clone(2), which may be what a filter refuses.
  const auto pid = static_cast<pid_t>(syscall(SYS_fork));
  if (pid == 0) run_child(launch);
  return pid;
#else
  return clone(child_main, child_stack + sizeof child_stack, SIGCHLD, &launch);
#endif
}

/// Starts the command; -1 and errno on failure. On a terminal the child is
/// forked: ^Z before its exec would hold a parent that waits in vfork for ever.
pid_t start(Launch& launch) noexcept {
  if (launch.terminal) {
    const pid_t pid = fork_child(launch);
    if (pid > 0) setpgid(pid, pid);  // before the first signal to the group
    return pid;
  }
  const pid_t pid = clone(child_main, child_stack + sizeof child_stack,
                          CLONE_VM | CLONE_VFORK | SIGCHLD, &launch);
  if (pid < 0 && (errno == ENOSYS || errno == EPERM)) {
    const pid_t forked = fork_child(launch);
    if (forked > 0) setpgid(forked, forked);
    return forked;
  }
  return pid;
}

// ---- the parent ------------------------------------------------------------

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
  Launch launch{options,
                env,
                inherited,
                sigchld_ignored,
                foreground ? terminal : BorrowedFd(),
                self,
                claim_listen_pid(env, self)};
  const pid_t child = start(launch);
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
