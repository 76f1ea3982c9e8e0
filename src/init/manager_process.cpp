#include "init/manager_process.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "base/format.h"
#include "control/runtime_paths.h"
#include "control/server.h"
#include "control/manager_interface.h"
#include "engine/manager.h"
#include "init/console.h"
#include "init/container_interface.h"
#include "init/control_backend.h"
#include "init/final_phase.h"
#include "init/notify_socket.h"
#include "init/runtime_directory.h"
#include "init/signal_table.h"
#include "init/unit_gate.h"
#include "init/unit_files.h"
#include "loop/clock.h"
#include "loop/event_loop.h"
#include "loop/signals.h"
#include "os/host_facts.h"
#include "os/real_os.h"
#include "os/virtualization.h"

namespace onset {
namespace {

constexpr Duration kShutdownBudget = std::chrono::seconds(9);
constexpr Duration kContainerPatience = std::chrono::milliseconds(500);
/// Of one turn: a flood of notifications does not keep the rest waiting.
constexpr int kNotificationsPerTurn = 256;

std::vector<std::string> copy_environment(char** environment) {
  std::vector<std::string> copy;
  for (char** e = environment; e != nullptr && *e != nullptr; ++e) copy.emplace_back(*e);
  return copy;
}

int syslog_level(Say::Level level) {
  switch (level) {
    case Say::Level::Debug:
      return 7;
    case Say::Level::Info:
      return 6;
    case Say::Level::Notice:
      return 5;
    case Say::Level::Warning:
      return 4;
    case Say::Level::Error:
      return 3;
  }
  return 6;
}

/// The kernel's own first process has the initial PID namespace; any other PID 1
/// is in a container of some kind.
bool in_initial_pid_namespace() {
  struct stat st {};
  constexpr ino_t kInitial = 0xEFFFFFFC;  // PROC_PID_INIT_INO, include/linux/proc_ns.h
  return stat("/proc/self/ns/pid", &st) == 0 && st.st_ino == kInitial;
}

Result<UniqueFd> listen_on(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return Failure{SysError{"socket path", ENAMETOOLONG}};
  std::memcpy(address.sun_path, path.data(), path.size());
  UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return Failure{SysError{"socket", errno}};
  (void)unlink(path.c_str());
  // Never open to others, not even between bind and chmod.
  const mode_t old = umask(0177);
  const int bound = bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const int err = errno;
  (void)umask(old);
  if (bound < 0) return Failure{SysError{"bind", err}};
  if (listen(fd.get(), SOMAXCONN) < 0) return Failure{SysError{"listen", errno}};
  return fd;
}

/// Keeps the limit that the manager was given for its services and raises its own.
std::vector<Limit> raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= limit.rlim_max) return {};
  const Limit inherited{RLIMIT_NOFILE, limit.rlim_cur, limit.rlim_max};
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) < 0) return {};
  return {inherited};
}

/// A member function as a handler of one descriptor.
template <class Owner, void (Owner::*Function)()>
class Handler final : public FdHandler {
 public:
  explicit Handler(Owner& owner) : owner_(owner) {}
  void ready(std::uint32_t) override { (owner_.*Function)(); }

 private:
  Owner& owner_;
};

class ManagerProcess final : private LogSink, private OsListener, private ManagerListener {
 public:
  ManagerProcess(const InitOptions& options, char** environment)
      : options_(options),
        environment_(copy_environment(environment)),
        container_(read_container_interface(environment)),
        console_(options.log_target, options.log_level) {}

  int run();

 private:
  // ---- set-up, in this order ------------------------------------------------
  void find_surroundings();
  SysResult open_kernel_side();
  void open_notify_socket();
  void open_control_socket();
  SysResult watch_all();

  void turn();
  void handle_signals();
  void handle_notifications();
  void handle_kernel() { os_->drain(*this); }
  void handle_control() { server_->drain(read_clock()); }
  void reap();
  void act_on(SignalRequest request);
  void start_target(std::string_view name, JobMode mode);
  void tell_upwards();
  int finish();

