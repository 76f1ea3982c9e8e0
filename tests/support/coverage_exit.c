// Of a build with ONSET_COVERAGE, linked with --wrap=_exit: who ends by _exit(2) writes down what
// was counted too. A child on its parent's memory must not: the counters are the parent's, which
// goes on. Such a child has a pid of its own and, unlike one of fork(3), meets no handler.
#include <pthread.h>
#include <unistd.h>

void __gcov_dump(void);
void __gcov_reset(void);
void __real__exit(int status) __attribute__((noreturn));
void __wrap__exit(int status) __attribute__((noreturn));

static pid_t self;

static void forked(void) {
  self = getpid();
  __gcov_reset();  // what came before the fork the parent will write
}

__attribute__((constructor)) static void begin(void) {
  self = getpid();
  pthread_atfork(NULL, NULL, forked);
}

void __wrap__exit(int status) {
  if (getpid() == self) __gcov_dump();
  __real__exit(status);
}
