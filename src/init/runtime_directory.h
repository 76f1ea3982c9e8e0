#pragma once
// Where the sockets live: /run/onset, or for a manager that can't write there
// (any uid, a read-only root) the next place that it can. Clients look in the
// same order (control/paths).

#include <string>
#include <vector>

namespace onset {

struct RuntimeDirectory {
  std::string path;                 ///< empty: nowhere is writable, there is no control
  std::vector<std::string> losses;  ///< one line for each thing that could not be had
};

/// Makes the directory (mode 0755, ours) and returns the first that works.
RuntimeDirectory make_runtime_directory(bool user_manager, const char* xdg_runtime_dir);

}  // namespace onset
