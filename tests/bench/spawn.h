// How the floors start a process, in a cgroup v2 of its own where asked.

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
#include <sys/types.h>
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

// The path of the group of one number.
static const char* cgroup_path(long number, const char* file) {
  static char path[96];
  snprintf(path, sizeof path, "/sys/fs/cgroup/service-%ld%s", number, file);
  return path;
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
  __asm__ volatile("syscall"
                   : "+a"(result)
                   : "D"(&call), "S"(sizeof call)
                   : "rcx", "r11", "memory");
#else
  const long result = syscall(SYS_clone3, &call, sizeof call);
#endif
  if (result != 0) return (pid_t)result;
  execve(arguments[0], arguments, environment);
  _exit(127);
}

// In a group of its own, made for it.
static pid_t spawn_in_cgroup(long number) {
  const char* path = cgroup_path(number, "");
  if (mkdir(path, 0755) != 0 && errno != EEXIST) return -1;
  const int cgroup = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (cgroup < 0) return -1;
  const pid_t pid = spawn_into(cgroup);
  close(cgroup);
  return pid;
}
