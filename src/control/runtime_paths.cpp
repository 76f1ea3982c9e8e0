#include "control/runtime_paths.h"

#include "base/format.h"

namespace onset {

std::vector<std::string> runtime_directory_candidates(bool user_manager, unsigned uid,
                                                      std::string_view xdg_runtime_dir) {
  std::vector<std::string> found;
  if (!user_manager) found.emplace_back("/run/onset");
  if (!xdg_runtime_dir.empty()) found.push_back(format("{}/onset", xdg_runtime_dir));
  // Writable in a container with a read-only root, whoever the user is.
  found.push_back(format("/dev/shm/onset-{}", uid));
  found.push_back(format("/tmp/onset-{}", uid));
  return found;
}

}  // namespace onset
