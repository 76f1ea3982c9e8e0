#include "os/resident_pages.h"

#include <elf.h>
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>

namespace onset {
namespace {

/// Only whole pages of the segment: its first and last may hold a part of the next.
void release_segment(std::uintptr_t begin, std::size_t size) noexcept {
  const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  const std::uintptr_t first = (begin + page - 1) / page * page;
  const std::uintptr_t last = (begin + size) / page * page;
  if (first >= last) return;
  // NOLINTNEXTLINE(performance-no-int-to-ptr): program headers hold addresses as numbers
  (void)madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
}

/// The first object that dl_iterate_phdr(3) shows is the program itself.
int release_program(dl_phdr_info* object, std::size_t, void*) noexcept {
  for (ElfW(Half) i = 0; i < object->dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = object->dlpi_phdr[i];
    const bool unwritten = segment.p_type == PT_LOAD && (segment.p_flags & PF_W) == 0;
    if (unwritten) release_segment(object->dlpi_addr + segment.p_vaddr, segment.p_memsz);
  }
  return 1;
}

}  // namespace

void release_program_pages() noexcept {
  (void)dl_iterate_phdr(release_program, nullptr);
}

}  // namespace onset
