// list-units: systemctl's table, its dots and its legend.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/format.h"
#include "cli/reply.h"
#include "cli/verbs.h"
#include "control/json.h"
#include "unit/name.h"

namespace onset {

namespace {

using json = Json;

Tone load_tone(std::string_view load) {
  return load == "loaded" ? Tone::Plain : Tone::Bad;
}

std::string row_dot(const std::string& load, const std::string& active) {
  if (active == "failed") return "×";
  if (load != "loaded") return "●";
  return " ";
}

json list_request(const Command& command, std::vector<std::string> patterns) {
  const Options& options = command.options;
  json asked = {{"all", options.all}};
  if (!options.states.empty()) asked["states"] = options.states;
  if (!options.types.empty()) asked["types"] = options.types;
  if (!patterns.empty()) asked["patterns"] = std::move(patterns);
  return asked;
}

bool any_has_job(const json& units) {
  return std::any_of(units.begin(), units.end(),
                     [](const json& unit) { return !raw_text_of(unit, "job_type").empty(); });
}

/// Only with every unit that there is do hints to more make sense; a state that was
/// asked for says enough.
std::string legend(const json& units, const Options& options) {
  std::string text;
  if (!units.empty()) {
    text =
        "\nLOAD   = Reflects whether the unit definition was properly loaded.\n"
        "ACTIVE = The high-level unit activation state, i.e. generalization of SUB.\n"
        "SUB    = The low-level unit activation state, values depend on unit type.\n";
    if (any_has_job(units)) text += "JOB    = Pending job for the unit.\n\n";
  }
  text += format("{} loaded units listed.", units.size());
  const auto& states = options.states;
  const bool has_inactive =
      options.all || std::find(states.begin(), states.end(), "inactive") != states.end();
  if (!has_inactive && !states.empty()) return text + '\n';
  if (!has_inactive) text += " Pass --all to see loaded but inactive units, too.";
  return text + "\nTo show all installed unit files use 'systemctl list-unit-files'.\n";
}

std::string units_table(const Command& command, const json& units) {
  const bool dots = !command.options.plain;
  std::vector<std::string> header = {"UNIT", "LOAD", "ACTIVE", "SUB", "JOB", "DESCRIPTION"};
  const bool any_job = any_has_job(units);
  if (!any_job) header.erase(header.begin() + 4);
  if (dots) header.insert(header.begin(), " ");
  Table table(std::move(header));
  for (const json& unit : units) {
    const std::string load = text_of(unit, "load");
    const std::string active = text_of(unit, "active");
    const Tone tone = active == "failed" ? Tone::Bad : Tone::Plain;
    std::vector<Table::Cell> row;
    if (dots) row.emplace_back(row_dot(load, active), load == "loaded" ? tone : Tone::Bad);
    row.emplace_back(text_of(unit, "name"), tone);
    row.emplace_back(load, load_tone(load));
    row.emplace_back(active, tone);
    row.emplace_back(text_of(unit, "sub"), tone);
    if (any_job) row.emplace_back(text_of(unit, "job_type"));
    row.emplace_back(text_of(unit, "description"));
    table.add(std::move(row));
  }
  return table.text(command.palette(), command.options.has_legend(), command.width(), dots ? 1 : 0);
}

/// The table's columns by their names, as systemctl prints them.
json units_as_rows(const json& units) {
  json rows = json::array();
  const bool any_job = any_has_job(units);
  for (const json& unit : units) {
    json row = {{"unit", raw_text_of(unit, "name")},
                {"description", raw_text_of(unit, "description")}};
    for (const char* column : {"load", "active", "sub"}) row[column] = raw_text_of(unit, column);
    if (any_job) row["job"] = raw_text_of(unit, "job_type");
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace

int verb_list_units(Command& command) {
  std::vector<std::string> patterns;
  if (command.options.with_dependencies) {
    auto names = unit_names(command);
    if (!names) return command.fail(names.error());
    patterns = std::move(*names);
  } else {
    for (const std::string& given : command.names) {
      if (auto name = mangle(given, ".service", true)) patterns.push_back(std::move(*name));
    }
  }
  json units;
  auto listed = command.manager.collect("ListUnits", list_request(command, std::move(patterns)),
                                        "units", units);
  if (!listed) return command.fail("Failed to list units", listed.error());
  if (command.print_json(units_as_rows(units))) return 0;
  command.out(units_table(command, units));
  if (command.options.has_legend()) command.out(legend(units, command.options));
  return 0;
}

}  // namespace onset
