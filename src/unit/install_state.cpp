// is-enabled and list-unit-files: what the links in the search path say about
// a unit file.
//
//   masked → alias → generated, transient → a link of a name that [Install]
//   knows: enabled → a link of another name: indirect → [Install] without a
//   link: disabled → Also= alone: indirect → static

#include <algorithm>

#include "base/text.h"
#include "unit/install.h"
#include "unit/name.h"
#include "unit/unit_index.h"

namespace onset {
namespace {

constexpr std::string_view kStates[] = {
    "enabled",   "enabled-runtime", "linked", "linked-runtime", "alias",
    "masked",    "masked-runtime",  "static", "disabled",       "indirect",
    "generated", "transient",       "bad",    "not-found"};

std::string_view last_component(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

/// A link of this name is one that enabling the unit would make.
bool is_known_name(std::string_view name, const std::string& unit, const InstallConfig& install) {
  if (name == unit) return true;
  if (std::find(install.alias.begin(), install.alias.end(), name) != install.alias.end()) {
    return true;
  }
  return is_template(unit) && !install.default_instance.empty() &&
         name == instantiate(unit, install.default_instance);
}

bool is_dependency_folder(std::string_view name) {
  return name.ends_with(".wants") || name.ends_with(".requires") || name.ends_with(".upholds");
}

bool says_preset(UnitFileState state) {
  switch (state) {
    case UnitFileState::Static:
    case UnitFileState::Alias:
    case UnitFileState::Generated:
    case UnitFileState::Transient:
    case UnitFileState::Bad:
    case UnitFileState::NotFound:
      return false;
    case UnitFileState::Enabled:
    case UnitFileState::EnabledRuntime:
    case UnitFileState::Linked:
    case UnitFileState::LinkedRuntime:
    case UnitFileState::Masked:
    case UnitFileState::MaskedRuntime:
    case UnitFileState::Disabled:
    case UnitFileState::Indirect:
      return true;
  }
  return false;
}

}  // namespace

std::string_view to_string(UnitFileState state) {
  return kStates[static_cast<std::size_t>(state)];
}

bool counts_as_enabled(UnitFileState state) {
  switch (state) {
    case UnitFileState::Enabled:
    case UnitFileState::EnabledRuntime:
    case UnitFileState::Alias:
    case UnitFileState::Static:
    case UnitFileState::Indirect:
    case UnitFileState::Generated:
    case UnitFileState::Transient:
      return true;
    case UnitFileState::Linked:
    case UnitFileState::LinkedRuntime:
    case UnitFileState::Masked:
    case UnitFileState::MaskedRuntime:
    case UnitFileState::Disabled:
    case UnitFileState::Bad:
    case UnitFileState::NotFound:
      return false;
  }
  return false;
}

bool UnitInstaller::is_runtime_path(std::string_view path) const {
  return path.starts_with("/run/") || path.starts_with(runtime_directory_ + "/");
}

bool UnitInstaller::is_config_path(std::string_view path) const {
  return path.starts_with("/etc/") || path.starts_with(persistent_directory_ + "/");
}

UnitFileState UnitInstaller::state(std::string_view name) {
  if (!unit_name_is_valid(name)) return UnitFileState::Bad;
  const auto unit = discover(std::string(name));
  if (!unit) return index_.find(name) != nullptr ? UnitFileState::Bad : UnitFileState::NotFound;
  return state_of(name, *unit);
}

UnitFileState UnitInstaller::state_of(std::string_view name, const InstallUnit& unit) {
  if (unit.is_masked) {
    return is_runtime_path(unit.path) ? UnitFileState::MaskedRuntime : UnitFileState::Masked;
  }
  if (unit.name != name && !is_instance(unit.name)) return UnitFileState::Alias;
  if (unit.path.starts_with("/run/systemd/generator")) return UnitFileState::Generated;
  if (unit.path.starts_with("/run/systemd/transient")) return UnitFileState::Transient;
  if (const auto state = links_state(unit, Match::KnownNames)) return *state;
  const InstallConfig& install = unit.install;
  if (!is_instance(unit.name) && links_state(unit, Match::AnyName)) return UnitFileState::Indirect;
  if (!install.alias.empty() || !install.wanted_by.empty() || !install.required_by.empty() ||
      !install.upheld_by.empty()) {
    return UnitFileState::Disabled;
  }
  return install.also.empty() ? UnitFileState::Static : UnitFileState::Indirect;
}

std::optional<UnitFileState> UnitInstaller::links_state(const InstallUnit& unit, Match match) {
  bool in_runtime = false;
  bool in_vendor = false;
  bool linked = false;
  bool linked_runtime = false;
  const auto& directories = index_.directories();
  for (std::size_t d = 0; d < directories.size(); ++d) {
    const std::string& directory = directories[d];
    const Enablement found = find_links(unit, d, match);
    const bool runtime = is_runtime_path(directory + "/");
    const bool config = is_config_path(directory + "/");
    if (found.found && config) return UnitFileState::Enabled;
    if (found.found) (runtime ? in_runtime : in_vendor) = true;
    if (found.same_name && config) linked = true;
    if (found.same_name && runtime) linked_runtime = true;
  }
  if (in_runtime) return UnitFileState::EnabledRuntime;
  if (match == Match::AnyName) return std::nullopt;
  // An instance that the vendor linked is there on purpose; other names of the
  // vendor's are mere aliases.
  if (in_vendor && is_instance(unit.name)) return UnitFileState::Static;
  if (linked) return UnitFileState::Linked;
  if (linked_runtime) return UnitFileState::LinkedRuntime;
  return std::nullopt;
}

UnitInstaller::Enablement UnitInstaller::find_links(const InstallUnit& unit, std::size_t directory,
                                                    Match match) {
  if (!searched_links_) index_links();
  Enablement found;
  find_links_to(unit.name, unit, directory, match, found);
  const std::string_view file = last_component(unit.path);
  if (file != unit.name) find_links_to(file, unit, directory, match, found);
  return found;
}

void UnitInstaller::find_links_to(std::string_view last, const InstallUnit& unit,
                                  std::size_t directory, Match match, Enablement& found) const {
  const auto links = searched_links_->find(std::string(last));
  if (links == searched_links_->end()) return;
  for (const SearchedLink& link : links->second) {
    if (link.directory != directory) continue;
    if (link.target != unit.path && last != unit.name) continue;
    if (link.name != unit.name && match == Match::KnownNames &&
        !is_known_name(link.name, unit.name, unit.install)) {
      continue;
    }
    (link.is_top && link.name == unit.name ? found.same_name : found.found) = true;
  }
}

/// Every link of the search path is read once, however many units are asked for.
void UnitInstaller::index_links() {
  searched_links_.emplace();
  const auto& directories = index_.directories();
  for (std::size_t d = 0; d < directories.size(); ++d) {
    // A copy: listing a folder may move the lists of others.
    const std::vector<DirectoryItem> items = index_.folder_items(directories[d]);
    for (const DirectoryItem& item : items) {
      if (item.kind != FileKind::Directory || !is_dependency_folder(item.name)) continue;
      index_links_of(directories[d] + "/" + item.name, d, false);
    }
    index_links_of(directories[d], d, true);
  }
}

void UnitInstaller::index_links_of(const std::string& folder, std::size_t directory, bool is_top) {
  for (const DirectoryItem& item : index_.folder_items(folder)) {
    if (item.kind != FileKind::Symlink || !unit_name_is_valid(item.name)) continue;
    const auto link = link_at(folder + "/" + item.name);
    if (!link) continue;
    std::string target = absolute_target(folder, *link);
    const std::string last(last_component(target));
    (*searched_links_)[last].push_back({directory, item.name, std::move(target), is_top});
  }
}

std::vector<UnitFileInfo> UnitInstaller::list() {
  if (!presets_) {
    presets_ = read_presets(files_, root_, loader_.config().user_manager, diagnostics_);
  }
  std::vector<UnitFileInfo> infos;
  for (const std::string& name : index_.names()) {
    UnitFileInfo info{name, state(name), std::nullopt};
    if (says_preset(info.state)) info.preset = presets_->ask(name).enable;
    infos.push_back(std::move(info));
  }
  std::stable_sort(infos.begin(), infos.end(), [](const UnitFileInfo& a, const UnitFileInfo& b) {
    return unit_suffix(a.name) < unit_suffix(b.name);
  });
  return infos;
}

}  // namespace onset
