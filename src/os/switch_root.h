#pragma once
// Another folder in place of the root, for this process and all that it starts.

#include "base/result.h"

namespace onset {

/// /proc, /sys, /dev and /run go with it, as they are; the old root is out of sight from then on.
/// Nothing has changed where it fails before the last step, which it tells by an errno.
SysResult switch_root(const char* new_root);

}  // namespace onset
