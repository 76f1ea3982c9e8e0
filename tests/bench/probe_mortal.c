// The service of the restart measurement: lives for marks[0] milliseconds, leaves the time and
// kills itself, until the board's count is complete. Life n has two stamps: [2n] its begin and
// [2n + 1] its end.

#include <signal.h>

#include "board.h"

int main(void) {
  const uint64_t begin = monotonic_ns();
  struct board* board = open_board(BOARD_PATH);
  if (!board) return 70;
  const uint32_t life = atomic_fetch_add(&board->count, 1);
  if (2 * life + 1 >= BOARD_STAMPS) return 71;
  board->stamps[2 * life] = begin;
  if (life + 1 == board->target) tell_done();
  if (life + 1 >= board->target) {
    for (;;) pause();
  }
  const struct timespec age = {(time_t)(board->marks[0] / 1000), (long)(board->marks[0] % 1000) * 1000000};
  if (board->marks[0] > 0) nanosleep(&age, 0);
  board->stamps[2 * life + 1] = monotonic_ns();
  kill(getpid(), SIGKILL);
  return 72;
}
