#include "loop/clock.h"

#include <ctime>

namespace onset {
namespace {

std::int64_t microseconds(clockid_t clock) {
  timespec t{};
  (void)clock_gettime(clock, &t);
  return std::int64_t{t.tv_sec} * 1000000 + t.tv_nsec / 1000;
}

}  // namespace

Timestamp read_clock() {
  return Timestamp{MonoTime{microseconds(CLOCK_MONOTONIC)}, WallTime{microseconds(CLOCK_REALTIME)}};
}

}  // namespace onset
