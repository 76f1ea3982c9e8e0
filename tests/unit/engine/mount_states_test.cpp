// The table of mounts and swaps in docs/states.md, made by running step().
#include <catch2/catch.hpp>

#include <array>
#include <memory>

#include "base/format.h"
#include "engine/mount.h"
#include "support/service_world.h"
#include "support/states_document.h"

namespace onset::test {
namespace {

constexpr std::string_view kMaker = "mount_states_test";
constexpr pid_t kCommand = 7;
constexpr MonoTime kNow{1000000};

struct Happening {
  std::string_view name;
  ServiceEvent event;
};
const std::array kHappenings{
    Happening{"start", StartRequested{}},
    Happening{"start limit", StartLimitHit{}},
    Happening{"stop", StopRequested{}},
    Happening{"reload", ReloadRequested{}},
    Happening{"command exits, 0", ProcessExited{kCommand, {ExitKind::Exited, 0}}},
    Happening{"command exits, 1", ProcessExited{kCommand, {ExitKind::Exited, 1}}},
    Happening{"command is killed", ProcessExited{kCommand, {ExitKind::Killed, 15}}},
    Happening{"command can't be run", SpawnFailed{SysError{"fork", EAGAIN}}},
    Happening{"deadline", DeadlineElapsed{}},
    Happening{"reset-failed", ResetFailed{}},
};

std::unique_ptr<Unit> mount_unit() {
  auto unit = std::make_unique<Unit>();
  unit->id = "a.mount";
  unit->type = UnitType::Mount;
  unit->mount = std::make_unique<MountConfig>();
  unit->mount->what = "/dev/a";
  unit->mount->where = "/a";
  return unit;
}

MountState state_in(MountPhase phase, bool is_there) {
  MountState s;
  s.phase = phase;
  s.is_there = is_there ? 1 : 0;
  const ActiveState active = active_state(phase);
  const bool has_process = active != ActiveState::Inactive && active != ActiveState::Failed &&
                           phase != MountPhase::Mounted;
  if (has_process) s.control.pid = kCommand;
  if (has_process) s.deadline = kNow;
  if (phase == MountPhase::Failed) s.result = ServiceResult::ExitCode;
  return s;
}

/// Whether the kernel can have it in this phase.
bool may_be(MountPhase phase, bool is_there) {
  switch (phase) {
    case MountPhase::Dead:
    case MountPhase::Mounting:
    case MountPhase::Failed:
      return !is_there;
    case MountPhase::MountingDone:
    case MountPhase::Mounted:
      return is_there;
    case MountPhase::Remounting:
    case MountPhase::Unmounting:
    case MountPhase::RemountingSigterm:
    case MountPhase::RemountingSigkill:
    case MountPhase::UnmountingSigterm:
    case MountPhase::UnmountingSigkill:
      return true;
  }
  return true;
}

std::string row(const MountState& before, bool is_there, std::string_view name,
                const MountStep& step) {
  std::string actions;
  for (const ServiceAction& action : step.actions) {
    if (std::holds_alternative<Say>(action)) continue;
    if (!actions.empty()) actions += ", ";
    actions += to_text(action);
  }
  const bool is_same = before.phase == step.state.phase && before.result == step.state.result;
  if (is_same && actions.empty()) return {};
  const std::string_view result =
      step.state.result == before.result && before.phase != MountPhase::Failed
          ? std::string_view()
          : to_string(step.state.result);
  return format("| {} | {} | {} | {} | {} | {} |\n", to_string(before.phase),
                is_there ? "yes" : "no", name, to_string(step.state.phase), actions, result);
}

std::string table() {
  std::string out =
      "| phase | in the table | event | next | actions | result |\n|---|---|---|---|---|---|\n";
  const auto unit = mount_unit();
  ServiceContext context;
  context.now = {kNow, {}};
  for (unsigned i = 0; i < kMountPhases; ++i) {
    for (const bool is_there : {false, true}) {
      const auto phase = static_cast<MountPhase>(i);
      if (!may_be(phase, is_there)) continue;
      const MountState before = state_in(phase, is_there);
      for (const Happening& happening : kHappenings) {
        MountState at = before;
        const bool is_answer = std::holds_alternative<SpawnFailed>(happening.event);
        if (is_answer && at.control.pid == 0) continue;
        if (is_answer) {
          at.spawn_pending = 1;
          at.control.pid = 0;
        }
        out += row(at, is_there, happening.name, step(*unit, at, happening.event, context));
      }
      out += row(before, is_there, is_there ? "disappears" : "appears",
                 step(*unit, before, MountChanged{!is_there}, context));
    }
  }
  return out;
}

TEST_CASE("docs/states.md shows mounts as their machine is", "[engine][mount]") {
  INFO("if the change is meant: engine_tests \"docs/states.md gets its mounts anew\"");
  CHECK(shown_in_states(kMaker) == "\n" + table() + "\n");
}

TEST_CASE("docs/states.md gets its mounts anew", "[.][write]") {
  write_into_states(kMaker, "\n" + table() + "\n");
}

}  // namespace
}  // namespace onset::test
