// PID 1 comes up: what is around it, its sockets, its descriptors. A loss that it
// can live without is a line on the console; the rest ends the start.

#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <new>

#include "base/format.h"
#include "base/out_of_memory.h"
#include "base/unix_address.h"
#include "control/runtime_paths.h"
#include "init/boot_marks.h"
#include "init/machine_setup.h"
#include "init/manager_process.h"
#include "init/memory_wait.h"
#include "os/api_mounts.h"
#include "os/virtualization.h"
#include "unit/boot_times.h"
#include "unit/words.h"

namespace onset {
namespace {

/// Some tens of milliseconds when each is a launch.
constexpr unsigned kStepsACall = 128;
constexpr const char* kDefaultUnit = "default.target";
constexpr const char* kInitrdUnit = "initrd.target";
/// The kernel's own limit is below it, COMMAND_LINE_SIZE.
constexpr std::size_t kCommandLineMax = 16384;
/// Until system.conf has been read.
constexpr int kFirstLogLevel = 6;
constexpr Duration kShutdownBudget = std::chrono::seconds(9);
/// Of what fails: want of memory or descriptors may be over the next moment.
constexpr int kAttempts = 3;
/// Of a set-up that finds no memory, by a process whose end is not the end of all there is.
constexpr int kAttemptsOfAnOrdinaryProcess = 10;

std::vector<std::string> copy_environment(char** environment) {
  std::vector<std::string> copy;
  for (char** e = environment; e != nullptr && *e != nullptr; ++e) copy.emplace_back(*e);
  return copy;
}

Result<UniqueFd> listen_on(const std::string& path) {
  const UnixAddress address = unix_path(path);
  if (!address) return Failure{SysError{"socket path", ENAMETOOLONG}};
  UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return Failure{SysError{"socket", errno}};
  (void)unlink(path.c_str());
  // Never open to others, not even between bind and chmod.
  const mode_t old = umask(0177);
  const int bound = bind(fd.get(), address.get(), address.length);
  const int err = errno;
  (void)umask(old);
  if (bound < 0) return Failure{SysError{"bind", err}};
  if (listen(fd.get(), SOMAXCONN) < 0) return Failure{SysError{"listen", errno}};
  return fd;
}

bool is_want_of_memory(const SysError& error) {
  return error.err == ENOMEM || error.err == ENOBUFS;
}

/// A step that is tried again where it fails; the last result.
template <class Step>
auto persist(Step step) {
  for (int attempt = 1; attempt < kAttempts; ++attempt) {
    auto done = step();
    if (done) return done;
    if (is_want_of_memory(done.error())) wait_for_memory();
  }
  return step();
}

/// Keeps the limit that the manager was given for its services and raises its own.
std::vector<Limit> raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= limit.rlim_max) return {};
  // Made before it is needed: where there is no memory for it, nothing is raised.
  std::vector<Limit> inherited{{RLIMIT_NOFILE, limit.rlim_cur, limit.rlim_max}};
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) < 0) inherited.clear();
  return inherited;
}

}  // namespace

ManagerProcess::ManagerProcess(const InitOptions& options, char** environment)
    : options_(options),
      initial_environment_(environment),
      environment_(copy_environment(environment)),
      container_(read_container_interface(environment)),
      console_(options.log_target, options.log_level.value_or(kFirstLogLevel)) {}

/// The end of PID 1 is the end of all there is: it goes on until there is memory.
SysResult ManagerProcess::come_up() {
  for (int attempt = 1;; ++attempt) {
    SysResult done = try_to_come_up();
    if (done) return done;
    const bool waits = is_want_of_memory(done.error());
    const int attempts = waits ? kAttemptsOfAnOrdinaryProcess : kAttempts;
    if (attempt >= attempts && !(waits && getpid() == 1)) return done;
    if (!waits) continue;
    if (attempt == 1) console_.line(2, "", "out of memory, the start waits for it");
    wait_for_memory();
  }
}

/// What has failed before is torn down and set up anew.
SysResult ManagerProcess::try_to_come_up() {
  take_down();
  try {
    return set_up();
  } catch (const std::bad_alloc&) {
    return Failure{SysError{"set-up", ENOMEM}};
  }
}

/// The first transaction. Where memory runs out on the way to it, it comes with a later turn.
void ManagerProcess::begin() {
  manager_->set_listener(this);
  manager_->start_up(read_clock());
}

void ManagerProcess::take_down() {
  generators_.reset();
  notify_.reset();
  server_.reset();
  service_.reset();
  gate_.reset();
  backend_.reset();
  if (os_) os_->set_trigger_loop(nullptr);
  triggers_.reset();
  manager_.reset();
  units_.reset();
  os_.reset();
  mounts_.reset();
  devices_.reset();
  configuration_.reset();
  loop_.reset();
  signals_.reset();
}

