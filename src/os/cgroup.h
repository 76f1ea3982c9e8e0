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

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
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
  std::optional<std::uint64_t> memory_peak;
  std::optional<std::uint64_t> io_read_bytes;
  std::optional<std::uint64_t> io_read_operations;
  std::optional<std::uint64_t> io_write_bytes;
  std::optional<std::uint64_t> io_write_operations;
  std::optional<std::uint64_t> ip_ingress_bytes;
  std::optional<std::uint64_t> ip_ingress_packets;
  std::optional<std::uint64_t> ip_egress_bytes;
  std::optional<std::uint64_t> ip_egress_packets;
  std::optional<std::uint64_t> tasks_refused;  ///< forks that met a limit
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

  /// Makes the group and those above it; whether it was not there before.
  Result<bool> make(const std::string& path);
  /// The group of a unit, opened (O_DIRECTORY).
  [[nodiscard]] Result<UniqueFd> open(const std::string& path) const;
  Result<UniqueFd> open_procs(BorrowedFd group) const;
  /// What the kernel lets the tree have.
  [[nodiscard]] ControllerSet controllers() const { return available_; }
  /// Enables controllers in all groups above this one, which are there; what can't be
  /// had is left out of the answer. The group itself enables nothing.
  ControllerSet enable(const std::string& path, ControllerSet wanted);
  /// Takes them away from what is below a slice; "": from all.
  void disable(const std::string& slice, ControllerSet unwanted);
  /// Why enable() has left one out, in words.
  [[nodiscard]] std::string why_not(Controller controller) const;
  /// A file of the group.
  SysResult write(const std::string& path, std::string_view file, std::string_view text) const;
  /// The group becomes another user's, to divide and to fill (the kernel's cgroup-v2
  /// document, Delegation Containment). A uid or gid of -1 stays.
  SysResult give_away(const std::string& path, uid_t uid, gid_t gid) const;
  SysResult give_away_file(const std::string& path, const char* file, uid_t uid, gid_t gid) const;
  /// False only if it is known that the group and all below it are empty.
  [[nodiscard]] bool populated(const std::string& path) const;
  /// Of the group and all below it, without those outside our PID namespace.
  [[nodiscard]] std::vector<pid_t> processes(const std::string& path) const;
  [[nodiscard]] bool exists(const std::string& path) const;
  enum class Measure : bool { Now, AtTheEnd };  ///< at the end: what adds up, not what is in use
  [[nodiscard]] CgroupUsage usage(const std::string& path, Measure what = Measure::Now) const;
  /// cgroup.freeze; returns before all have come to rest.
  SysResult freeze(const std::string& path, bool frozen) const;
  /// SIGKILL for all at once; ENOENT where the kernel cannot.
  SysResult kill_all(const std::string& path) const;
  /// Removes the group and those below it. False if it is busy and stays.
  bool remove(const std::string& path);
  /// The group alone: what is below a slice is other units'.
  bool remove_one(const std::string& path);
  /// A number in a file of the group; by its word where the file has a line for each.
  [[nodiscard]] std::optional<std::uint64_t> count(const std::string& path, std::string_view file,
                                                   std::string_view word = {}) const;
  /// The group and all below it, parents first, as paths.
  [[nodiscard]] std::vector<std::string> groups_below(const std::string& path) const;
  /// How often the kernel has killed in the group, or below, for want of memory; none
  /// where it does not count.
  [[nodiscard]] std::optional<std::uint64_t> oom_kills(const std::string& path) const;
  /// Watches a file (cgroup.events, memory.events) with `inotify`; the watch, or an error.
  Result<int> watch(BorrowedFd inotify, const std::string& path,
                    std::string_view file = "cgroup.events") const;

 private:
  CgroupTree(UniqueFd root, std::string root_path, std::string prefix)
      : root_(std::move(root)), root_path_(std::move(root_path)), prefix_(std::move(prefix)) {}

  Result<bool> make_all(const std::string& path);
  Result<bool> make_one(const std::string& path) const;
  ControllerSet enable_in(const std::string& group, ControllerSet wanted);

  UniqueFd root_;
  std::string root_path_;
  std::string prefix_;
  ControllerSet available_ = 0;
  ControllerSet at_root_ = 0;                            ///< enabled for the slices
  std::unordered_map<std::string, ControllerSet> made_;  ///< slices that are there, what is
                                                         ///< enabled below them
  std::array<int, kControllers.size()> refusals_{};      ///< the last errno
};

}  // namespace onset
