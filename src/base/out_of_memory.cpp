#include "base/out_of_memory.h"

#include <new>

namespace onset {

void throw_out_of_memory() {
  throw std::bad_alloc();
}

}  // namespace onset
