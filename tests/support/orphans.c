// orphans COUNT: makes that many processes that end at once and whose parent ends
// without waiting for them, a hundred at a time. Static and small, so that fork
// costs little.
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { kBatch = 100 };

int main(int argc, char** argv) {
  long left = argc > 1 ? atol(argv[1]) : 20000;
  for (; left > 0; left -= kBatch) {
    const pid_t parent = fork();
    if (parent < 0) return 1;
    if (parent == 0) {
      for (int i = 0; i < kBatch; i++) {
        if (fork() == 0) _exit(0);
      }
      _exit(0);
    }
    if (waitpid(parent, NULL, 0) != parent) return 2;
  }
  return 0;
}
