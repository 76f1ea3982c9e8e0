#include "os/mount_watch.h"

#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "base/format.h"
#include "os/kernel.h"
#include "unit/name.h"
#include "unit/unit_members.h"

namespace onset {
namespace {

/// Some 100,000 mounts, the kernel's own limit.
constexpr std::size_t kMountInfoMax = std::size_t{32} << 20;
constexpr std::size_t kSwapsMax = std::size_t{1} << 20;
constexpr unsigned kReadings = 5;
constexpr Duration kWindow = std::chrono::seconds(1);

UniqueFd open_table(const std::string& path) {
  auto fd = open_path(path.c_str(), O_RDONLY);
  return fd ? std::move(*fd) : UniqueFd{};
}

bool has_changed(BorrowedFd fd) {
  pollfd p{fd.get(), POLLPRI, 0};
  return fd && ::poll(&p, 1, 0) > 0 && (p.revents & (POLLPRI | POLLERR)) != 0;
}

Result<std::string> read_from_start(BorrowedFd fd, std::size_t limit) {
  if (::lseek(fd.get(), 0, SEEK_SET) < 0) return Failure{SysError{"lseek", errno}};
  return read_all(fd, limit);
}

/// Units that are told apart by it: those of paths too long for a name are nobody's.
void add_news(std::vector<MountNews>& news, std::string_view path, std::string_view suffix,
              bool is_there) {
  if (auto name = name_from_path(path, suffix)) news.push_back({std::move(*name), is_there});
}

const std::string& key_of(const MountEntry& entry) {
  return entry.path;
}
const std::string& key_of(const std::string& path) {
  return path;
}

/// Both sorted.
template <class Entry>
void compare(const std::vector<Entry>& before, const std::vector<Entry>& after,
             std::string_view suffix, std::vector<MountNews>& news) {
  auto old = before.begin();
  auto now = after.begin();
  while (old != before.end() || now != after.end()) {
    if (now == after.end() || (old != before.end() && key_of(*old) < key_of(*now))) {
      add_news(news, key_of(*old++), suffix, false);
    } else if (old == before.end() || key_of(*now) < key_of(*old)) {
      add_news(news, key_of(*now++), suffix, true);
    } else {
      ++old;
      ++now;
    }
  }
}

}  // namespace

MountWatch::MountWatch(const char* proc)
    : mounts_fd_(open_table(format("{}/self/mountinfo", proc))),
      swaps_fd_(open_table(format("{}/swaps", proc))),
      mounts_are_stale_(mounts_fd_),
      swaps_are_stale_(swaps_fd_) {
  refresh();
}

void MountWatch::distrust() {
  mounts_are_stale_ = bool{mounts_fd_};
  swaps_are_stale_ = bool{swaps_fd_};
}

bool MountWatch::ready(MonoTime now) {
  distrust();
  if (now - window_ >= kWindow) {
    window_ = now;
    readings_ = 0;
  }
  if (++readings_ <= kReadings) return true;
  resume_at_ = window_ + kWindow;
  return false;
}

void MountWatch::refresh() {
  mounts_are_stale_ |= has_changed(mounts_fd_);
  swaps_are_stale_ |= has_changed(swaps_fd_);
  if (mounts_are_stale_ && mounts_fd_) read_mounts();
  if (swaps_are_stale_ && swaps_fd_) read_swaps();
}

/// What can't be read for the moment is as it was.
void MountWatch::read_mounts() {
  auto text = read_from_start(mounts_fd_, kMountInfoMax);
  if (!text) mounts_are_stale_ = text.error().err == ENOMEM;
  if (!text) return;
  // Below an autofs point nothing is mounted yet; that it is there its own unit knows.
  std::vector<MountEntry> mounts = parse_mount_table(*text);
  std::erase_if(mounts, [](const MountEntry& m) { return m.type == "autofs"; });
  mounts = visible_mounts(std::move(mounts));
  std::vector<MountNews> news = news_;
  compare(mounts_, mounts, ".mount", news);
  news_ = std::move(news);
  mounts_ = std::move(mounts);
  mounts_are_stale_ = false;
}

void MountWatch::read_swaps() {
  auto text = read_from_start(swaps_fd_, kSwapsMax);
  if (!text) swaps_are_stale_ = text.error().err == ENOMEM;
  if (!text) return;
  std::vector<std::string> swaps = parse_swap_table(*text);
  std::ranges::sort(swaps);
  std::vector<MountNews> news = news_;
  compare(swaps_, swaps, ".swap", news);
  news_ = std::move(news);
  swaps_ = std::move(swaps);
  swaps_are_stale_ = false;
}

bool MountWatch::is_mounted(const Unit& unit) const {
  if (unit.mount != nullptr) {
    const auto at = std::ranges::lower_bound(mounts_, unit.mount->where, {}, &MountEntry::path);
    return at != mounts_.end() && at->path == unit.mount->where;
  }
  if (unit.swap == nullptr || swaps_.empty()) return false;
  if (std::ranges::binary_search(swaps_, unit.swap->what)) return true;
  // By a link of /dev/disk, maybe. The kernel's names have none.
  const std::unique_ptr<char, decltype(&::free)> real(::realpath(unit.swap->what.c_str(), nullptr),
                                                      ::free);
  return real != nullptr && std::ranges::binary_search(swaps_, std::string(real.get()));
}

const MountEntry* MountWatch::entry_of(std::string_view unit) const {
  if (!unit.ends_with(".mount")) return nullptr;
  const auto path = unit_unescape_path(without_suffix(unit));
  if (!path || is_api_mount_point(*path)) return nullptr;
  const auto at = std::ranges::lower_bound(mounts_, *path, {}, &MountEntry::path);
  return at != mounts_.end() && at->path == *path ? &*at : nullptr;
}

bool describe_found_mount(const MountWatch& table, Unit& unit) {
  const MountEntry* entry = table.entry_of(unit.id);
  if (entry == nullptr) return false;
  auto& mount = config_of<MountConfig>(unit);
  mount.where = entry->path;
  mount.what = entry->source;
  mount.type = entry->type;
  mount.options = entry->options;
  mount.is_found = true;
  return true;
}

}  // namespace onset
