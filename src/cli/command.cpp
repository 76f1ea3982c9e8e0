#include "cli/command.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/format.h"
#include "base/text.h"
#include "cli/reply.h"
#include "control/json.h"
#include "unit/glob.h"
#include "unit/name.h"

namespace onset {

using json = Json;

void Command::err(std::string_view line) const {
  context.err.write(format("{}\n", line));
}

int Command::fail(std::string_view line) const {
  err(line);
  return 1;
}

int Command::fail(std::string_view what, const CallProblem& problem) const {
  if (problem.no_manager) {
    err(problem.message);
  } else {
    err(format("{}: {}", what, problem.message));
  }
  return exit_status_of(problem, verb);
}

Palette Command::palette() const {
  const std::string_view asked = context.variable("SYSTEMD_COLORS");
  if (asked == "0" || asked == "no" || asked == "false") return {false};
  if (!asked.empty()) return {true};
  if (!context.variable("NO_COLOR").empty() || context.variable("TERM") == "dumb") return {false};
  return {context.is_tty};
}

std::size_t Command::width() const {
  return context.is_tty && !options.full ? context.columns : 0;
}

bool Command::print_json(const json& value) const {
  const int indent = options.json == JsonStyle::Pretty ? 8 : -1;
  if (options.json == JsonStyle::Off) return false;
  out(printable_json(value.dump(indent, ' ', false, json::error_handler_t::replace)) + '\n');
  return true;
}

namespace {

Result<void, std::string> add_matching(Command& command, const std::vector<std::string>& patterns,
                                       std::vector<std::string>& names) {
  json units;
  const Options& options = command.options;
  json asked = {{"patterns", patterns}, {"all", options.all}};
  if (!options.states.empty()) asked["states"] = options.states;
  if (!options.types.empty()) asked["types"] = options.types;
  if (auto listed = command.manager.collect("ListUnits", asked, "units", units); !listed) {
    return Failure{listed.error().message};
  }
  for (const json& unit : units) names.push_back(raw_text_of(unit, "name"));
  return {};
}

}  // namespace

Result<std::vector<std::string>, std::string> listed_units(Command& command) {
  std::vector<std::string> names;
  if (auto added = add_matching(command, {}, names); !added) return Failure{added.error()};
  return names;
}

namespace {

/// --with-dependencies: behind each unit what it pulls in, or what --reverse,
/// --after and --before say; each once.
Result<void, std::string> add_dependencies(Command& command, std::vector<std::string>& names) {
  std::vector<std::string> all;
  std::set<std::string, std::less<>> known;
  const auto add = [&](std::string name) {
    if (known.insert(name).second) all.push_back(std::move(name));
  };
  const DependencySide side = command.options.side;
  json asked = {{"all", command.options.all},
                {"reverse", side == DependencySide::Reverse},
                {"after", side == DependencySide::After},
                {"before", side == DependencySide::Before}};
  for (std::size_t from = 0; from < names.size(); from += kUnitsACall) {
    const auto begin = names.begin() + static_cast<std::ptrdiff_t>(from);
    const std::size_t count = std::min(kUnitsACall, names.size() - from);
    asked["units"] = std::vector(begin, begin + static_cast<std::ptrdiff_t>(count));
    auto begun = command.manager.start("ListDependencies", asked);
    if (!begun) return Failure{begun.error().message};
    for (bool is_last = false; !is_last;) {
      json reply;
      auto more = command.manager.next(reply, ControlClient::kPatience);
      if (!more) return Failure{more.error().message};
      add(raw_text_of(reply, "unit"));
      for (const json& edge : array_of(reply, "edges")) add(raw_text_of(edge, "to"));
      is_last = !*more;
    }
  }
  names = std::move(all);
  return {};
}

}  // namespace

std::optional<std::string> complete_name(const Command& command, const std::string& given,
                                         std::string_view suffix, bool allow_globs) {
  auto name = mangle(given, suffix, allow_globs);
  // A path becomes another name by rule, and an escape makes the name a longer one.
  const bool escaped = name && !given.starts_with('/') && !name->starts_with(given);
  if (escaped && !command.options.quiet) {
    std::string_view shown = *name;
    if (!given.ends_with(suffix) && shown.ends_with(suffix)) shown.remove_suffix(suffix.size());
    command.err(
        format("Invalid unit name \"{}\" escaped as \"{}\" (maybe you should use systemd-escape?).",
               printable(given), printable(shown)));
  }
  return name;
}

Result<std::vector<std::string>, std::string> unit_names(Command& command,
                                                         std::string_view suffix) {
  std::vector<std::string> names;
  std::vector<std::string> patterns;
  for (const std::string& given : command.names) {
    auto name = complete_name(command, given, suffix, true);
    if (!name)
      return Failure{format("Failed to mangle unit name: '{}' is no unit name", c_escape(given))};
    (is_glob(*name) ? patterns : names).push_back(*name);
  }
  if (!patterns.empty()) {
    auto added = add_matching(command, patterns, names);
    if (!added) return Failure{added.error()};
  }
  if (command.options.with_dependencies) {
    auto added = add_dependencies(command, names);
    if (!added) return Failure{added.error()};
  }
  return names;
}

bool is_offline(const CliContext& context) {
  const std::string_view asked = context.variable("SYSTEMD_OFFLINE");
  if (asked == "1" || asked == "yes" || asked == "true") return true;
  if (asked == "0" || asked == "no" || asked == "false") return false;
  const std::string_view ignored = context.variable("SYSTEMD_IGNORE_CHROOT");
  return context.is_chroot && ignored != "1" && ignored != "yes";
}

}  // namespace onset
