// The service of most measurements: leaves its time stamp and pauses.

#include "board.h"

int main(void) {
  struct board* board = open_board(BOARD_PATH);
  if (!board) return 70;
  leave_stamp(board);
  for (;;) pause();
}
