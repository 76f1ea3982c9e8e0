#include "graph/applicable.h"

#include <algorithm>

#include "graph/atoms.h"

namespace onset {

bool is_perpetual(const Unit& unit) {
  return unit.id == "-.slice" || unit.id == "system.slice" || unit.id == "init.scope" ||
         unit.id == "-.mount";
}

bool can_reload(const UnitGraph& graph, UnitId id) {
  const Unit& unit = graph.unit(id);
  if (unit.type == UnitType::Service) {
    return unit.service != nullptr && (unit.service->type == ServiceType::NotifyReload ||
                                       !unit.service->commands(ExecRole::Reload).empty());
  }
  if (unit.type == UnitType::Mount) return true;
  constexpr DependencySet kPasses = kinds_with(Atom::PropagateReload);
  const auto dependencies = graph.dependencies(id);
  return std::any_of(dependencies.begin(), dependencies.end(),
                     [&](const Dependency& d) { return d.kinds.any(kPasses); });
}

bool is_applicable(const UnitGraph& graph, UnitId id, JobType type) {
  const Unit& unit = graph.unit(id);
  switch (type) {
    case JobType::Start:
    case JobType::VerifyActive:
    case JobType::Nop:
      return true;
    case JobType::Stop:
      return !is_perpetual(unit);
    case JobType::Restart:
    case JobType::TryRestart:
      // A device comes and goes with the hardware: there is only waiting for it.
      return !is_perpetual(unit) && unit.type != UnitType::Device;
    case JobType::Reload:
    case JobType::TryReload:
      return can_reload(graph, id);
    case JobType::ReloadOrStart:
      return can_reload(graph, id) && unit.type != UnitType::Device;
  }
  return false;
}

}  // namespace onset
