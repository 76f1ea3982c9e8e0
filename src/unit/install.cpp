#include "unit/install.h"

#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "unit/install_words.h"
#include "unit/name.h"
#include "unit/unit_index.h"

namespace onset {
namespace {

std::string_view last_component(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

std::string parent_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == 0 ? "/" : std::string(path.substr(0, slash));
}

/// Links to a unit of the binary need a place to point to, the name at the end of
/// it is what counts: in the last folder that is not for this boot alone.
std::string builtin_link_path(const std::vector<std::string>& directories,
                              std::string_view builtin) {
  const auto lasting = std::find_if(directories.rbegin(), directories.rend(),
                                    [](const auto& d) { return !d.starts_with("/run/"); });
  if (lasting == directories.rend()) return std::string(builtin);
  return *lasting + "/" + std::string(builtin.substr(builtin.find(':') + 1));
}

}  // namespace

const std::string_view kNoInstallInfo =
    "The unit files have no installation config: no WantedBy=, RequiredBy=, UpheldBy=, Also= or\n"
    "Alias= in an [Install] section, and no DefaultInstance= if they are templates. Such units\n"
    "are not meant to be enabled. They are started because another unit names them, or links to\n"
    "them in its .wants or .requires folder, or when a socket, path, timer or D-Bus name needs\n"
    "them; a template may want an instance's name.";

std::string to_string(const InstallChange& change, std::string_view root) {
  switch (change.kind) {
    case InstallChange::Kind::Create:
      return format("Created symlink {}{} → {}.", root, change.path, change.target);
    case InstallChange::Kind::Remove:
    case InstallChange::Kind::RemoveFolder:
      return format("Removed \"{}{}\".", root, change.path);
    case InstallChange::Kind::Note:
    case InstallChange::Kind::Failure:
      return change.message;
  }
  return {};
}

bool InstallOutcome::failed() const {
  return std::any_of(changes.begin(), changes.end(), [](const InstallChange& change) {
    return change.kind == InstallChange::Kind::Failure;
  });
}

SysResult apply_changes(const InstallOutcome& outcome, FileChanger& changer,
                        std::string_view root) {
  for (const InstallChange& change : outcome.changes) {
    const std::string path = std::string(root) + change.path;
    switch (change.kind) {
      case InstallChange::Kind::Create:
        if (auto made = changer.make_directories(parent_of(path)); !made) return made;
        if (auto made = changer.make_link(change.target, path); !made) return made;
        break;
      case InstallChange::Kind::Remove:
        if (auto removed = changer.remove(path); !removed) return removed;
        // The configuration directory itself has no such suffix and stays.
        if (const std::string folder = parent_of(path); folder.ends_with(".wants") ||
                                                        folder.ends_with(".requires") ||
                                                        folder.ends_with(".upholds")) {
          changer.remove_empty_directory(folder);
        }
        break;
      case InstallChange::Kind::RemoveFolder:
        changer.remove_empty_directory(path);
        break;
      case InstallChange::Kind::Note:
      case InstallChange::Kind::Failure:
        break;
    }
  }
  return {};
}

UnitInstaller::UnitInstaller(FileSource& files, LoaderConfig config, InstallOptions options)
    : files_(files),
      options_(options),
      loader_(files, std::move(config)),
      index_(loader_.index()),
      root_(index_.with_root("")) {
  const LoaderConfig& used = loader_.config();
  persistent_directory_ =
      used.user_manager ? used.host.config_dir + "/systemd/user" : "/etc/systemd/system";
  runtime_directory_ =
      used.user_manager ? used.host.runtime_dir + "/systemd/user" : "/run/systemd/system";
}

Result<UnitInstaller::InstallUnit, UnitInstaller::Problem> UnitInstaller::discover_path(
    const std::string& path) {
  const std::string_view name = last_component(path);
  if (!unit_name_is_valid(name)) {
    return Failure{Problem{format("\"{}\" is not a valid unit name.", c_escape(name)), false, {}}};
  }
  const auto status = files_.stat(shown(path));
  if (!status) return Failure{Problem{format("unit {} does not exist.", shown(path)), false, {}}};
  if (status->kind != FileKind::Regular) {
    return Failure{Problem{format("{} is not a regular file.", shown(path)), false, {}}};
  }
  const std::string simple = path_simplify(path);
  const auto& searched = index_.directories();
  InstallUnit unit;
  unit.name = name;
  unit.path = simple;
  unit.is_outside =
      std::find(searched.begin(), searched.end(), parent_of(simple)) == searched.end();
  index_.add_file(name, simple);
  unit.install = loader_.load_install(unit.name, diagnostics_);
  return unit;
}

Result<UnitInstaller::InstallUnit, UnitInstaller::Problem> UnitInstaller::discover(
    const std::string& name) {
  if (path_is_absolute(name)) return discover_path(name);
  if (!unit_name_is_valid(name)) {
    return Failure{Problem{format("\"{}\" is not a valid unit name.", c_escape(name)), false, {}}};
  }
  InstallUnit unit;
  const Resolved resolved = index_.resolve(name);
  unit.name = resolved.id;
  if (resolved.is_loop) {
    return Failure{Problem{format("the aliases of {} go in a circle.", name), false, {}}};
  }
  const UnitFileEntry* entry = resolved.entry;
  if (entry == nullptr) {
    return Failure{Problem{format("unit {} does not exist.", name), false, {}}};
  }
  const std::string path = index_.path_of(*entry);
  switch (entry->kind) {
    case UnitFileEntry::Kind::Mask:
      unit.is_masked = true;
      unit.path = path;
      return unit;
    case UnitFileEntry::Kind::Builtin:
      unit.path = builtin_link_path(index_.directories(), path);
      break;
    case UnitFileEntry::Kind::Alias:
      return Failure{Problem{format("unit {} does not exist.", name), false, {}}};
    case UnitFileEntry::Kind::File: {
      const std::string& target = entry->detail().link_target;
      unit.path = target.empty() ? path : target;
      const auto status = files_.stat(shown(path));
      if (!status) return Failure{Problem{format("unit {} does not exist.", name), false, {}}};
      if (status->size == 0) {
        unit.is_masked = true;
        unit.path = path;
        return unit;
      }
      break;
    }
  }
  unit.install = loader_.load_install(unit.name, diagnostics_);
  return unit;
}

std::string UnitInstaller::name_of(const std::string& name_or_path) const {
  return std::string(last_component(name_or_path));
}

/// Also= is followed at once, so that a unit's own come right behind it.
void UnitInstaller::add_with_also(Batch& batch, InstallUnit unit, InstallOutcome& outcome,
                                  std::string_view verb) {
  std::vector<InstallUnit> waiting;
  waiting.push_back(std::move(unit));
  while (!waiting.empty()) {
    InstallUnit next = std::move(waiting.back());
    waiting.pop_back();
    if (!batch.seen.insert(next.name).second) continue;
    const std::vector<std::string> also = next.install.also;
    outcome.has_install_info = outcome.has_install_info || !next.install.empty();
    batch.units.push_back(next);
    for (auto name = also.rbegin(); name != also.rend(); ++name) {
      auto expanded = expand(next, *name);
      if (!expanded || !unit_name_is_valid(*expanded)) {
        fail(outcome, failed_to(verb, format("invalid specifier in \"{}\".", c_escape(*name))));
        continue;
      }
      if (batch.seen.contains(*expanded)) continue;
      auto found = discover(*expanded);
      if (found) {
        waiting.push_back(std::move(*found));
      } else if (batch.seen.insert(*expanded).second) {
        batch.missing.push_back(*expanded);
      }
    }
  }
}

void UnitInstaller::apply_batch(const Batch& batch, InstallOutcome& outcome,
                                std::string_view verb) {
  for (const InstallUnit& unit : batch.units) {
    if (unit.is_masked) {
      note(outcome, format("Unit {} is masked, ignoring.", shown(unit.path)));
      continue;
    }
    make_links(unit, outcome, verb);
  }
  for (const std::string& name : batch.missing) {
    note(outcome, format("Failed to enable auxiliary unit {}, ignoring.", name));
  }
}

InstallOutcome UnitInstaller::enable(const std::vector<std::string>& names) {
  InstallOutcome outcome;
  Batch batch;
  for (const std::string& name : names) {
    auto unit = discover(name);
    if (!unit) {
      fail(outcome, failed_to("enable", unit.error().text));
      return outcome;
    }
    if (unit->is_masked) {
      fail(outcome, failed_to("enable", format("unit {} is masked.", shown(unit->path))));
      return outcome;
    }
    add_with_also(batch, std::move(*unit), outcome, "enable");
  }
  apply_batch(batch, outcome, "enable");
  return outcome;
}

InstallOutcome UnitInstaller::link(const std::vector<std::string>& paths) {
  InstallOutcome outcome;
  for (const std::string& path : paths) {
    if (!path_is_absolute(path)) {
      fail(outcome, failed_to("link", format("\"{}\" is not an absolute path.", c_escape(path))));
      return outcome;
    }
    auto unit = discover_path(path);
    if (!unit) {
      fail(outcome, failed_to("link", unit.error().text));
      return outcome;
    }
    if (!unit->is_outside) continue;
    make_link(unit->path, config_directory() + "/" + unit->name, options_.force, outcome, "link");
  }
  return outcome;
}

InstallOutcome UnitInstaller::reenable(const std::vector<std::string>& names) {
  std::vector<std::string> bare;
  for (const std::string& name : names) bare.push_back(name_of(name));
  InstallOutcome outcome = disable(bare);
  if (!outcome.failed()) append(outcome, enable(names));
  return outcome;
}

InstallOutcome UnitInstaller::mask(const std::vector<std::string>& names) {
  InstallOutcome outcome;
  for (const std::string& name : names) {
    if (!unit_name_is_valid(name)) {
      fail(outcome, failed_to("mask", format("\"{}\" is not a valid unit name.", c_escape(name))));
      continue;
    }
    make_link("/dev/null", config_directory() + "/" + name, options_.force, outcome, "mask");
  }
  return outcome;
}

InstallOutcome UnitInstaller::add_dependency(const std::string& target,
                                             const std::vector<std::string>& names,
                                             DependencyKind kind) {
  constexpr std::string_view kVerb = "add dependency on";
  InstallOutcome outcome;
  const auto found = discover(target);
  if (!found || found->is_masked) {
    fail(outcome, failed_to(kVerb, found ? format("unit {} is masked.", shown(found->path))
                                         : found.error().text));
    return outcome;
  }
  std::vector<InstallUnit> units;
  for (const std::string& name : names) {
    auto unit = discover(name);
    if (!unit || unit->is_masked) {
      fail(outcome, failed_to(kVerb, unit ? format("unit {} is masked.", shown(unit->path))
                                          : unit.error().text));
      return outcome;
    }
    units.push_back(std::move(*unit));
  }
  const std::string_view suffix = kind == DependencyKind::Requires ? ".requires" : ".wants";
  for (InstallUnit& unit : units) {
    make_dependencies(unit, {found->name}, suffix, outcome, kVerb);
  }
  return outcome;
}

InstallOutcome UnitInstaller::set_default(const std::string& target) {
  InstallOutcome outcome;
  if (unit_type_of(target) != UnitType::Target || target == "default.target") {
    fail(outcome, "Failed to set default: Invalid argument.");
    return outcome;
  }
  const auto unit = discover(target);
  if (!unit || unit->is_masked) {
    fail(outcome, failed_to("set default", unit ? format("unit {} is masked.", shown(unit->path))
                                                : unit.error().text));
    return outcome;
  }
  make_link(unit->path, persistent_directory_ + "/default.target", true, outcome, "set default");
  return outcome;
}

std::string UnitInstaller::get_default() {
  const auto unit = discover("default.target");
  return unit && !unit->is_masked ? unit->name : std::string();
}

}  // namespace onset
