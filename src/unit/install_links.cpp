// The links that the [Install] section of one unit asks for.

#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "unit/install.h"
#include "unit/install_words.h"
#include "unit/name.h"
#include "unit/specifiers.h"
#include "unit/unit_index.h"

namespace onset {
namespace {

constexpr std::string_view kFolders[] = {".wants", ".requires", ".upholds"};

/// The name under which a template with DefaultInstance= acts.
std::string acting_name(const std::string& name, const InstallConfig& install) {
  if (!is_template(name) || install.default_instance.empty()) return name;
  return instantiate(name, install.default_instance).value_or(name);
}

/// Alias=x.wants/NAME: allowed for the unit's own name and instances of it.
bool folder_alias_is_valid(std::string_view alias, const std::string& name) {
  const std::size_t slash = alias.find('/');
  const std::string_view folder = alias.substr(0, slash);
  const std::string_view link = alias.substr(slash + 1);
  const bool is_folder =
      std::any_of(std::begin(kFolders), std::end(kFolders), [folder](std::string_view suffix) {
        return folder.ends_with(suffix) &&
               unit_name_is_valid(folder.substr(0, folder.size() - suffix.size()));
      });
  return is_folder && unit_name_is_valid(link) && (link == name || template_of(link) == name);
}

}  // namespace

Result<std::string, std::string> UnitInstaller::expand(const InstallUnit& unit,
                                                       std::string_view text) const {
  const std::string name = acting_name(unit.name, unit.install);
  const SpecifierScope scope{name, unit.path, loader_.config().host};
  return expand_specifiers(text, scope, kPathMax);
}

void UnitInstaller::make_links(const InstallUnit& unit, InstallOutcome& outcome,
                               std::string_view verb) {
  if (unit.is_outside) {
    make_link(unit.path, config_directory() + "/" + unit.name, options_.force, outcome, verb);
  }
  make_aliases(unit, outcome, verb);
  make_dependencies(unit, unit.install.wanted_by, ".wants", outcome, verb);
  make_dependencies(unit, unit.install.required_by, ".requires", outcome, verb);
  make_dependencies(unit, unit.install.upheld_by, ".upholds", outcome, verb);
}

void UnitInstaller::make_aliases(const InstallUnit& unit, InstallOutcome& outcome,
                                 std::string_view verb) {
  for (const std::string& text : unit.install.alias) {
    auto alias = expand(unit, text);
    if (!alias) {
      fail(outcome,
           format("Failed to {} unit, invalid specifier in \"{}\".", verb, c_escape(text)));
      continue;
    }
    if (is_template(*alias) && is_instance(unit.name)) {
      if (auto filled = instantiate(*alias, unit_instance(unit.name))) *alias = std::move(*filled);
    }
    if (*alias == unit.name) continue;  // itself: nothing to do
    const bool is_valid = alias->find('/') != std::string::npos
                              ? folder_alias_is_valid(*alias, unit.name)
                              : alias_problem(*alias, unit.name).empty();
    if (!is_valid) {
      fail(outcome,
           format("Failed to {} unit, cannot alias {} as {}.", verb, unit.name, c_escape(*alias)));
      continue;
    }
    make_link(unit.path, config_directory() + "/" + *alias, options_.force, outcome, verb);
  }
}

void UnitInstaller::make_dependencies(const InstallUnit& unit,
                                      const std::vector<std::string>& dependents,
                                      std::string_view suffix, InstallOutcome& outcome,
                                      std::string_view verb) {
  const std::string name = acting_name(unit.name, unit.install);
  for (const std::string& text : dependents) {
    const auto dependent = expand(unit, text);
    if (!dependent) {
      fail(outcome,
           format("Failed to {} unit, invalid specifier in \"{}\".", verb, c_escape(text)));
      continue;
    }
    if (!unit_name_is_valid(*dependent)) {
      fail(outcome, format("Failed to {} unit, \"{}\" is not a valid unit name.", verb,
                           c_escape(*dependent)));
      continue;
    }
    if (is_template(name) && !is_template(*dependent)) {
      fail(outcome, format("Failed to {} {}, destination unit {} is a non-template unit.", verb,
                           unit.name, *dependent));
      continue;
    }
    const std::string path = format("{}/{}{}/{}", config_directory(), *dependent, suffix, name);
    if (!make_link(unit.path, path, true, outcome, verb)) continue;
    const bool is_there = is_template(*dependent) ? index_.find(*dependent) != nullptr
                                                  : index_.resolve(*dependent).entry != nullptr;
    if (is_there) continue;
    outcome.changes.push_back({InstallChange::Kind::Note,
                               {},
                               {},
                               format("Unit {} is added as a dependency to a non-existent unit {}.",
                                      shown(unit.path), *dependent)});
  }
}

/// True if a link was made.
bool UnitInstaller::make_link(const std::string& target, const std::string& path, bool force,
                              InstallOutcome& outcome, std::string_view verb) {
  if (const auto present = link_at(path)) {
    const std::string folder = path.substr(0, path.rfind('/'));
    if (absolute_target(folder, *present) == target) return false;
    if (!force) {
      fail(outcome,
           format("Failed to {} unit, file \"{}\" already exists and is a symlink to \"{}\".", verb,
                  shown(path), c_escape(*present)));
      return false;
    }
    remove(path, outcome);
  } else if (exists(path)) {
    // A file is somebody's work, and goes for --force alone.
    if (!force) {
      fail(outcome, format("Failed to {} unit, file \"{}\" already exists.", verb, shown(path)));
      return false;
    }
    remove(path, outcome);
  }
  outcome.changes.push_back({InstallChange::Kind::Create, path, target, {}});
  pending_[path] = target;
  return true;
}

std::optional<std::string> UnitInstaller::link_at(const std::string& path) {
  if (const auto changed = pending_.find(path); changed != pending_.end()) return changed->second;
  auto link = files_.read_link(shown(path));
  return link ? std::optional(std::move(*link)) : std::nullopt;
}

bool UnitInstaller::exists(const std::string& path) {
  if (const auto changed = pending_.find(path); changed != pending_.end()) {
    return changed->second.has_value();
  }
  return files_.lstat(shown(path)).ok();
}

void UnitInstaller::remove(const std::string& path, InstallOutcome& outcome) {
  outcome.changes.push_back({InstallChange::Kind::Remove, path, {}, {}});
  pending_[path] = std::nullopt;
}

}  // namespace onset
