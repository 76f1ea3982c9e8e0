// docs/states.md, the states of an automount: the table there is what this makes of step().

#include <catch2/catch.hpp>

#include "base/format.h"
#include "engine/automount.h"
#include "support/service_world.h"
#include "support/states_document.h"

namespace onset::test {
namespace {

using P = AutomountPhase;
using News = AutomountNews::What;

constexpr std::string_view kMaker = "automount_states_test";

Unit automount_unit() {
  Unit unit;
  unit.id = "a.automount";
  unit.type = UnitType::Automount;
  unit.automount = std::make_unique<AutomountConfig>();
  unit.automount->where = "/a";
  unit.automount->timeout_idle = std::chrono::seconds(9);
  return unit;
}

ServiceContext context() {
  ServiceContext c;
  c.now.mono = MonoTime{1000000};
  return c;
}

bool always_has_process(P p) {
  return p == P::Mounting || p == P::Ending || p == P::Unmounting || p == P::UnmountingSigkill;
}

struct Before {
  P phase;
  bool has_process;
};

std::vector<Before> every_state() {
  std::vector<Before> all;
  for (unsigned p = 0; p < kAutomountPhases; ++p) {
    const P phase = static_cast<P>(p);
    if (!always_has_process(phase)) all.push_back({phase, false});
    if (always_has_process(phase) || phase == P::Running) all.push_back({phase, true});
  }
  return all;
}

/// As it is while it lasts.
AutomountState state_in(const Before& before) {
  AutomountState s;
  s.phase = before.phase;
  if (before.has_process) s.control.pid = s.control.last_pid = 7;
  s.is_up = before.phase == P::Running ? 1 : 0;
  s.deadline =
      always_has_process(before.phase) || (before.phase == P::Running && !before.has_process)
          ? MonoTime{1000000}
          : kNever;
  if (before.phase == P::Failed) s.result = ServiceResult::Resources;
  return s;
}

struct Row {
  const char* name;
  ServiceEvent event;
  bool takes = false;  ///< the answer to Take
};

const Row kRows[] = {
    {"start", StartRequested{}},
    {"start limit hit", StartLimitHit{}},
    {"stop", StopRequested{}},
    {"process ends well", ProcessExited{7, {ExitKind::Exited, 0}}},
    {"process fails", ProcessExited{7, {ExitKind::Exited, 1}}},
    {"deadline", DeadlineElapsed{}},
    {"taken", Spawned{}, true},
    {"not taken", SpawnFailed{SysError{"autofs", 5}}, true},
    {"somebody looks", AutomountNews{News::Asked}},
    {"it is idle", AutomountNews{News::ExpiryAsked}},
    {"point is gone", AutomountNews{News::Gone}},
    {"mount is up", AutomountNews{News::MountUp}},
    {"mount is down", AutomountNews{News::MountDown}},
    {"mount at its start limit", AutomountNews{News::MountLimited}},
    {"mount can't be queued", AutomountNews{News::Refused}},
    {"reset-failed", ResetFailed{}},
};

std::string table() {
  std::string out =
      "| phase | process | event | next | actions | result |\n|---|---|---|---|---|---|\n";
  const Unit unit = automount_unit();
  for (const Before& at : every_state()) {
    for (const Row& row : kRows) {
      AutomountState before = state_in(at);
      if (row.takes && at.phase != P::Mounting) continue;
      if (row.takes) {
        before.control.pid = 0;
        before.take_pending = 1;
      }
      const AutomountStep after = step(unit, before, row.event, context());
      std::string actions;
      for (const ServiceAction& action : after.actions) {
        if (std::holds_alternative<Say>(action)) continue;
        actions += format("{}{}", actions.empty() ? "" : ", ", to_text(action));
      }
      if (actions.empty() && after.state.phase == before.phase) continue;
      const bool is_new = after.state.result != before.result;
      out += format("| {} | {} | {} | {} | {} | {} |\n", to_string(before.phase),
                    before.control.pid > 0 ? "yes" : "no", row.name, to_string(after.state.phase),
                    actions, is_new ? to_string(after.state.result) : std::string_view());
    }
  }
  return out;
}

}  // namespace

TEST_CASE("docs/states.md shows the states of an automount as they are", "[engine][automount]") {
  INFO("if the change is meant: engine_tests \"docs/states.md gets its automounts anew\"");
  CHECK(shown_in_states(kMaker) == "\n" + table() + "\n");
}

TEST_CASE("docs/states.md gets its automounts anew", "[.][write]") {
  write_into_states(kMaker, "\n" + table() + "\n");
}

TEST_CASE("of an automount's actions one at most is answered, and it is the last",
          "[engine][automount]") {
  const Unit unit = automount_unit();
  for (const Before& at : every_state()) {
    for (const Row& row : kRows) {
      const AutomountStep after = step(unit, state_in(at), row.event, context());
      for (std::size_t i = 0; i + 1 < after.actions.size(); ++i) {
        CAPTURE(to_string(at.phase), row.name);
        CHECK_FALSE(is_answered(after.actions[i]));
      }
    }
  }
}

}  // namespace onset::test
