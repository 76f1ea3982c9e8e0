// enable and its kin: the installer works out the links, this side makes them,
// tells what it did, and lets a running manager read its files again.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/format.h"
#include "base/text.h"
#include "cli/init_scripts.h"
#include "cli/reply.h"
#include "cli/unit_files.h"
#include "cli/verbs.h"
#include "control/json.h"
#include "unit/glob.h"
#include "unit/install.h"
#include "unit/name.h"

namespace onset {

namespace {

using json = Json;
using Names = std::vector<std::string>;

InstallOptions install_options(const Options& options) {
  InstallOptions install;
  install.runtime = options.runtime;
  install.force = options.force > 0;
  if (options.preset_mode == "enable-only") install.preset_mode = PresetMode::EnableOnly;
  if (options.preset_mode == "disable-only") install.preset_mode = PresetMode::DisableOnly;
  return install;
}

/// Complete names; a path stays a path, made absolute.
Result<Names, std::string> file_names(const Command& command, std::string_view suffix) {
  Names names;
  for (const std::string& given : command.names) {
    if (given.find('/') != std::string::npos) {
      names.push_back(path_simplify(
          given.starts_with('/') ? given
                                 : format("{}/{}", command.context.working_directory, given)));
      continue;
    }
    auto name = complete_name(command, given, suffix);
    if (!name) return Failure{format("'{}' is no unit name", c_escape(given))};
    names.push_back(std::move(*name));
  }
  return names;
}

InstallOutcome work_out(UnitInstaller& installer, std::string_view verb, const Names& names) {
  if (verb == "enable") return installer.enable(names);
  if (verb == "disable") return installer.disable(names);
  if (verb == "reenable") return installer.reenable(names);
  if (verb == "preset") return installer.preset(names);
  if (verb == "preset-all") return installer.preset_all();
  if (verb == "mask") return installer.mask(names);
  if (verb == "unmask") return installer.unmask(names);
  if (verb == "revert") return installer.revert(names);
  if (verb == "link") return installer.link(names);
  if (verb == "set-default") return installer.set_default(names.front());
  const Names rest(names.begin() + 1, names.end());
  return installer.add_dependency(
      names.front(), rest, verb == "add-wants" ? DependencyKind::Wants : DependencyKind::Requires);
}

void tell_changes(const Command& command, const UnitInstaller& installer,
                  const InstallOutcome& outcome, std::string_view root) {
  for (const Diagnostic& d : installer.diagnostics()) {
    if (d.severity == Severity::Error) command.err(printable(to_string(d)));
  }
  for (const InstallChange& change : outcome.changes) {
    if (command.options.quiet && change.kind != InstallChange::Kind::Failure) continue;
    command.err(printable(to_string(change, root)));
  }
}

/// A manager that runs is told; without one there is nobody to tell.
int reload_manager(Command& command, const Names& names) {
  if (command.options.no_reload || works_on_files_alone(command)) return 0;
  if (!command.manager.reachable()) return 0;
  return reload_for(command, names);
}

/// --now: enable starts, disable and mask stop.
int act_now(Command& command, const Names& names) {
  const std::string_view verb = command.verb;
  if (!command.options.now || works_on_files_alone(command)) return 0;
  if (!command.manager.reachable()) return command.fail("--now: no manager is running here.");
  Names units;
  for (const std::string& name : names) units.push_back(name.substr(name.rfind('/') + 1));
  std::erase_if(units, [](const std::string& unit) { return is_template(unit); });
  const bool starts = verb == "enable" || verb == "reenable";
  return enqueue_units(command, units, starts ? "start" : "stop", command.options.job_mode);
}

/// Init scripts among them: done, and taken out where there is no more to them. The exit status.
int change_scripts(const Command& command, UnitInstaller& installer, Names& names) {
  if (command.verb != "enable" && command.verb != "disable") return 0;
  Names rest;
  for (const std::string& name : names) {
    const bool has_script = has_init_script(command, name);
    const bool native = has_script && is_native(installer.state(name));
    if (has_script) {
      if (const int status = change_script(command, name, native); status != 0) return status;
    }
    if (!has_script || native) rest.push_back(name);
  }
  names = std::move(rest);
  return 0;
}

}  // namespace

int verb_change_files(Command& command) {
  const bool wants_target = command.verb.starts_with("add-") || command.verb == "set-default";
  if (command.options.now && (command.verb.starts_with("preset") || wants_target)) {
    return command.fail("--now can't be used with this verb.");
  }
  auto names = file_names(command, command.verb == "set-default" ? ".target" : ".service");
  if (!names) return command.fail(names.error());
  if (command.verb.starts_with("add-")) {
    // The first is what the dependency is put on: a target unless it says otherwise.
    const auto target = mangle(command.names.front(), ".target");
    if (!target)
      return command.fail(format("'{}' is no unit name", c_escape(command.names.front())));
    names->front() = *target;
  }
  const std::string root = root_of(command.options);
  UnitInstaller installer(command.context.files, loader_config(command),
                          install_options(command.options));
  const Names all = *names;
  if (const int status = change_scripts(command, installer, *names); status != 0) return status;
  const InstallOutcome outcome = work_out(installer, command.verb, *names);
  auto applied = apply_changes(outcome, command.context.changer, root);
  if (!applied) {
    return command.fail(format("Failed to {} unit: {}", command.verb, to_string(applied.error())));
  }
  tell_changes(command, installer, outcome, root);
  int status = reload_manager(command, all);
  if (outcome.failed()) return 1;
  if (command.verb == "enable" && !names->empty() && !outcome.has_install_info &&
      !command.options.quiet && !command.options.no_warn) {
    command.err(kNoInstallInfo);
  }
  if (const int acted = act_now(command, all); acted != 0) status = acted;
  return status;
}

namespace {

/// is-enabled --full: the links by which the unit is installed, which are those that
/// disable would remove.
void tell_links(Command& command, const std::string& name) {
  UnitInstaller installer(command.context.files, loader_config(command),
                          install_options(command.options));
  for (const InstallChange& change : installer.disable({name}).changes) {
    if (change.kind != InstallChange::Kind::Remove) continue;
    command.out(format("  {}\n", printable(change.path)));
  }
}

}  // namespace

int verb_is_enabled(Command& command) {
  auto names = file_names(command, ".service");
  if (!names) return command.fail(names.error());
  UnitInstaller installer(command.context.files, loader_config(command),
                          install_options(command.options));
  json states = json::array();
  bool enabled = false;
  for (const std::string& name : *names) {
    UnitFileState state = installer.state(name);
    if (!is_native(state) && has_init_script(command, name)) {
      state = is_script_enabled(command, name) ? UnitFileState::Enabled : UnitFileState::Disabled;
    }
    if (state == UnitFileState::NotFound) {
      return command.fail(format("Failed to get unit file state for {}: {}", printable(name),
                                 "No such file or directory"));
    }
    enabled = enabled || counts_as_enabled(state);
    states.push_back({{"unit", name}, {"state", to_string(state)}});
    if (!command.options.quiet && command.options.json == JsonStyle::Off) {
      command.out(format("{}\n", to_string(state)));
      if (command.options.full) tell_links(command, name);
    }
  }
  if (!command.options.quiet) command.print_json(states);
  return enabled ? 0 : 1;
}

int verb_get_default(Command& command) {
  UnitInstaller installer(command.context.files, loader_config(command),
                          install_options(command.options));
  const std::string target = installer.get_default();
  if (target.empty()) return command.fail("Failed to get default target: there is none");
  command.out(printable(target) + '\n');
  return 0;
}

// ---- list-unit-files --------------------------------------------------------

namespace {

Tone state_tone_of(UnitFileState state) {
  switch (state) {
    case UnitFileState::Enabled:
    case UnitFileState::EnabledRuntime:
    case UnitFileState::Alias:
      return Tone::Good;
    case UnitFileState::Masked:
    case UnitFileState::MaskedRuntime:
    case UnitFileState::Disabled:
    case UnitFileState::Bad:
    case UnitFileState::NotFound:
      return Tone::Warn;
    case UnitFileState::Linked:
    case UnitFileState::LinkedRuntime:
    case UnitFileState::Static:
    case UnitFileState::Indirect:
    case UnitFileState::Generated:
    case UnitFileState::Transient:
      return Tone::Plain;
  }
  return Tone::Plain;
}

bool is_in(const Names& names, std::string_view word) {
  return names.empty() || std::find(names.begin(), names.end(), word) != names.end();
}

bool is_asked_for(const Options& options, const Names& patterns, const UnitFileInfo& file) {
  if (!is_in(options.types, file.name.substr(file.name.rfind('.') + 1))) return false;
  if (!is_in(options.states, to_string(file.state))) return false;
  if (patterns.empty()) return true;
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const std::string& pattern) { return glob_matches(pattern, file.name); });
}

