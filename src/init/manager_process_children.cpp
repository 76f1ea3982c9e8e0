// What children say and how they end, in that order: a process that has ended is
// not collected before the notify socket gave out all that was sent before (fault
// N4). While it is a zombie its session, its parent and its cgroup can be read, so
// that its last words are given to its unit.
//
// A socket that is empty, or gave out as many datagrams as it can hold, has given
// out what was in it. A turn takes so many at most; where a flood leaves ends
// uncollected they are the next turn's.

#include <sys/wait.h>

#include <cerrno>
#include <csignal>
#include <utility>

#include "base/format.h"
#include "init/manager_process.h"

namespace onset {
namespace {

/// Of one turn: a flood of notifications does not keep the rest waiting.
constexpr unsigned kNotificationsPerTurn = 512;

/// A child that has ended and was not collected: 0: none.
pid_t find_ended() {
  siginfo_t info{};
  while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0) {
    if (errno != EINTR) return 0;
  }
  return info.si_pid;
}

ExitStatus how_it_ended(const siginfo_t& info) {
  ExitStatus status;
  status.kind = info.si_code == CLD_EXITED   ? ExitKind::Exited
                : info.si_code == CLD_DUMPED ? ExitKind::Dumped
                                             : ExitKind::Killed;
  status.value = info.si_status;
  return status;
}

}  // namespace

void ManagerProcess::handle_notifications() {
  const MemoryReserve::Open finish(reserve_, 0);
  NotifyDatagram datagram;
  for (unsigned n = 0; n < kNotificationsPerTurn && notify_->receive(datagram); ++n) {
    handle_notification(datagram);
  }
}

void ManagerProcess::handle_notification(const NotifyDatagram& datagram) {
  if (datagram.pid <= 0) return;
  UnitId id = manager_->unit_of_pid(datagram.pid);
  if (!id.valid()) id = os_->unit_of_process(datagram.pid);
  if (id.valid()) {
    manager_->notify(id, NotifySender{datagram.pid, datagram.uid}, datagram.text, read_clock());
    return;
  }
  if (os_->has_proc()) {
    console_.line(7, "",
                  format("a notification of process {} is dropped: it is no unit's", datagram.pid));
  } else if (!told_of_unknown_sender_) {
    told_of_unknown_sender_ = true;
    console_.line(
        4, "",
        format("a notification of process {} is dropped, as all will be of others than main "
               "and control processes: without /proc NotifyAccess=all can't tell whose they are",
               datagram.pid));
  }
}

/// Everything that was sent before the end of `ended_`. False: not in this turn.
bool ManagerProcess::hear_last_words(unsigned& budget) {
  const MemoryReserve::Open finish(reserve_, 0);
  NotifyDatagram datagram;
  for (; words_left_ > 0; --words_left_, --budget) {
    if (budget == 0) return false;
    if (!notify_->receive(datagram)) break;
    handle_notification(datagram);
  }
  return true;
}

void ManagerProcess::collect(pid_t pid) {
  const MemoryReserve::Open finish(reserve_, 0);  // before it is gone from the kernel
  if (!how_it_ended_) {
    siginfo_t info{};
    if (waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG) < 0 || info.si_pid == 0) {
      return;
    }
    how_it_ended_ = how_it_ended(info);
  }
  const UnitId id = os_->reaped(pid, *this);
  // The kernel's word for it comes first: a result says "oom-kill", not "signal".
  const bool is_killed = how_it_ended_->kind == ExitKind::Killed && how_it_ended_->value == SIGKILL;
  if (id.valid() && is_killed) os_->tell_if_oom(id, *this);
  // What it has mounted is known before its end.
  if (is_mount_process(pid)) {
    mounts_->distrust();  // the event may be among those of this turn that come later
    tell_mounts();
  }
  manager_->process_exited(pid, *how_it_ended_, read_clock());
  how_it_ended_.reset();
}

/// It is not over before all of it was told: where memory runs out it is the next turn's.
void ManagerProcess::reap() {
  const MemoryReserve::Open finish(reserve_, 0);
  unsigned budget = kNotificationsPerTurn;
  children_ended_ = true;
  bool all = true;
  for (;;) {
    if (ended_ == 0) {
      ended_ = find_ended();
      words_left_ = notify_ ? notify_->capacity() : 0;
    }
    if (ended_ == 0) break;
    all = hear_last_words(budget);
    if (!all) break;
    collect(ended_);
    ended_ = 0;
  }
  os_->after_reap(*this);
  children_ended_ = !all;
}

}  // namespace onset
