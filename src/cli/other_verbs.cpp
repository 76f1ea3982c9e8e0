// Verbs of systemctl that ask little of the manager, and those that are known and
// refused.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/format.h"
#include "base/text.h"
#include "cli/reply.h"
#include "cli/verbs.h"
#include "control/json.h"
#include "unit/values.h"

namespace onset {

namespace {

using json = Json;

struct TypeList {
  std::string_view verb;
  std::string_view type;
  std::vector<std::string> header;
};

TypeList list_of(std::string_view verb, bool show_types) {
  if (verb == "list-sockets") {
    TypeList sockets{verb, "socket", {"LISTEN", "UNIT", "ACTIVATES"}};
    if (show_types) sockets.header.insert(sockets.header.begin() + 1, "TYPE");
    return sockets;
  }
  if (verb == "list-timers") {
    return {verb, "timer", {"NEXT", "LEFT", "LAST", "PASSED", "UNIT", "ACTIVATES"}};
  }
  if (verb == "list-paths") return {verb, "path", {"PATH", "CONDITION", "UNIT", "ACTIVATES"}};
  return {verb, "automount", {"WHAT", "WHERE", "MOUNTED", "IDLE TIMEOUT", "UNIT"}};
}

using Row = std::vector<std::string>;

/// A line for each address.
void add_socket(std::vector<Row>& rows, const json& unit, bool show_types) {
  std::string activates;
  for (const json& other : array_of(unit, "triggers")) {
    activates += format("{}{}", activates.empty() ? "" : ", ", text_of(other, "name"));
  }
  for (const json& listen : array_of(unit, "listen")) {
    Row row{text_of(listen, "address"), text_of(unit, "name"), activates.empty() ? "-" : activates};
    if (show_types) row.insert(row.begin() + 1, text_of(listen, "kind"));
    rows.push_back(std::move(row));
  }
}

void add_automount(std::vector<Row>& rows, const json& unit) {
  const json& automount = object_of(unit, "automount");
  const std::string what = text_of(automount, "what");
  const std::int64_t idle = number_of(automount, "idle_usec").value_or(0);
  rows.push_back({what.empty() ? "-" : what, text_of(automount, "where"),
                  flag_of(automount, "mounted") ? "yes" : "no",
                  idle == 0 ? "-" : format_span(Duration(idle)), text_of(unit, "name")});
}

}  // namespace

/// Sockets by address, automounts by path. Timers and paths are not run yet: with --all those that
/// are loaded are listed, with what is not known of them as "-".
int verb_list_type(Command& command) {
  const bool show_types = command.options.show_types;
  const TypeList list = list_of(command.verb, show_types);
  json asked = {{"all", command.options.all}, {"types", {list.type}}};
  if (!command.names.empty()) asked["patterns"] = command.names;
  if (!command.options.states.empty()) asked["states"] = command.options.states;
  json units;
  auto listed = command.manager.collect("ListUnitStatus", asked, "units", units);
  if (!listed) return command.fail("Failed to list units", listed.error());
  if (command.print_json(units)) return 0;
  std::vector<Row> rows;
  for (const json& unit : units) {
    if (list.type == "socket") {
      add_socket(rows, unit, show_types);
    } else if (list.type == "automount") {
      add_automount(rows, unit);
    } else {
      Row row(list.header.size(), "-");
      *(row.rbegin() + 1) = text_of(unit, "name");  // before ACTIVATES
      rows.push_back(std::move(row));
    }
  }
  std::ranges::sort(rows, {},
                    [&](const Row& row) { return row[list.type == "automount" ? 1 : 0]; });
  Table table(list.header);
  for (Row& row : rows) table.add(std::vector<Table::Cell>(row.begin(), row.end()));
  const bool legend = command.options.has_legend();
  command.out(table.text(command.palette(), legend, command.width(), 0));
  if (!legend) return 0;
  command.out(format("\n{} {}s listed.\n", rows.size(), list.type));
  if (!command.options.all) {
    command.out(format("Pass --all to see loaded but inactive {}s, too.\n", list.type));
  }
  return 0;
}

int verb_freeze(Command& command) {
  auto units = unit_names(command);
  if (!units) return command.fail(units.error());
  int status = 0;
  for (const std::string& unit : *units) {
    json reply;
    const char* const method = command.verb == "freeze" ? "Freeze" : "Thaw";
    auto done = command.manager.call(method, {{"unit", unit}}, reply);
    if (done) continue;
    command.fail(format("Failed to {} unit {}", command.verb, printable(unit)), done.error());
    status = 1;
  }
  return status;
}

int verb_run(Command& command) {
  return command.fail("The options of run stand behind it: onset run --help.");
}

/// The unit of the caller, or of processes.
int verb_whoami(Command& command) {
  if (command.names.empty()) command.names.push_back(format("{}", command.context.own_pid));
  for (const std::string& name : command.names) {
    const auto pid = parse_uint<std::uint32_t>(name);
    if (!pid || *pid == 0) return command.fail(format("Failed to parse PID '{}'.", c_escape(name)));
    json reply;
    auto found = command.manager.call("FindUnit", {{"pid", *pid}}, reply);
    if (!found) return command.fail(format("Failed to get unit for PID {}", *pid), found.error());
    command.out(text_of(reply, "unit") + '\n');
  }
  return 0;
}

/// The manual pages that the units name.
int verb_help(Command& command) {
  if (command.names.empty()) {
    return command.fail(
        "'help' command expects one or more unit names.\n"
        "(Alternatively, help for systemctl itself may be shown with --help)");
  }
  auto units = unit_names(command);
  if (!units) return command.fail(units.error());
  json answers;
  auto got = command.manager.collect_of(*units, "GetUnits", json::object(), answers);
  if (!got) return command.fail("Failed to get properties", got.error());
  for (std::size_t i = 0; i < units->size(); ++i) {
    const std::string& name = (*units)[i];
    if (const std::string why = text_of(answers[i], "message"); !why.empty()) {
      return command.fail(format("Failed to get properties: {}", why));
    }
    const json& unit = object_of(answers[i], "unit");
    if (raw_text_of(unit, "load") == "not-found") {
      return command.fail(format("Unit {} could not be found.", printable(name)));
    }
    const std::vector<std::string> pages = texts_of(unit, "documentation");
    if (pages.empty()) command.err(format("Documentation for {} not known.", printable(name)));
    for (std::string_view page : pages) {
      const std::size_t open = page.find('(');
      if (!page.starts_with("man:") || open == page.npos || !page.ends_with(')') ||
          command.context.programs == nullptr) {
        command.err(format("Can't show: {}", page));
        continue;
      }
      const std::string section(page.substr(open + 1, page.size() - open - 2));
      const std::string title(page.substr(4, open - 4));
      if (title.starts_with('-') || section.starts_with('-')) continue;
      auto status = command.context.programs->run({"man", section, title});
      if (!status)
        return command.fail(format("Failed to execute man: {}", to_string(status.error())));
    }
  }
  return 0;
}

int verb_not_yet(Command& command) {
  return command.fail(
      format("The verb '{}' is known, but onset does not do it yet.", command.verb));
}

}  // namespace onset
