#pragma once
// The inside of step(): one object is one step. An event's handler moves the
// state and collects actions; what it calls enter_X() moves on to phase X, or
// past it where X has nothing to do.
//
//   start   condition → start-pre → start → start-post → running
//   stop    stop → stop-sigterm → stop-sigkill → stop-post
//           → final-sigterm → final-sigkill → dead, failed or a restart
//
// Rooms: service_start, service_stop, service_exit (processes that end),
// service_main_pid, service_reload, service_restart (how it ends), service_timeout (deadlines),
// service_notify (sd_notify). Shared parts: service_machine.cpp.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/service.h"

namespace onset {

constexpr bool is_reload(ServicePhase p) {
  return p == ServicePhase::Reload || p == ServicePhase::ReloadSignal ||
         p == ServicePhase::ReloadNotify;
}

/// "ExecStartPre=".
std::string_view exec_directive(ExecRole role);

class ServiceMachine {
 public:
  /// `unit.service` is there.
  ServiceMachine(const Unit& unit, const ServiceState& state, const ServiceContext& context);

  void handle(const StartRequested&);
  void handle(const StartLimitHit&);
  void handle(const StopRequested&);
  void handle(const ReloadRequested&);
  void handle(const Spawned& event);
  void handle(const SpawnFailed& event);
  void handle(const ExecDone& event);
  void handle(const ProcessExited& event);
  void handle(const UnitEmpty&);
  void handle(const KillAnswer& event);
  void handle(const MainPidFound& event);
  void handle(const DeadlineElapsed&);
  void handle(const WatchdogElapsed&);
  void handle(const BusNameChanged& event);
  void handle(const OomKilled&);
  void handle(const QueueIdle&);
  void handle(const NotifyMessage& message);
  void handle(const RestartQueued&);
  void handle(const Passed&);
  void handle(const ResetFailed&);
  // What only sockets hear.
  void handle(const SocketsOpened&) {}
  void handle(const SocketNews&) {}
  void handle(const AutomountNews&) {}

  void adopt();

  ServiceStep result() &&;

 private:
  // ---- start (service_start.cpp) --------------------------------------------
  void enter_condition();
  void enter_start_pre();
  void enter_start();
  void launch_main();
  void enter_start_post();
  void enter_running(ServiceResult f, bool known_empty = false);
  [[nodiscard]] bool is_good(bool known_empty) const;
  [[nodiscard]] bool refuses_leftovers() const;

  // ---- stop (service_stop.cpp) ----------------------------------------------
  void enter_stop(ServiceResult f);
  void enter_stop_by_notify();
  void enter_signal(ServicePhase phase, ServiceResult f);
  void enter_stop_post(ServiceResult f);
  void enter_stop_post_if_any();
  /// SIGKILL, or where SendSIGKILL=no what comes after it.
  void enter_kill(ServiceResult f);
  void enter_final_kill(ServiceResult f);

  // ---- how it ends (service_restart.cpp) --------------------------------------
  void enter_dead(ServiceResult f, bool allow_restart);
  void give_up_restart();
  void wait_for_restart();
  [[nodiscard]] bool shall_restart() const;
  [[nodiscard]] Duration restart_delay() const;

  // ---- processes that end (service_exit.cpp) ----------------------------------
  void main_exited(const ExitStatus& status);
  void main_gone();
  void main_gone_but_not_the_unit(ServiceResult f);
  void main_gone_for_good(ServiceResult f);
  void control_exited(const ExitStatus& status);
  void control_done(ServiceResult f);
  [[nodiscard]] ServiceResult exit_result(const ExitStatus& status, bool as_daemon) const;
  void report_exit(std::string_view who, const ExitStatus& status, ServiceResult f);

  // ---- the main process, the empty unit (service_main_pid.cpp) ----------------
  /// The starting process of Type=forking, or ExecStartPost=, ended well.
  void find_main(bool watch);
  void main_not_found();
  void main_settled();

  // ---- reload (service_reload.cpp) --------------------------------------------
  void enter_reload_by_notify();
  void conclude_reload();

  // ---- deadlines (service_timeout.cpp) ----------------------------------------
  void start_timed_out();
  void stop_timed_out();
  void stop_post_timed_out();
  void reload_timed_out();

  // ---- sd_notify (service_notify.cpp) -----------------------------------------
  void notify_main_pid(const NotifyMessage& message);
  void notify_ready(const NotifyMessage& message);
  void notify_reloading(const NotifyMessage& message);
  void extend_timeout(Duration by);

  // ---- shared (service_machine.cpp) -------------------------------------------
  void set_phase(ServicePhase phase);
  /// The first failure is the result.
  void note(ServiceResult f);
  void spawn(ExecRole role, std::uint16_t index);
  void spawn_main(std::uint16_t index);
  void set_main(pid_t pid, bool alien);
  void pet_watchdog();
  void act(ServiceAction action) { actions_.push_back(std::move(action)); }
  void say(Say::Level level, std::string text) { act(Say{level, std::move(text)}); }

  [[nodiscard]] const std::vector<ExecCommand>& commands(ExecRole role) const {
    return config_.commands(role);
  }
  [[nodiscard]] bool has(ExecRole role) const { return !commands(role).empty(); }
  [[nodiscard]] bool main_alive() const { return state_.main.pid > 0; }
  [[nodiscard]] bool control_alive() const { return state_.control.pid > 0; }
  [[nodiscard]] bool is_notify() const {
    return config_.type == ServiceType::Notify || config_.type == ServiceType::NotifyReload;
  }
  [[nodiscard]] bool main_ignores_failure() const;
  [[nodiscard]] bool control_ignores_failure() const;
  /// GuessMainPID= counts for Type=forking without PIDFile= alone.
  [[nodiscard]] bool may_guess() const;

  [[nodiscard]] Duration start_timeout() const;
  [[nodiscard]] Duration stop_timeout() const;
  [[nodiscard]] Duration abort_timeout() const;
  [[nodiscard]] Duration watchdog_period() const;
  [[nodiscard]] MonoTime after(Duration d) const { return context_.now.mono + d; }
  /// `limit` from now, or less where the shutdown's budget wants it.
  [[nodiscard]] MonoTime stop_deadline(ServicePhase phase, Duration limit) const;

  const Unit& unit_;
  const ServiceConfig& config_;
  const KillConfig& kill_;
  const ServiceContext& context_;
  const ServicePhase before_;
  ServiceState state_;
  std::vector<ServiceAction> actions_;
};

}  // namespace onset
