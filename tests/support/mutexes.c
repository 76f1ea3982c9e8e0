// A process whose two threads wait for each other's mutex, for good. Says "stuck" once each has
// its own; a third waits for the end of the first.
#include <pthread.h>
#include <stdio.h>

static pthread_mutex_t mutexes[2] = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER};
static pthread_barrier_t both;

static void* lock_both(void* first) {
  const int own = first == &mutexes[0] ? 0 : 1;
  pthread_mutex_lock(&mutexes[own]);
  if (pthread_barrier_wait(&both) == PTHREAD_BARRIER_SERIAL_THREAD) puts("stuck");
  fflush(stdout);
  pthread_mutex_lock(&mutexes[1 - own]);
  return NULL;
}

int main(void) {
  pthread_t threads[2];
  pthread_barrier_init(&both, NULL, 2);
  for (int i = 0; i < 2; ++i) pthread_create(&threads[i], NULL, lock_both, &mutexes[i]);
  return pthread_join(threads[0], NULL);
}
