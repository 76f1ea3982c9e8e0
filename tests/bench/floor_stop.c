// The floor of the stop measurement: floor_stop vfork|cgroup COUNT PROGRAM
// PID 1 that spawns COUNT processes and, at SIGTERM, sends each of them one, waits for them, exits.
// With cgroup each is in a cgroup v2 of its own: who gets the signal is read there, once, and the
// group is removed at the end.

#include "spawn.h"

static volatile sig_atomic_t told;

static void hear(int signal) { told = signal; }

static void end_processes_of(long number) {
  char text[4096];
  const int fd = open(cgroup_path(number, "/cgroup.procs"), O_RDONLY | O_CLOEXEC);
  const ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
  if (fd >= 0) close(fd);
  if (length <= 0) return;
  text[length] = 0;
  for (char* at = text; *at; at += *at == '\n') kill((pid_t)strtol(at, &at, 10), SIGTERM);
}

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const int in_cgroups = strcmp(argv[1], "cgroup") == 0;
  const long count = strtol(argv[2], 0, 10);
  arguments[0] = argv[3];
  pid_t* pids = calloc((size_t)count, sizeof *pids);
  sigset_t none, term;
  sigemptyset(&none);
  sigemptyset(&term);
  sigaddset(&term, SIGTERM);
  const struct sigaction action = {.sa_handler = hear};
  if (!pids || sigaction(SIGTERM, &action, 0) != 0) return 71;
  for (long i = 0; i < count; ++i) {
    pids[i] = in_cgroups ? spawn_in_cgroup(i) : spawn(0);
    if (pids[i] < 0) return 71;
  }
  sigprocmask(SIG_BLOCK, &term, 0);
  while (!told) sigsuspend(&none);
  for (long i = 0; i < count; ++i) {
    if (in_cgroups) {
      end_processes_of(i);
    } else {
      kill(pids[i], SIGTERM);
    }
  }
  while (waitpid(-1, 0, 0) > 0 || errno == EINTR) {
  }
  for (long i = 0; in_cgroups && i < count; ++i) rmdir(cgroup_path(i, ""));
  return 0;
}
