// The first process of a measured guest: guest_start COUNT INIT [ARGUMENT…]
// Makes the board, leaves a reporter behind, and becomes INIT. The reporter waits until COUNT
// services have left their stamp, and three seconds more; writes a line to the second serial port,
//   begin=NS end=NS count=N pid1=KB all=KB managers=N
// (memory is PSS: of PID 1, and of all processes but the services), and cuts the power.

#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/types.h>

#include "board.h"

static long pss_kb(const char* pid) {
  char path[64], line[128];
  snprintf(path, sizeof path, "/bench/proc/%s/smaps_rollup", pid);
  FILE* file = fopen(path, "r");
  if (!file) return 0;
  long kb = 0;
  while (fgets(line, sizeof line, file)) {
    if (sscanf(line, "Pss: %ld kB", &kb) == 1) break;
  }
  fclose(file);
  return kb;
}

static int is_service(const char* pid) {
  char path[64], name[32] = "";
  snprintf(path, sizeof path, "/bench/proc/%s/comm", pid);
  FILE* file = fopen(path, "r");
  if (!file) return 1;
  if (!fgets(name, sizeof name, file)) name[0] = 0;
  fclose(file);
  return strcmp(name, "probe\n") == 0;
}

static void report(struct board* board, FILE* out) {
  long all = 0, managers = 0;
  uint64_t end = 0;
  const uint32_t count = atomic_load(&board->count);
  for (uint32_t i = 0; i < count && i < BOARD_STAMPS; ++i) {
    if (board->stamps[i] > end) end = board->stamps[i];
  }
  DIR* proc = opendir("/bench/proc");
  for (struct dirent* entry; proc && (entry = readdir(proc));) {
    if (!isdigit((unsigned char)entry->d_name[0]) || atoi(entry->d_name) == getpid()) continue;
    const long kb = is_service(entry->d_name) ? 0 : pss_kb(entry->d_name);
    all += kb;
    managers += kb > 0;
  }
  fprintf(out, "begin=%llu end=%llu count=%u pid1=%ld all=%ld managers=%ld\n",
          (unsigned long long)board->begin, (unsigned long long)end, count, pss_kb("1"), all,
          managers);
  fflush(out);
}

static _Noreturn void run_reporter(struct board* board, int done) {
  setsid();
  FILE* out = fopen("/bench/serial", "w");
  char byte;
  if (!out || done < 0 || read(done, &byte, 1) != 1) _exit(71);
  sleep(3);  // memory is what they have at rest
  report(board, out);
  sync();
  reboot(RB_POWER_OFF);
  _exit(0);
}

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  mkdir("/bench/proc", 0755);
  mount("none", "/bench/proc", "proc", 0, 0);
  mknod("/bench/serial", S_IFCHR | 0600, makedev(4, 65));  // ttyS1
  mkfifo(DONE_PATH, 0666);
  const int fd = open(BOARD_PATH, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (fd < 0 || ftruncate(fd, sizeof(struct board)) != 0) return 71;
  fchmod(fd, 0666);
  close(fd);
  struct board* board = open_board(BOARD_PATH);
  if (!board) return 71;
  board->target = (uint32_t)atoi(argv[1]);
  // Before there is a reporter: the last service may be up before that runs.
  const int done = open(DONE_PATH, O_RDWR | O_CLOEXEC);
  if (fork() == 0) run_reporter(board, done);
  board->begin = monotonic_ns();
  execv(argv[2], argv + 2);
  return 127;
}