SysResult ManagerProcess::set_up() {
  auto signals = SignalQueue::create();
  if (!signals) return Failure{signals.error()};
  auto loop = EventLoop::create();
  if (!loop) return Failure{loop.error()};
  signals_ = std::make_unique<SignalQueue>(std::move(*signals));
  loop_ = std::make_unique<EventLoop>(std::move(*loop));
  find_surroundings();
  prepare_machine();
  find_runtime_directory();
  read_configuration();
  forget_transient_units();
  run_generators_at_boot();
  if (auto opened = open_kernel_side(); !opened) return opened;
  make_manager();
  open_notify_socket();
  open_control_socket();
  return watch_all();
}

/// What was made by who ran before, in a folder that has outlasted him.
void ManagerProcess::forget_transient_units() {
  const std::string folder = transient_folder(options_.user, host_);
  if (folder.empty()) return;
  const auto items = files_.list(folder);
  if (!items) return;
  for (const DirectoryItem& item : *items) (void)files_.remove(format("{}/{}", folder, item.name));
}

void ManagerProcess::find_surroundings() {
  marks_ = {};
  marks_.userspace = read_clock();
  const bool is_first = getpid() == 1;
  if (options_.user) {
    surroundings_ = Surroundings::User;
  } else if (is_first && container_.kind.empty() &&
             detect_container(environment_, files_).empty() && in_initial_pid_namespace()) {
    surroundings_ = Surroundings::Machine;
  } else {
    surroundings_ = Surroundings::Container;
  }
  virtualization_ = detect_container(environment_, files_);
  if (virtualization_.empty()) virtualization_ = detect_vm(files_);
  if (!is_first && prctl(PR_SET_CHILD_SUBREAPER, 1) < 0) {
    console_.line(4, "", format("orphans can't be adopted: {}", errno_text(errno)));
  }
}

/// On a machine nothing is there yet, not even a console that could tell what goes wrong.
void ManagerProcess::prepare_machine() {
  if (surroundings_ != Surroundings::Machine) {
    kernel_ = read_kernel_command_line(join_words(options_.words), false);
  } else {
    const auto losses = mount_api_file_systems();
    take_console();
    console_ = Console(options_.log_target, options_.log_level.value_or(kFirstLogLevel));
    if (options_.log_target == LogTarget::Kmsg) screen_.emplace(LogTarget::Console, 0);
    for (const std::string& loss : losses) console_.line(4, "", loss);
    in_initrd_ = access("/etc/initrd-release", F_OK) == 0;
    read_boot_marks(marks_, in_initrd_, files_);
    const auto line = files_.read("/proc/cmdline", kCommandLineMax);
    kernel_ = read_kernel_command_line(line ? *line : std::string(), in_initrd_);
    for (const std::string& loss : set_up_machine(kernel_, files_)) console_.line(4, "", loss);
    virtualization_ = detect_vm(files_);
  }
  tell(kernel_.diagnostics);
  default_unit_ = in_initrd_ ? kInitrdUnit : kDefaultUnit;
  if (!kernel_.unit.empty()) default_unit_ = kernel_.unit;
  if (!options_.unit.empty()) default_unit_ = options_.unit;
}

void ManagerProcess::find_runtime_directory() {
  const char* xdg = nullptr;
  for (const std::string& e : environment_) {
    if (e.starts_with("XDG_RUNTIME_DIR=")) xdg = e.c_str() + std::strlen("XDG_RUNTIME_DIR=");
  }
  if (getpid() == 1) (void)umask(0022);
  runtime_ = make_runtime_directory(options_.user, xdg);
  const auto path_of = [this](std::string_view name) {
    return runtime_.path.empty() ? std::string() : format("{}/{}", runtime_.path, name);
  };
  control_path_ = path_of(kControlSocketName);
  notify_path_ = path_of(kNotifySocketName);
  for (const std::string& loss : runtime_.losses) console_.line(4, "", loss);
  if (surroundings_ != Surroundings::User && getpid() == 1) {
    for (const std::string& loss : publish_booted(container_)) console_.line(4, "", loss);
  }

  host_ = read_host_facts(options_.user, environment_, files_, accounts_);
  if (host_.machine_id.empty()) host_.machine_id = container_.uuid;
}

void ManagerProcess::read_configuration() {
  if (!inherited_limits_) inherited_limits_ = raise_descriptor_limit();
  configuration_ = std::make_unique<Configuration>(ConfigurationContext{
      files_, options_, host_, kernel_, surroundings_, environment_, *inherited_limits_});
  Diagnostics diagnostics;
  configuration_->read(diagnostics);
  console_.set_level(configuration_->log_level());
  display_.set_mode(configuration_->show_status());
  display_.set_unit_format(configuration_->settings().status_unit_format);
  watch_hardware(configuration_->settings().runtime_watchdog);
  tell(diagnostics);
}

SysResult ManagerProcess::open_kernel_side() {
  RealOsConfig config;
  config.user_manager = options_.user;
  config.host = host_;
  config.notify_socket = notify_path_;
  config.environment = configuration_->environment();
  config.defaults = configuration_->launch_defaults();
  auto os = RealOs::create(std::move(config), *this);
  if (!os) return Failure{os.error()};
  os_ = std::move(*os);
  open_mount_watch();
  open_device_watch();
  return {};
}

