#pragma once
// The only place that reads the clocks.

#include "base/time.h"

namespace onset {

/// CLOCK_MONOTONIC and CLOCK_REALTIME, now.
Timestamp read_clock();

}  // namespace onset
