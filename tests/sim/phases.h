#pragma once
// The phases of a service in groups, as the manuals speak of them. Written anew, not
// taken from the engine: what checks it must not share its mistakes.

#include "engine/service_state.h"

namespace onset::sim {

constexpr bool is_down(ServicePhase p) {
  return p == ServicePhase::Dead || p == ServicePhase::Failed;
}
/// No process, and none on its way before a job comes.
constexpr bool rests(ServicePhase p) {
  return is_down(p) || p == ServicePhase::DeadBeforeAutoRestart ||
         p == ServicePhase::FailedBeforeAutoRestart || p == ServicePhase::AutoRestart ||
         p == ServicePhase::AutoRestartQueued;
}
constexpr bool goes_down(ServicePhase p) {
  return p >= ServicePhase::Stop && p <= ServicePhase::FinalSigkill;
}
constexpr bool goes_up(ServicePhase p) {
  return p >= ServicePhase::Condition && p <= ServicePhase::StartPost;
}
constexpr bool goes_up_or_runs(ServicePhase p) {
  return p >= ServicePhase::Condition && p <= ServicePhase::ReloadNotify;
}
/// What a start, a stop or a reload passes through: it can't last for ever.
constexpr bool is_passing(ServicePhase p) {
  return !is_down(p) && p != ServicePhase::Running && p != ServicePhase::Exited;
}

}  // namespace onset::sim
