#include "os/cgroup.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/format.h"
#include "base/process_text.h"
#include "base/text.h"
#include "os/grace_periods.h"
#include "os/kernel.h"
#include "unit/resource_parsers.h"

namespace onset {
namespace {

constexpr int kFolder = O_RDONLY | O_DIRECTORY;
constexpr std::size_t kProcsLimit = 32U << 20U;

/// The kernel's files are CONTROLLER.WORD; a unit's name must not be taken for one.
constexpr std::array<std::string_view, 17> kReserved{
    "cgroup.",  "cpu.",      "cpuset.",  "memory.",     "io.",      "pids.",
    "rdma.",    "misc.",     "hugetlb.", "perf_event.", "freezer.", "devices.",
    "net_cls.", "net_prio.", "blkio.",   "cpuacct.",    "dmem."};

std::string escaped(std::string_view name) {
  const bool clash =
      name.starts_with('_') || name.starts_with('.') || name == "notify_on_release" ||
      name == "release_agent" || name == "tasks" ||
      std::ranges::any_of(kReserved, [&](auto word) { return name.starts_with(word); });
  return (clash ? "_" : "") + std::string(name);
}

/// "a-b.slice" → "a.slice/a-b.slice"; "-.slice" → "".
std::string slice_path(std::string_view slice) {
  static constexpr std::string_view kSuffix = ".slice";
  std::string path;
  if (slice == "-.slice" || !slice.ends_with(kSuffix)) return path;
  const auto stem = slice.substr(0, slice.size() - kSuffix.size());
  for (std::size_t at = stem.find('-', 1);; at = stem.find('-', at + 1)) {
    path += escaped(format("{}{}", stem.substr(0, at), kSuffix));
    path += '/';
    if (at == std::string_view::npos) return path;
  }
}

std::vector<pid_t> pids_in(std::string_view text) {
  std::vector<pid_t> found;
  append_pids(text, found);
  return found;
}

std::string own_group(const char* membership) {
  auto text = read_kernel_file(membership, 65536);
  return std::string(text ? unified_cgroup(*text).value_or("/") : "/");
}

bool is_cgroup2(const UniqueFd& fd) {
  struct statfs system {};
  return ::fstatfs(fd.get(), &system) == 0 && system.f_type == CGROUP2_SUPER_MAGIC;
}

/// Empty, or why onset must not divide this group.
std::string why_not_ours(const UniqueFd& group, bool moved_before) {
  auto text = read_kernel_file_at(group, "cgroup.procs", kProcsLimit);
  if (!text) return format("cgroup.procs: {}", errno_text(text.error().err));
  const pid_t self = ::getpid();
  bool has_self = moved_before;
  for (const pid_t pid : pids_in(*text)) {
    if (pid == self) {
      has_self = true;
    } else if (pid == 0 || self != 1) {
      return "its cgroup is shared with other processes";
    }
  }
  return has_self ? "" : "the cgroup that is mounted is not its own";
}

std::vector<std::string> folders_in(int fd) {
  std::vector<std::string> found;
  const Folder folder = open_folder(fd, ".");
  if (!folder) return found;
  while (const dirent* entry = ::readdir(folder.get())) {
    const std::string_view name = entry->d_name;
    if (entry->d_type == DT_DIR && name != "." && name != "..") found.emplace_back(name);
  }
  return found;
}

/// A folder has two links and one for each folder in it; most groups have no other below.
bool has_groups_below(const UniqueFd& root, const std::string& path) {
  struct stat status {};
  return ::fstatat(root.get(), path.c_str(), &status, 0) == 0 && status.st_nlink != 2;
}

/// Of a line of names; those that onset has no use for are left out.
ControllerSet controllers_in(std::string_view text) {
  ControllerSet set = 0;
  for (const std::string_view name : split_whitespace(text)) {
    for (const Controller c : kControllers) {
      if (controller_name(c) == name) set = static_cast<ControllerSet>(set | set_of(c));
    }
  }
  return set;
}

/// The group and all below it, parents first, as paths below `root`.
std::vector<std::string> tree_of(const UniqueFd& root, const std::string& path) {
  std::vector<std::string> all{path};
  for (std::size_t i = 0; i < all.size() && all.size() < 65536; ++i) {
    if (!has_groups_below(root, all[i])) continue;
    auto fd = open_at(root.get(), all[i].c_str(), kFolder);
    if (!fd) continue;
    for (const std::string& name : folders_in(fd->get())) {
      all.push_back(format("{}/{}", all[i], name));
    }
  }
  return all;
}

}  // namespace

std::string cgroup_path(const Unit& unit, bool user_manager) {
  std::string_view slice = user_manager ? "app.slice" : "system.slice";
  if (unit.cgroup && !unit.cgroup->slice.empty()) slice = unit.cgroup->slice;
  return slice_path(slice) + escaped(unit.id);
}

Result<std::unique_ptr<CgroupTree>, std::string> CgroupTree::take(const CgroupPlace& place) {
  std::string reason = "no cgroup v2 hierarchy is mounted";
  const std::string own = own_group(place.membership);
  for (const std::string& mount : place.mounts) {
    auto top = open_path(mount.c_str(), kFolder);
    if (!top || !is_cgroup2(*top)) continue;
    // After a re-exec onset is in its leaf already.
    std::string path = own;
    const bool moved = path.ends_with("/init.scope");
    if (moved) path.resize(path.size() - std::string_view("/init.scope").size());
    while (path.ends_with('/')) path.pop_back();
    if (path.starts_with("/..")) return Failure{std::string("its cgroup lies outside the mount")};
    auto group = path.empty() ? open_at(top->get(), ".", kFolder)
                              : open_at(top->get(), path.c_str() + 1, kFolder);
    if (!group) {  // no cgroup namespace: the mount shows our group as its top
      group = open_at(top->get(), ".", kFolder);
      if (!group) continue;
    }
    reason = why_not_ours(*group, moved);
    if (!reason.empty()) continue;
    if (::mkdirat(group->get(), "init.scope", 0755) != 0 && errno != EEXIST) {
      reason = format("cannot make a cgroup: {}", errno_text(errno));
      continue;
    }
    const ExpeditedGracePeriods expedited(*group);
    if (auto done = write_kernel_file_at(*group, "init.scope/cgroup.procs", "0"); !done) {
      reason = format("cannot enter a cgroup: {}", errno_text(done.error().err));
      ::unlinkat(group->get(), "init.scope", AT_REMOVEDIR);
      continue;
    }
    std::unique_ptr<CgroupTree> tree(new CgroupTree(std::move(*group), mount + path, path));
    if (auto text = read_kernel_file_at(tree->root_, "cgroup.controllers")) {
      tree->available_ = controllers_in(*text);
    }
    return tree;
  }
  return Failure{reason};
}

Result<bool> CgroupTree::make_all(const std::string& path) {
  for (std::size_t at = path.find('/'); at != std::string::npos; at = path.find('/', at + 1)) {
    std::string part = path.substr(0, at);
    if (made_.contains(part)) continue;
    if (auto done = make_one(part); !done) return done;
    made_.emplace(std::move(part), ControllerSet{0});
  }
  return make_one(path);
}

Result<bool> CgroupTree::make_one(const std::string& path) const {
  if (::mkdirat(root_.get(), path.c_str(), 0755) == 0) return true;
  if (errno == EEXIST) return false;
  return Failure{SysError{"mkdir", errno}};
}

Result<bool> CgroupTree::make(const std::string& path) {
  auto made = make_all(path);
  if (!made && made.error().err == ENOENT) {  // somebody else removed a slice
    made_.clear();
    made = make_all(path);
  }
  return made;
}

Result<UniqueFd> CgroupTree::open(const std::string& path) const {
  return open_at(root_.get(), path.c_str(), kFolder);
}

Result<UniqueFd> CgroupTree::open_procs(BorrowedFd group) const {
  return open_at(group.get(), "cgroup.procs", O_WRONLY);
}

bool CgroupTree::populated(const std::string& path) const {
  auto text = read_kernel_file_at(root_, (path + "/cgroup.events").c_str(), 4096);
  if (!text) return text.error().err != ENOENT && text.error().err != ENODEV;
  return is_populated(*text);
}

std::vector<pid_t> CgroupTree::processes(const std::string& path) const {
  std::vector<pid_t> all;
  for (const std::string& group : tree_of(root_, path)) {
    auto text = read_kernel_file_at(root_, (group + "/cgroup.procs").c_str(), kProcsLimit);
    if (!text) continue;
    for (const pid_t pid : pids_in(*text)) {
      if (pid > 0) all.push_back(pid);
    }
  }
  return all;
}

bool CgroupTree::exists(const std::string& path) const {
  struct stat st {};
  return ::fstatat(root_.get(), path.c_str(), &st, 0) == 0;
}

CgroupUsage CgroupTree::usage(const std::string& path, Measure what) const {
  const auto number = [&](std::string_view file) { return count(path, file); };
  const auto has = [&](Controller c) { return (available_ & set_of(c)) != 0; };
  CgroupUsage usage;
  if (has(Controller::Memory)) {
    if (what == Measure::Now) usage.memory = number("memory.current");
    usage.memory_peak = number("memory.peak");
  }
  if (has(Controller::Pids)) {
    if (what == Measure::Now) usage.tasks = number("pids.current");
    usage.tasks_refused = count(path, "pids.events", "max");
  }
  const auto stat = read_kernel_file_at(root_, (path + "/cpu.stat").c_str());
  if (stat) usage.cpu_nsec = parse_cpu_nsec(*stat);
  if (!has(Controller::Io)) return usage;
  if (auto io = read_kernel_file_at(root_, (path + "/io.stat").c_str())) {
    usage.io_read_bytes = sum_of_devices(*io, "rbytes");
    usage.io_read_operations = sum_of_devices(*io, "rios");
    usage.io_write_bytes = sum_of_devices(*io, "wbytes");
    usage.io_write_operations = sum_of_devices(*io, "wios");
  }
  return usage;
}

std::optional<std::uint64_t> CgroupTree::count(const std::string& path, std::string_view file,
                                               std::string_view word) const {
  constexpr std::size_t kFileMax = 8192;
  const std::string name = path.empty() ? std::string(file) : format("{}/{}", path, file);
  auto text = read_kernel_file_at(root_, name.c_str(), kFileMax);
  if (!text) return std::nullopt;
  if (!word.empty()) return find_count(*text, word);
  return parse_uint<std::uint64_t>(without_line_end(*text));
}

std::vector<std::string> CgroupTree::groups_below(const std::string& path) const {
  return tree_of(root_, path.empty() ? "." : path);
}

std::optional<std::uint64_t> CgroupTree::oom_kills(const std::string& path) const {
  return count(path, "memory.events", "oom_kill");
}

SysResult CgroupTree::freeze(const std::string& path, bool frozen) const {
  return write_kernel_file_at(root_, (path + "/cgroup.freeze").c_str(), frozen ? "1" : "0");
}

SysResult CgroupTree::kill_all(const std::string& path) const {
  return write_kernel_file_at(root_, (path + "/cgroup.kill").c_str(), "1");
}

bool CgroupTree::remove_one(const std::string& path) {
  made_.erase(path);
  return ::unlinkat(root_.get(), path.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT;
}

bool CgroupTree::remove(const std::string& path) {
  if (remove_one(path)) return true;
  const std::vector<std::string> all = tree_of(root_, path);
  for (auto group = all.rbegin(); group != all.rend(); ++group) {
    (void)::unlinkat(root_.get(), group->c_str(), AT_REMOVEDIR);
  }
  struct stat st {};
  return ::fstatat(root_.get(), path.c_str(), &st, 0) != 0;
}

Result<int> CgroupTree::watch(BorrowedFd inotify, const std::string& path,
                              std::string_view file) const {
  // Through the descriptor, so that a mount over the path does not matter; by
  // the path where there is no /proc.
  const std::string by_fd = format("/proc/self/fd/{}/{}/{}", root_.get(), path, file);
  int wd = ::inotify_add_watch(inotify.get(), by_fd.c_str(), IN_MODIFY);
  if (wd < 0) {
    const std::string by_path = format("{}/{}/{}", root_path_, path, file);
    wd = ::inotify_add_watch(inotify.get(), by_path.c_str(), IN_MODIFY);
  }
  if (wd < 0) return Failure{SysError{"inotify_add_watch", errno}};
  return wd;
}

}  // namespace onset
