/* load_kernel IMAGE COMMAND_LINE: what kexec(8) does with -s, kexec_file_load(2). */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/kexec.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const int image = open(argv[1], O_RDONLY | O_CLOEXEC);
  if (image >= 0 && syscall(SYS_kexec_file_load, image, -1, strlen(argv[2]) + 1, argv[2],
                            (unsigned long)KEXEC_FILE_NO_INITRAMFS) == 0)
    return 0;
  perror(argv[1]);
  return 1;
}