  // ---- LogSink ----------------------------------------------------------------
  void log(Say::Level level, std::string_view unit, std::string_view text) override;
  // ---- OsListener ---------------------------------------------------------------
  void exec_done(pid_t pid) override { manager_->exec_done(pid, read_clock()); }
  void unit_empty(UnitId id) override { manager_->unit_empty(id, read_clock()); }
  void path_changed(UnitId id) override { manager_->path_changed(id, read_clock()); }
  void alien_exited(pid_t pid) override {
    manager_->process_exited(pid, {ExitKind::Exited, 0}, read_clock());
  }
  void bus_name_changed(UnitId id, const BusNameChanged& change) override {
    manager_->bus_name_changed(id, change, read_clock());
  }
  // ---- ManagerListener ------------------------------------------------------------
  void job_queued(const Job& job) override;
  void job_done(const Job& job, JobResult result) override;
  void unit_changed(UnitId id) override;

  const InitOptions& options_;
  std::vector<std::string> environment_;
  ContainerInterface container_;
  Console console_;
  Surroundings surroundings_ = Surroundings::Machine;
  std::string virtualization_;
  RuntimeDirectory runtime_;
  HostFacts host_;
  RealFiles files_;
  Accounts accounts_{files_};
  std::unique_ptr<RealOs> os_;
  std::unique_ptr<LoadedFiles> units_;
  std::unique_ptr<Manager> manager_;
  std::unique_ptr<ProcessBackend> backend_;
  std::unique_ptr<UnitGate> gate_;
  std::unique_ptr<ManagerInterface> service_;
  std::unique_ptr<ControlServer> server_;
  std::unique_ptr<EventLoop> loop_;
  std::unique_ptr<SignalQueue> signals_;
  std::unique_ptr<NotifySocket> notify_;
  bool show_status_ = options_.show_status;
  bool told_ready_ = false;
  bool told_stopping_ = false;

  Handler<ManagerProcess, &ManagerProcess::handle_signals> on_signals_{*this};
  Handler<ManagerProcess, &ManagerProcess::handle_notifications> on_notify_{*this};
  Handler<ManagerProcess, &ManagerProcess::handle_kernel> on_kernel_{*this};
  Handler<ManagerProcess, &ManagerProcess::handle_control> on_control_{*this};
};

// ---- set-up -----------------------------------------------------------------------

