// is-active, is-failed, is-system-running: a word, and an exit status for scripts.
#include <nlohmann/json.hpp>

#include "base/format.h"
#include "cli/reply.h"
#include "cli/verbs.h"
#include "control/json.h"

namespace onset {

namespace {

using json = Json;

struct StateTally {
  unsigned wanted = 0;  ///< in one of the states asked for
  bool broke_off = false;
};

/// Prints each unit's state.
StateTally tally_states(Command& command, std::string_view a, std::string_view b) {
  StateTally tally;
  const auto break_off = [&](std::string_view why) {
    command.fail(why);
    tally.broke_off = true;
    return tally;
  };
  auto units = unit_names(command);
  if (!units) return break_off(units.error());
  json states;
  const json asked = {{"names", {"ActiveState"}}};
  if (auto got = command.manager.collect_of(*units, "ListProperties", asked, states); !got) {
    command.fail("Failed to get the state of units", got.error());
    tally.broke_off = true;
    return tally;
  }
  for (const json& unit : states) {
    if (const std::string why = text_of(unit, "message"); !why.empty()) {
      return break_off(format("Failed to get the state of {}: {}", text_of(unit, "asked"), why));
    }
    const std::string active = text_of(object_of(unit, "properties"), "ActiveState");
    if (active == a || active == b) ++tally.wanted;
    if (!command.options.quiet) command.out(active + '\n');
  }
  return tally;
}

}  // namespace

int verb_is_active(Command& command) {
  const StateTally tally = tally_states(command, "active", "reloading");
  if (tally.broke_off) return 1;
  if (tally.wanted > 0) return 0;
  return 3;  // also where there is no such unit: 4 is status's answer
}

int verb_is_failed(Command& command) {
  const StateTally tally = tally_states(command, "failed", "failed");
  return !tally.broke_off && tally.wanted > 0 ? 0 : 1;
}

int verb_is_system_running(Command& command) {
  std::string state = "offline";
  json reply;
  const bool wait = command.options.wait;
  auto got = is_offline(command.context)
                 ? Result<void, CallProblem>(Failure{CallProblem{{}, {}, true}})
                 : command.manager.call("GetSystemState", {{"wait", wait}}, reply,
                                        wait ? kInfinity : ControlClient::kPatience);
  if (got) {
    state = text_of(reply, "state");
  } else if (!got.error().no_manager) {
    command.fail("Failed to query system state", got.error());
    state = "unknown";
  }
  if (!command.options.quiet) command.out(state + '\n');
  return state == "running" ? 0 : 1;
}

}  // namespace onset
