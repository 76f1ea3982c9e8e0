// The oneshot of the chain: leaves its time stamp and exits.

#include "board.h"

int main(void) {
  struct board* board = open_board(BOARD_PATH);
  if (!board) return 70;
  leave_stamp(board);
  return 0;
}
