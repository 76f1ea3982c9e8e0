// What the small system of the fault sweeps is made of; static, so that a life of it takes
// milliseconds. By its first argument:
//
//   gate COMMAND…   becomes COMMAND when stdin can be read: until then it can be attached to
//   notify          READY=1; with SIGHUP RELOADING=1 and READY=1; ends with SIGTERM
//   forking FILE    a child that lives on, its number in FILE
//   stay            ends with SIGTERM
//   say FILE WORD   one more line in FILE
//   exit STATUS
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static void tell(const char* text) {
  const char* const path = getenv("NOTIFY_SOCKET");
  if (!path || strlen(path) >= sizeof((struct sockaddr_un*)0)->sun_path) return;
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strcpy(address.sun_path, path);
  if (path[0] == '@') address.sun_path[0] = 0;
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const socklen_t length = offsetof(struct sockaddr_un, sun_path) + strlen(path);
  if (sendto(fd, text, strlen(text), 0, (struct sockaddr*)&address, length) < 0) perror("notify");
  close(fd);
}

static void write_text(const char* path, int flags, const char* text) {
  const int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0644);
  if (fd < 0 || write(fd, text, strlen(text)) < 0) exit(1);
  close(fd);
}

static int serve(int notifies) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGHUP);
  sigprocmask(SIG_BLOCK, &set, 0);
  if (notifies) tell("READY=1");
  for (;;) {
    int signal = 0;
    sigwait(&set, &signal);
    if (signal == SIGTERM) return 0;
    if (!notifies) continue;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    char text[128];
    snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%lld", now.tv_sec * 1000000LL + now.tv_nsec / 1000);
    tell(text);
    tell("READY=1");
  }
}

static int fork_away(const char* path) {
  const pid_t pid = fork();
  if (pid < 0) return 1;
  if (pid == 0) {
    setsid();
    return serve(0);
  }
  char text[16];
  snprintf(text, sizeof text, "%d\n", (int)pid);
  write_text(path, O_TRUNC, text);
  return 0;
}

static int become(char** command) {
  fd_set readable;
  FD_ZERO(&readable);
  FD_SET(0, &readable);
  if (write(0, "r", 1) != 1 || select(1, &readable, 0, 0, 0) != 1) return 1;
  execv(command[0], command);
  return 1;
}

int main(int argc, char** argv) {
  if (argc >= 3 && !strcmp(argv[1], "gate")) return become(argv + 2);
  if (argc == 2 && !strcmp(argv[1], "notify")) return serve(1);
  if (argc == 3 && !strcmp(argv[1], "forking")) return fork_away(argv[2]);
  if (argc == 2 && !strcmp(argv[1], "stay")) return serve(0);
  if (argc == 4 && !strcmp(argv[1], "say")) {
    char line[128];
    snprintf(line, sizeof line, "%s\n", argv[3]);
    write_text(argv[2], O_APPEND, line);
    return 0;
  }
  if (argc == 3 && !strcmp(argv[1], "exit")) return atoi(argv[2]);
  return 2;
}
