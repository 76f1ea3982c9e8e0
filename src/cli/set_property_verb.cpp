// set-property: settings of systemd.resource-control(5), written as drop-ins that
// stand above all others, and applied by reading the unit files again. Nothing is
// written where one of them is wrong.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/format.h"
#include "base/text.h"
#include "cli/reply.h"
#include "cli/unit_files.h"
#include "cli/verbs.h"
#include "control/json.h"
#include "unit/directive_rooms.h"
#include "unit/directives.h"
#include "unit/loader.h"
#include "unit/name.h"

namespace onset {
namespace {

using json = Json;

struct Property {
  const Directive* directive = nullptr;
  std::vector<std::string> values;  ///< in the order given
};

/// Of those that may be changed while the unit runs; null: none of that name.
const Directive* find_property(Section section, std::string_view name) {
  const Directive* row = find_directive(section, name);
  const auto rows = resource_directives();
  const bool is_resource = row >= rows.data() && row < rows.data() + rows.size();
  const bool is_fixed = name == "Slice" || name == "Delegate";
  return is_resource && !is_fixed && row->support == Support::Honoured ? row : nullptr;
}

/// Empty, or what is wrong with it.
std::string add_assignment(std::vector<Property>& to, Unit& scratch, const LoaderConfig& config,
                           std::string_view assignment) {
  const std::size_t equals = assignment.find('=');
  if (equals == std::string_view::npos) {
    return format("Not an assignment: {}", printable(assignment));
  }
  const std::string_view name = trim(assignment.substr(0, equals));
  const std::string_view value = trim(assignment.substr(equals + 1));
  const Directive* row = find_property(*section_of(scratch.type), name);
  if (row == nullptr) {
    return format("Cannot set property {}, or unknown property.", printable(name));
  }
  if (value.find('\n') != std::string_view::npos) return "A value has to be one line.";
  if (std::string wrong = complaint_about(*row, value, scratch, config.host); !wrong.empty())
    return wrong;
  auto known =
      std::find_if(to.begin(), to.end(), [row](const Property& p) { return p.directive == row; });
  if (known == to.end()) known = to.insert(to.end(), Property{row, {}});
  known->values.emplace_back(value);
  return {};
}

std::string control_folder(const Options& options, const HostFacts& host) {
  if (!options.user) {
    return options.runtime ? "/run/systemd/system.control" : "/etc/systemd/system.control";
  }
  return (options.runtime ? host.runtime_dir : host.config_dir) + "/systemd/user.control";
}

int write_property(const Command& command, const std::string& folder, Section section,
                   const Property& property) {
  std::string text =
      "# Made by \"set-property\"; a further one replaces this file.\n"
      "[" +
      std::string(to_string(section)) + "]\n";
  for (const std::string& value : property.values) {
    text += format("{}={}\n", property.directive->name, value);
  }
  const std::string path = format("{}/50-{}.conf", folder, property.directive->name);
  auto done = command.context.changer.make_directories(folder);
  if (done) done = command.context.changer.write_file(path, text, 0644);
  if (done) return 0;
  return command.fail(
      format("Failed to write \"{}\": {}", printable(path), errno_text(done.error().err)));
}

/// The manager that runs knows of no such unit.
bool is_missing(Command& command, const std::string& name) {
  if (works_on_files_alone(command) || !command.manager.reachable()) return false;
  json answers;
  auto got = command.manager.collect_of({name}, "GetUnits", json::object(), answers);
  return got && !answers.empty() &&
         raw_text_of(object_of(answers[0], "unit"), "load") == "not-found";
}

}  // namespace

int verb_set_property(Command& command) {
  const auto name = complete_name(command, command.names.front(), ".service");
  if (!name) {
    return command.fail(
        format("Failed to mangle unit name: '{}'", c_escape(command.names.front())));
  }
  const LoaderConfig config = loader_config(command);
  Unit scratch;
  scratch.id = *name;
  scratch.type = unit_type_of(*name).value_or(UnitType::Target);
  const auto section = section_of(scratch.type);
  std::vector<Property> properties;
  for (std::size_t i = 1; i < command.names.size(); ++i) {
    const std::string wrong = section && find_property(*section, "CPUWeight") != nullptr
                                  ? add_assignment(properties, scratch, config, command.names[i])
                                  : std::string("Its type has no resources of its own.");
    if (wrong.empty()) continue;
    return command.fail(format("Failed to set unit properties on {}: {}", printable(*name), wrong));
  }
  if (is_missing(command, *name)) {
    return command.fail(format("Failed to set unit properties on {}: Unit {} not found.",
                               printable(*name), printable(*name)));
  }
  const std::string folder = format("{}{}/{}.d", root_of(command.options),
                                    control_folder(command.options, config.host), *name);
  for (const Property& property : properties) {
    const int status = write_property(command, folder, *section, property);
    if (status != 0) return status;
  }
  if (works_on_files_alone(command) || !command.manager.reachable()) return 0;
  return reload_for(command, {*name});
}

}  // namespace onset
