// disable and unmask: which links go.

#include <algorithm>

#include "base/text.h"
#include "unit/install.h"
#include "unit/install_words.h"
#include "unit/name.h"
#include "unit/unit_index.h"

namespace onset {

void UnitInstaller::mark_and_remove(const std::vector<std::string>& names, InstallOutcome& outcome,
                                    std::string_view verb) {
  Batch batch;
  std::set<std::string> marked;
  for (const std::string& name : names) {
    if (!unit_name_is_valid(name)) {
      fail(outcome, failed_to(verb, format("\"{}\" is not a valid unit name.", c_escape(name))));
      return;
    }
    auto unit = discover(name);
    if (!unit) {
      // What is left of a unit that is gone can be taken away all the same.
      note(outcome, failed_to(verb, unit.error().text));
      marked.insert(name);
      continue;
    }
    add_with_also(batch, std::move(*unit), outcome, verb);
  }
  for (const InstallUnit& unit : batch.units) {
    if (unit.is_masked) {
      note(outcome, format("Unit {} is masked, ignoring.", shown(unit.path)));
    } else {
      marked.insert(unit.name);
    }
  }
  remove_links_to(std::move(marked), outcome);
}

/// A link that goes takes those with it that lead to it: until none is left.
void UnitInstaller::remove_links_to(std::set<std::string> marked, InstallOutcome& outcome) {
  if (marked.empty()) return;
  while (remove_links_once(marked, outcome)) {
  }
}

bool UnitInstaller::remove_links_once(std::set<std::string>& marked, InstallOutcome& outcome) {
  bool again = false;
  std::vector<std::string> folders = {config_directory()};
  while (!folders.empty()) {
    const std::string folder = std::move(folders.back());
    folders.pop_back();
    auto items = files_.list(shown(folder));
    if (!items) continue;
    std::sort(items->begin(), items->end(),
              [](const DirectoryItem& a, const DirectoryItem& b) { return a.name < b.name; });
    for (const DirectoryItem& item : *items) {
      const std::string path = folder + "/" + item.name;
      if (item.kind == FileKind::Directory && folder == config_directory()) folders.push_back(path);
      if (item.kind != FileKind::Symlink || !unit_name_is_valid(item.name)) continue;
      const auto target = link_at(path);
      if (!target) continue;  // gone already
      const std::string absolute = absolute_target(folder, *target);
      const auto own_template = template_of(item.name);
      const bool found =
          marked.contains(item.name) || (own_template && marked.contains(*own_template)) ||
          marked.contains(absolute) || marked.contains(absolute.substr(absolute.rfind('/') + 1));
      if (!found) continue;
      remove(path, outcome);
      again = marked.insert(path).second || again;
    }
  }
  return again;
}

InstallOutcome UnitInstaller::disable(const std::vector<std::string>& names) {
  InstallOutcome outcome;
  mark_and_remove(names, outcome, "disable");
  return outcome;
}

InstallOutcome UnitInstaller::unmask(const std::vector<std::string>& names) {
  InstallOutcome outcome;
  std::set<std::string> marked;
  for (const std::string& name : names) {
    if (!unit_name_is_valid(name)) {
      fail(outcome,
           failed_to("unmask", format("\"{}\" is not a valid unit name.", c_escape(name))));
      continue;
    }
    const std::string path = config_directory() + "/" + name;
    if (link_at(path) != "/dev/null") continue;
    remove(path, outcome);
    marked.insert(path);
  }
  remove_links_to(std::move(marked), outcome);
  return outcome;
}

}  // namespace onset
