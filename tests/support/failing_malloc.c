// Stands between onset, with all that is linked into it, and libc's allocator (the linker's
// --wrap): counts allocations from main() on, and fails those that the page named by
// $ONSET_ALLOCATIONS asks for (tests/integration/failing_allocations.py). Without it none fails.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/// Shared with the test. Fails number `first`, and every `stride`th after it where that is not 0,
/// of those that are of at least `least` bytes.
struct page {
  uint64_t made;
  uint64_t failed;
  uint64_t first;  // counted from 1; 0: none fails
  uint64_t stride;
  uint64_t least;
};

void* __real_malloc(size_t size);
void* __real_calloc(size_t count, size_t size);
void* __real_realloc(void* memory, size_t size);
int __real_main(int argc, char** argv, char** environment);

static struct page* shared;

int __wrap_main(int argc, char** argv, char** environment) {
  const char* const path = getenv("ONSET_ALLOCATIONS");
  const int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
  if (fd >= 0) {
    void* const page = mmap(0, sizeof(struct page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (page != MAP_FAILED) shared = page;
  }
  return __real_main(argc, argv, environment);
}

static int fails(size_t size) {
  struct page* const page = shared;
  if (!page || size < page->least) return 0;
  const uint64_t number = ++page->made;
  if (page->first == 0 || number < page->first) return 0;
  const uint64_t since = number - page->first;
  if (page->stride ? since % page->stride != 0 : since != 0) return 0;
  ++page->failed;
  errno = ENOMEM;
  return 1;
}

void* __wrap_malloc(size_t size) {
  return fails(size) ? 0 : __real_malloc(size);
}

void* __wrap_calloc(size_t count, size_t size) {
  return fails(count * size) ? 0 : __real_calloc(count, size);
}

void* __wrap_realloc(void* memory, size_t size) {
  return fails(size) ? 0 : __real_realloc(memory, size);
}
