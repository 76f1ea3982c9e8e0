// is-active, is-failed, is-system-running: a word, and an exit status for scripts.
#include <nlohmann/json.hpp>

#include "base/format.h"
#include "cli/reply.h"
#include "cli/verbs.h"

namespace onset {

namespace {

using nlohmann::json;

struct StateTally {
  unsigned asked = 0;
  unsigned wanted = 0;   ///< in one of the states asked for
  unsigned unknown = 0;  ///< no such unit
  bool broke_off = false;
};

/// Prints each unit's state.
StateTally tally_states(Command& command, std::string_view a, std::string_view b) {
  StateTally tally;
  auto units = unit_names(command);
  if (!units) {
    command.fail(units.error());
    tally.broke_off = true;
    return tally;
  }
  for (const std::string& name : *units) {
    json reply;
    if (auto got = command.manager.call("GetUnit", {{"unit", name}}, reply); !got) {
      command.fail(format("Failed to get the state of {}", printable(name)), got.error());
      tally.broke_off = true;
      return tally;
    }
    const json& unit = object_of(reply, "unit");
    const std::string active = text_of(unit, "active");
    ++tally.asked;
    if (active == a || active == b) ++tally.wanted;
    if (raw_text_of(unit, "load") == "not-found" && active == "inactive") ++tally.unknown;
    if (!command.options.quiet) command.out(active + '\n');
  }
  return tally;
}

}  // namespace

int verb_is_active(Command& command) {
  const StateTally tally = tally_states(command, "active", "reloading");
  if (tally.broke_off) return 1;
  if (tally.wanted > 0) return 0;
  // EXIT STATUS: 3, not running; 4, no such unit.
  return tally.asked > 0 && tally.unknown == tally.asked ? 4 : 3;
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
