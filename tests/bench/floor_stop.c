// The floor of the stop measurement: floor_stop COUNT PROGRAM
// PID 1 that spawns COUNT processes and, at SIGTERM, sends each of them one, waits for them, exits.

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t told;

static void hear(int signal) { told = signal; }

static pid_t spawn(char** arguments) {
  char* environment[] = {0};
  const pid_t pid = vfork();
  if (pid != 0) return pid;
  execve(arguments[0], arguments, environment);
  _exit(127);
}

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const long count = strtol(argv[1], 0, 10);
  char* arguments[] = {argv[2], 0};
  pid_t* pids = calloc((size_t)count, sizeof *pids);
  sigset_t none, term;
  sigemptyset(&none);
  sigemptyset(&term);
  sigaddset(&term, SIGTERM);
  const struct sigaction action = {.sa_handler = hear};
  if (!pids || sigaction(SIGTERM, &action, 0) != 0) return 71;
  for (long i = 0; i < count; ++i) {
    pids[i] = spawn(arguments);
    if (pids[i] < 0) return 71;
  }
  sigprocmask(SIG_BLOCK, &term, 0);
  while (!told) sigsuspend(&none);
  for (long i = 0; i < count; ++i) kill(pids[i], SIGTERM);
  while (waitpid(-1, 0, 0) > 0 || errno == EINTR) {
  }
  return 0;
}
