#pragma once
// What is left of a machine's storage when all processes are gone: unmounted, switched off and
// detached, over and over until nothing changes any more; then what is left is made read-only and
// taken out of sight.
//
// For a child of PID 1: it wants memory, and a loop of it may last as long as devices do.

#include "init/console.h"

namespace onset {

void tear_down_storage(Console& console);

}  // namespace onset
