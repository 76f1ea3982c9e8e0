#pragma once
// The cgroup v2 tree below onset's own group: a group for each unit, in its
// slice (cgroups(7), the kernel's cgroup-v2 document).
//
// The tree is onset's to divide only if its group holds nobody else: as PID 1,
// no process from outside its PID namespace; else, no process but itself.
// onset then moves to the leaf "init.scope", since a group with members of its
// own can't have controllers. In a hybrid set-up the v2 hierarchy at
// /sys/fs/cgroup/unified is used.

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "unit/unit.h"

namespace onset {

/// Where a unit's group lies below onset's: "system.slice/nginx.service".
/// Slices nest by dash; a name that the kernel's own files could have gets "_".
std::string cgroup_path(const Unit& unit, bool user_manager);

/// What a group uses; what the kernel does not count for it is not there.
struct CgroupUsage {
  std::optional<std::uint64_t> memory;  ///< bytes
  std::optional<std::uint64_t> cpu_nsec;
  std::optional<std::uint64_t> tasks;
};

struct CgroupPlace {
  std::vector<std::string> mounts{"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
  const char* membership = "/proc/self/cgroup";
};

class CgroupTree {
 public:
  /// Takes the tree over. The error is the reason why it cannot be had, in words.
  static Result<std::unique_ptr<CgroupTree>, std::string> take(const CgroupPlace& place);

  /// The mount and onset's group in it, for people.
  [[nodiscard]] const std::string& root_path() const { return root_path_; }
  /// The same as /proc/PID/cgroup writes it, without a slash at the end.
  [[nodiscard]] const std::string& prefix() const { return prefix_; }

  /// Makes the group and opens it (O_DIRECTORY).
  Result<UniqueFd> create(const std::string& path);
  Result<UniqueFd> open_procs(BorrowedFd group) const;
  /// Whether the group's memory is counted apart, so that it may have a limit.
  [[nodiscard]] static bool counts_memory(BorrowedFd group);
  /// False only if it is known that the group and all below it are empty.
  [[nodiscard]] bool populated(const std::string& path) const;
  /// Of the group and all below it, without those outside our PID namespace.
  [[nodiscard]] std::vector<pid_t> processes(const std::string& path) const;
  [[nodiscard]] bool exists(const std::string& path) const;
  [[nodiscard]] CgroupUsage usage(const std::string& path) const;
  /// cgroup.freeze; returns before all have come to rest.
  SysResult freeze(const std::string& path, bool frozen) const;
  /// SIGKILL for all at once; ENOENT where the kernel cannot.
  SysResult kill_all(const std::string& path) const;
  /// Removes the group and those below it. False if it is busy and stays.
  bool remove(const std::string& path);
  /// The group alone: what is below a slice is other units'.
  bool remove_one(const std::string& path);
  /// Watches cgroup.events with `inotify`; the watch, or an error.
  Result<int> watch(BorrowedFd inotify, const std::string& path) const;

 private:
  CgroupTree(UniqueFd root, std::string root_path, std::string prefix)
      : root_(std::move(root)), root_path_(std::move(root_path)), prefix_(std::move(prefix)) {}

  SysResult make(const std::string& path);
  SysResult make_one(const std::string& path);

  UniqueFd root_;
  std::string root_path_;
  std::string prefix_;
  std::unordered_set<std::string> made_;  ///< slices that are there
};

}  // namespace onset
