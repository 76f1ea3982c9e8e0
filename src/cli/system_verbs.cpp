// The manager as a whole, and the end of the system.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/format.h"
#include "base/text.h"
#include "cli/reply.h"
#include "cli/verbs.h"
#include "cli/wall.h"
#include "control/json.h"
#include "unit/name.h"

namespace onset {

namespace {

using json = Json;

// Reading all unit files again may take as long as there are files.
constexpr Duration kReloadPatience = std::chrono::minutes(3);

}  // namespace

namespace {

/// The unit's file, or a drop-in of it, of its template or of its type.
bool concerns(const std::string& file, const std::vector<std::string>& units) {
  const std::size_t slash = file.rfind('/');
  if (slash == std::string::npos) return false;
  std::string_view name = std::string_view(file).substr(slash + 1);
  const std::string folder = file.substr(0, slash);
  if (folder.ends_with(".d")) {
    name = std::string_view(folder).substr(folder.rfind('/') + 1);
    name.remove_suffix(2);
  }
  return std::any_of(units.begin(), units.end(), [&](const std::string& given) {
    const std::string unit = given.substr(given.rfind('/') + 1);
    return name == unit || (is_instance(unit) && name == template_of(unit));
  });
}

/// `units`: null for all.
int reload(Command& command, const std::vector<std::string>* units) {
  json reply;
  auto reloaded = command.manager.call("Reload", json::object(), reply, kReloadPatience);
  if (!reloaded) return command.fail("Failed to reload the manager", reloaded.error());
  if (command.options.quiet) return 0;
  for (const json& d : array_of(reply, "diagnostics")) {
    if (raw_text_of(d, "severity") != "error") continue;
    if (units != nullptr && !concerns(raw_text_of(d, "file"), *units)) continue;
    const std::string file = text_of(d, "file");
    const auto line = number_of(d, "line").value_or(0);
    std::string place = file.empty() ? std::string() : format("{}: ", file);
    if (!file.empty() && line > 0) place = format("{}:{}: ", file, line);
    command.err(place + text_of(d, "message"));
  }
  return 0;
}

}  // namespace

int verb_daemon_reload(Command& command) {
  return reload(command, nullptr);
}

int reload_for(Command& command, const std::vector<std::string>& units) {
  return reload(command, &units);
}

int verb_daemon_reexec(Command& command) {
  return command.fail(
      "daemon-reexec: the manager can't replace itself in place yet. "
      "Its unit files are read again by daemon-reload.");
}

namespace {

/// Those that end the machine: with --force twice without a manager, and told on
/// terminals, systemctl(1).
bool ends_machine(std::string_view verb) {
  return verb == "poweroff" || verb == "reboot" || verb == "halt";
}

int end_at_once(const Command& command) {
  if (command.context.machine == nullptr) return command.fail("The system can't be ended here.");
  auto ended = command.context.machine->end_now(command.verb);
  if (ended) return 0;
  return command.fail(format("Failed to {}: {}", command.verb, to_string(ended.error())));
}

}  // namespace

int verb_shut_down(Command& command) {
  const Options& options = command.options;
  if (options.force > 1 && ends_machine(command.verb)) return end_at_once(command);
  json asked = {{"how", command.verb}, {"force", options.force > 0}};
  if (!options.message.empty()) asked["message"] = options.message;
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
  if (ends_machine(command.verb) && !options.no_wall && !options.user) {
    send_wall(command.context, command.verb, options.message);
  }
  return 0;
}

}  // namespace onset
