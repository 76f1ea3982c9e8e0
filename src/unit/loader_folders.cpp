// What lies beside a fragment: drop-ins, and the folders of links that are
// dependencies.
#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "unit/dropin.h"
#include "unit/loader_impl.h"
#include "unit/name.h"

namespace onset {
namespace {

struct DependencyFolder {
  std::string_view suffix;
  DependencyKind kind;
};
constexpr DependencyFolder kDependencyFolders[] = {
    {".wants", DependencyKind::Wants},
    {".requires", DependencyKind::Requires},
    {".upholds", DependencyKind::Upholds},
};

std::string_view last_component(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

}  // namespace

void UnitLoader::Impl::read_dropins(Loading& loading, const std::vector<std::string>& names) {
  const std::vector<std::string> paths = find_dropins(index, names, ".d");
  for (Diagnostic& problem : index.take_folder_problems()) {
    // Without a drop-in it is another unit, and may be one with more rights.
    fail(loading.unit, LoadState::Error, problem.file, 0, problem.message);
    loading.diagnostics.push_back(std::move(problem));
  }
  for (const std::string& path : paths) {
    const auto link = files.read_link(index.with_root(path));
    if (link && *link == "/dev/null") continue;  // masked
    const auto found = files.stat(index.with_root(path));
    if (found && found->kind != FileKind::Regular) {
      loading.diagnostics.push_back(
          {Severity::Warning, path, 0, "not a regular file; ignored as a drop-in"});
      continue;
    }
    std::string text;
    FileStatus status;
    const LoadState before = loading.unit.load_state;
    if (!read_file(loading, path, text, status)) {
      // A drop-in that has just gone is no reason to miss the unit.
      if (loading.unit.load_state == LoadState::NotFound) loading.unit.load_state = before;
      continue;
    }
    loading.unit.dropin_paths.push_back(path);
    loading.unit.dropin_mtime_ns = std::max(loading.unit.dropin_mtime_ns, status.mtime_ns);
    apply_text(loading, text, path);
  }
}

/// As they lie there now; masks, and what is no file, left out.
std::vector<std::string> UnitLoader::Impl::dropins_of(const Unit& unit) {
  index.forget_folder_items();
  std::vector<std::string> names = {unit.id};
  names.insert(names.end(), unit.aliases.begin(), unit.aliases.end());
  std::vector<std::string> paths = find_dropins(index, names, ".d");
  (void)index.take_folder_problems();  // the next load tells
  std::erase_if(paths, [&](const std::string& path) {
    const auto link = files.read_link(index.with_root(path));
    if (link && *link == "/dev/null") return true;
    const auto status = files.stat(index.with_root(path));
    return !status || status->kind != FileKind::Regular;
  });
  return paths;
}

bool UnitLoader::Impl::has_changed(const Unit& unit) {
  if (unit.fragment_path.starts_with('/')) {
    const auto status = files.stat(index.with_root(unit.fragment_path));
    const bool is_file = status && (status->kind == FileKind::Regular || status->is_null_device);
    const bool was_file = unit.load_state != LoadState::NotFound &&
                          (unit.load_state != LoadState::Error || unit.fragment_mtime_ns != 0);
    // What could not be read then, and is no file now, is not worth a reload.
    if (!is_file || !was_file) return is_file != was_file;
    const bool is_mask = status->is_null_device || status->size == 0;
    if (is_mask != (unit.load_state == LoadState::Masked)) return true;
    if (!is_mask && status->mtime_ns != unit.fragment_mtime_ns) return true;
  }
  if (unit.load_state != LoadState::Loaded) return false;
  const std::vector<std::string> dropins = dropins_of(unit);
  return dropins != unit.dropin_paths ||
         std::any_of(dropins.begin(), dropins.end(), [&](const std::string& path) {
           const auto status = files.stat(index.with_root(path));
           return !status || status->mtime_ns > unit.dropin_mtime_ns;
         });
}

void UnitLoader::Impl::read_dependency_folders(Loading& loading,
                                               const std::vector<std::string>& names) {
  for (const DependencyFolder& folder : kDependencyFolders) {
    const std::vector<std::string> paths = find_dropins(index, names, folder.suffix);
    for (Diagnostic& problem : index.take_folder_problems())
      loading.diagnostics.push_back(std::move(problem));
    for (const std::string& path : paths) add_folder_dependency(loading, path, folder.kind);
  }
}

void UnitLoader::Impl::add_folder_dependency(Loading& loading, const std::string& path,
                                             DependencyKind kind) {
  const auto warn = [&](Severity severity, std::string message) {
    loading.diagnostics.push_back({severity, path, 0, std::move(message)});
  };
  const auto link = files.read_link(index.with_root(path));
  if (!link) return warn(Severity::Warning, "not a symbolic link; ignored as a dependency");
  if (*link == "/dev/null") return;  // masked
  const std::string_view entry = last_component(path);
  if (!unit_name_is_valid(entry)) {
    return warn(Severity::Warning, "not a valid unit name; ignored as a dependency");
  }
  const Unit& unit = loading.unit;
  std::string name(entry);
  if (is_template(name)) {
    auto filled =
        instantiate(name, is_instance(unit.id) ? unit_instance(unit.id) : unit_prefix(unit.id));
    if (!filled) return warn(Severity::Warning, "gives no valid unit name; ignored");
    name = std::move(*filled);
  }
  const std::string_view target = last_component(*link);
  if (target != entry && target != name && target != template_of(name)) {
    warn(Severity::Note,
         format("points to a unit of another name, {}; {} is taken", c_escape(target), name));
  }
  loading.unit.config.dependencies.push_back({kind, std::move(name), false});
}

}  // namespace onset
