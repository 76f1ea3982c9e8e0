#include "engine/shutdown_schedule.h"

#include <algorithm>

namespace onset {
namespace {

using std::chrono::minutes;

constexpr Duration kMinutely = minutes(10);
constexpr Duration kTenMinutely = minutes(60);
/// shutdown(8): so long before it nobody but root may log in any more.
constexpr Duration kNoLogins = minutes(5);
/// What is nearer is announced at once, too.
constexpr Duration kNear = minutes(15);

/// The largest multiple of `step` below `left`.
constexpr Duration last_step(Duration left, Duration step) {
  return (left - Duration(1)) / step * step;
}

}  // namespace

Duration until_next_warning(Duration left) {
  if (left <= Duration::zero()) return Duration::zero();
  const Duration step = left <= kMinutely      ? Duration(minutes(1))
                        : left <= kTenMinutely ? Duration(minutes(10))
                                               : Duration(minutes(60));
  return left - last_step(left, step);
}

void ShutdownSchedule::set(ScheduledShutdown what, MonoTime now) {
  what_ = std::move(what);
  logins_are_forbidden_ = false;
  const Duration left = what_->due - now;
  next_warning_ = left < kNear ? now : now + until_next_warning(left);
}

bool ShutdownSchedule::cancel() {
  const bool was_planned = what_.has_value();
  what_.reset();
  return was_planned;
}

MonoTime ShutdownSchedule::next_deadline() const {
  if (!what_) return kNever;
  MonoTime next = std::min(what_->due, next_warning_);
  if (!logins_are_forbidden_) next = std::min(next, MonoTime{what_->due.us - kNoLogins.count()});
  return next;
}

ShutdownSchedule::Due ShutdownSchedule::elapse(MonoTime now) {
  Due due;
  if (!what_) return due;
  const Duration left = what_->due - now;
  due.shut_down = left <= Duration::zero();
  due.announce = what_->announces && (due.shut_down || next_warning_ <= now);
  if (next_warning_ <= now) next_warning_ = now + until_next_warning(left);
  due.forbid_logins = !logins_are_forbidden_ && left <= kNoLogins;
  logins_are_forbidden_ |= due.forbid_logins;
  return due;
}

}  // namespace onset
