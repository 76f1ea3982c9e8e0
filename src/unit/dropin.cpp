#include "unit/dropin.h"

#include <map>

#include "unit/name.h"

namespace onset {
namespace {

/// The folders that exist, the most specific first.
std::vector<std::string> find_folders(UnitIndex& index, const std::vector<std::string>& names,
                                      std::string_view suffix) {
  struct Folder {
    std::string name;
    std::vector<std::string> directories;
  };
  std::vector<std::string> paths;
  const auto add_folders = [&](const std::vector<Folder>& found) {
    if (found.empty()) return;
    for (const std::string& directory : index.directories()) {
      for (const Folder& folder : found) {
        for (const std::string& has : folder.directories) {
          if (has == directory) paths.push_back(directory + "/" + folder.name);
        }
      }
    }
  };
  std::string type;
  for (const std::string& name : names) {
    std::vector<std::string> parts = dropin_names(name);
    if (parts.empty()) continue;
    type = std::move(parts.back());
    parts.pop_back();
    std::vector<Folder> found;
    for (const std::string& part : parts) {
      Folder folder{part + std::string(suffix), {}};
      folder.directories = index.folders(folder.name);
      if (!folder.directories.empty()) found.push_back(std::move(folder));
    }
    add_folders(found);
  }
  Folder of_type{type + std::string(suffix), {}};
  of_type.directories = index.folders(of_type.name);
  if (!of_type.directories.empty()) add_folders({of_type});
  return paths;
}

}  // namespace

std::vector<std::string> find_dropins(UnitIndex& index, const std::vector<std::string>& names,
                                      std::string_view folder_suffix) {
  if (!index.has_folders(folder_suffix)) return {};
  std::map<std::string_view, std::string> by_name;
  for (const std::string& folder : find_folders(index, names, folder_suffix)) {
    for (const DirectoryItem& item : index.folder_items(folder)) {
      if (item.kind == FileKind::Directory) continue;
      if (folder_suffix == ".d" && !item.name.ends_with(".conf")) continue;
      by_name.try_emplace(item.name, folder + "/" + item.name);
    }
  }
  std::vector<std::string> paths;
  paths.reserve(by_name.size());
  for (auto& [name, path] : by_name) paths.push_back(std::move(path));
  return paths;
}

}  // namespace onset
