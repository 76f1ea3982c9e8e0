// docs/states.md, the states of a socket: the table there is what this makes of step().

#include <catch2/catch.hpp>

#include "base/format.h"
#include "engine/socket.h"
#include "support/service_world.h"
#include "support/states_document.h"

namespace onset::test {
namespace {

using P = SocketPhase;

constexpr std::string_view kMaker = "socket_states_test";

Unit unit_with_commands() {
  Unit unit;
  unit.id = "a.socket";
  unit.type = UnitType::Socket;
  unit.socket = std::make_unique<SocketConfig>();
  for (auto& commands : unit.socket->exec) {
    ExecCommand command;
    command.path = "/bin/true";
    commands.push_back(command);
  }
  return unit;
}

ServiceContext context() {
  ServiceContext c;
  c.now.mono = MonoTime{1000000};
  return c;
}

bool has_command(P p) {
  return p != P::Dead && p != P::StartChown && p != P::Listening && p != P::Running &&
         p != P::Failed;
}

/// As it is while it lasts.
SocketState state_in(P p) {
  SocketState s;
  s.phase = p;
  if (has_command(p)) s.control.pid = s.control.last_pid = 7;
  s.open_pending = p == P::StartChown ? 1 : 0;
  if (p == P::StopPre) s.control_role = ExecRole::Stop;
  if (p == P::StartPost) s.control_role = ExecRole::StartPost;
  if (p == P::StopPost) s.control_role = ExecRole::StopPost;
  s.deadline = has_command(p) ? MonoTime{1000000} : kNever;
  if (p == P::Failed) s.result = ServiceResult::Resources;
  return s;
}

struct Row {
  const char* name;
  ServiceEvent event;
};

const Row kRows[] = {
    {"start", StartRequested{}},
    {"start limit hit", StartLimitHit{}},
    {"stop", StopRequested{}},
    {"command ends well", ProcessExited{7, {ExitKind::Exited, 0}}},
    {"command fails", ProcessExited{7, {ExitKind::Exited, 1}}},
    {"deadline", DeadlineElapsed{}},
    {"sockets opened", SocketsOpened{true}},
    {"sockets not opened", SocketsOpened{false}},
    {"something comes in", SocketNews{SocketNews::What::Incoming}},
    {"service is up", SocketNews{SocketNews::What::ServiceUp}},
    {"service is down", SocketNews{SocketNews::What::ServiceDown}},
    {"service at its start limit", SocketNews{SocketNews::What::ServiceLimited}},
    {"service can't be queued", SocketNews{SocketNews::What::TriggerRefused}},
    {"reset-failed", ResetFailed{}},
};

std::string table() {
  std::string out =
      "One command in every list.\n\n"
      "| phase | event | next | actions | result |\n|---|---|---|---|---|\n";
  const Unit unit = unit_with_commands();
  for (unsigned p = 0; p < kSocketPhases; ++p) {
    for (const Row& row : kRows) {
      const SocketState before = state_in(static_cast<P>(p));
      const SocketStep after = step(unit, before, row.event, context());
      std::string actions;
      for (const ServiceAction& action : after.actions) {
        if (std::holds_alternative<Say>(action)) continue;
        actions += format("{}{}", actions.empty() ? "" : ", ", to_text(action));
      }
      if (actions.empty() && after.state.phase == before.phase) continue;
      const bool is_new = after.state.result != before.result;
      out += format("| {} | {} | {} | {} | {} |\n", to_string(before.phase), row.name,
                    to_string(after.state.phase), actions,
                    is_new ? to_string(after.state.result) : std::string_view());
    }
  }
  return out;
}

}  // namespace

TEST_CASE("docs/states.md shows the states of a socket as they are", "[engine][socket]") {
  INFO("if the change is meant: engine_tests \"docs/states.md gets its sockets anew\"");
  CHECK(shown_in_states(kMaker) == "\n" + table() + "\n");
}

TEST_CASE("docs/states.md gets its sockets anew", "[.][write]") {
  write_into_states(kMaker, "\n" + table() + "\n");
}

TEST_CASE("of a socket's actions one at most is answered, and it is the last", "[engine][socket]") {
  const Unit unit = unit_with_commands();
  for (unsigned p = 0; p < kSocketPhases; ++p) {
    for (const Row& row : kRows) {
      const SocketStep after = step(unit, state_in(static_cast<P>(p)), row.event, context());
      for (std::size_t i = 0; i + 1 < after.actions.size(); ++i) {
        CAPTURE(to_string(static_cast<P>(p)), row.name);
        CHECK_FALSE(is_answered(after.actions[i]));
      }
    }
  }
}

}  // namespace onset::test
