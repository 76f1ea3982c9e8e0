// What the manager is told it does, or refuses: requests, reset-failed, datagrams.
#include "sim/invariants.h"
#include "sim/phases.h"

namespace onset::sim {

// ---- requests ---------------------------------------------------------------------------

void Invariants::requested(JobMode mode) {
  // What it leaves out is not to be had.
  asks_for_one_ = mode == JobMode::IgnoreDependencies || mode == JobMode::IgnoreRequirements;
  is_asked_ = true;
  may_replace_ = mode != JobMode::Fail || manager_->is_behind();
}

/// systemd.unit(5), RefuseManualStart=, RefuseManualStop=.
void Invariants::request_is_over(UnitId id, JobType type, bool is_taken, ActiveState was) {
  may_replace_ = true;
  if (!is_taken || !id.valid()) return;
  const UnitConfig& config = unit(id).config;
  const bool restarts = type == JobType::Restart || type == JobType::TryRestart;
  const bool starts = type == JobType::Start || restarts ||
                      (type == JobType::ReloadOrStart && is_inactive_or_failed(was));
  const bool stops = type == JobType::Stop || restarts;
  if ((starts && config.refuse_manual_start) || (stops && config.refuse_manual_stop))
    fail("refused", "a {} of {} was taken, which its file refuses", to_string(type), name(id));
}

void Invariants::remember(UnitId id) {
  const UnitRuntime& rt = manager_->runtime(id);
  told_.reset();
  if (!manager_->is_behind()) told_ = Told{rt.active, rt.invocation, rt.service};
}

/// And has not been started anew by what else there was to do.
bool Invariants::has_been_told(UnitId id) const {
  return told_ && !runs_out_now_ && told_->invocation == manager_->runtime(id).invocation;
}

void Invariants::reset_failed_comes(UnitId id) {
  forget_starts(id);
  remember(id);
}

/// systemctl(1), reset-failed: "also resets" what the start limit counts.
void Invariants::reset_failed_is_over(UnitId id) {
  if (!has_been_told(id)) return;
  const UnitRuntime& rt = manager_->runtime(id);
  if (told_->active == ActiveState::Failed && rt.active == ActiveState::Failed)
    fail("reset-failed", "{} is failed as before", name(id));
  if (rt.limit_count > 0 && !rt.start_limit_hit)
    fail("reset-failed", "{} starts of {} are counted still", rt.limit_count, name(id));
}

// ---- datagrams ----------------------------------------------------------------------------

/// systemd.service(5), NotifyAccess=.
bool Invariants::is_heard(UnitId id, pid_t sender) const {
  const ServiceState& s = manager_->runtime(id).service;
  switch (unit(id).service->notify_access) {
    case NotifyAccess::None:
      return false;
    case NotifyAccess::Main:
      return sender == s.main.pid;
    case NotifyAccess::Exec:
      return sender == s.main.pid || sender == s.control.pid;
    case NotifyAccess::All:
      break;
  }
  return true;
}

void Invariants::datagram_comes(UnitId id, pid_t sender, std::string_view text) {
  told_.reset();
  if (unit(id).service == nullptr) return;
  const bool heard = is_heard(id, sender);
  of(id).is_ready |= heard && text.find("READY=1") != text.npos;
  remember(id);
  if (told_) told_->is_heard = heard;
}

/// sd_notify(3): each field does what it says, or nothing where its sender may not.
void Invariants::datagram_is_over(UnitId id, std::string_view text) {
  if (!has_been_told(id)) return;
  const ServiceState& was = told_->service;
  const ServiceState& is = manager_->runtime(id).service;
  if (told_->is_heard) {
    check_datagram(id, text, was, is);
    return;
  }
  const bool is_same =
      is.phase == was.phase && is.notify == was.notify && is.main.pid == was.main.pid &&
      is.deadline == was.deadline && is.watchdog_deadline == was.watchdog_deadline &&
      is.watchdog_override == was.watchdog_override && is.status_errno == was.status_errno;
  if (!is_same) fail("notify", "{} listened to who may not speak: {}", name(id), text);
}

void Invariants::check_datagram(UnitId id, std::string_view text, const ServiceState& was,
                                const ServiceState& is) {
  constexpr Duration kExtension = std::chrono::seconds(3);
  const ServiceConfig& config = *unit(id).service;
  const bool waits_for_ready =
      was.phase == ServicePhase::Start &&
      (config.type == ServiceType::Notify || config.type == ServiceType::NotifyReload);
  const auto ignores = [&] { fail("notify", "{} has not heard {}", name(id), text); };
  if (text == "READY=1" && waits_for_ready && is.phase == ServicePhase::Start) {
    ignores();
  } else if (text == "STOPPING=1" && was.phase == ServicePhase::Running &&
             is.phase == ServicePhase::Running) {
    ignores();
  } else if (text == "WATCHDOG=1" && was.phase == ServicePhase::Running &&
             is.watchdog_deadline != watchdog_due(id)) {
    ignores();
  } else if (text == "EXTEND_TIMEOUT_USEC=3000000" && goes_up(was.phase) && is.phase == was.phase &&
             is.deadline < now_.mono + kExtension) {
    ignores();
  }
}

/// systemd.service(5), WatchdogSec=; sd_notify(3), WATCHDOG_USEC=.
MonoTime Invariants::watchdog_due(UnitId id) const {
  const ServiceState& s = manager_->runtime(id).service;
  const bool is_set_by_itself = s.watchdog_override.count() >= 0;
  const Duration period = is_set_by_itself ? s.watchdog_override : unit(id).service->watchdog;
  return period > Duration::zero() ? now_.mono + period : kNever;
}

void Invariants::check_watchdog_begins(UnitId id, ServicePhase was) {
  const ServiceState& s = manager_->runtime(id).service;
  const bool begins = was <= ServicePhase::Start && s.phase == ServicePhase::Running;
  if (begins && s.watchdog_deadline != watchdog_due(id))
    fail("watchdog", "{} is to say WATCHDOG=1 until {} µs, its WatchdogSec= is over at {}",
         name(id), s.watchdog_deadline.us, watchdog_due(id).us);
}

}  // namespace onset::sim
