// The listening half of RealOs: what it watches, and what the kernel tells of that.

#include <poll.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "base/format.h"
#include "base/make_room.h"
#include "os/real_os.h"

namespace onset {
namespace {

std::uint64_t poll_word(std::uint8_t source, int key) {
  return static_cast<std::uint64_t>(source) << 32U | static_cast<std::uint32_t>(key);
}

/// What is to be done where the end of a block is not reached, for want of memory.
template <class Act>
class Unfinished {
 public:
  explicit Unfinished(Act act) : act_(act) {}
  ~Unfinished() {
    if (!done_) act_();
  }
  Unfinished(const Unfinished&) = delete;
  Unfinished& operator=(const Unfinished&) = delete;
  void done() { done_ = true; }

 private:
  Act act_;
  bool done_ = false;
};

}  // namespace

SysResult RealOs::poll(BorrowedFd fd, Source source) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = poll_word(static_cast<std::uint8_t>(source), fd.get());
  // What is not watched is not heard of again: once more, for want of memory may be over.
  for (int attempt = 0; attempt < 2; ++attempt) {
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd.get(), &event) == 0) return {};
  }
  return Failure{SysError{"epoll_ctl", errno}};
}

/// Before it is closed: a child that has not executed yet may hold a copy, for which the kernel
/// would go on telling of it, without end.
void RealOs::unpoll(BorrowedFd fd) {
  (void)::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd.get(), nullptr);
}

SysResult RealOs::watch_sockets(UnitId id, bool on) {
  for (const UniqueFd& fd : sockets_.fds_of(id)) {
    unpoll(fd);
    if (!on) continue;
    if (auto done = poll(fd, Source::Socket); !done) return done;
  }
  return {};
}

void RealOs::close_sockets(UnitId id, const Unit& unit) {
  (void)watch_sockets(id, false);
  sockets_.close(id, unit);
}

SysResult RealOs::take_automount(UnitId id) {
  if (auto taken = automounts_.take(id); !taken) return taken;
  return poll(automounts_.pipe_of(id), Source::Automount);
}

void RealOs::drop_automount(UnitId id) {
  if (const BorrowedFd pipe = automounts_.pipe_of(id); pipe) unpoll(pipe);
  automounts_.drop(id);
}

void RealOs::tell_automounts(OsListener& listener) {
  for (auto next = automounts_.next_untold(); next.id.valid(); next = automounts_.next_untold()) {
    listener.automount_asked(next.id, next.what, next.pid);
    automounts_.told(next);
  }
}

/// Has the next drain() look at the unit, and sees to it that it comes.
void RealOs::check_soon(UnitId id) {
  if (check_empty_.empty()) wake_up();
  check_empty_.insert(id.value);
}

void RealOs::wake_up() {
  const std::uint64_t one = 1;
  (void)!::write(wake_.get(), &one, sizeof one);
}

// ---- what the kernel tells ------------------------------------------------------

void RealOs::drain(OsListener& listener) {
  Unfinished again([this] { wake_up(); });
  table_.new_turn();
  if (is_inotify_torn_) drain_inotify(listener);
  std::array<epoll_event, 64> events{};
  bool bus_speaks = false;
  const int n = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), 0);
  for (int i = 0; i < n; ++i) {
    const std::uint64_t word = events[static_cast<unsigned>(i)].data.u64;
    const int key = static_cast<int>(word & UINT32_MAX);
    switch (static_cast<Source>(word >> 32U)) {
      case Source::Inotify:
        drain_inotify(listener);
        break;
      case Source::Launch:
        drain_launch(key, listener);
        break;
      case Source::Alien:
        drain_alien(key, listener);
        break;
      case Source::Bus:
        bus_speaks = true;
        break;
      case Source::Socket:
        if (const UnitId id = sockets_.owner_of(key); id.valid()) listener.socket_ready(id);
        break;
      case Source::Automount:
        automounts_.read(key);
        break;
      case Source::Wake: {
        std::uint64_t count = 0;
        (void)!::read(wake_.get(), &count, sizeof count);
        break;
      }
    }
  }
  tell_automounts(listener);
  if (checking_.empty()) checking_.swap(check_empty_);
  while (!checking_.empty()) {
    const UnitId id{*checking_.begin()};
    tell_if_empty(id, listener);
    checking_.erase(id.value);
  }
  // Last: it needs memory each time, and who comes after it would not be told without.
  if (bus_speaks) drain_bus(listener);
  if (check_empty_.empty()) again.done();
}

/// Once for each time that the unit has run empty.
void RealOs::tell_if_empty(UnitId id, OsListener& listener) {
  const auto unit = units_.find(id.value);
  if (unit == units_.end() || !unit->second.watched || unit->second.told) return;
  if (has_processes(id)) return;
  unit->second.told = true;  // before: what is started meanwhile makes it false again
  Unfinished untold([&] {
    if (const auto at = units_.find(id.value); at != units_.end()) at->second.told = false;
  });
  listener.unit_empty(id);
  untold.done();
}

