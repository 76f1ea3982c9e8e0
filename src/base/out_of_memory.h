#pragma once
// Want of memory, other than by operator new and as a catch of bad_alloc.

#include <new>

namespace onset {

/// The one exception of onset's own making, for where a C library has said that there is no
/// memory, or an exception could not pass through one. It is caught where every other bad_alloc is.
[[noreturn]] void throw_out_of_memory();

/// For what must not keep what follows from being done. False: it did not come to its end.
template <class Step>
bool if_memory_suffices(Step step) {
  try {
    step();
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

}  // namespace onset
