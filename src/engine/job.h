#pragma once
// A job: one thing to be done to one unit, from the moment it is queued to its
// result.

#include <cstdint>

#include "base/time.h"
#include "engine/service_state.h"
#include "graph/job_type.h"
#include "graph/unit_graph.h"

namespace onset {

struct JobId {
  std::uint32_t value = 0;
  bool operator==(const JobId&) const = default;
};

/// What has room for so many units at once: a slice (ConcurrencySoftMax=) or the manager
/// (StartConcurrencyMax=).
struct HeldBy {
  static constexpr std::uint32_t kManager = UINT32_MAX - 1;
  std::uint32_t value = UINT32_MAX;  ///< a slice's UnitId::value, or kManager
  [[nodiscard]] bool is_set() const { return value != UINT32_MAX; }
  [[nodiscard]] bool is_manager() const { return value == kManager; }
  auto operator<=>(const HeldBy&) const = default;
};

enum class JobState : std::uint8_t { Waiting, Running };

/// The service whose end has a unit started (OnFailure=, OnSuccess=), and how it ended:
/// as it was then, since it may be up again or gone before the unit's turn comes.
struct Trigger {
  UnitId source;         ///< stays loaded meanwhile; not valid: none, or several
  bool several = false;  ///< of several that may have been it none is told
  ServiceResult result{};
  ExitStatus status;  ///< of kind None: no process has ended
  InvocationId invocation{};
};

struct Job {
  JobId id;
  UnitId unit;
  JobType type{};
  JobState state = JobState::Waiting;
  bool irreversible = false;
  bool ignore_order = false;
  bool in_run_queue = false;
  bool is_urgent = false;   ///< does not wait for StartConcurrencyMax=
  HeldBy held_by;           ///< waits for a slot there
  std::uint64_t place = 0;  ///< in the order of those that are held
  Duration remaining{0};    ///< of a start: the path behind it, graph/longest_path
  Timestamp queued;
  Timestamp began;
  Trigger trigger;  ///< by which it came to be queued
};

}  // namespace onset
