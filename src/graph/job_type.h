#pragma once
// Job types and how two jobs for one unit become one (the algebra that a
// transaction and the job queue share). systemctl(1) and the "job" words of
// systemd(1).

#include <cstdint>
#include <optional>
#include <string_view>

namespace onset {

/// The first six can be in a job; TryRestart, TryReload and ReloadOrStart are
/// collapsed to one of them, by the unit's state, before they get there.
enum class JobType : std::uint8_t {
  Start,
  VerifyActive,
  Stop,
  Reload,
  Restart,
  Nop,
  TryRestart,
  TryReload,
  ReloadOrStart,
};

enum class JobResult : std::uint8_t {
  Done,
  Canceled,
  Timeout,
  Failed,
  Dependency,
  Skipped,
  Invalid,
  Assert,
  Unsupported,
  Collected,
  Once,
};

/// What a unit is, as far as a job cares (systemd's "active state").
enum class ActiveState : std::uint8_t {
  Active,
  Reloading,
  Inactive,
  Failed,
  Activating,
  Deactivating,
  Maintenance,
};

std::string_view to_string(JobType t);
std::string_view to_string(JobResult r);
std::string_view to_string(ActiveState s);

/// One job type that does the work of both, or nothing where they conflict.
/// Commutative and associative (tests/unit/graph/job_type_test.cpp).
constexpr std::optional<JobType> merge(JobType a, JobType b);

/// A conflict: one of the two must go.
constexpr bool conflicts(JobType a, JobType b) { return !merge(a, b).has_value(); }

/// TryRestart & co. by the state of the unit.
JobType collapse(JobType t, ActiveState state);

/// True if a unit in this state already is what the job wants.
bool is_redundant(JobType t, ActiveState state);

}  // namespace onset
