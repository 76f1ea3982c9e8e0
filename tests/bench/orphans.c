// Makes COUNT orphans and waits until PID 1 has reaped the last of them.
// marks: [0] the first process, [1] the last orphan made, [2] the last one gone.
//
// A parent makes a batch and exits without waiting, so that each of its children, which exit at
// once, falls to PID 1. All share this program's memory, as after vfork: copying page tables
// would cost more than the reaping that is measured. A process id that kill(2) does not know any
// more has been reaped; ids are looked at in the order of birth, so nearly all are gone then.

#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "board.h"

enum { kBatch = 50, kStacks = 4096, kStack = 2048, kMaxOrphans = 1000000 };

// An orphan is long gone when its stack is used again.
static _Alignas(64) char stacks[kStacks][kStack];
static _Alignas(64) char parent_stack[64 * 1024];
static pid_t pids[kMaxOrphans];

struct batch {
  size_t first, count;
};

static pid_t make(int (*run)(void*), char* stack_end, int flags, void* argument) {
  for (;;) {
    const pid_t pid = clone(run, stack_end, CLONE_VM | SIGCHLD | flags, argument);
    if (pid >= 0 || errno != EAGAIN) return pid;
    usleep(1000);
  }
}

static int orphan(void* unused) {
  (void)unused;
  syscall(SYS_exit, 0);
  return 0;
}

static int parent(void* argument) {
  const struct batch* batch = argument;
  for (size_t i = batch->first; i < batch->first + batch->count; ++i) {
    pids[i] = make(orphan, stacks[i % kStacks] + kStack, 0, 0);
  }
  syscall(SYS_exit, 0);
  return 0;
}

int main(int argc, char** argv) {
  struct board* board = open_board(BOARD_PATH);
  const size_t count = argc > 1 ? strtoul(argv[1], 0, 10) : 20000;
  if (!board || count > kMaxOrphans) return 70;
  signal(SIGCHLD, SIG_DFL);

  board->marks[0] = monotonic_ns();
  for (size_t done = 0; done < count; done += kBatch) {
    struct batch batch = {done, count - done < kBatch ? count - done : kBatch};
    const pid_t pid = make(parent, parent_stack + sizeof parent_stack, CLONE_VFORK, &batch);
    if (pid < 0) return 71;
    waitpid(pid, 0, 0);
  }
  board->marks[1] = monotonic_ns();
  for (size_t i = 0; i < count; ++i) {
    while (pids[i] > 0 && kill(pids[i], 0) == 0) usleep(100);
  }
  board->marks[2] = monotonic_ns();
  tell_done();
  for (;;) pause();  // a supervisor would start it again
}
