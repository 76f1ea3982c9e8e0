// What is shown of jobs: lines of the log in a container and to a user, which others read, and on
// a machine its console's display, for as long as it comes up or goes down: afterwards the
// console is somebody's login.

#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "init/manager_process.h"

namespace onset {

bool ManagerProcess::displays() const {
  return surroundings_ == Surroundings::Machine && (manager_->starting() || manager_->going_down());
}

void ManagerProcess::job_queued(const Job& job) {
  service_->job_queued(job);
  if (displays()) display_.expect_jobs(read_clock().mono);
}

void ManagerProcess::job_done(const Job& job, JobResult result) {
  service_->job_done(job, result);
  settled_ = false;
  if (has_found_) rest_at_ = kNever;  // counts from the last one
  if (surroundings_ == Surroundings::Machine) {
    show_end(job, result);
    return;
  }
  const bool shows = display_.mode() == ShowStatus::Yes || display_.mode() == ShowStatus::Auto;
  if (!shows || result != JobResult::Done) return;
  const Unit& unit = manager_->graph().unit(job.unit);
  const std::string_view what =
      unit.config.description.empty() ? std::string_view(unit.id) : unit.config.description;
  const bool is_target = unit.type == UnitType::Target;
  if (job.type == JobType::Start && manager_->active_state(job.unit) == ActiveState::Active) {
    console_.line(6, unit.id, format("{} {}", is_target ? "reached" : "started", what));
  } else if (job.type == JobType::Stop) {
    console_.line(6, unit.id, format("stopped {}", what));
  } else if (job.type == JobType::Reload) {
    console_.line(6, unit.id, format("reloaded {}", what));
  }
}

void ManagerProcess::unit_changed(UnitId id) {
  service_->unit_changed(id);
  if (displays()) show_begin(id);
}

void ManagerProcess::show_begin(UnitId id) {
  const Job* job = manager_->job(manager_->runtime(id).job);
  if (job == nullptr || job->state != JobState::Running) return;
  const ActiveState active = manager_->active_state(id);
  if (active != ActiveState::Activating && active != ActiveState::Deactivating) return;
  display_.job_begins(screen(), *job, manager_->graph().unit(id));
}

void ManagerProcess::show_end(const Job& job, JobResult result) {
  if (!displays()) return;
  // A start that a condition forbade is done, and nothing has been started.
  const bool acted = job.type != JobType::Start || manager_->runtime(job.unit).condition_result;
  display_.job_ends(screen(), job, manager_->graph().unit(job.unit), result, acted);
}

void ManagerProcess::show_slow_jobs(MonoTime now) {
  std::vector<SlowJob> running;
  bool more = false;
  for (const Job* job : manager_->jobs()) {
    if (job->state != JobState::Running) {
      more = true;
      continue;
    }
    const MonoTime began = job->began.mono;
    const Unit& unit = manager_->graph().unit(job->unit);
    const TimerQueue& timers = manager_->timers();
    // Of a service there may be its watchdog's as well.
    const MonoTime unit_end = unit.service != nullptr
                                  ? manager_->runtime(job->unit).service.deadline
                                  : timers.when({TimerKey::Kind::Unit, job->unit.value});
    const MonoTime end = std::min(timers.when({TimerKey::Kind::Job, job->id.value}), unit_end);
    SlowJob slow;
    slow.name = unit.type == UnitType::Device ? c_escape(unit.config.description)
                                              : status_name(unit, display_.unit_format());
    slow.type = job->type;
    slow.running = now - began;
    if (end != kNever) slow.limit = end - began;
    running.push_back(std::move(slow));
  }
  display_.look(screen(), running, more, now);
}

}  // namespace onset