void ManagerProcess::find_surroundings() {
  const bool is_first = getpid() == 1;
  if (options_.user) {
    surroundings_ = Surroundings::User;
  } else if (is_first && container_.kind.empty() && detect_container(environment_, files_).empty() &&
             in_initial_pid_namespace()) {
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

SysResult ManagerProcess::open_kernel_side() {
  const char* xdg = nullptr;
  for (const std::string& e : environment_) {
    if (e.starts_with("XDG_RUNTIME_DIR=")) xdg = e.c_str() + std::strlen("XDG_RUNTIME_DIR=");
  }
  if (getpid() == 1) (void)umask(0022);
  runtime_ = make_runtime_directory(options_.user, xdg);
  for (const std::string& loss : runtime_.losses) console_.line(4, "", loss);
  if (surroundings_ != Surroundings::User && getpid() == 1) {
    for (const std::string& loss : publish_booted(container_)) console_.line(4, "", loss);
  }

  host_ = read_host_facts(options_.user, environment_, files_, accounts_);
  if (host_.machine_id.empty()) host_.machine_id = container_.uuid;

  RealOsConfig config;
  config.user_manager = options_.user;
  config.host = host_;
  if (!runtime_.path.empty()) config.notify_socket = format("{}/{}", runtime_.path, kNotifySocketName);
  config.environment = environment_;
  config.default_limits = raise_descriptor_limit();
  auto os = RealOs::create(std::move(config), *this);
  if (!os) return Failure{os.error()};
  os_ = std::move(*os);
  return {};
}

void ManagerProcess::open_notify_socket() {
  if (runtime_.path.empty()) return;
  auto socket = NotifySocket::bind(format("{}/{}", runtime_.path, kNotifySocketName));
  if (socket) {
    notify_ = std::make_unique<NotifySocket>(std::move(*socket));
  } else {
    console_.line(3, "", format("no notify socket, services can't tell their state: {}", to_string(socket.error())));
  }
}

void ManagerProcess::open_control_socket() {
  ControlPolicy policy;
  policy.manager_uid = geteuid();
  gate_ = std::make_unique<UnitGate>(*manager_, *os_);
  service_ = std::make_unique<ManagerInterface>(*manager_, *backend_);
  server_ = std::make_unique<ControlServer>(*service_, gate_.get(), policy);
  service_->set_sink(server_.get());
  if (auto opened = server_->open(); !opened) {
    console_.line(3, "", format("no control: {}", to_string(opened.error())));
    return;
  }
  if (runtime_.path.empty()) return;
  auto socket = listen_on(format("{}/{}", runtime_.path, kControlSocketName));
  SysResult listening = socket ? server_->listen(std::move(*socket)) : SysResult(Failure{socket.error()});
  if (!listening) console_.line(3, "", format("no control socket: {}", to_string(listening.error())));
}

SysResult ManagerProcess::watch_all() {
  if (auto r = loop_->watch(signals_->fd(), EPOLLIN, on_signals_); !r) return r;
  if (auto r = loop_->watch(os_->poll_fd(), EPOLLIN, on_kernel_); !r) return r;
  if (notify_) {
    if (auto r = loop_->watch(notify_->fd(), EPOLLIN, on_notify_); !r) return r;
  }
  if (server_->poll_fd()) {
    if (auto r = loop_->watch(server_->poll_fd(), EPOLLIN, on_control_); !r) return r;
  }
  return {};
}

// ---- one turn ---------------------------------------------------------------------

int ManagerProcess::run() {
  for (const std::string& warning : options_.warnings) console_.line(4, "", warning);
  auto signals = SignalQueue::create();
  auto loop = EventLoop::create();
  if (!signals || !loop) {
    console_.line(2, "", format("cannot start: {}", to_string(!signals ? signals.error() : loop.error())));
    return 1;
  }
  signals_ = std::make_unique<SignalQueue>(std::move(*signals));
  loop_ = std::make_unique<EventLoop>(std::move(*loop));
  find_surroundings();
  if (auto opened = open_kernel_side(); !opened) {
    console_.line(2, "", format("cannot start: {}", to_string(opened.error())));
    return 1;
  }

  LoaderConfig loader;
  loader.search_path = manager_search_path(options_.unit_path, options_.user, host_);
  loader.builtin = builtin_units(options_.user);
  loader.host = host_;
  loader.user_manager = options_.user;
  units_ = std::make_unique<LoadedFiles>(files_, loader);

  ManagerConfig config;
  config.default_target = options_.unit;
  config.user_manager = options_.user;
  config.container = surroundings_ == Surroundings::Container;
  if (config.container) config.shutdown_budget = kShutdownBudget;
  manager_ = std::make_unique<Manager>(*os_, *units_, config);
  BackendContext context;
  context.loader = loader;
  context.options = &options_;
  context.virtualization = virtualization_;
  context.manager = manager_.get();
  context.os = os_.get();
  context.files = &files_;
  context.units = &units_;
  backend_ = std::make_unique<ProcessBackend>(std::move(context));
  open_notify_socket();
  open_control_socket();
  if (auto watched = watch_all(); !watched) {
    console_.line(2, "", format("cannot start: {}", to_string(watched.error())));
    return 1;
  }
  manager_->set_listener(this);
  manager_->start_up(read_clock());

  while (manager_->objective() == Objective::Run) {
    try {
      turn();
    } catch (const std::bad_alloc&) {
      console_.line(2, "", "out of memory, a request was dropped");
    }
  }
  return finish();
}

void ManagerProcess::turn() {
  tell_upwards();
  const MonoTime deadline = std::min(manager_->next_deadline(), server_->next_deadline());
  if (auto waited = loop_->wait(deadline); !waited) {
    console_.line(2, "", to_string(waited.error()));
  }
  const Timestamp now = read_clock();
  if (manager_->next_deadline() <= now.mono) manager_->elapse(now);
  if (server_->next_deadline() <= now.mono) server_->elapse(now);
}

void ManagerProcess::handle_signals() {
  bool children = false;
  while (const auto signal = signals_->next()) {
    const SignalRequest request = request_of_signal(signal->number, surroundings_);
    if (request == SignalRequest::Reap) {
      children = true;
    } else {
      act_on(request);
    }
  }
  if (!children) return;
  // Last words, and the news of an execve, before the exit that follows them.
  handle_notifications();
  handle_kernel();
  reap();
}

void ManagerProcess::reap() {
  bool any = false;
  for (;;) {
    siginfo_t info{};
    if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG) < 0) {
      if (errno == EINTR) continue;
      break;
    }
    if (info.si_pid == 0) break;
    any = true;
    ExitStatus status;
    status.kind = info.si_code == CLD_EXITED   ? ExitKind::Exited
                  : info.si_code == CLD_DUMPED ? ExitKind::Dumped
                                               : ExitKind::Killed;
    status.value = info.si_status;
    (void)os_->reaped(info.si_pid);
    manager_->process_exited(info.si_pid, status, read_clock());
  }
  if (any) os_->after_reap(*this);
}

