#pragma once
// ResourceConfig → what is written to the files of a group: a pure function, and
// the difference between what was written and what is to be.
//
// A file of one value is known by its name, one with a line for each device by its
// name and the device. What is taken back is written as the kernel's default. Files
// and formats: the kernel's cgroup-v2 document.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "unit/manager_settings.h"
#include "unit/resource_config.h"

namespace onset {

struct CgroupWrite {
  std::string_view file;     ///< "memory.max"
  std::string device;        ///< "8:0" where the file has a line for each; else empty
  std::string text;          ///< without the device
  std::string_view setting;  ///< "MemoryMax", for people
  Controller controller{};
  bool operator==(const CgroupWrite&) const = default;
};

/// A setting that can't be enforced, and why.
struct NotEnforced {
  std::string_view setting;
  std::string reason;  ///< "no memory controller"
  bool operator==(const NotEnforced&) const = default;
};

/// What holds besides the unit's own settings.
struct LimitContext {
  bool startup = false;    ///< the machine boots or shuts down
  bool oom_group = false;  ///< OOMPolicy=kill: the kernel kills all of the group together
  bool is_slice = false;   ///< whose TasksMax= has no default
  std::uint64_t default_memory_min = 0;  ///< of the slices above
  std::uint64_t default_memory_low = 0;
  /// Null: no defaults of the manager's, no accounting.
  const ManagerSettings* defaults = nullptr;
  /// "MAJOR:MINOR" of a block device, or of the one that holds the file; or why not.
  std::function<Result<std::string, std::string>(const std::string& path)> device_of;
};

struct GroupLimits {
  ControllerSet controllers = 0;  ///< that the group has to have
  ControllerSet required = 0;     ///< those of them that a limit wants, not a count
  std::vector<CgroupWrite> writes;
  std::vector<NotEnforced> not_enforced;  ///< devices that are not there
};

GroupLimits limits_of(const ResourceConfig& config, const LimitContext& context);

/// Of a file (and a device) that was written once: the text that takes it back.
std::string_view default_text(std::string_view file);
/// What leads from one to the other, what is taken back first.
std::vector<CgroupWrite> difference(const std::vector<CgroupWrite>& before,
                                    const std::vector<CgroupWrite>& after);

}  // namespace onset
