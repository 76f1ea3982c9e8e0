#pragma once
// PID 1 at work: the composition root. Owns the loop, the engine, the kernel side
// and the control server, and carries what one of them says to the other.
//
//   signals ─┐
//   notify  ─┤                ┌─→ RealOs ─→ kernel
//   children ├─→ Manager ─────┤
//   control ─┤                └─→ ManagerInterface ─→ clients
//   timers  ─┘
//
// Order within one turn: notifications before exits, so that a process that
// sends its last word and dies is heard.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/manager_interface.h"
#include "control/server.h"
#include "engine/manager.h"
#include "engine/memory_reserve.h"
#include "init/boot_display.h"
#include "init/boot_marks.h"
#include "init/configuration.h"
#include "init/console.h"
#include "init/container_interface.h"
#include "init/control_backend.h"
#include "init/final_phase.h"
#include "init/generator_run.h"
#include "init/notify_socket.h"
#include "init/options.h"
#include "init/runtime_directory.h"
#include "init/shutdown_timer.h"
#include "init/signal_table.h"
#include "init/starvation_watch.h"
#include "init/trigger_handlers.h"
#include "init/unit_files.h"
#include "init/unit_gate.h"
#include "loop/clock.h"
#include "loop/event_loop.h"
#include "loop/signals.h"
#include "os/device_watch.h"
#include "os/host_facts.h"
#include "os/mount_watch.h"
#include "os/real_os.h"
#include "os/watchdog.h"
#include "unit/kernel_command_line.h"

namespace onset {

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
  ManagerProcess(const InitOptions& options, char** environment);
  ManagerProcess(const ManagerProcess&) = delete;
  ManagerProcess& operator=(const ManagerProcess&) = delete;

  /// Until the objective is reached; the process's exit status.
  int run();

 private:
  // ---- set-up, in this order (manager_process_setup.cpp) ----------------------
  SysResult come_up();
  SysResult try_to_come_up();
  void begin();
  void take_down();
  SysResult set_up();
  void find_surroundings();
  void prepare_machine();
  void forget_transient_units();
  void find_runtime_directory();
  void read_configuration();
  SysResult open_kernel_side();
  void make_manager();
  void open_notify_socket();
  void open_control_socket();
  void listen_for_control();
  void reconnect();
  SysResult watch_all();

  void turn();
  void look_again_later();
  void end_as_planned(const Timestamp& now);
  void watch_hardware(Duration timeout);
  void settle();
  void rest(MonoTime now);
  void tell_what_is_there();
  void handle_signals();
  void handle_kernel();
  // ---- what is mounted (manager_process_mounts.cpp) ------------------------------
  void open_mount_watch();
  SysResult watch_mounts();
  void handle_mounts();
  void look_at_mounts();
  void tell_mounts();
  [[nodiscard]] bool is_mount_process(pid_t pid) const;
  // ---- what devices there are (manager_process_devices.cpp) ----------------------
  void open_device_watch();
  SysResult watch_devices();
  void handle_devices();
  void tell_devices();
  /// What a client asks for may fail: it has none of the reserve.
  void handle_control() {
    tell_what_is_there();
    server_->drain(read_clock());
  }
  // ---- generators and reloads (manager_process_reload.cpp) ----------------------
  void run_generators_at_boot();
  std::vector<std::string> generator_environment();
  GeneratorPlan plan_generators();
  std::unique_ptr<GeneratorRun> start_generators(const GeneratorPlan& plan);
  void take_report(const GeneratorReport& report);
  ReloadStep reload(Timestamp now);
  void handle_generators();
  void finish_reload();
  // ---- what children say and how they end (manager_process_children.cpp) --------
  void handle_notifications();
  void handle_notification(const NotifyDatagram& datagram);
  bool hear_last_words(unsigned& budget);
  void collect(pid_t pid);
  void reap();
  // ---- what a signal asks for (manager_process_signals.cpp) --------------------
  void act_on(SignalRequest request);
  bool is_burst();
  void shut_down(Objective objective, bool at_once);
  void reread_configuration(Diagnostics& diagnostics);
  void tell(const Diagnostics& diagnostics);
  // ---- what is shown of jobs (manager_process_status.cpp) ----------------------
  Console& screen() { return screen_ ? *screen_ : console_; }
  [[nodiscard]] bool displays() const;
  void show_begin(UnitId id);
  void show_end(const Job& job, JobResult result);
  void show_slow_jobs(MonoTime now);
  void start_target(std::string_view name, JobMode mode);
  void dump_state();
  void tell_starvation(const StarvationChange& change);
  void tell_upwards();
  void hand_over_watchdog(FinalPhase& phase);
  int finish() noexcept;