void ManagerProcess::handle_notifications() {
  if (!notify_) return;
  NotifyDatagram datagram;
  for (int i = 0; i < kNotificationsPerTurn && notify_->receive(datagram); ++i) {
    if (datagram.pid <= 0) continue;
    UnitId id = manager_->unit_of_pid(datagram.pid);
    if (!id.valid()) id = os_->unit_of_process(datagram.pid);
    if (!id.valid()) continue;
    manager_->notify(id, NotifySender{datagram.pid, datagram.uid}, datagram.text, read_clock());
  }
}

void ManagerProcess::start_target(std::string_view name, JobMode mode) {
  auto job = manager_->request(name, JobType::Start, mode, read_clock());
  if (!job) console_.line(3, name, job.error().message);
}

void ManagerProcess::act_on(SignalRequest request) {
  const Timestamp now = read_clock();
  // Asked twice, a shutdown waits no longer.
  const auto end_now = [&](Objective objective) {
    manager_->shut_down(objective, 0, now);
    manager_->shut_down(objective, 0, now);
  };
  switch (request) {
    case SignalRequest::None:
    case SignalRequest::Reap:
      break;
    case SignalRequest::Exit:
      manager_->shut_down(Objective::Exit, 0, now);
      break;
    case SignalRequest::Halt:
      manager_->shut_down(Objective::Halt, 0, now);
      break;
    case SignalRequest::Poweroff:
      manager_->shut_down(Objective::Poweroff, 0, now);
      break;
    case SignalRequest::Reboot:
      manager_->shut_down(Objective::Reboot, 0, now);
      break;
    case SignalRequest::Kexec:
      manager_->shut_down(Objective::Kexec, 0, now);
      break;
    case SignalRequest::ExitNow:
      end_now(Objective::Exit);
      break;
    case SignalRequest::HaltNow:
      end_now(Objective::Halt);
      break;
    case SignalRequest::PoweroffNow:
      end_now(Objective::Poweroff);
      break;
    case SignalRequest::RebootNow:
      end_now(Objective::Reboot);
      break;
    case SignalRequest::Reload:
      if (auto done = backend_->reload(now); !done) console_.line(3, "", done.error().message);
      break;
    case SignalRequest::CtrlAltDel:
      start_target("ctrl-alt-del.target", JobMode::ReplaceIrreversibly);
      break;
    case SignalRequest::KeyboardRequest:
      start_target("kbrequest.target", JobMode::Replace);
      break;
    case SignalRequest::PowerFailure:
      start_target("sigpwr.target", JobMode::Replace);
      break;
    case SignalRequest::DefaultTarget:
      start_target(options_.unit, JobMode::Isolate);
      break;
    case SignalRequest::RescueTarget:
      start_target("rescue.target", JobMode::Isolate);
      break;
    case SignalRequest::EmergencyTarget:
      start_target("emergency.target", JobMode::Isolate);
      break;
    case SignalRequest::DumpState:
      for (std::uint32_t i = 0; i < manager_->graph().size(); ++i) {
        const UnitId id{i};
        if (manager_->graph().unit(id).load_state == LoadState::Stub) continue;
        console_.line(5, manager_->graph().unit(id).id,
                      format("{} ({})", to_string(manager_->active_state(id)), manager_->sub_state(id)));
      }
      break;
    case SignalRequest::StatusOn:
      show_status_ = true;
      break;
    case SignalRequest::StatusOff:
      show_status_ = false;
      break;
    case SignalRequest::LogDebug:
      console_.set_level(7);
      break;
    case SignalRequest::LogInfo:
      console_.set_level(6);
      break;
    case SignalRequest::Reexecute:
      console_.line(4, "", "re-execution is not available yet, the signal is ignored");
      break;
  }
}

