#pragma once
// Job types and how two jobs for one unit become one (the algebra that a
// transaction and the job queue share). systemctl(1) and the "job" words of
// systemd(1).

#include <array>
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
inline constexpr unsigned kJobTypes = 9;

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
  Concurrency,  ///< ConcurrencyHardMax= of a slice leaves no room
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
/// Commutative and associative, a conflict absorbs (asserted below). In words: a
/// stop goes with nothing but a stop; of the others the one that does more wins;
/// a start and a reload become "reload if it runs, else start".
constexpr std::optional<JobType> merge(JobType a, JobType b) {
  using enum JobType;
  constexpr auto Never = static_cast<JobType>(0xff);
  constexpr std::array<std::array<JobType, kJobTypes>, kJobTypes> kMerged{{
      // clang-format off
      //  Start          VerifyActive   Stop   Reload         Restart  Nop            TryRestart  TryReload      ReloadOrStart
      {{ Start,         Start,         Never, ReloadOrStart, Restart, Start,         Restart,    ReloadOrStart, ReloadOrStart }},  // Start
      {{ Start,         VerifyActive,  Never, Reload,        Restart, VerifyActive,  Restart,    Reload,        ReloadOrStart }},  // VerifyActive
      {{ Never,         Never,         Stop,  Never,         Never,   Stop,          Never,      Never,         Never         }},  // Stop
      {{ ReloadOrStart, Reload,        Never, Reload,        Restart, Reload,        Restart,    Reload,        ReloadOrStart }},  // Reload
      {{ Restart,       Restart,       Never, Restart,       Restart, Restart,       Restart,    Restart,       Restart       }},  // Restart
      {{ Start,         VerifyActive,  Stop,  Reload,        Restart, Nop,           TryRestart, TryReload,     ReloadOrStart }},  // Nop
      {{ Restart,       Restart,       Never, Restart,       Restart, TryRestart,    TryRestart, TryRestart,    Restart       }},  // TryRestart
      {{ ReloadOrStart, Reload,        Never, Reload,        Restart, TryReload,     TryRestart, TryReload,     ReloadOrStart }},  // TryReload
      {{ ReloadOrStart, ReloadOrStart, Never, ReloadOrStart, Restart, ReloadOrStart, Restart,    ReloadOrStart, ReloadOrStart }},  // ReloadOrStart
      // clang-format on
  }};
  const JobType merged = kMerged[static_cast<unsigned>(a)][static_cast<unsigned>(b)];
  if (merged == Never) return std::nullopt;
  return merged;
}

/// A conflict: one of the two must go.
constexpr bool conflicts(JobType a, JobType b) {
  return !merge(a, b).has_value();
}

/// True if doing `a` does all that `b` asks for.
constexpr bool is_superset(JobType a, JobType b) {
  return merge(a, b) == a;
}

/// TryRestart & co. by the state of the unit; of the first six, the type itself.
JobType collapse(JobType t, ActiveState state);

/// True if a unit in this state already is what the job wants. A restart never
/// is: it may be there because something that the unit requires restarts.
bool is_redundant(JobType t, ActiveState state);

constexpr bool is_active_or_reloading(ActiveState s) {
  return s == ActiveState::Active || s == ActiveState::Reloading;
}
constexpr bool is_inactive_or_failed(ActiveState s) {
  return s == ActiveState::Inactive || s == ActiveState::Failed;
}
constexpr bool is_inactive_or_deactivating(ActiveState s) {
  return is_inactive_or_failed(s) || s == ActiveState::Deactivating;
}

namespace proof {

constexpr bool merge_is_an_algebra() {
  const auto join = [](std::optional<JobType> a, JobType b) -> std::optional<JobType> {
    return a ? merge(*a, b) : std::nullopt;
  };
  for (unsigned i = 0; i < kJobTypes; ++i) {
    for (unsigned j = 0; j < kJobTypes; ++j) {
      const auto a = static_cast<JobType>(i);
      const auto b = static_cast<JobType>(j);
      if (merge(a, b) != merge(b, a) || merge(a, a) != a) return false;
      for (unsigned k = 0; k < kJobTypes; ++k) {
        const auto c = static_cast<JobType>(k);
        if (join(merge(a, b), c) != join(merge(b, c), a)) return false;
      }
    }
  }
  return true;
}
static_assert(merge_is_an_algebra(), "commutative, idempotent, associative");
static_assert(merge(JobType::Start, JobType::Restart) == JobType::Restart);
static_assert(conflicts(JobType::Start, JobType::Stop));

}  // namespace proof

}  // namespace onset
