/* Does in a guest what limits are against, and tells how far it came.
 *
 *   eat MEGABYTES          takes so much memory, then ends
 *   forks FILE             starts children until it can't, writes their number, waits
 *   burn                   uses all the CPU it can get
 *   udp ADDRESS            sends a packet; the exit status is the errno
 *   bind ADDRESS PORT      binds a TCP socket; likewise
 *   scheduling FILE        writes how it is scheduled
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static int eat(long megabytes) {
  for (long i = 0; i < megabytes; ++i) {
    char* part = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (part == MAP_FAILED) return 2;
    memset(part, 1, 1 << 20);
  }
  return 0;
}

static void tell(const char* path, const char* text) {
  char beside[256];
  snprintf(beside, sizeof beside, "%s.new", path);
  FILE* file = fopen(beside, "w");
  if (file == NULL) exit(3);
  fputs(text, file);
  fclose(file);
  rename(beside, path);
}

static void forks(const char* path) {
  int children = 0;
  for (;; ++children) {
    const pid_t child = fork();
    if (child < 0) break;
    if (child == 0)
      for (;;) pause();
  }
  char text[32];
  snprintf(text, sizeof text, "%d\n", children);
  tell(path, text);
  for (;;) pause();
}

static struct sockaddr_storage address_of(const char* text, int port, socklen_t* size) {
  struct sockaddr_storage place;
  memset(&place, 0, sizeof place);
  struct sockaddr_in* v4 = (struct sockaddr_in*)&place;
  struct sockaddr_in6* v6 = (struct sockaddr_in6*)&place;
  if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons((unsigned short)port);
    *size = sizeof *v4;
  } else {
    inet_pton(AF_INET6, text, &v6->sin6_addr);
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons((unsigned short)port);
    *size = sizeof *v6;
  }
  return place;
}

static int use_socket(const char* address, int port, int type) {
  socklen_t size = 0;
  const struct sockaddr_storage place = address_of(address, port, &size);
  const int fd = socket(place.ss_family, type, 0);
  if (fd < 0) return errno;
  const long done = type == SOCK_DGRAM
                        ? sendto(fd, "x", 1, 0, (const struct sockaddr*)&place, size)
                        : bind(fd, (const struct sockaddr*)&place, size);
  return done < 0 ? errno : 0;
}

static int scheduling(const char* path) {
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  sched_getaffinity(0, sizeof cpus, &cpus);
  const long io = syscall(SYS_ioprio_get, 1, 0);
  char text[256];
  snprintf(text, sizeof text, "nice=%d policy=%d cpus=%d io=%ld:%ld slack=%d\n",
           getpriority(PRIO_PROCESS, 0), sched_getscheduler(0), CPU_COUNT(&cpus), io >> 13,
           io & 7, prctl(PR_GET_TIMERSLACK));
  tell(path, text);
  return 0;
}

int main(int argc, char** argv) {
  const char* mode = argc > 1 ? argv[1] : "";
  if (strcmp(mode, "eat") == 0 && argc == 3) return eat(atol(argv[2]));
  if (strcmp(mode, "forks") == 0 && argc == 3) forks(argv[2]);
  if (strcmp(mode, "burn") == 0)
    for (;;) {
    }
  if (strcmp(mode, "udp") == 0 && argc == 3) return use_socket(argv[2], 9, SOCK_DGRAM);
  if (strcmp(mode, "bind") == 0 && argc == 4) return use_socket(argv[2], atoi(argv[3]), SOCK_STREAM);
  if (strcmp(mode, "scheduling") == 0 && argc == 3) return scheduling(argv[2]);
  return 64;
}
