// show-environment and its kin: what the manager starts every process with.
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

/// What makes a shell see more than a word: blanks, what it expands, what ends a command.
constexpr std::string_view kNeedsQuotes = " \t\n\r\"\\`$*?['()<>|&;!";

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

/// A value as a shell would read it again: as it is, or as $'…'.
std::string shell_word(std::string_view value) {
  const bool plain = std::ranges::none_of(
      value, [](char c) { return is_control(c) || kNeedsQuotes.find(c) != kNeedsQuotes.npos; });
  if (plain) return std::string(value);
  std::string word = "$'";
  for (const char c : value) {
    if (c == '\\' || c == '\'') {
      word += '\\';
      word += c;
    } else if (is_control(c)) {
      word += c_escape({&c, 1});
    } else {
      word += c;
    }
  }
  return word + '\'';
}

int change(Command& command, const json& asked, std::string_view what) {
  json reply;
  auto changed = command.manager.call("ChangeEnvironment", asked, reply);
  return changed ? 0 : command.fail(format("Failed to {} environment", what), changed.error());
}

}  // namespace

int verb_show_environment(Command& command) {
  json reply;
  if (auto got = command.manager.call("GetEnvironment", json::object(), reply); !got) {
    return command.fail("Failed to get environment", got.error());
  }
  if (command.options.json != JsonStyle::Off) {
    json variables = json::object();
    for (const std::string& assignment : texts_of(reply, "environment")) {
      const std::size_t equals = std::min(assignment.find('='), assignment.size() - 1);
      variables[assignment.substr(0, equals)] = assignment.substr(equals + 1);
    }
    command.print_json(variables);
    return 0;
  }
  for (const json& entry : array_of(reply, "environment")) {
    if (!entry.is_string()) continue;
    const auto& assignment = entry.get_ref<const std::string&>();
    const std::size_t equals = assignment.find('=');
    if (equals == assignment.npos) continue;
    command.out(format("{}={}\n", printable(assignment.substr(0, equals)),
                       printable(shell_word(std::string_view(assignment).substr(equals + 1)))));
  }
  return 0;
}

int verb_change_environment(Command& command) {
  const bool sets = command.verb == "set-environment";
  for (const std::string& name : command.names) {
    if (environment_assignment_is_valid(name) || (!sets && environment_name_is_valid(name))) {
      continue;
    }
    return command.fail(format("Failed to {} environment: '{}' is no {}.", sets ? "set" : "unset",
                               c_escape(name), sets ? "VARIABLE=VALUE" : "name of a variable"));
  }
  return change(command, {{sets ? "set" : "unset", command.names}}, sets ? "set" : "unset");
}

/// Of the caller's own environment those that are named; all without a name.
int verb_import_environment(Command& command) {
  std::vector<std::string> names = command.names;
  const bool all = names.empty();
  if (all) {
    command.err("Calling import-environment without a list of variable names is deprecated.");
    for (const auto& [name, value] : command.context.environment) names.push_back(name);
  }
  std::vector<std::string> set;
  for (const std::string& name : names) {
    if (!all && !environment_name_is_valid(name)) {
      return command.fail(format("Not a valid environment variable name: {}", c_escape(name)));
    }
    if (!command.context.environment.contains(name)) {
      command.err(format("Environment variable ${} not set, ignoring.", name));
      continue;
    }
    std::string assignment = format("{}={}", name, command.context.variable(name));
    if (environment_assignment_is_valid(assignment)) {
      set.push_back(std::move(assignment));
    } else {
      command.err(
          format("Environment variable ${} has an invalid value, ignoring.", c_escape(name)));
    }
  }
  return set.empty() ? 0 : change(command, {{"set", set}}, "import");
}

}  // namespace onset
