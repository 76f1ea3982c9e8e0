// Words of jobs and states, and what a state makes of a job.
#include "graph/job_type.h"

namespace onset {

std::string_view to_string(JobType t) {
  switch (t) {
    case JobType::Start:
      return "start";
    case JobType::VerifyActive:
      return "verify-active";
    case JobType::Stop:
      return "stop";
    case JobType::Reload:
      return "reload";
    case JobType::Restart:
      return "restart";
    case JobType::Nop:
      return "nop";
    case JobType::TryRestart:
      return "try-restart";
    case JobType::TryReload:
      return "try-reload";
    case JobType::ReloadOrStart:
      return "reload-or-start";
  }
  return "";
}

std::string_view to_string(JobResult r) {
  switch (r) {
    case JobResult::Done:
      return "done";
    case JobResult::Canceled:
      return "canceled";
    case JobResult::Timeout:
      return "timeout";
    case JobResult::Failed:
      return "failed";
    case JobResult::Dependency:
      return "dependency";
    case JobResult::Skipped:
      return "skipped";
    case JobResult::Invalid:
      return "invalid";
    case JobResult::Assert:
      return "assert";
    case JobResult::Unsupported:
      return "unsupported";
    case JobResult::Collected:
      return "collected";
    case JobResult::Once:
      return "once";
    case JobResult::Concurrency:
      return "concurrency";
  }
  return "";
}

std::string_view to_string(ActiveState s) {
  switch (s) {
    case ActiveState::Active:
      return "active";
    case ActiveState::Reloading:
      return "reloading";
    case ActiveState::Inactive:
      return "inactive";
    case ActiveState::Failed:
      return "failed";
    case ActiveState::Activating:
      return "activating";
    case ActiveState::Deactivating:
      return "deactivating";
    case ActiveState::Maintenance:
      return "maintenance";
  }
  return "";
}

JobType collapse(JobType t, ActiveState state) {
  const bool down = is_inactive_or_deactivating(state);
  switch (t) {
    case JobType::TryRestart:
      return down ? JobType::Nop : JobType::Restart;
    case JobType::TryReload:
      return down ? JobType::Nop : JobType::Reload;
    case JobType::ReloadOrStart:
      return down ? JobType::Start : JobType::Reload;
    case JobType::Start:
    case JobType::VerifyActive:
    case JobType::Stop:
    case JobType::Reload:
    case JobType::Restart:
    case JobType::Nop:
      return t;
  }
  return t;
}

bool is_redundant(JobType t, ActiveState state) {
  switch (t) {
    case JobType::Start:
    case JobType::VerifyActive:
      return is_active_or_reloading(state);
    case JobType::Stop:
      return is_inactive_or_failed(state);
    case JobType::Reload:
      return state == ActiveState::Reloading;
    case JobType::Nop:
      return true;
    case JobType::Restart:
    case JobType::TryRestart:
    case JobType::TryReload:
    case JobType::ReloadOrStart:
      return false;
  }
  return false;
}

}  // namespace onset
