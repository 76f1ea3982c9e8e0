// The floor of the chain measurement: floor_chain ready|exit COUNT PROGRAM
// PID 1 that spawns COUNT processes, each after the one before has written a byte to descriptor 3
// (ready) or has exited.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const int by_exit = strcmp(argv[1], "exit") == 0;
  const long count = strtol(argv[2], 0, 10);
  char* arguments[] = {argv[3], 0};
  char* environment[] = {0};
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0 || dup2(ends[0], 10) != 10 || dup2(ends[1], 3) != 3) return 71;
  fcntl(10, F_SETFD, FD_CLOEXEC);
  for (long i = 0; i < count; ++i) {
    const pid_t pid = vfork();
    if (pid < 0) return 71;
    if (pid == 0) {
      execve(arguments[0], arguments, environment);
      _exit(127);
    }
    char byte;
    if (by_exit ? waitpid(pid, 0, 0) != pid : read(10, &byte, 1) != 1) return 71;
  }
  while (waitpid(-1, 0, 0) > 0 || errno == EINTR) {
  }
  for (;;) pause();  // PID 1 stays
}
