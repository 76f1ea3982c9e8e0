// The floor of the start measurement: floor_start vfork|fork|cgroup COUNT PROGRAM
// PID 1 that does nothing but spawn COUNT processes and reap. With cgroup each is born in a
// cgroup v2 of its own.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static char* arguments[] = {0, 0};
static char* environment[] = {0};

static pid_t spawn(int copies_page_tables) {
  const pid_t pid = copies_page_tables ? fork() : vfork();
  if (pid != 0) return pid;
  execve(arguments[0], arguments, environment);
  _exit(127);
}

static pid_t spawn_into(int cgroup) {
  struct clone_args call;
  memset(&call, 0, sizeof call);
  call.flags = CLONE_INTO_CGROUP;
  call.exit_signal = SIGCHLD;
  call.cgroup = (uint64_t)cgroup;
#ifdef __x86_64__
  // As vfork: the child runs on this frame until it executes, and writes nothing above it.
  call.flags |= CLONE_VM | CLONE_VFORK;
  long result = SYS_clone3;
  __asm__ volatile("syscall" : "+a"(result) : "D"(&call), "S"(sizeof call) : "rcx", "r11", "memory");
#else
  const long result = syscall(SYS_clone3, &call, sizeof call);
#endif
  if (result != 0) return (pid_t)result;
  execve(arguments[0], arguments, environment);
  _exit(127);
}

static int make_cgroup(long number) {
  char path[64];
  snprintf(path, sizeof path, "/sys/fs/cgroup/service-%ld", number);
  if (mkdir(path, 0755) != 0 && errno != EEXIST) return -1;
  return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const int in_cgroups = strcmp(argv[1], "cgroup") == 0;
  const int copies = strcmp(argv[1], "fork") == 0;
  const long count = strtol(argv[2], 0, 10);
  arguments[0] = argv[3];
  for (long i = 0; i < count; ++i) {
    pid_t pid;
    if (in_cgroups) {
      const int cgroup = make_cgroup(i);
      if (cgroup < 0) return 71;
      pid = spawn_into(cgroup);
      close(cgroup);
    } else {
      pid = spawn(copies);
    }
    if (pid < 0) return 71;
  }
  while (waitpid(-1, 0, 0) > 0 || errno == EINTR) {
  }
  return 0;
}
