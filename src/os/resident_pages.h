#pragma once
// What a process keeps in memory of its own program file.

namespace onset {

/// Unmaps the program's code and constants; what is needed again comes back from the
/// page cache at its first use (some microseconds for sixteen pages). Loading, checking
/// and ordering units touch most of the program, waiting touches little of it: after a
/// boot this halves what PID 1 holds. Pages that were written to, relocated tables among
/// them, stay. Best effort; madvise(2), MADV_DONTNEED on a private file mapping.
void release_program_pages() noexcept;

}  // namespace onset
