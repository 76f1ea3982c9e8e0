// The floor of the units measurement: floor_units FOLDER PROGRAM
// PID 1 that reads every file of a folder and then runs one program.

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char text[1 << 20];

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  DIR* folder = opendir(argv[1]);
  if (!folder) return 70;
  for (struct dirent* entry; (entry = readdir(folder));) {
    if (entry->d_name[0] == '.') continue;
    const int fd = openat(dirfd(folder), entry->d_name, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) != 0) return 70;
    if (read(fd, text, sizeof text) != status.st_size) return 70;
    close(fd);
  }
  closedir(folder);
  char* environment[] = {0};
  const pid_t pid = vfork();
  if (pid < 0) return 71;
  if (pid == 0) {
    execve(argv[2], argv + 2, environment);
    _exit(127);
  }
  while (waitpid(-1, 0, 0) > 0 || errno == EINTR) {
  }
  return 0;
}
