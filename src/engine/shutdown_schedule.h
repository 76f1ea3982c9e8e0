#pragma once
// An end of the system at a time to come, shutdown(8): when it is announced, from when on nobody
// logs in any more, when it comes. Decides; what follows from it is done by who owns it.

#include <optional>
#include <string>

#include "base/time.h"
#include "engine/os.h"

namespace onset {

struct ScheduledShutdown {
  Objective objective{};
  MonoTime due = kNever;
  WallTime at;            ///< the same, to be shown
  bool announces = true;  ///< on terminals
  std::string message;    ///< why; hostile
};

/// The moments before an end at which it is announced: each of the last ten minutes, each tenth
/// of the last hour, each hour before. From `left` until it the next one comes in so much; the
/// last is the end itself.
Duration until_next_warning(Duration left);

class ShutdownSchedule {
 public:
  /// In place of what was planned before.
  void set(ScheduledShutdown what, MonoTime now);
  /// False: there was nothing to cancel.
  bool cancel();
  [[nodiscard]] const ScheduledShutdown* get() const { return what_ ? &*what_ : nullptr; }

  [[nodiscard]] MonoTime next_deadline() const;
  struct Due {
    bool announce = false;
    bool forbid_logins = false;
    bool shut_down = false;  ///< it stays planned until cancel()
  };
  /// What is to be done by now, once each. Late calls leave out what has passed.
  Due elapse(MonoTime now);

 private:
  std::optional<ScheduledShutdown> what_;
  MonoTime next_warning_ = kNever;
  bool logins_are_forbidden_ = false;
};

}  // namespace onset
