#pragma once
// Between two attempts at what has found no memory.

#include <poll.h>

#include <ctime>

namespace onset {

/// Tried again at once, it would find no more, and PID 1 would spin.
inline void wait_for_memory() {
  constexpr timespec kPause{0, 100'000'000};
  (void)ppoll(nullptr, 0, &kPause, nullptr);
}

}  // namespace onset
