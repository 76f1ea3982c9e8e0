#include "os/real_os.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

#include "base/format.h"
#include "os/kernel.h"

namespace onset {
namespace {

std::uint64_t poll_word(std::uint8_t source, int key) {
  return static_cast<std::uint64_t>(source) << 32U | static_cast<std::uint32_t>(key);
}

std::string bus_addresses(const RealOsConfig& config) {
  const Environment own(config.environment);
  if (const auto set =
          own.get(config.user_manager ? "DBUS_SESSION_BUS_ADDRESS" : "DBUS_SYSTEM_BUS_ADDRESS")) {
    return std::string(*set);
  }
  if (config.user_manager) return format("unix:path={}/bus", config.host.runtime_dir);
  return "unix:path=/run/dbus/system_bus_socket";
}

LaunchSettings launch_settings(RealOsConfig& config) {
  LaunchSettings settings;
  settings.user_manager = config.user_manager;
  settings.host = std::move(config.host);
  settings.self = read_self_facts();
  settings.notify_socket = std::move(config.notify_socket);
  settings.environment = std::move(config.environment);
  settings.default_limits = std::move(config.default_limits);
  return settings;
}

/// A null device of our own making, where /dev has none and the rights are there.
UniqueFd make_null_device(int flags) {
  static constexpr const char* kName = "/dev/.onset-null";
  if (::mknod(kName, S_IFCHR | 0600, makedev(1, 3)) != 0) return UniqueFd();
  auto fd = open_path(kName, flags);
  ::unlink(kName);
  return fd ? std::move(*fd) : UniqueFd();
}

/// A copy with a number that no service's descriptor has.
UniqueFd high_copy(int fd) {
  return UniqueFd(::fcntl(fd, F_DUPFD_CLOEXEC, 3));
}

}  // namespace

RealOs::RealOs(RealOsConfig config, LogSink& log)
    : log_(log),
      accounts_(files_),
      bus_(std::make_unique<BusClient>(bus_addresses(config))),
      table_(config.proc) {
  // What the moved-from config no longer has is not used below.
  settings_ = launch_settings(config);
}

RealOs::~RealOs() {
  // A child that still reads its plan goes on reading it.
  for (auto& [fd, launch] : launches_) {
    if (launch.process.stack && launch.process.stack.occupied()) (void)launch.plan.release();
  }
}

Result<std::unique_ptr<RealOs>> RealOs::create(RealOsConfig config, LogSink& log) {
  const CgroupPlace place = config.cgroup_place;
  RealOsConfig rest;  // what is needed after the settings have been taken
  rest.output = config.output;
  rest.error_output = config.error_output;
  rest.use_cgroups = config.use_cgroups;
  rest.cgroup_place = place;
  std::unique_ptr<RealOs> os(new RealOs(std::move(config), log));
  if (auto done = os->open_descriptors(rest); !done) return Failure{done.error()};
  os->choose_backend(rest);
  return os;
}

SysResult RealOs::open_descriptors(const RealOsConfig& config) {
  epoll_ = UniqueFd(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll_) return Failure{SysError{"epoll_create1", errno}};
  wake_ = UniqueFd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake_) return Failure{SysError{"eventfd", errno}};
  if (auto done = poll(wake_, Source::Wake); !done) return done;
  inotify_ = UniqueFd(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (inotify_) {
    if (auto done = poll(inotify_, Source::Inotify); !done) return done;
  } else {
    log_.log(Say::Level::Warning, "", "no inotify here: changes of files are not seen");
  }
  if (bus_->poll_fd()) (void)poll(bus_->poll_fd(), Source::Bus);

  open_null();
  UniqueFd output = high_copy(config.output.get());
  UniqueFd error_output = high_copy(config.error_output.get());
  settings_.output = output ? output.get() : settings_.null_output;
  settings_.error_output = error_output ? error_output.get() : settings_.output;
  streams_.push_back(std::move(output));
  streams_.push_back(std::move(error_output));

  builder_ = std::make_unique<LaunchBuilder>(settings_, files_, accounts_, log_);
  launcher_ = std::make_unique<Launcher>(settings_.self);
  conditions_ = std::make_unique<ConditionTester>(ConditionContext{
      settings_.host, settings_.environment, files_, accounts_, settings_.user_manager});
  return {};
}

/// /dev/null for reading and for writing. Without it: end of file to read, and
/// a pipe that nobody reads to write (EPIPE), said once.
void RealOs::open_null() {
  auto null_at_least_3 = [](int flags) {
    auto fd = open_path("/dev/null", flags);
    struct stat st {};
    if (fd && ::fstat(fd->get(), &st) == 0 && st.st_rdev == makedev(1, 3)) {
      return fd->get() > 2 ? std::move(*fd) : high_copy(fd->get());
    }
    UniqueFd made = make_null_device(flags);
    return !made || made.get() > 2 ? std::move(made) : high_copy(made.get());
  };
  UniqueFd input = null_at_least_3(O_RDONLY);
  UniqueFd output = null_at_least_3(O_WRONLY);
  if (!input || !output) {
    log_.log(Say::Level::Warning, "",
             "no /dev/null here: services read end of file and write into a closed pipe instead");
    int ends[2] = {-1, -1};
    if (::pipe2(ends, O_CLOEXEC) == 0) {
      output = high_copy(ends[1]);
      ::close(ends[0]);
      ::close(ends[1]);
    }
    if (::pipe2(ends, O_CLOEXEC) == 0) {
      input = high_copy(ends[0]);
      ::close(ends[0]);
      ::close(ends[1]);
    }
  }
  settings_.null_input = input.get();
  settings_.null_output = output.get();
  streams_.push_back(std::move(input));
  streams_.push_back(std::move(output));
}

void RealOs::choose_backend(const RealOsConfig& config) {
  std::string reason = "cgroups are switched off";
  if (config.use_cgroups) {
    auto tree = CgroupTree::take(config.cgroup_place);
    if (tree) {
      cgroups_ = std::move(*tree);
      backend_ = format("cgroup v2 at {}", cgroups_->root_path());
      return;
    }
    reason = tree.error();
  }
  if (table_.has_proc()) {
    backend_ = format("process tree ({})", reason);
  } else {
    backend_ = format("started processes alone (no /proc; {})", reason);
    log_.log(Say::Level::Warning, "",
             "no /proc here: of a unit only the processes that onset started are known");
  }
}

SysResult RealOs::poll(BorrowedFd fd, Source source) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = poll_word(static_cast<std::uint8_t>(source), fd.get());
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd.get(), &event) != 0) {
    return Failure{SysError{"epoll_ctl", errno}};
  }
  return {};
}

