// Scopes with processes: their state machine in the place of a service's, and how the processes
// come in.
#include "engine/manager.h"

namespace onset {

/// What is held for the unit comes into its group, or the start is over.
bool Manager::adopt_scope_processes(UnitId id) {
  const SysResult adopted = os_.adopt_processes(*graph_, id, starting() || stopping());
  if (adopted) return true;
  feed(id, SpawnFailed{adopted.error()});
  return false;
}

Result<void, RequestError> Manager::abandon(std::string_view unit, Timestamp now) {
  now_ = now;
  const auto refuse = [&](RequestErrorKind kind, std::string_view why) {
    return Failure{RequestError{kind, {}, std::string(unit) + std::string(why)}};
  };
  const UnitId id = graph_->find(unit);
  if (!id.valid()) return refuse(RequestErrorKind::NoSuchUnit, " is not loaded");
  if (!has_scope_processes(graph_->unit(id))) {
    return refuse(RequestErrorKind::Invalid, " is no scope with processes");
  }
  const ScopePhase phase = runtime_[id.value].scope.phase;
  if (phase != ScopePhase::Running && phase != ScopePhase::Abandoned) {
    return refuse(RequestErrorKind::Invalid, " is not running, cannot abandon it");
  }
  settle(id);
  {
    const MemoryReserve::Open finish = begin_change(id);
    (void)take_over(id, &UnitRuntime::scope,
                    step(graph_->unit(id), runtime_[id.value].scope, ScopeAbandoned{}, context(id)),
                    false);
  }
  dispatch();
  return {};
}

}  // namespace onset