void ManagerProcess::make_manager() {
  LoaderConfig loader;
  loader.search_path = search_path_;
  loader.builtin = builtin_units(options_.user);
  loader.host = host_;
  loader.user_manager = options_.user;
  const bool adopts_mounts = surroundings_ == Surroundings::Machine;
  if (adopts_mounts) {
    loader.has_devices = devices_ != nullptr;
    loader.find = [table = mounts_.get(), devices = devices_.get()](Unit& unit) {
      if (unit.type != UnitType::Device) return describe_found_mount(*table, unit);
      if (devices != nullptr) devices->describe(unit);
      return true;
    };
  }
  units_ = std::make_unique<LoadedFiles>(files_, loader);

  ManagerConfig config;
  config.default_target = default_unit_;
  config.user_manager = options_.user;
  config.container = surroundings_ == Surroundings::Container;
  config.adopts_mounts = adopts_mounts;
  config.has_devices = devices_ != nullptr;
  config.own_pid = getpid();
  config.steps_a_call = kStepsACall;
  config.defaults = configuration_->settings();
  if (config.container) config.shutdown_budget = kShutdownBudget;
  manager_ = std::make_unique<Manager>(*os_, *units_, config);
  // Where /var comes later there is no order among starts, and nothing is lost but that.
  if (surroundings_ == Surroundings::Machine) {
    if (const auto text = files_.read(kBootTimesFile, kBootTimesBytes))
      manager_->set_boot_times(parse_boot_times(*text));
  }
  starvation_ = std::make_unique<StarvationWatch>(*os_, *manager_);
  triggers_ = std::make_unique<TriggerHandlers>(*loop_, *os_, static_cast<OsListener&>(*this));
  os_->set_trigger_loop(triggers_.get());
  os_->set_resource_defaults(&manager_->config().defaults);
  BackendContext context;
  context.loader = loader;
  context.options = &options_;
  context.default_unit = default_unit_;
  context.configuration = configuration_.get();
  context.console = &console_;
  context.reload = [this](Timestamp now) { return reload(now); };
  context.reread_configuration = [this](Diagnostics& found) { reread_configuration(found); };
  context.virtualization = virtualization_;
  context.marks = &marks_;
  context.manager = manager_.get();
  context.os = os_.get();
  context.starvation = starvation_.get();
  context.shutdown_timer = &shutdown_timer_;
  context.files = &files_;
  context.units = &units_;
  backend_ = std::make_unique<ProcessBackend>(std::move(context));
}

void ManagerProcess::open_notify_socket() {
  if (notify_path_.empty()) return;
  auto socket = persist([this] { return NotifySocket::bind(notify_path_); });
  if (socket) {
    notify_ = std::make_unique<NotifySocket>(std::move(*socket));
  } else {
    console_.line(
        3, "",
        format("no notify socket, services can't tell their state: {}", to_string(socket.error())));
  }
}

void ManagerProcess::open_control_socket() {
  ControlPolicy policy;
  policy.manager_uid = geteuid();
  gate_ = std::make_unique<UnitGate>(*manager_, *os_);
  service_ = std::make_unique<ManagerInterface>(*manager_, *backend_);
  server_ = std::make_unique<ControlServer>(*service_, gate_.get(), policy);
  service_->set_sink(server_.get());
  listen_for_control();
}

void ManagerProcess::listen_for_control() {
  if (auto opened = persist([this] { return server_->poll_fd() ? SysResult{} : server_->open(); });
      !opened) {
    console_.line(3, "", format("no control: {}", to_string(opened.error())));
    return;
  }
  if (control_path_.empty()) return;
  const SysResult listening = persist([this]() -> SysResult {
    auto socket = listen_on(control_path_);
    if (!socket) return Failure{socket.error()};
    return server_->listen(std::move(*socket));
  });
  if (!listening)
    console_.line(3, "", format("no control socket: {}", to_string(listening.error())));
}

/// Its file may be gone, or there was no socket so far. Connections stay.
void ManagerProcess::reconnect() {
  const bool is_watched{server_->poll_fd()};
  listen_for_control();
  if (is_watched || !server_->poll_fd()) return;
  if (auto watched = loop_->watch(server_->poll_fd(), EPOLLIN, on_control_); !watched) {
    console_.line(3, "", format("no control: {}", to_string(watched.error())));
  }
}

SysResult ManagerProcess::watch_all() {
  if (auto r = loop_->watch(signals_->fd(), EPOLLIN, on_signals_); !r) return r;
  if (auto r = loop_->watch(os_->poll_fd(), EPOLLIN, on_kernel_); !r) return r;
  if (auto r = watch_mounts(); !r) return r;
  if (auto r = watch_devices(); !r) return r;
  if (notify_) {
    if (auto r = loop_->watch(notify_->fd(), EPOLLIN, on_notify_); !r) return r;
  }
  if (server_->poll_fd()) {
    if (auto r = loop_->watch(server_->poll_fd(), EPOLLIN, on_control_); !r) return r;
  }
  if (const std::string loss = starvation_->watch(*loop_); !loss.empty()) {
    console_.line(6, "", loss);
  }
  return {};
}

}  // namespace onset