std::string preset_word(const UnitFileInfo& file) {
  if (!file.preset) return "-";
  return *file.preset ? "enabled" : "disabled";
}

}  // namespace

int verb_list_unit_files(Command& command) {
  std::vector<std::string> patterns;
  for (const std::string& given : command.names) {
    if (auto pattern = complete_name(command, given, ".service", true)) {
      patterns.push_back(std::move(*pattern));
    }
  }
  if (command.options.with_dependencies) {
    auto names = unit_names(command);
    if (!names) return command.fail(names.error());
    patterns = std::move(*names);
  }
  UnitInstaller installer(command.context.files, loader_config(command),
                          install_options(command.options));
  Table table({"UNIT FILE", "STATE", "PRESET"});
  json list = json::array();
  for (const UnitFileInfo& file : installer.list()) {
    if (!is_asked_for(command.options, patterns, file)) continue;
    const std::string preset = preset_word(file);
    const Tone tone = preset == "enabled"    ? Tone::Good
                      : preset == "disabled" ? Tone::Warn
                                             : Tone::Plain;
    table.add({printable(file.name),
               Table::Cell(std::string(to_string(file.state)), state_tone_of(file.state)),
               Table::Cell(preset, tone)});
    list.push_back({{"unit_file", file.name},
                    {"state", to_string(file.state)},
                    {"preset", file.preset ? json(preset) : json()}});
  }
  const int status = list.empty() ? 1 : 0;
  if (command.print_json(list)) return status;
  const bool legend = command.options.has_legend();
  if (table.rows() > 0 || legend) {
    command.out(table.text(command.palette(), legend, command.width(), 0));
  }
  if (legend) command.out(format("\n{} unit files listed.\n", table.rows()));
  return status;
}

}  // namespace onset
