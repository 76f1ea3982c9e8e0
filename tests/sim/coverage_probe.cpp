// Sees every step of every service without a word in the engine: the linker gives the
// calls of onset::step() to wrapped() and the function itself the other name (--wrap).
#include "engine/service.h"
#include "sim/coverage.h"

namespace onset::sim {

ServiceStep real_step(const Unit& unit, const ServiceState& state, const ServiceEvent& event,
                      const ServiceContext& context) asm("__real_" ONSET_STEP_SYMBOL);
ServiceStep wrapped(const Unit& unit, const ServiceState& state, const ServiceEvent& event,
                    const ServiceContext& context) asm("__wrap_" ONSET_STEP_SYMBOL);

ServiceStep wrapped(const Unit& unit, const ServiceState& state, const ServiceEvent& event,
                    const ServiceContext& context) {
  ServiceStep result = real_step(unit, state, event, context);
  if (Coverage* c = coverage(); c != nullptr)
    c->step(state.phase, event, state, result.state.phase);
  return result;
}

}  // namespace onset::sim
