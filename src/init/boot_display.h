#pragma once
// What of a machine's start and stop is on its console, and when: ShowStatus= of
// systemd-system.conf(5). The words are boot_status's. Jobs that have been running for a while
// are shown with their time and limit; where there are none, nothing wakes up for it.

#include <vector>

#include "base/time.h"
#include "engine/job.h"
#include "init/boot_status.h"
#include "init/console.h"
#include "unit/manager_settings.h"

namespace onset {

class BootDisplay {
 public:
  void set_mode(ShowStatus mode) { mode_ = mode; }
  [[nodiscard]] ShowStatus mode() const { return mode_; }
  void set_unit_format(StatusUnitFormat form) { form_ = form; }
  [[nodiscard]] StatusUnitFormat unit_format() const { return form_; }

  /// A job is under way; the same one may be told often.
  void job_begins(Console& screen, const Job& job, const Unit& unit);
  /// `acted`: there was something to do, which conditions did not forbid.
  void job_ends(Console& screen, const Job& job, const Unit& unit, JobResult result, bool acted);

  /// There are jobs: when they have to be looked at.
  void expect_jobs(MonoTime now);
  [[nodiscard]] MonoTime deadline() const { return next_; }
  /// At the deadline: those that run, the oldest first. `more`: some wait.
  void look(Console& screen, const std::vector<SlowJob>& running, bool more, MonoTime now);

 private:
  struct Begun {
    JobId id;
    JobType type;
  };

  ShowStatus mode_ = ShowStatus::Yes;
  StatusUnitFormat form_ = StatusUnitFormat::Combined;
  std::vector<Begun> begun_;  ///< told already
  MonoTime next_ = kNever;
  unsigned turn_ = 0;  ///< of what takes long
};

}  // namespace onset
