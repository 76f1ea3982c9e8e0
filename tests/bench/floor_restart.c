// The floor of the restart measurement: floor_restart PROGRAM
// PID 1 that runs one process, and runs it again when it has ended.

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  char* environment[] = {0};
  for (;;) {
    const pid_t pid = vfork();
    if (pid < 0) return 71;
    if (pid == 0) {
      execve(argv[1], argv + 1, environment);
      _exit(127);
    }
    while (waitpid(-1, 0, 0) != pid) {
      if (errno == ECHILD) return 71;
    }
  }
}
