#pragma once
// StartLimitIntervalSec= and StartLimitBurst= (systemd.unit(5)).

#include "base/time.h"

namespace onset {

struct StartLimit {
  Duration interval{};
  unsigned burst = 0;  ///< 0, or a zero interval: no limit
};

/// Counts one start; false if it is one too many in the interval that began at `begin`.
constexpr bool count_start(const StartLimit& limit, MonoTime now, MonoTime& begin,
                           unsigned& count) {
  if (limit.burst == 0 || limit.interval <= Duration::zero()) return true;
  if (count == 0 || begin + limit.interval < now) {
    begin = now;
    count = 1;
    return true;
  }
  if (count >= limit.burst) return false;
  ++count;
  return true;
}

}  // namespace onset
