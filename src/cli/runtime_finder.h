#pragma once
// The manager that runs on this machine: its socket in the first runtime
// directory that root or this user owns, with root or this user behind it.

#include <string>
#include <vector>

#include "cli/context.h"

namespace onset {

class RuntimeFinder final : public ManagerFinder {
 public:
  RuntimeFinder(bool user_manager, unsigned uid, std::string xdg_runtime_dir)
      : user_manager_(user_manager), uid_(uid), xdg_runtime_dir_(std::move(xdg_runtime_dir)) {}
  Result<ControlClient, ClientError> find() override;

 private:
  bool user_manager_;
  unsigned uid_;
  std::string xdg_runtime_dir_;
};

/// Whether "/" is not the root of PID 1; false where that can't be seen.
bool is_chroot();

}  // namespace onset
