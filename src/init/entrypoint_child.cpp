#include "init/entrypoint_child.h"

#include <linux/limits.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <string_view>

#include "init/entrypoint_line.h"
#include "os/launch_clone.h"

namespace onset {
namespace {

constexpr int kExitNotFound = 127;

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

/// Tries the command in each folder of PATH as execvp(3) does, and returns the
/// errno that tells most. An empty folder is the current one.
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
void arm_parent_death_signal(const EntrypointLaunch& launch) noexcept {
  const int sig = launch.options.parent_death_signal;
  prctl(PR_SET_PDEATHSIG, sig);
  if (getppid() != launch.parent) kill(getpid(), sig);
}

/// Runs in the child, most often in the parent's memory: it changes nothing
/// there but the text of LISTEN_PID.
[[noreturn]] void run_child(const EntrypointLaunch& launch) noexcept {
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
  run_child(*static_cast<const EntrypointLaunch*>(launch));
}

alignas(64) char child_stack[64 * 1024];

/// A child that has its own copy of memory.
pid_t fork_child(EntrypointLaunch& launch) noexcept {
#ifdef SYS_fork
  // Not clone(2), which may be what a filter refuses.
  const auto pid = static_cast<pid_t>(syscall(SYS_fork));
  if (pid == 0) run_child(launch);
  return pid;
#else
  return clone(child_main, child_stack + sizeof child_stack, SIGCHLD, &launch);
#endif
}

}  // namespace

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

pid_t start_command(EntrypointLaunch& launch) noexcept {
  if (launch.terminal || !can_clone_onto_stack()) {
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

}  // namespace onset
