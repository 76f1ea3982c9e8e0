// The table of scopes in docs/states.md, made by running step().
#include <catch2/catch.hpp>

#include <array>
#include <memory>

#include "base/format.h"
#include "engine/scope.h"
#include "support/service_world.h"
#include "support/states_document.h"

namespace onset::test {
namespace {

constexpr std::string_view kMaker = "scope_states_test";
constexpr MonoTime kNow{1000000};

struct Happening {
  std::string_view name;
  ServiceEvent event;
};
const std::array kHappenings{
    Happening{"start", StartRequested{}},
    Happening{"start limit", StartLimitHit{}},
    Happening{"there is no process", SpawnFailed{SysError{"adopt", ESRCH}}},
    Happening{"stop", StopRequested{}},
    Happening{"nobody was signalled", KillAnswer{false}},
    Happening{"the last process ends", UnitEmpty{}},
    Happening{"deadline", DeadlineElapsed{}},
    Happening{"out of memory", OomKilled{}},
    Happening{"reset-failed", ResetFailed{}},
};

std::unique_ptr<Unit> scope_unit() {
  auto unit = std::make_unique<Unit>();
  unit->id = "a.scope";
  unit->type = UnitType::Scope;
  unit->is_transient = true;
  unit->scope = std::make_unique<ScopeConfig>();
  return unit;
}

ScopeState state_in(ScopePhase phase) {
  ScopeState s;
  s.phase = phase;
  const ActiveState active = active_state(phase);
  if (active == ActiveState::Active || active == ActiveState::Deactivating) s.deadline = kNow;
  if (active == ActiveState::Deactivating) s.kill_pending = 1;
  if (phase == ScopePhase::Failed) s.result = ServiceResult::Timeout;
  return s;
}

std::string row(const ScopeState& before, std::string_view name, const ScopeStep& step) {
  std::string actions;
  for (const ServiceAction& action : step.actions) {
    if (std::holds_alternative<Say>(action)) continue;
    if (!actions.empty()) actions += ", ";
    actions += to_text(action);
  }
  const bool is_same = before.phase == step.state.phase && before.result == step.state.result;
  if (is_same && actions.empty()) return {};
  const bool is_told = step.state.result != before.result || before.phase == ScopePhase::Failed;
  return format("| {} | {} | {} | {} | {} |\n", to_string(before.phase), name,
                to_string(step.state.phase), actions,
                is_told ? to_string(step.state.result) : std::string_view());
}

std::string table() {
  std::string out = "| phase | event | next | actions | result |\n|---|---|---|---|---|\n";
  const auto unit = scope_unit();
  ServiceContext context;
  context.now = {kNow, {}};
  for (unsigned i = 0; i < kScopePhases; ++i) {
    const ScopeState before = state_in(static_cast<ScopePhase>(i));
    for (const Happening& happening : kHappenings) {
      out += row(before, happening.name, step(*unit, before, happening.event, context));
    }
    out += row(before, "abandon", step(*unit, before, ScopeAbandoned{}, context));
  }
  return out;
}

TEST_CASE("docs/states.md shows scopes as their machine is", "[engine][scope]") {
  INFO("if the change is meant: engine_tests \"docs/states.md gets its scopes anew\"");
  CHECK(shown_in_states(kMaker) == "\n" + table() + "\n");
}

TEST_CASE("docs/states.md gets its scopes anew", "[.][write]") {
  write_into_states(kMaker, "\n" + table() + "\n");
}

}  // namespace
}  // namespace onset::test
