// The words of the phases and results, and what a phase means to a job.
#include "engine/service_state.h"

namespace onset {

std::string_view to_string(ExitKind k) {
  switch (k) {
    case ExitKind::None:
      return "";
    case ExitKind::Exited:
      return "exited";
    case ExitKind::Killed:
      return "killed";
    case ExitKind::Dumped:
      return "dumped";
  }
  return "";
}

ExitStatus last_exit(const ServiceState& s) {
  // Of a start that ExecCondition= forbade it is that command's.
  const ServiceProcess& process = s.result == ServiceResult::ExecCondition ? s.control : s.main;
  return process.pid != 0 ? ExitStatus{} : process.last;
}

std::string_view to_string(ServicePhase p) {
  switch (p) {
    case ServicePhase::Dead:
      return "dead";
    case ServicePhase::Condition:
      return "condition";
    case ServicePhase::StartPre:
      return "start-pre";
    case ServicePhase::Start:
      return "start";
    case ServicePhase::StartPost:
      return "start-post";
    case ServicePhase::Running:
      return "running";
    case ServicePhase::Exited:
      return "exited";
    case ServicePhase::Reload:
      return "reload";
    case ServicePhase::ReloadSignal:
      return "reload-signal";
    case ServicePhase::ReloadNotify:
      return "reload-notify";
    case ServicePhase::Stop:
      return "stop";
    case ServicePhase::StopWatchdog:
      return "stop-watchdog";
    case ServicePhase::StopSigterm:
      return "stop-sigterm";
    case ServicePhase::StopSigkill:
      return "stop-sigkill";
    case ServicePhase::StopPost:
      return "stop-post";
    case ServicePhase::FinalWatchdog:
      return "final-watchdog";
    case ServicePhase::FinalSigterm:
      return "final-sigterm";
    case ServicePhase::FinalSigkill:
      return "final-sigkill";
    case ServicePhase::Failed:
      return "failed";
    case ServicePhase::DeadBeforeAutoRestart:
      return "dead-before-auto-restart";
    case ServicePhase::FailedBeforeAutoRestart:
      return "failed-before-auto-restart";
    case ServicePhase::AutoRestart:
      return "auto-restart";
    case ServicePhase::AutoRestartQueued:
      return "auto-restart-queued";
  }
  return "";
}

std::string_view to_string(ServiceResult r) {
  switch (r) {
    case ServiceResult::Success:
      return "success";
    case ServiceResult::Protocol:
      return "protocol";
    case ServiceResult::Timeout:
      return "timeout";
    case ServiceResult::ExitCode:
      return "exit-code";
    case ServiceResult::Signal:
      return "signal";
    case ServiceResult::CoreDump:
      return "core-dump";
    case ServiceResult::Watchdog:
      return "watchdog";
    case ServiceResult::StartLimitHit:
      return "start-limit-hit";
    case ServiceResult::Resources:
      return "resources";
    case ServiceResult::ExecCondition:
      return "exec-condition";
    case ServiceResult::OomKill:
      return "oom-kill";
    case ServiceResult::TriggerLimitHit:
      return "trigger-limit-hit";
    case ServiceResult::ServiceStartLimitHit:
      return "service-start-limit-hit";
    case ServiceResult::MountStartLimitHit:
      return "mount-start-limit-hit";
  }
  return "";
}

ActiveState active_state(ServicePhase p, ServiceType type) {
  switch (p) {
    case ServicePhase::Dead:
    case ServicePhase::DeadBeforeAutoRestart:
      return ActiveState::Inactive;
    case ServicePhase::Condition:
    case ServicePhase::StartPre:
    case ServicePhase::Start:
    case ServicePhase::StartPost:
      // Type=idle waits for the job queue to run empty, so its own job must not wait for it.
      return type == ServiceType::Idle ? ActiveState::Active : ActiveState::Activating;
    case ServicePhase::Running:
    case ServicePhase::Exited:
      return ActiveState::Active;
    case ServicePhase::Reload:
    case ServicePhase::ReloadSignal:
    case ServicePhase::ReloadNotify:
      return ActiveState::Reloading;
    case ServicePhase::Stop:
    case ServicePhase::StopWatchdog:
    case ServicePhase::StopSigterm:
    case ServicePhase::StopSigkill:
    case ServicePhase::StopPost:
    case ServicePhase::FinalWatchdog:
    case ServicePhase::FinalSigterm:
    case ServicePhase::FinalSigkill:
      return ActiveState::Deactivating;
    case ServicePhase::Failed:
    case ServicePhase::FailedBeforeAutoRestart:
      return ActiveState::Failed;
    case ServicePhase::AutoRestart:
    case ServicePhase::AutoRestartQueued:
      return ActiveState::Activating;
  }
  return ActiveState::Inactive;
}

ServiceResult command_result(const ExitStatus& status) {
  switch (status.kind) {
    case ExitKind::Exited:
    case ExitKind::None:
      return status.value == 0 ? ServiceResult::Success : ServiceResult::ExitCode;
    case ExitKind::Killed:
      return ServiceResult::Signal;
    case ExitKind::Dumped:
      return ServiceResult::CoreDump;
  }
  return ServiceResult::Success;
}

}  // namespace onset
