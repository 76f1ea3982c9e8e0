#include "init/unit_files.h"

#include <algorithm>

namespace onset {

std::vector<std::string> folders_of_path(const std::string& path, std::vector<std::string> usual) {
  if (path.empty()) return usual;
  std::vector<std::string> folders;
  std::size_t at = 0;
  while (at <= path.size()) {
    const std::size_t colon = std::min(path.find(':', at), path.size());
    if (colon > at) {
      folders.push_back(path.substr(at, colon - at));
    } else if (colon == path.size()) {
      for (std::string& folder : usual) folders.push_back(std::move(folder));
    }
    at = colon + 1;
  }
  return folders;
}

std::vector<std::string> manager_search_path(const std::string& unit_path, bool user_manager,
                                             const HostFacts& host) {
  std::vector<std::string> path =
      folders_of_path(unit_path, default_search_path(user_manager, host));
  const std::string transient = transient_folder(user_manager, host);
  if (!transient.empty() && std::ranges::find(path, transient) == path.end()) {
    path.push_back(transient);
  }
  return path;
}

}  // namespace onset
