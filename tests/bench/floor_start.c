// The floor of the start measurement: floor_start vfork|fork|cgroup COUNT PROGRAM
// PID 1 that does nothing but spawn COUNT processes and reap. With cgroup each is born in a
// cgroup v2 of its own.

#include "spawn.h"

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const int in_cgroups = strcmp(argv[1], "cgroup") == 0;
  const int copies = strcmp(argv[1], "fork") == 0;
  const long count = strtol(argv[2], 0, 10);
  arguments[0] = argv[3];
  for (long i = 0; i < count; ++i) {
    if ((in_cgroups ? spawn_in_cgroup(i) : spawn(copies)) < 0) return 71;
  }
  while (waitpid(-1, 0, 0) > 0 || errno == EINTR) {
  }
  return 0;
}
