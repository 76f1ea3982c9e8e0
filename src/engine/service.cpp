// step(): the event goes to its handler in the service machine.
#include "engine/service.h"

#include "engine/service_machine.h"

namespace onset {

ServiceStep step(const Unit& unit, const ServiceState& state, const ServiceEvent& event,
                 const ServiceContext& context) {
  if (unit.service == nullptr) return ServiceStep{state, {}, {}};
  ServiceMachine machine(unit, state, context);
  std::visit([&machine](const auto& e) { machine.handle(e); }, event);
  return std::move(machine).result();
}

ServiceStep adopt(const Unit& unit, const ServiceState& state, const ServiceContext& context) {
  if (unit.service == nullptr) return ServiceStep{state, {}, {}};
  ServiceMachine machine(unit, state, context);
  machine.adopt();
  return std::move(machine).result();
}

void ServiceMachine::adopt() {
  if (watchdog_period() <= Duration::zero() || watchdog_period() == kInfinity) {
    state_.watchdog_deadline = kNever;
  }
  if (state_.phase != ServicePhase::Start) return;
  const bool simple = config_.type == ServiceType::Simple || config_.type == ServiceType::Idle;
  if (state_.guarded_idle != 0 && config_.type != ServiceType::Idle) {
    state_.deadline = context_.now.mono;
  } else if (simple && main_alive()) {
    state_.deadline = context_.now.mono;
  }
}

}  // namespace onset
