#pragma once
// The end of the system that is planned for later, as the rest of the machine sees it: who is
// logged in is told, /run/nologin keeps others out (pam_nologin(8)), and
// /run/systemd/shutdown/scheduled says what is to come.

#include <optional>
#include <string>

#include "engine/shutdown_schedule.h"
#include "init/console.h"
#include "os/files.h"

namespace onset {

class ShutdownTimer {
 public:
  ShutdownTimer(RealFiles& files, Console& console) : files_(files), console_(console) {}

  void plan(ScheduledShutdown what, Timestamp now);
  /// `announces`: those who were told of it are told that it is off. False: nothing was planned.
  bool cancel(bool announces, std::string_view message, Timestamp now);
  [[nodiscard]] const ScheduledShutdown* planned() const { return schedule_.get(); }

  [[nodiscard]] MonoTime next_deadline() const { return schedule_.next_deadline(); }
  /// What is due by now; the end that has come, over and over until forget().
  std::optional<Objective> elapse(Timestamp now);
  /// It has begun, or another one has.
  void forget();

 private:
  void announce(std::string_view sentence, std::string_view message, Timestamp now);
  void remove_files();

  RealFiles& files_;
  Console& console_;
  ShutdownSchedule schedule_;
  bool has_forbidden_logins_ = false;
};

}  // namespace onset