  // ---- LogSink ----------------------------------------------------------------
  void log(Say::Level level, std::string_view unit, std::string_view text) override;
  // ---- OsListener ---------------------------------------------------------------
  void exec_done(pid_t pid) override { manager_->exec_done(pid, read_clock()); }
  void unit_empty(UnitId id) override { manager_->unit_empty(id, read_clock()); }
  void unit_oom(UnitId id) override { manager_->oom_killed(id, read_clock()); }
  void unit_killed_for_memory(UnitId id, const std::string& why) override;
  void path_changed(UnitId id) override { manager_->path_changed(id, read_clock()); }
  void alien_exited(pid_t pid) override {
    manager_->process_exited(pid, {ExitKind::Exited, 0}, read_clock());
  }
  void automount_asked(UnitId id, AutomountAsks what, pid_t pid) override {
    manager_->automount_asked(id, what, pid, read_clock());
  }
  void socket_ready(UnitId id) override { manager_->socket_ready(id, read_clock()); }
  void bus_name_changed(UnitId id, const BusNameChanged& change) override {
    manager_->bus_name_changed(id, change, read_clock());
  }
  // ---- ManagerListener ------------------------------------------------------------
  void job_queued(const Job& job) override;
  void job_done(const Job& job, JobResult result) override;
  void unit_changed(UnitId id) override;
  [[nodiscard]] bool is_pinned(UnitId id) const override { return service_->is_pinned(id); }

  const InitOptions& options_;
  char** initial_environment_;
  std::vector<std::string> environment_;
  ContainerInterface container_;
  Console console_;
  Surroundings surroundings_ = Surroundings::Machine;
  bool in_initrd_ = false;
  std::string virtualization_;
  KernelRequest kernel_;
  std::string default_unit_;
  BootMarks marks_;
  RuntimeDirectory runtime_;
  std::string control_path_;  ///< of the sockets; empty without a runtime directory
  std::string notify_path_;
  HostFacts host_;
  std::unique_ptr<Configuration> configuration_;
  RealFiles files_;
  ShutdownTimer shutdown_timer_{files_, console_};
  Accounts accounts_{files_};
  std::optional<std::vector<Limit>> inherited_limits_;  ///< as they were before the first set-up
  MemoryReserve reserve_;  ///< for what the kernel tells, which it tells once
  std::unique_ptr<MountWatch> mounts_;
  std::unique_ptr<DeviceWatch> devices_;  ///< none in a container, or of a user
  std::unique_ptr<RealOs> os_;
  std::unique_ptr<LoadedFiles> units_;
  std::unique_ptr<Manager> manager_;
  std::unique_ptr<StarvationWatch> starvation_;
  std::unique_ptr<TriggerHandlers> triggers_;  ///< of os_
  std::unique_ptr<ProcessBackend> backend_;
  std::unique_ptr<UnitGate> gate_;
  std::unique_ptr<ManagerInterface> service_;
  std::unique_ptr<ControlServer> server_;
  std::unique_ptr<EventLoop> loop_;
  std::unique_ptr<SignalQueue> signals_;
  std::unique_ptr<NotifySocket> notify_;
  BootDisplay display_;               ///< of a machine; elsewhere its mode alone
  std::optional<Console> screen_;     ///< where the log goes elsewhere
  Watchdog watchdog_{open_watchdog};  ///< the machine's
  MonoTime ctrl_alt_del_begin_{0};
  unsigned ctrl_alt_del_count_ = 0;
  std::vector<std::string> search_path_;       ///< of units
  std::unique_ptr<GeneratorRun> generators_;   ///< of a reload that is under way
  unsigned reload_number_ = 0;                 ///< the latest one's
  bool reload_again_ = false;                  ///< asked for since it has begun
  SignalRequest asked_ = SignalRequest::None;  ///< by a signal, and not yet done
  bool children_ended_ = false;                ///< and not all of them were collected yet
  pid_t ended_ = 0;                            ///< the next of them
  std::optional<ExitStatus> how_it_ended_;     ///< the kernel has said it, and says it once
  unsigned words_left_ = 0;                    ///< so many datagrams may be from before its end
  bool told_of_unknown_sender_ = false;
  bool settled_ = false;
  MonoTime rest_at_ = kNever;  ///< when rest() acts
  bool has_found_ = false;     ///< what is there already has been told to the manager
  bool told_ready_ = false;
  bool told_stopping_ = false;

  Handler<ManagerProcess, &ManagerProcess::handle_signals> on_signals_{*this};
  Handler<ManagerProcess, &ManagerProcess::handle_notifications> on_notify_{*this};
  Handler<ManagerProcess, &ManagerProcess::handle_kernel> on_kernel_{*this};
  Handler<ManagerProcess, &ManagerProcess::handle_control> on_control_{*this};
  Handler<ManagerProcess, &ManagerProcess::handle_mounts> on_mounts_{*this};
  Handler<ManagerProcess, &ManagerProcess::handle_devices> on_devices_{*this};
  Handler<ManagerProcess, &ManagerProcess::handle_generators> on_generators_{*this};
};

/// Runs the manager until its objective is reached; the process's exit status.
int run_manager(const InitOptions& options, char** environment);

}  // namespace onset
