// What the world tells: exits, datagrams, timers. Each finds its unit and goes
// through feed(); nothing here trusts a number that a service sent.
#include <algorithm>
#include <utility>

#include "base/format.h"
#include "engine/manager.h"
#include "engine/notify_message.h"

namespace onset {

void Manager::process_exited(pid_t pid, ExitStatus status, Timestamp now) {
  now_ = now;
  const auto it = pids_.find(pid);
  if (it == pids_.end()) return;
  const UnitId id = it->second;
  owe(id, ProcessExited{pid, status});  // as long as it is not, the process is known
  pids_.erase(it);
  record_exit(id, pid, status);
  feed_or_owe(id, std::nullopt);
  dispatch();
}

void Manager::exec_done(pid_t pid, Timestamp now) {
  now_ = now;
  const UnitId id = unit_of_pid(pid);
  if (!id.valid()) return;
  feed(id, ExecDone{pid});
  dispatch();
}

void Manager::unit_empty(UnitId id, Timestamp now) {
  now_ = now;
  if (id.value >= graph_->size()) return;
  if (std::exchange(runtime_[id.value].watches_leftovers, false)) {
    os_.watch_empty(id, false);
    may_be_unneeded(id);
  }
  feed(id, UnitEmpty{});
  dispatch();
}

void Manager::note_problem(UnitId id, std::string_view text) {
  if (id.value < graph_->size()) problems_.try_emplace(id.value, text);
}

void Manager::path_changed(UnitId id, Timestamp now) {
  now_ = now;
  if (id.value >= graph_->size() || graph_->unit(id).service == nullptr) return;
  owe(id, PidFileChanged{});
  dispatch();
}

void Manager::bus_name_changed(UnitId id, const BusNameChanged& change, Timestamp now) {
  now_ = now;
  if (id.value >= graph_->size()) return;
  feed(id, change);
  dispatch();
}

void Manager::oom_killed(UnitId id, Timestamp now) {
  now_ = now;
  if (id.value >= graph_->size()) return;
  feed(id, OomKilled{});
  dispatch();
}

// ---- sd_notify --------------------------------------------------------------------

namespace {

bool may_notify(NotifyAccess access, const ServiceState& s, pid_t sender) {
  switch (access) {
    case NotifyAccess::None:
      return false;
    case NotifyAccess::Main:
      return s.main.pid > 0 && sender == s.main.pid;
    case NotifyAccess::Exec:
      return (s.main.pid > 0 && sender == s.main.pid) ||
             (s.control.pid > 0 && sender == s.control.pid);
    case NotifyAccess::All:
      return true;
  }
  return false;
}

}  // namespace

void Manager::notify(UnitId id, const NotifySender& sender, std::string_view text, Timestamp now) {
  now_ = now;
  if (id.value >= graph_->size()) return;
  const Unit& unit = graph_->unit(id);
  if (unit.service == nullptr) return;
  const ServiceState& s = runtime_[id.value].service;
  if (!may_notify(unit.service->notify_access, s, sender.pid)) {
    say(Say::Level::Debug, id,
        format("notification from process {} refused by NotifyAccess=", sender.pid));
    return;
  }
  ParsedNotify parsed = parse_notify(text);
  if (!parsed.problem.empty())
    say(Say::Level::Debug, id, format("notification: {}", parsed.problem));
  if (parsed.dropped || parsed.barrier) return;
  if (parsed.message.main_pid) {
    const pid_t pid = *parsed.message.main_pid;
    if (!accept_main_pid(id, sender, pid)) {
      say(Say::Level::Warning, id,
          format("MAINPID={} from process {} refused: not a process of the unit", pid, sender.pid));
      parsed.message.main_pid.reset();
    } else {
      parsed.message.main_pid_alien = os_.watch_alien(id, pid);
    }
  }
  if (parsed.status) {
    status_texts_[id.value] = *parsed.status;
    if (listener_ != nullptr) listener_->unit_changed(id);
  }
  feed(id, parsed.message);
  dispatch();
}

/// N3: not PID 1, not onset, not the control process, and a process of the unit unless
/// root says so.
bool Manager::accept_main_pid(UnitId id, const NotifySender& sender, pid_t pid) {
  const ServiceState& s = runtime_[id.value].service;
  if (pid <= 1 || pid == config_.own_pid || pid == s.control.pid) return false;
  if (pid == s.main.pid) return true;
  const UnitId owner = unit_of_pid(pid);
  if (owner.valid() && owner != id) return false;
  const std::vector<pid_t> own = os_.processes(id);
  if (std::find(own.begin(), own.end(), pid) != own.end()) return true;
  return sender.uid == 0 && os_.is_alive(pid);
}

// ---- time -------------------------------------------------------------------------

MonoTime Manager::next_deadline() const {
  // The end of a shutdown's budget waits for nothing.
  const MonoTime due = std::max(hold_until_, has_more_ ? now_.mono : timers_.earliest());
  return objective_ == Objective::Run ? std::min(due, shutdown_deadline_) : due;
}

/// A deadline leaves the queue by what it leads to: without memory for that it is still due.
void Manager::elapse(Timestamp now) {
  now_ = now;
  const bool is_too_long = shutdown_deadline_ <= now.mono && objective_ == Objective::Run;
  if (is_too_long) objective_ = shutdown_goal_;
  MonoTime hold{0};
  try {
    if (is_too_long)
      os_.log(Say::Level::Warning, "", "the shutdown took too long, ending what is left");
    while (const auto key = timers_.first_due(now.mono)) fire(*key);
  } catch (const std::bad_alloc&) {
    out_of_memory();
    hold = hold_until_;
  }
  dispatch();
  if (hold <= now.mono) return;
  has_more_ = true;  // whatever dispatch() had to do
  hold_until_ = hold;
}

void Manager::fire(TimerKey key) {
  const UnitId id{key.id};
  switch (key.kind) {
    case TimerKey::Kind::Unit: {
      const ServiceState& s = runtime_[id.value].service;
      if (!has_machine(id)) {
        timers_.set(key, kNever);
      } else if (deadline_of(id) <= now_.mono) {
        feed(id, DeadlineElapsed{});
      } else if (s.watchdog_deadline <= now_.mono) {
        feed(id, WatchdogElapsed{});
      } else {
        const MemoryReserve::Open finish(reserve_, 0);
        arm_unit(id);
      }
      break;
    }
    case TimerKey::Kind::Job:
      job_timed_out(JobId{key.id});
      timers_.set(key, kNever);
      break;
    case TimerKey::Kind::Retry:
      retry_spawn(id);
      break;
    case TimerKey::Kind::Review:
      reviews_.push_back(id);
      timers_.set(key, kNever);
      break;
  }
}

}  // namespace onset
