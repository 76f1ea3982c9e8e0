// revert: what the administrator has put over a vendor's unit goes.
#include <algorithm>

#include "base/text.h"
#include "unit/install.h"
#include "unit/install_words.h"
#include "unit/name.h"
#include "unit/unit_index.h"

namespace onset {

InstallOutcome UnitInstaller::revert(const std::vector<std::string>& names) {
  InstallOutcome outcome;
  for (const std::string& name : names) {
    if (!unit_name_is_valid(name)) {
      fail(outcome,
           failed_to("revert", format("\"{}\" is not a valid unit name.", c_escape(name))));
      return outcome;
    }
    revert_dropins(name, outcome);
    revert_file(name, outcome);
  }
  return outcome;
}

void UnitInstaller::revert_dropins(const std::string& name, InstallOutcome& outcome) {
  for (const std::string& directory : index_.directories()) {
    if (!is_config_path(directory + "/") && !is_runtime_path(directory + "/")) continue;
    const std::string folder = directory + "/" + name + ".d";
    auto items = files_.list(shown(folder));
    if (!items) continue;
    std::sort(items->begin(), items->end(),
              [](const DirectoryItem& a, const DirectoryItem& b) { return a.name < b.name; });
    for (const DirectoryItem& item : *items) {
      if (item.kind != FileKind::Directory) remove(folder + "/" + item.name, outcome);
    }
    outcome.changes.push_back({InstallChange::Kind::RemoveFolder, folder, {}, {}});
  }
}

/// A unit that has no other file than the administrator's keeps it.
void UnitInstaller::revert_file(const std::string& name, InstallOutcome& outcome) {
  std::vector<std::string> own;
  bool has_vendor = false;
  for (const std::string& directory : index_.directories()) {
    const std::string path = directory + "/" + name;
    const auto status = files_.lstat(shown(path));
    if (!status) continue;
    if (is_config_path(path) || is_runtime_path(path)) {
      own.push_back(path);
    } else {
      has_vendor = has_vendor || status->kind == FileKind::Regular;
    }
  }
  if (!has_vendor) return;
  for (const std::string& path : own) remove(path, outcome);
}

}  // namespace onset
