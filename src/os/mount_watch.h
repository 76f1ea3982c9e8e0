#pragma once
// What is mounted, and what is in use for swapping, as the kernel says it: the two tables, read
// when the kernel has something new (POLLPRI), and what is new in them.
//
//   ready() ─→ refresh() ─→ news() ─→ the engine ─→ forget_news()
//
// A table is read once for all that has happened since. Where it changes on and on (each of
// thousands of mounts is an event, and each reading as long as the table) it is read five times
// a second at most: until resume() is due the descriptor is not to be watched. What a process
// of a mount unit has done is looked up all the same before its end is told.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "base/unique_fd.h"
#include "engine/os.h"
#include "os/mount_table.h"
#include "unit/unit.h"

namespace onset {

class MountWatch {
 public:
  /// Opens and reads `proc`/self/mountinfo and `proc`/swaps; what there is not is empty.
  explicit MountWatch(const char* proc = "/proc");

  /// To be watched for EPOLLPRI; invalid where there is none.
  [[nodiscard]] BorrowedFd mounts_fd() const { return mounts_fd_; }
  [[nodiscard]] BorrowedFd swaps_fd() const { return swaps_fd_; }

  /// What poll says has changed, or was not read to its end, is read anew. bad_alloc: it is
  /// still to be read.
  void refresh();
  /// Both tables may have changed, whatever poll says: an event is told once, and whoever waits for
  /// it, epoll_ctl(2) and epoll_wait(2) too, takes it.
  void distrust();
  /// One of the descriptors was ready at `now`. True: refresh(), else not before resume().
  bool ready(MonoTime now);
  /// When to refresh() and to watch the descriptors again; kNever: they are watched.
  [[nodiscard]] MonoTime resume_at() const { return resume_at_; }
  void resume() { resume_at_ = kNever; }

  /// Something was not read, or not told, for want of memory.
  [[nodiscard]] bool is_behind() const {
    return mounts_are_stale_ || swaps_are_stale_ || !news_.empty();
  }
  /// In order; more comes behind it until it is forgotten.
  [[nodiscard]] const std::vector<MountNews>& news() const { return news_; }
  void forget_news() { news_.clear(); }

  [[nodiscard]] bool is_mounted(const Unit& unit) const;
  /// The entry of a mount unit's name; null if there is none or it gets no unit.
  [[nodiscard]] const MountEntry* entry_of(std::string_view unit) const;
  [[nodiscard]] const std::vector<MountEntry>& mounts() const { return mounts_; }
  [[nodiscard]] const std::vector<std::string>& swaps() const { return swaps_; }

 private:
  void read_mounts();
  void read_swaps();

  UniqueFd mounts_fd_;
  UniqueFd swaps_fd_;
  std::vector<MountEntry> mounts_;
  std::vector<std::string> swaps_;
  std::vector<MountNews> news_;
  bool mounts_are_stale_ = false;
  bool swaps_are_stale_ = false;
  MonoTime window_{0};  ///< since when readings are counted
  unsigned readings_ = 0;
  MonoTime resume_at_ = kNever;
};

/// A unit for what is mounted and has no file; false: there is none, or it is PID 1's own.
bool describe_found_mount(const MountWatch& table, Unit& unit);

}  // namespace onset
