/* Does in a guest what limits are against, and tells how far it came.
 *
 *   eat MEGABYTES          takes so much memory, then ends
 *   forks FILE             starts children until it can't, writes their number, waits
 *   burn                   uses all the CPU it can get
 *   udp ADDRESS            sends a packet; the exit status is the errno
 *   bind ADDRESS PORT      binds a TCP socket; likewise
 *   talk COUNT SIZE        sends itself so many datagrams over the loopback, and receives them
 *   pin PATH               leaves a program there that lets no packet out
 *   scheduling FILE        writes how it is scheduled
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/bpf.h>
#include <sched.h>
#include <stdint.h>
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

static int talk(int count, size_t size) {
  static char text[65536];
  socklen_t length = 0;
  struct sockaddr_storage place = address_of("127.0.0.1", 0, &length);
  const int from = socket(AF_INET, SOCK_DGRAM, 0);
  const int to = socket(AF_INET, SOCK_DGRAM, 0);
  if (bind(to, (struct sockaddr*)&place, length) < 0) return errno;
  if (getsockname(to, (struct sockaddr*)&place, &length) < 0) return errno;
  for (int i = 0; i < count; ++i) {
    if (sendto(from, text, size, 0, (struct sockaddr*)&place, length) < 0) return errno;
    if (recv(to, text, sizeof text, 0) != (ssize_t)size) return EIO;
  }
  return 0;
}

static int pin(const char* path) {
  const struct bpf_insn code[] = {{.code = BPF_ALU64 | BPF_MOV | BPF_K}, {.code = BPF_JMP | BPF_EXIT}};
  union bpf_attr attributes = {.prog_type = BPF_PROG_TYPE_CGROUP_SKB,
                               .expected_attach_type = BPF_CGROUP_INET_EGRESS,
                               .insns = (uintptr_t)code,
                               .insn_cnt = 2,
                               .license = (uintptr_t) "none"};
  const int program = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attributes, sizeof attributes);
  if (program < 0) return errno;
  union bpf_attr place = {.pathname = (uintptr_t)path, .bpf_fd = (unsigned)program};
  return syscall(SYS_bpf, BPF_OBJ_PIN, &place, sizeof place) < 0 && errno != EEXIST ? errno : 0;
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
  if (strcmp(mode, "talk") == 0 && argc == 4) return talk(atoi(argv[2]), (size_t)atol(argv[3]));
  if (strcmp(mode, "pin") == 0 && argc == 3) return pin(argv[2]);
  if (strcmp(mode, "scheduling") == 0 && argc == 3) return scheduling(argv[2]);
  return 64;
}
