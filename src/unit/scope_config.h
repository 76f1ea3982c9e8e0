#pragma once
// [Scope], systemd.scope(5): processes that somebody else has started. Such units are made while
// the system runs (is_transient); a file of one elsewhere gives a unit without processes.

#include <optional>

#include "base/time.h"
#include "unit/service_config.h"

namespace onset {

struct ScopeConfig {
  Duration runtime_max = kInfinity;
  Duration runtime_randomized_extra{0};
  std::optional<Duration> timeout_stop;
  bool oom_policy_written = false;  ///< or Delegate= says it; else the manager's default holds
  OomPolicy oom_policy = OomPolicy::Stop;
};

}  // namespace onset
