// Runs one command as PID 1 of namespaces of its own, in a root folder, and tells what happens:
//
//   arena ROOT LOG CGROUP|- COMMAND ARGUMENT…
//
// stdout: "pid N" when the command runs, "done" when the board's count is complete, "exit N T C"
// (exit status or 128 + signal, nanoseconds from exec to exit, of CPU time) at the end. A byte on stdin is a
// signal for PID 1, and the nanoseconds count from it. When stdin ends, PID 1 is killed, and with
// it all that runs in there.
// CGROUP is a folder of a cgroup v2 mount: the command gets a group of its own below it as the
// root of its own cgroup namespace, mounted on ROOT/sys/fs/cgroup.

#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "board.h"

static void fail(const char* what) {
  dprintf(2, "arena: %s: %s\n", what, strerror(errno));
  _exit(99);
}

static void join(char* out, size_t size, const char* folder, const char* name) {
  if (snprintf(out, size, "%s/%s", folder, name) >= (int)size) fail("path");
}

static void enter_cgroup(const char* root, const char* group) {
  char path[4096];
  join(path, sizeof path, group, "cgroup.procs");
  const int procs = open(path, O_WRONLY | O_CLOEXEC);
  if (procs < 0 || write(procs, "0", 1) != 1) fail(path);
  close(procs);
  if (unshare(CLONE_NEWCGROUP) != 0) fail("cgroup namespace");
  join(path, sizeof path, root, "sys/fs/cgroup");
  if (mount("none", path, "cgroup2", 0, 0) != 0) fail(path);
}

static _Noreturn void become_pid1(const char* root, const char* log, const char* group, char** command,
                                  struct board* board) {
  char path[4096];
  if (unshare(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC) != 0) fail("unshare");
  if (mount("none", "/", 0, MS_REC | MS_PRIVATE, 0) != 0) fail("private mounts");
  join(path, sizeof path, root, "proc");
  if (mount("proc", path, "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, 0) != 0) fail(path);
  if (group) enter_cgroup(root, group);
  const int out = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  const int in = open("/dev/null", O_RDONLY);
  if (out < 0 || in < 0) fail(log);
  dup2(in, 0);
  dup2(out, 1);
  dup2(out, 2);
  close_range(3, ~0u, 0);
  setsid();
  if (chroot(root) != 0 || chdir("/") != 0) fail(root);
  char* environment[] = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                         "container=bench", "HOME=/root", 0};
  board->begin = monotonic_ns();
  execve(command[0], command, environment);
  fail(command[0]);
  _exit(99);
}

static void remove_tree(const char* folder) {
  DIR* open_folder = opendir(folder);
  if (!open_folder) return;
  for (struct dirent* entry; (entry = readdir(open_folder));) {
    if (entry->d_type != DT_DIR || entry->d_name[0] == '.') continue;
    char path[4096];
    join(path, sizeof path, folder, entry->d_name);
    remove_tree(path);
  }
  closedir(open_folder);
  rmdir(folder);
}

/// False once stdin has ended.
static int obey(pid_t pid, struct board* board) {
  unsigned char signal;
  if (read(0, &signal, 1) != 1) {
    kill(pid, SIGKILL);
    return 0;
  }
  board->begin = monotonic_ns();
  kill(pid, signal);
  return 1;
}

/// Nanoseconds on a processor; of a zombie too.
static unsigned long long cpu_of(pid_t pid) {
  char path[64], text[64] = "";
  snprintf(path, sizeof path, "/proc/%d/schedstat", pid);
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  if (read(fd, text, sizeof text - 1) < 0) text[0] = 0;
  close(fd);
  return strtoull(text, 0, 10);
}

static void watch(pid_t pid, int pidfd, int done, struct board* board) {
  struct pollfd waits[] = {{pidfd, POLLIN, 0}, {done, POLLIN, 0}, {0, POLLIN, 0}};
  for (;;) {
    if (poll(waits, 3, -1) < 0) continue;
    char bytes[16];
    if (waits[1].revents && read(done, bytes, sizeof bytes) > 0) dprintf(1, "done\n");
    if (waits[0].revents) break;
    if (waits[2].revents && !obey(pid, board)) waits[2].fd = -1;
  }
  const uint64_t end = monotonic_ns();
  const unsigned long long cpu = cpu_of(pid);
  int status = 0;
  waitpid(pid, &status, 0);
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  dprintf(1, "exit %d %llu %llu\n", code, (unsigned long long)(end - board->begin), cpu);
}

int main(int argc, char** argv) {
  if (argc < 5) return 2;
  const char* root = argv[1];
  char path[4096], group[4096];
  join(path, sizeof path, root, BOARD_PATH + 1);
  struct board* board = open_board(path);
  if (!board) fail(path);
  join(path, sizeof path, root, DONE_PATH + 1);
  const int done = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (done < 0) fail(path);
  const int in_cgroup = strcmp(argv[3], "-") != 0;
  if (in_cgroup) {
    if (snprintf(group, sizeof group, "%s/onset-bench-%d", argv[3], getpid()) >= (int)sizeof group) fail("path");
    if (mkdir(group, 0755) != 0) fail(group);
  }
  // The memory of the board is resident before the clock runs.
  for (volatile char* page = (char*)board; page < (char*)(board + 1); page += 4096) *page = *page;
  if (unshare(CLONE_NEWPID) != 0) fail("pid namespace");
  const pid_t pid = fork();
  if (pid < 0) fail("fork");
  if (pid == 0) become_pid1(root, argv[2], in_cgroup ? group : 0, argv + 4, board);
  const int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
  if (pidfd < 0) fail("pidfd_open");
  dprintf(1, "pid %d\n", pid);
  watch(pid, pidfd, done, board);
  if (in_cgroup) remove_tree(group);
  return 0;
}
