#pragma once
// Tells when a file comes, goes or changes, also where its folders are not
// there yet: the nearest one that exists is watched for the next name.

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace onset {

/// Watches of files by a key of the caller's. One inotify descriptor, which
/// others may use too: they hand on the events of watches that are not theirs.
class PathWatches {
 public:
  /// Replaces what the key watched before. An empty path: no longer.
  void watch(BorrowedFd inotify, std::uint32_t key, std::string_view path);

  /// One event: the keys whose file may have changed. Moves watches on to
  /// folders that have come into being.
  std::vector<std::uint32_t> event(BorrowedFd inotify, int wd, std::uint32_t mask,
                                   std::string_view name);
  /// Events were lost: every key. Moves all watches on.
  std::vector<std::uint32_t> all(BorrowedFd inotify);

 private:
  struct Entry {
    std::string path;
    int wd = -1;
    std::string name;     ///< what is waited for in the watched folder
    std::string below;    ///< its path
    bool direct = false;  ///< it is the file itself
  };
  void arm(BorrowedFd inotify, Entry& entry);
  static void arm_nearest(BorrowedFd inotify, Entry& entry);
  void drop(BorrowedFd inotify, int wd) const;

  std::unordered_map<std::uint32_t, Entry> entries_;
};

}  // namespace onset
