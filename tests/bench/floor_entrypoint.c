/* The floor of entrypoint mode: vfork, exec, wait for the command among all
 * children, exit as it did. No signals, no options, nothing that an init needs.
 * Build: cc -O2 -static -o floor_entrypoint floor_entrypoint.c
 * Use:   floor_entrypoint COMMAND [ARG...]   (COMMAND is a path) */
#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

int main(int argc, char **argv) {
  if (argc < 2) return 2;
  pid_t child = vfork();
  if (child < 0) return 126;
  if (child == 0) {
    execve(argv[1], argv + 1, environ);
    _exit(errno == ENOENT ? 127 : 126);
  }
  for (;;) {
    int status;
    pid_t pid = wait(&status);
    if (pid < 0 && errno == EINTR) continue;
    if (pid < 0) return 1;
    if (pid == child) return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
}