/// $NOTIFY_SOCKET of whoever started us: READY=1 once the start has ended.
void ManagerProcess::tell_upwards() {
  if (container_.notify_socket.empty()) return;
  if (!told_ready_ && manager_->system_state() != SystemState::Starting &&
      manager_->system_state() != SystemState::Initializing) {
    told_ready_ = true;
    (void)send_notify(container_.notify_socket, "READY=1\nSTATUS=Ready.");
  }
  if (!told_stopping_ && manager_->stopping()) {
    told_stopping_ = true;
    (void)send_notify(container_.notify_socket, "STOPPING=1\nSTATUS=Shutting down.");
  }
}

int ManagerProcess::finish() {
  tell_upwards();
  FinalPhase phase;
  phase.objective = manager_->objective();
  phase.exit_status = manager_->exit_status();
  phase.container = surroundings_ != Surroundings::Machine;
  if (phase.container) phase.patience = kContainerPatience;
  server_->close_all();
  if (!runtime_.path.empty()) {
    (void)unlink(format("{}/{}", runtime_.path, kControlSocketName).c_str());
    (void)unlink(format("{}/{}", runtime_.path, kNotifySocketName).c_str());
  }
  if (!container_.notify_socket.empty()) {
    (void)send_notify(container_.notify_socket, format("EXIT_STATUS={}", phase.exit_status));
  }
  return leave(phase, console_);
}

// ---- what is told -------------------------------------------------------------------

void ManagerProcess::log(Say::Level level, std::string_view unit, std::string_view text) {
  console_.line(syslog_level(level), unit, text);
  if (manager_ == nullptr || unit.empty()) return;
  if (level != Say::Level::Warning && level != Say::Level::Error) return;
  manager_->note_problem(manager_->graph().find(unit), text);
}

void ManagerProcess::job_queued(const Job& job) { service_->job_queued(job); }

void ManagerProcess::job_done(const Job& job, JobResult result) {
  service_->job_done(job, result);
  if (!show_status_ || result != JobResult::Done) return;
  const Unit& unit = manager_->graph().unit(job.unit);
  const std::string_view what = unit.config.description.empty() ? std::string_view(unit.id) : unit.config.description;
  const bool is_target = unit.type == UnitType::Target;
  if (job.type == JobType::Start && manager_->active_state(job.unit) == ActiveState::Active) {
    console_.line(6, unit.id, format("{} {}", is_target ? "reached" : "started", what));
  } else if (job.type == JobType::Stop) {
    console_.line(6, unit.id, format("stopped {}", what));
  } else if (job.type == JobType::Reload) {
    console_.line(6, unit.id, format("reloaded {}", what));
  }
}

void ManagerProcess::unit_changed(UnitId id) { service_->unit_changed(id); }

}  // namespace

int run_manager(const InitOptions& options, char** environment) {
  try {
    return ManagerProcess(options, environment).run();
  } catch (const std::bad_alloc&) {
    constexpr std::string_view kText = "onset: no memory to start with\n";
    (void)!write(STDERR_FILENO, kText.data(), kText.size());
    return 1;
  }
}

}  // namespace onset
