// list-units: systemctl's table, its dots and its legend.
#include <nlohmann/json.hpp>

#include "base/format.h"
#include "cli/reply.h"
#include "cli/verbs.h"
#include "unit/name.h"

namespace onset {

namespace {

using nlohmann::json;

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

std::string legend(std::size_t count, bool all) {
  std::string text =
      "\nLOAD   = Whether the unit's files could be read.\n"
      "ACTIVE = The unit's state, in the words that all types share.\n"
      "SUB    = The same in the words of its type.\n";
  text += format("{} loaded units listed.", count);
  text += all ? "\n" : " Pass --all to see loaded but inactive units, too.\n";
  text += "To show all installed unit files use 'list-unit-files'.\n";
  return text;
}

std::string units_table(const Command& command, const json& units) {
  const bool dots = !command.options.plain;
  std::vector<std::string> header = {"UNIT", "LOAD", "ACTIVE", "SUB", "JOB", "DESCRIPTION"};
  bool any_job = false;
  for (const json& unit : units) any_job = any_job || !raw_text_of(unit, "job_type").empty();
  if (!any_job) header.erase(header.begin() + 4);
  if (dots) header.insert(header.begin(), "");
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
  return table.text(command.palette(), !command.options.no_legend, command.width(), dots ? 1 : 0);
}

}  // namespace

int verb_list_units(Command& command) {
  std::vector<std::string> patterns;
  for (const std::string& given : command.names) {
    if (auto name = mangle(given, ".service", true)) patterns.push_back(std::move(*name));
  }
  json units;
  auto listed = command.manager.collect("ListUnits", list_request(command, std::move(patterns)),
                                        "units", units);
  if (!listed) return command.fail("Failed to list units", listed.error());
  if (command.print_json(units)) return 0;
  if (!units.empty() || !command.options.no_legend) command.out(units_table(command, units));
  if (!command.options.no_legend && !command.options.quiet) {
    command.out(legend(units.size(), command.options.all || !command.options.states.empty()));
  }
  return 0;
}

}  // namespace onset
