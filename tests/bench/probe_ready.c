// The service of the chain: leaves its time stamp, tells that it is ready, and pauses. Told as
// sd_notify(3) has it where there is a NOTIFY_SOCKET, else by a line on descriptor 3, as s6 and
// the floor have it.

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "board.h"

static int tell_ready(void) {
  const char* path = getenv("NOTIFY_SOCKET");
  if (!path) return write(3, "\n", 1) == 1 && close(3) == 0;
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  const size_t length = strlen(path);
  if (length >= sizeof address.sun_path) return 0;
  memcpy(address.sun_path, path, length);
  if (path[0] == '@') address.sun_path[0] = 0;
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
  return fd >= 0 && sendto(fd, "READY=1", 7, MSG_NOSIGNAL, (struct sockaddr*)&address, size) == 7;
}

int main(void) {
  struct board* board = open_board(BOARD_PATH);
  if (!board) return 70;
  leave_stamp(board);
  if (!tell_ready()) return 71;
  for (;;) pause();
}
