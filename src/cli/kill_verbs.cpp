// kill and reset-failed: what is done to units without a job.
#include <csignal>
#include <nlohmann/json.hpp>

#include "base/format.h"
#include "cli/reply.h"
#include "cli/verbs.h"
#include "control/json.h"

namespace onset {

using json = Json;

int verb_kill(Command& command) {
  auto units = unit_names(command);
  if (!units) return command.fail(units.error());
  const Options& options = command.options;
  const std::string who = options.kill_whom.empty() ? "all" : options.kill_whom;
  int status = 0;
  for (const std::string& unit : *units) {
    if (who != "all" && who != "main" && who != "control") {
      return command.fail(format("Failed to kill unit {}: Invalid who argument {}", printable(unit),
                                 printable(who)));
    }
    json reply;
    const json asked = {{"unit", unit},
                        {"who", who},
                        {"signal", options.signal.value_or(SIGTERM)},
                        {"fail", options.job_mode == "fail"}};
    if (auto sent = command.manager.call("Kill", asked, reply); !sent) {
      status = command.fail(format("Failed to kill unit {}", printable(unit)), sent.error());
      if (sent.error().no_manager) return 1;
    }
  }
  return status == 0 ? 0 : 1;
}

int verb_reset_failed(Command& command) {
  json reply;
  if (command.names.empty()) {
    auto reset = command.manager.call("ResetFailed", json::object(), reply);
    return reset ? 0 : command.fail("Failed to reset failed units", reset.error());
  }
  auto units = unit_names(command);
  if (!units) return command.fail(units.error());
  int status = 0;
  for (const std::string& unit : *units) {
    auto reset = command.manager.call("ResetFailed", {{"unit", unit}}, reply);
    if (reset) continue;
    command.fail(format("Failed to reset failed state of unit {}", printable(unit)), reset.error());
    status = 1;
  }
  return status;
}

}  // namespace onset
