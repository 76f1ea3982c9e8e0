#include "support/event_names.h"

namespace onset::test {
namespace {

std::string_view of_notification(const NotifyMessage& m) {
  if (m.watchdog_trigger) return "WATCHDOG=trigger";
  if (m.stopping) return "STOPPING=1";
  if (m.reloading) return "RELOADING=1";
  if (m.ready) return "READY=1";
  return m.main_pid ? "MAINPID=" : "other";
}

struct NameOf {
  const ServiceState& state;
  std::string_view operator()(const StartRequested&) const { return "start"; }
  std::string_view operator()(const StartLimitHit&) const { return "start limit"; }
  std::string_view operator()(const StopRequested&) const { return "stop"; }
  std::string_view operator()(const ReloadRequested&) const { return "reload"; }
  std::string_view operator()(const Spawned&) const { return "spawned"; }
  std::string_view operator()(const SpawnFailed&) const { return "spawn failed"; }
  std::string_view operator()(const ExecDone&) const { return "execve done"; }
  std::string_view operator()(const ProcessExited& e) const {
    const bool is_zero = e.status.kind == ExitKind::Exited && e.status.value == 0;
    if (e.pid == state.main.pid) return is_zero ? "main exits, 0" : "main exits, 1";
    return is_zero ? "command exits, 0" : "command exits, 1";
  }
  std::string_view operator()(const UnitEmpty&) const { return "unit empty"; }
  std::string_view operator()(const KillAnswer&) const { return "kill answered"; }
  std::string_view operator()(const MainPidFound&) const { return "main found"; }
  std::string_view operator()(const DeadlineElapsed&) const { return "deadline"; }
  std::string_view operator()(const WatchdogElapsed&) const { return "watchdog"; }
  std::string_view operator()(const BusNameChanged& e) const {
    return e.owned ? "name owned" : "name lost";
  }
  std::string_view operator()(const OomKilled&) const { return "OOM kill"; }
  std::string_view operator()(const QueueIdle&) const { return "queue idle"; }
  std::string_view operator()(const NotifyMessage& m) const { return of_notification(m); }
  std::string_view operator()(const RestartQueued&) const { return "restart queued"; }
  std::string_view operator()(const Passed&) const { return "passed"; }
  std::string_view operator()(const SocketsOpened&) const { return "sockets opened"; }
  std::string_view operator()(const SocketNews&) const { return "socket news"; }
  std::string_view operator()(const AutomountNews&) const { return "automount news"; }
  std::string_view operator()(const ResetFailed&) const { return "reset-failed"; }
};

}  // namespace

std::string_view event_name(const ServiceEvent& event, const ServiceState& state) {
  return std::visit(NameOf{state}, event);
}

}  // namespace onset::test