/// Has the next drain() look at the unit, and sees to it that it comes.
void RealOs::check_soon(UnitId id) {
  if (check_empty_.empty()) {
    const std::uint64_t one = 1;
    (void)!::write(wake_.get(), &one, sizeof one);
  }
  check_empty_.insert(id.value);
}

// ---- what the kernel tells ------------------------------------------------------

void RealOs::drain(OsListener& listener) {
  table_.new_turn();
  std::array<epoll_event, 64> events{};
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
        drain_bus(listener);
        break;
      case Source::Wake: {
        std::uint64_t count = 0;
        (void)!::read(wake_.get(), &count, sizeof count);
        break;
      }
    }
  }
  const auto waiting = std::exchange(check_empty_, {});
  for (const std::uint32_t value : waiting) tell_if_empty(UnitId{value}, listener);
}

/// Once for each time that the unit has run empty.
void RealOs::tell_if_empty(UnitId id, OsListener& listener) {
  const auto unit = units_.find(id.value);
  if (unit == units_.end() || !unit->second.watched || unit->second.told) return;
  if (has_processes(id)) return;
  unit->second.told = true;
  listener.unit_empty(id);
}

void RealOs::drain_inotify(OsListener& listener) {
  alignas(inotify_event) std::array<char, 16384> buffer;
  std::vector<UnitId> changed;
  for (;;) {
    const ssize_t n = ::read(inotify_.get(), buffer.data(), buffer.size());
    if (n <= 0) break;
    for (ssize_t at = 0; at < n;) {
      const auto* event = reinterpret_cast<const inotify_event*>(buffer.data() + at);
      at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
      if ((event->mask & IN_Q_OVERFLOW) != 0) {  // look at everything
        for (const auto& watch : empty_watches_) check_empty_.insert(watch.second.value);
        for (const std::uint32_t key : paths_.all()) changed.push_back(UnitId{key});
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
  // Many writes to a file are one change.
  for (std::size_t i = 0; i < changed.size(); ++i) {
    bool seen = false;
    for (std::size_t k = 0; k < i && !seen; ++k) seen = changed[k] == changed[i];
    if (!seen) listener.path_changed(changed[i]);
  }
}

void RealOs::cgroup_event(int wd, OsListener& listener) {
  const auto at = empty_watches_.find(wd);
  if (at != empty_watches_.end()) tell_if_empty(at->second, listener);
}

void RealOs::drain_alien(int fd, OsListener& listener) {
  for (auto at = aliens_.begin(); at != aliens_.end(); ++at) {
    if (at->second.pidfd.get() != fd) continue;
    const pid_t pid = at->first;
    aliens_.erase(at);
    listener.alien_exited(pid);
    return;
  }
}

void RealOs::drain_bus(OsListener& listener) {
  for (const BusClient::Change& change : bus_->drain()) {
    listener.bus_name_changed(UnitId{change.key}, change.change);
  }
}

UnitId RealOs::reaped(pid_t pid, OsListener& listener) {
  if (!launches_.empty()) settle_launch(pid, listener);
  return table_.reaped(pid);
}

void RealOs::after_reap(OsListener& listener) {
  table_.new_turn();
  if (!cgroups_) {
    if (table_.lost_any()) table_.adopt_orphans();
    std::vector<UnitId> watched;  // the listener may change units_
    for (const auto& [value, unit] : units_) {
      if (unit.watched && !unit.told) watched.push_back(UnitId{value});
    }
    for (const UnitId id : watched) tell_if_empty(id, listener);
  }
  table_.end_batch();
}

UnitId RealOs::unit_of_process(pid_t pid) {
  if (!cgroups_) return table_.unit_of(pid);
  auto text = read_kernel_file(format("/proc/{}/cgroup", pid).c_str());
  if (!text) return table_.unit_of(pid);
  std::string_view rest = *text;
  while (!rest.empty()) {
    auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (!line.starts_with("0::")) continue;
    line.remove_prefix(3);
    if (!line.starts_with(cgroups_->prefix() + "/")) return {};
    line.remove_prefix(cgroups_->prefix().size() + 1);
    for (;;) {  // a unit may have made groups below its own
      const auto unit = unit_by_cgroup_.find(std::string(line));
      if (unit != unit_by_cgroup_.end()) return unit->second;
      const auto slash = line.rfind('/');
      if (slash == std::string_view::npos) return {};
      line = line.substr(0, slash);
    }
  }
  return {};
}

/// Below the tree's root; empty: it has none. That of a slice is made by the first
/// unit in it.
std::string RealOs::group_of(UnitId id, const Unit& unit) const {
  if (!cgroups_) return {};
  if (const auto record = units_.find(id.value);
      record != units_.end() && !record->second.cgroup.empty()) {
    return record->second.cgroup;
  }
  if (unit.type != UnitType::Slice || unit.id == "-.slice") return {};
  std::string path = cgroup_path(unit, settings_.user_manager);
  return cgroups_->exists(path) ? path : std::string();
}

std::string RealOs::root_group() const {
  if (!cgroups_) return {};
  return cgroups_->prefix().empty() ? "/" : cgroups_->prefix();
}

std::string RealOs::control_group(UnitId id, const Unit& unit) const {
  const std::string group = group_of(id, unit);
  return group.empty() ? group : cgroups_->prefix() + "/" + group;
}

CgroupUsage RealOs::usage(UnitId id, const Unit& unit) const {
  const std::string group = group_of(id, unit);
  return group.empty() ? CgroupUsage{} : cgroups_->usage(group);
}

SysResult RealOs::freeze(UnitId id, const Unit& unit, bool frozen) {
  const std::string group = group_of(id, unit);
  if (group.empty()) return Failure{SysError{"cgroup.freeze", ENOTSUP}};
  auto done = cgroups_->freeze(group, frozen);
  if (done) units_[id.value].frozen = frozen;
  return done;
}

bool RealOs::is_frozen(UnitId id) const {
  const auto record = units_.find(id.value);
  return record != units_.end() && record->second.frozen;
}

/// systemctl(1), freeze: before a job's signals and commands reach the unit.
void RealOs::thaw_if_frozen(UnitId id) {
  const auto record = units_.find(id.value);
  if (record == units_.end() || !record->second.frozen) return;
  record->second.frozen = false;
  if (cgroups_ && !record->second.cgroup.empty()) (void)cgroups_->freeze(record->second.cgroup, false);
}

// ---- small requests -------------------------------------------------------------

bool RealOs::has_processes(UnitId id) {
  if (!cgroups_) return table_.any(id);
  const auto unit = units_.find(id.value);
  return unit != units_.end() && !unit->second.cgroup.empty() &&
         cgroups_->populated(unit->second.cgroup);
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

void RealOs::remove_file(std::string_view path) {
  auto done = files_.remove(path);
  if (!done && done.error().err != ENOENT) {
    log_.log(Say::Level::Warning, "",
             format("cannot remove {}: {}", path, errno_text(done.error().err)));
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
                         : table_.status(pid).value_or(ProcessStatus{}).parent == ::getpid()) {
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
  (void)poll(pidfd, Source::Alien);
  aliens_[pid] = Alien{std::move(pidfd), id};
  return true;
}

bool RealOs::is_alive(pid_t pid) {
  if (pid <= 0) return false;
  if (table_.has_proc()) {
    const auto seen = table_.status(pid);
    return seen && seen->state != 'Z' && seen->state != 'X';
  }
  return ::kill(pid, 0) == 0 || errno == EPERM;
}

Result<bool> RealOs::test(const Condition& condition, const Unit& /*unit*/) {
  return conditions_->test(condition);
}

InvocationId RealOs::new_invocation() {
  InvocationId id{};
  if (::getrandom(id.data(), id.size(), GRND_NONBLOCK) != static_cast<ssize_t>(id.size())) {
    // Before the kernel's pool is filled: unique is enough, secret it need not be.
    (void)!::getrandom(id.data(), id.size(), GRND_INSECURE);
  }
  id[6] = static_cast<std::uint8_t>((id[6] & 0x0FU) | 0x40U);  // a UUID of version 4
  id[8] = static_cast<std::uint8_t>((id[8] & 0x3FU) | 0x80U);
  return id;
}

void RealOs::log(Say::Level level, std::string_view unit, std::string_view text) {
  log_.log(level, unit, text);
}

}  // namespace onset
