#include "os/path_watch.h"

#include <sys/inotify.h>

#include <unistd.h>

#include <algorithm>
#include <utility>

namespace onset {
namespace {

constexpr std::uint32_t kMask = IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_CLOSE_WRITE |
                                IN_MODIFY | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;

}  // namespace

void PathWatches::arm(BorrowedFd inotify, Entry& entry) {
  static constexpr unsigned kTries = 16;
  for (unsigned i = 0; i < kTries; ++i) {
    const int before = entry.wd;
    arm_nearest(inotify, entry);
    if (before >= 0 && before != entry.wd) drop(inotify, before);
    if (entry.direct || entry.wd < 0) return;
    // The next folder may have come before its own folder was watched.
    if (::access(entry.below.c_str(), F_OK) != 0) return;
  }
}

void PathWatches::arm_nearest(BorrowedFd inotify, Entry& entry) {
  std::size_t end = entry.path.rfind('/');
  std::size_t next = entry.path.size();  // where the awaited name ends
  entry.direct = true;
  for (;;) {
    const std::string folder = end == 0 ? "/" : entry.path.substr(0, end);
    entry.wd = ::inotify_add_watch(inotify.get(), folder.c_str(), kMask);
    entry.name = entry.path.substr(end + 1, next - end - 1);
    entry.below = entry.path.substr(0, next);
    if (entry.wd >= 0 || end == 0) return;
    next = end;
    end = entry.path.rfind('/', end - 1);
    entry.direct = false;
  }
}

/// A folder has one watch, however many files in it are waited for.
void PathWatches::drop(BorrowedFd inotify, int wd) const {
  const bool shared =
      std::ranges::any_of(entries_, [wd](const auto& e) { return e.second.wd == wd; });
  if (!shared) ::inotify_rm_watch(inotify.get(), wd);
}

void PathWatches::watch(BorrowedFd inotify, std::uint32_t key, std::string_view path) {
  if (const auto old = entries_.find(key); old != entries_.end()) {
    const int wd = old->second.wd;
    entries_.erase(old);
    if (wd >= 0) drop(inotify, wd);
  }
  if (!path.starts_with('/')) return;
  Entry entry;
  entry.path = path;
  arm(inotify, entry);
  entries_.emplace(key, std::move(entry));
}

std::vector<std::uint32_t> PathWatches::event(BorrowedFd inotify, int wd, std::uint32_t mask,
                                              std::string_view name) {
  std::vector<std::uint32_t> keys;
  for (auto& [key, entry] : entries_) {
    if (entry.wd != wd) continue;
    const bool folder_gone =
        (mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT)) != 0;
    if (!folder_gone && entry.name != name) continue;
    if (folder_gone) entry.wd = -1;
    if (folder_gone || !entry.direct) arm(inotify, entry);
    keys.push_back(key);
  }
  return keys;
}

std::vector<std::uint32_t> PathWatches::all(BorrowedFd inotify) {
  std::vector<std::uint32_t> keys;
  for (auto& [key, entry] : entries_) {
    arm(inotify, entry);
    keys.push_back(key);
  }
  return keys;
}

}  // namespace onset
