// status: asks the manager, and lays out what it says.
#include <nlohmann/json.hpp>

#include "base/format.h"
#include "base/text.h"
#include "cli/reply.h"
#include "cli/status_view.h"
#include "cli/verbs.h"
#include "control/json.h"

namespace onset {

namespace {

using json = Json;

StatusLook look_of(const Command& command) {
  return {command.palette(), command.width(), command.context.now.wall, command.program,
          command.options.time_style};
}

int system_status(Command& command) {
  json reply;
  auto got = command.manager.call("GetManagerProperties", json::object(), reply);
  if (!got) return command.fail("Failed to read server status", got.error());
  const json& manager = object_of(reply, "properties");
  json units;
  const json asked = {{"all", false}, {"types", {"service", "scope", "socket", "mount", "swap"}}};
  if (auto listed = command.manager.collect("ListUnitStatus", asked, "units", units); !listed) {
    return command.fail("Failed to list units", listed.error());
  }
  if (command.print_json({{"manager", manager}, {"units", units}})) return 0;
  command.out(system_status_text(manager, command.context.host.hostname, units, look_of(command)));
  return 0;
}

/// A number is the process whose unit is meant, as with systemctl.
Result<void, std::string> replace_pids(Command& command) {
  for (std::string& name : command.names) {
    const auto pid = parse_uint<std::uint32_t>(name);
    if (!pid || *pid == 0) continue;
    json reply;
    if (auto found = command.manager.call("FindUnit", {{"pid", *pid}}, reply); !found) {
      return Failure{format("Failed to get unit for PID {}: {}", *pid, found.error().message)};
    }
    name = raw_text_of(reply, "unit");
  }
  return {};
}

int show_units(Command& command, const std::vector<std::string>& units, bool first);

/// Without a name the whole is meant, unless units are asked for by a filter.
int status_of_all(Command& command) {
  const Options& options = command.options;
  const bool filtered = !options.types.empty() || !options.states.empty();
  if (!filtered) {
    const int status = system_status(command);
    if (status != 0 || !options.all || options.json != JsonStyle::Off) return status;
  }
  auto units = listed_units(command);
  if (!units) return command.fail(units.error());
  return show_units(command, *units, filtered);
}

}  // namespace

int verb_status(Command& command) {
  if (command.names.empty()) return status_of_all(command);
  if (auto replaced = replace_pids(command); !replaced) {
    return command.fail(replaced.error());
  }
  auto units = unit_names(command);
  if (!units) return command.fail(units.error());
  return show_units(command, *units, true);
}

namespace {

/// `first`: nothing stands above. The exit status is the first that is not 0.
int show_units(Command& command, const std::vector<std::string>& units, bool first) {
  json shown = json::array();
  int status = 0;
  json answers;
  auto got = command.manager.collect_of(units, "GetUnits", json::object(), answers);
  if (!got) {
    const bool one = units.size() == 1;
    command.fail(format("Failed to get the status of {}", one ? printable(units[0]) : "units"),
                 got.error());
    return 4;
  }
  for (std::size_t i = 0; i < units.size(); ++i) {
    const std::string& name = units[i];
    if (const std::string why = text_of(answers[i], "message"); !why.empty()) {
      command.fail(format("Failed to get the status of {}: {}", printable(name), why));
      return 4;
    }
    const json& unit = object_of(answers[i], "unit");
    const int code = unit_status_code(unit);
    if (status == 0) status = code;
    if (code == 4) {
      command.err(format("Unit {} could not be found.", printable(name)));
      continue;
    }
    if (command.options.json != JsonStyle::Off) {
      shown.push_back(unit);
      continue;
    }
    if (!first) command.out("\n");
    first = false;
    command.out(unit_status_text(unit, look_of(command)));
    if (flag_of(unit, "needs_reload")) {
      command.err(changed_on_disk(printable(name), command.program, command.options.user));
    }
  }
  command.print_json(shown);
  if (command.options.lines.value_or(0) > 0) {
    command.err("Log lines can't be shown yet (--lines=): services write to the manager's output.");
  }
  return status;
}

}  // namespace

}  // namespace onset
