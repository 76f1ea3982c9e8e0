#pragma once
// The one exception of onset's own making, for where a C library has said that there is no memory,
// or an exception could not pass through one. It is caught where every other bad_alloc is.

namespace onset {

[[noreturn]] void throw_out_of_memory();

}  // namespace onset
