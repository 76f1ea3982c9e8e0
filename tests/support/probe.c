// A program that tells what it was started with, one "key: value" line each, in
// the file that its first argument names. Static, so that what it sees is what
// it was given.
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

extern char** environ;

static void print_ids(FILE* out) {
  uid_t r, e, s;
  gid_t gr, ge, gs;
  getresuid(&r, &e, &s);
  getresgid(&gr, &ge, &gs);
  fprintf(out, "uids: %u %u %u\ngids: %u %u %u\ngroups:", r, e, s, gr, ge, gs);
  gid_t groups[1024];
  int n = getgroups(1024, groups);
  for (int i = 0; i < n; i++) fprintf(out, " %u", groups[i]);
  fprintf(out, "\n");
}

static void print_signals(FILE* out) {
  sigset_t mask;
  sigprocmask(SIG_SETMASK, NULL, &mask);
  fprintf(out, "blocked:");
  for (int i = 1; i <= 64; i++) {
    if (sigismember(&mask, i) == 1) fprintf(out, " %d", i);
  }
  fprintf(out, "\nignored:");
  for (int i = 1; i <= 64; i++) {
    struct sigaction action;
    if (sigaction(i, NULL, &action) == 0 && action.sa_handler == SIG_IGN) fprintf(out, " %d", i);
  }
  fprintf(out, "\n");
}

static void print_limits(FILE* out) {
  for (int i = 0; i < RLIM_NLIMITS; i++) {
    struct rlimit limit;
    getrlimit(i, &limit);
    fprintf(out, "limit %d: %llu %llu\n", i, (unsigned long long)limit.rlim_cur,
            (unsigned long long)limit.rlim_max);
  }
}

static void print_capabilities(FILE* out) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2];
  memset(data, 0, sizeof data);
  syscall(SYS_capget, &header, data);
  unsigned long long bounding = 0, ambient = 0;
  for (int i = 0; i < 64; i++) {
    if (prctl(PR_CAPBSET_READ, i, 0, 0, 0) == 1) bounding |= 1ULL << i;
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, i, 0, 0) == 1) ambient |= 1ULL << i;
  }
#define WHOLE(which) (data[0].which | (unsigned long long)data[1].which << 32)
  fprintf(out, "effective: %llx\npermitted: %llx\ninheritable: %llx\nbounding: %llx\nambient: %llx\n",
          WHOLE(effective), WHOLE(permitted), WHOLE(inheritable), bounding, ambient);
  fprintf(out, "securebits: %d\nno_new_privs: %d\n", prctl(PR_GET_SECUREBITS, 0, 0, 0, 0),
          prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
}

// Every descriptor but the one that this is written to.
static void print_descriptors(FILE* out) {
  char path[64], target[4096];
  for (int fd = 0; fd < 1024; fd++) {
    struct stat st;
    if (fd == fileno(out) || fstat(fd, &st) != 0) continue;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(path, target, sizeof target - 1);
    target[n < 0 ? 0 : n] = '\0';
    fprintf(out, "fd %d: %s mode=%d\n", fd, target, fcntl(fd, F_GETFL) & O_ACCMODE);
  }
}

static void print_misc(FILE* out) {
  char buffer[4096];
  mode_t mask = umask(0);
  umask(mask);
  fprintf(out, "cwd: %s\numask: %04o\nnice: %d\n", getcwd(buffer, sizeof buffer), mask,
          getpriority(PRIO_PROCESS, 0));
  fprintf(out, "pid: %d\nppid: %d\nsession: %d\ngroup: %d\n", getpid(), getppid(), getsid(0),
          getpgrp());
  int tty = open("/dev/tty", O_RDONLY | O_NOCTTY);
  fprintf(out, "ctty: %s\n", tty >= 0 ? "yes" : "no");
  if (tty >= 0) close(tty);
  FILE* oom = fopen("/proc/self/oom_score_adj", "r");
  int score = 0;
  if (oom != NULL && fscanf(oom, "%d", &score) == 1) fprintf(out, "oom_score_adj: %d\n", score);
  if (oom != NULL) fclose(oom);
}

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  // Beside the file and renamed, so that who waits for it finds it whole.
  char beside[4096];
  snprintf(beside, sizeof beside, "%s.part", argv[1]);
  FILE* out = fopen(beside, "we");
  if (out == NULL) return 3;
  for (int i = 0; i < argc; i++) fprintf(out, "arg %d: %s\n", i, argv[i]);
  for (char** e = environ; *e != NULL; e++) fprintf(out, "env: %s\n", *e);
  print_ids(out);
  print_signals(out);
  print_limits(out);
  print_capabilities(out);
  print_descriptors(out);
  print_misc(out);
  if (fclose(out) != 0) return 4;
  return rename(beside, argv[1]) == 0 ? 0 : 5;
}
