#pragma once
// A job: one thing to be done to one unit, from the moment it is queued to its
// result.

#include <cstdint>

#include "base/time.h"
#include "graph/job_type.h"
#include "graph/unit_graph.h"

namespace onset {

struct JobId {
  std::uint32_t value = 0;
  bool operator==(const JobId&) const = default;
};

enum class JobState : std::uint8_t { Waiting, Running };

struct Job {
  JobId id;
  UnitId unit;
  JobType type{};
  JobState state = JobState::Waiting;
  bool irreversible = false;
  bool ignore_order = false;
  bool in_run_queue = false;
  Timestamp queued;
  Timestamp began;
  MonoTime deadline = kNever;          ///< JobTimeoutSec=
  MonoTime running_deadline = kNever;  ///< JobRunningTimeoutSec=
};

}  // namespace onset
