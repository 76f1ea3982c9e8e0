// The manager as a whole, and the end of the system.
#include <nlohmann/json.hpp>

#include "base/format.h"
#include "base/text.h"
#include "cli/reply.h"
#include "cli/verbs.h"

namespace onset {

namespace {

using nlohmann::json;

// Reading all unit files again may take as long as there are files.
constexpr Duration kReloadPatience = std::chrono::minutes(3);

}  // namespace

int verb_daemon_reload(Command& command) {
  json reply;
  auto reloaded = command.manager.call("Reload", json::object(), reply, kReloadPatience);
  if (!reloaded) return command.fail("Failed to reload the manager", reloaded.error());
  if (command.options.quiet) return 0;
  for (const json& d : array_of(reply, "diagnostics")) {
    const std::string file = text_of(d, "file");
    const auto line = number_of(d, "line").value_or(0);
    std::string place = file.empty() ? std::string() : format("{}: ", file);
    if (!file.empty() && line > 0) place = format("{}:{}: ", file, line);
    if (raw_text_of(d, "severity") == "error") command.err(place + text_of(d, "message"));
  }
  return 0;
}

int verb_daemon_reexec(Command& command) {
  return command.fail(
      "daemon-reexec: the manager can't replace itself in place yet. "
      "Its unit files are read again by daemon-reload.");
}

int verb_shut_down(Command& command) {
  json asked = {{"how", command.verb}, {"force", command.options.force > 0}};
  if (command.verb == "exit" && !command.names.empty()) {
    const auto status = parse_uint<unsigned>(command.names.front());
    if (!status || *status > 255) {
      return command.fail(format("Invalid exit code '{}': expected a number from 0 to 255.",
                                 c_escape(command.names.front())));
    }
    asked["exit_status"] = *status;
  }
  json reply;
  if (auto begun = command.manager.call("Shutdown", asked, reply); !begun) {
    command.fail(format("Failed to {}", command.verb), begun.error());
    return 1;
  }
  return 0;
}

}  // namespace onset
