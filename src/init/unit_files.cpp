#include "init/unit_files.h"

namespace onset {

std::vector<std::string> manager_search_path(const std::string& unit_path, bool user_manager,
                                             const HostFacts& host) {
  if (unit_path.empty()) return default_search_path(user_manager, host);
  std::vector<std::string> folders;
  std::size_t at = 0;
  while (at <= unit_path.size()) {
    const std::size_t colon = std::min(unit_path.find(':', at), unit_path.size());
    if (colon > at) {
      folders.push_back(unit_path.substr(at, colon - at));
    } else if (colon == unit_path.size()) {
      for (std::string& folder : default_search_path(user_manager, host)) {
        folders.push_back(std::move(folder));
      }
    }
    at = colon + 1;
  }
  return folders;
}

}  // namespace onset