void RealOs::drain_inotify(OsListener& listener) {
  alignas(inotify_event) std::array<char, 16384> buffer;
  std::vector<UnitId> changed;
  std::vector<UnitId> short_of_memory;
  std::vector<UnitId> short_of_tasks;
  const auto look_at_everything = [&] {
    for (const auto& watch : empty_watches_) check_empty_.insert(watch.second.value);
    for (const auto& watch : oom_watches_) short_of_memory.push_back(watch.second);
    for (const auto& watch : task_watches_) short_of_tasks.push_back(watch.second);
    for (const std::uint32_t key : paths_.all(inotify_)) changed.push_back(UnitId{key});
  };
  // What was read and not told, for want of memory, is lost as in an overflow.
  if (std::exchange(is_inotify_torn_, true)) look_at_everything();
  for (;;) {
    const ssize_t n = ::read(inotify_.get(), buffer.data(), buffer.size());
    if (n <= 0) break;
    for (ssize_t at = 0; at < n;) {
      const auto* event = reinterpret_cast<const inotify_event*>(buffer.data() + at);
      at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
      if ((event->mask & IN_Q_OVERFLOW) != 0) {
        look_at_everything();
        continue;
      }
      if (const auto oom = oom_watches_.find(event->wd); oom != oom_watches_.end()) {
        short_of_memory.push_back(oom->second);
        continue;
      }
      if (const auto at_limit = task_watches_.find(event->wd); at_limit != task_watches_.end()) {
        short_of_tasks.push_back(at_limit->second);
        continue;
      }
      if (empty_watches_.contains(event->wd)) {
        cgroup_event(event->wd, listener);
        continue;
      }
      const std::string_view name = event->len > 0 ? std::string_view(event->name) : "";
      for (const std::uint32_t key : paths_.event(inotify_, event->wd, event->mask, name)) {
        changed.push_back(UnitId{key});
      }
    }
  }
  for (const UnitId id : short_of_memory) tell_if_oom(id, listener);
  for (const UnitId id : short_of_tasks) tell_refusals(id);
  // Many writes to a file are one change.
  for (std::size_t i = 0; i < changed.size(); ++i) {
    bool seen = false;
    for (std::size_t k = 0; k < i && !seen; ++k) seen = changed[k] == changed[i];
    if (!seen) listener.path_changed(changed[i]);
  }
  is_inotify_torn_ = false;
}

void RealOs::cgroup_event(int wd, OsListener& listener) {
  const auto at = empty_watches_.find(wd);
  if (at != empty_watches_.end()) tell_if_empty(at->second, listener);
}

void RealOs::drain_alien(int fd, OsListener& listener) {
  // The number alone may be that of a descriptor that was closed in this turn.
  pollfd ended{fd, POLLIN, 0};
  const auto at =
      std::ranges::find_if(aliens_, [fd](const auto& e) { return e.second.pidfd.get() == fd; });
  if (at == aliens_.end() || ::poll(&ended, 1, 0) <= 0) return;
  const pid_t pid = at->first;
  listener.alien_exited(pid);  // told once more where nobody could hear it now
  if (const auto told = aliens_.find(pid); told != aliens_.end()) {
    unpoll(told->second.pidfd);
    aliens_.erase(told);
  }
  lose_adopted(pid);
}

void RealOs::drain_bus(OsListener& listener) {
  bus_->drain();
  while (const auto told = bus_->next()) {
    listener.bus_name_changed(UnitId{told->key}, told->change);
  }
}

UnitId RealOs::reaped(pid_t pid, OsListener& listener) {
  if (!launches_.empty()) settle_launch(pid, listener);
  make_room(reaped_);
  const UnitId id = table_.reaped(pid);
  if (id.valid() && !cgroups_) reaped_.push_back(id);
  return id;
}

void RealOs::after_reap(OsListener& listener) {
  if (!cgroups_) {
    // A list made since the last reaped() has all that the dead have left.
    if (table_.lost_any()) table_.adopt_orphans();
    if (!table_.has_proc()) {  // a group may have ended with somebody else's child
      for (const auto& [value, unit] : units_) {
        if (unit.watched && !unit.told) reaped_.push_back(UnitId{value});
      }
    }
    for (const UnitId id : reaped_) tell_if_empty(id, listener);  // it may change units_
    reaped_.clear();
  }
  table_.end_batch();
}

void RealOs::watch_empty(UnitId id, bool on) {
  UnitRecord& unit = units_[id.value];
  unit.watched = on;
  unit.told = false;
  if (!cgroups_ || unit.cgroup.empty()) {
    // Without an event of its own to come, what is empty already is told once.
    if (on) check_soon(id);
    return;
  }
  if (on && unit.empty_watch < 0) {
    auto watch = cgroups_->watch(inotify_, unit.cgroup);
    if (watch) {
      unit.empty_watch = *watch;
      empty_watches_[*watch] = id;
    } else if (watch.error().err != ENOENT) {
      log_.log(Say::Level::Warning, "",
               format("cannot watch a cgroup: {}", to_string(watch.error())));
    }
  }
  if (on) {  // it may have emptied before the watch was there
    check_soon(id);
  } else if (unit.empty_watch >= 0) {
    ::inotify_rm_watch(inotify_.get(), unit.empty_watch);
    empty_watches_.erase(std::exchange(unit.empty_watch, -1));
  }
}

void RealOs::watch_path(UnitId id, std::string_view path) {
  if (inotify_) paths_.watch(inotify_, id.value, path);
}

void RealOs::watch_bus_name(UnitId id, std::string_view name) {
  if (name.empty()) {
    bus_->unwatch(id.value);
  } else {
    bus_->watch(id.value, name);
  }
}

bool RealOs::watch_alien(UnitId id, pid_t pid) {
  if (!table_.has_proc() ? table_.unit_of(pid).valid()
                         : table_.status(pid).value_or(ProcessStatus{}).parent == self_) {
    return false;
  }
  if (aliens_.contains(pid)) return true;
  UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!pidfd) {
    log_.log(
        Say::Level::Warning, "",
        format("cannot watch process {}: {}; its end will not be seen", pid, errno_text(errno)));
    return true;
  }
  if (auto done = poll(pidfd, Source::Alien); !done) {
    log_.log(Say::Level::Warning, "",
             format("cannot watch process {}: {}; its end will not be seen", pid,
                    to_string(done.error())));
    return true;
  }
  aliens_[pid] = Alien{std::move(pidfd), id};
  return true;
}

}  // namespace onset
