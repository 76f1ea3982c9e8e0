#include "os/real_os.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <utility>

#include "base/format.h"
#include "os/kernel.h"

namespace onset {
namespace {

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
  settings.defaults = std::move(config.defaults);
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

void RealOs::set_defaults(std::vector<std::string> environment, LaunchDefaults defaults) {
  settings_.environment = std::move(environment);
  settings_.defaults = std::move(defaults);
  builder_ = std::make_unique<LaunchBuilder>(settings_, files_, accounts_, log_);
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
      table_.keep_spawned_only();
      backend_ = format("cgroup v2 at {}", cgroups_->root_path());
      const std::string pressure = cgroups_->root_path() + "/init.scope/memory.pressure";
      if (::access(pressure.c_str(), F_OK) == 0) settings_.pressure_folder = cgroups_->root_path();
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

void RealOs::remove_file(std::string_view path) {
  auto done = files_.remove(path);
  if (!done && done.error().err != ENOENT) {
    log_.log(Say::Level::Warning, "",
             format("cannot remove {}: {}", path, errno_text(done.error().err)));
  }
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
  if (random_left_ < id.size()) {
    const auto size = static_cast<ssize_t>(random_.size());
    if (::getrandom(random_.data(), random_.size(), GRND_NONBLOCK) != size) {
      // Before the kernel's pool is filled: unique is enough, secret it need not be.
      (void)!::getrandom(random_.data(), random_.size(), GRND_INSECURE);
    }
    random_left_ = random_.size();
  }
  random_left_ -= id.size();
  std::copy_n(random_.begin() + static_cast<std::ptrdiff_t>(random_left_), id.size(), id.begin());
  id[6] = static_cast<std::uint8_t>((id[6] & 0x0FU) | 0x40U);  // a UUID of version 4
  id[8] = static_cast<std::uint8_t>((id[8] & 0x3FU) | 0x80U);
  return id;
}

void RealOs::log(Say::Level level, std::string_view unit, std::string_view text) {
  log_.log(level, unit, text);
}

}  // namespace onset
