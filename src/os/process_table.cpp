#include "os/process_table.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <functional>

#include "base/format.h"
#include "base/make_room.h"
#include "base/text.h"
#include "os/kernel.h"

namespace onset {
namespace {

constexpr std::size_t kEnvironLimit = 4U << 20U;
constexpr std::size_t kChildrenLimit = 32U << 20U;
constexpr std::size_t kProcessLimit = 1U << 20U;
constexpr std::size_t kRememberLimit = 65536;
/// To list this many children costs as much as to look below one process.
constexpr std::size_t kListedForOneLooked = 64;

std::size_t hash_of(std::string_view text) {
  return std::hash<std::string_view>{}(text);
}

void remove_one(std::vector<pid_t>& list, pid_t pid) {
  const auto at = std::ranges::find(list, pid);
  if (at != list.end()) list.erase(at);
}

}  // namespace

std::string invocation_text(const InvocationId& id) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(id.size() * 2);
  for (const std::uint8_t byte : id) {
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 15U];
  }
  return text;
}

ProcessTable::ProcessTable(const char* proc, std::chrono::milliseconds patience)
    : self_(::getpid()) {
  auto fd = open_path(proc, O_RDONLY | O_DIRECTORY);
  struct statfs system {};
  if (!fd || ::fstatfs(fd->get(), &system) != 0 || system.f_type != PROC_SUPER_MAGIC) return;
  // A procfs of another PID namespace speaks of other processes.
  auto self = read_kernel_file_at(*fd, "self/stat", 4096);
  if (self && parse_pid(self->substr(0, self->find(' '))) == self_) {
    proc_ = std::move(*fd);
    forks_ = ForkWatch(proc_, patience);
  }
}

void ProcessTable::add_top(pid_t pid, const Top& top) {
  std::vector<pid_t>& tops = units_[top.unit.value].tops;
  make_room(tops);
  top_owner_[pid] = top;
  tops.push_back(pid);
}

/// The number of an older group that has died out since.
void ProcessTable::drop_left_group(pid_t group) {
  const auto old = left_group_owner_.find(group);
  if (old == left_group_owner_.end()) return;
  if (const auto unit = units_.find(old->second.value); unit != units_.end()) {
    remove_one(unit->second.left_groups, group);
  }
  left_group_owner_.erase(old);
}

UnitId ProcessTable::owner_of_group(pid_t group) const {
  const auto leader = top_owner_.find(group);
  if (leader != top_owner_.end()) return leader->second.leads ? leader->second.unit : UnitId{};
  const auto left = left_group_owner_.find(group);
  return left == left_group_owner_.end() ? UnitId{} : left->second;
}

void ProcessTable::expect(UnitId id, const InvocationId& invocation, std::string_view program) {
  Activation& unit = units_[id.value];
  make_room(unit.tops);
  make_room(top_owner_);
  if (!expected_) {
    Tops made;
    made[0];
    expected_ = made.extract(0);
  }
  if (spawned_only_) return;
  if (!unit.current || unit.invocation != invocation) {
    const std::size_t before = hash_of(invocation_text(unit.invocation));
    by_invocation_[hash_of(invocation_text(invocation))] = id;
    if (unit.current) by_invocation_.erase(before);
    unit.invocation = invocation;
    unit.current = true;
  }
  const auto slash = program.rfind('/');
  const std::string_view name = program.substr(slash == std::string_view::npos ? 0 : slash + 1);
  unit.program = {};
  name.copy(unit.program.data(), unit.program.size() - 1);
}

void ProcessTable::spawned(pid_t pid, UnitId id) noexcept {
  Top top{id};
  if (!spawned_only_) {
    strangers_.erase(pid);
    drop_left_group(pid);
    top = Top{id, forks_.made(pid) ? forks_.known() : 0, true};
  }
  expected_.key() = pid;
  expected_.mapped() = top;
  top_owner_.insert(std::move(expected_));
  if (const auto unit = units_.find(id.value); unit != units_.end()) {
    unit->second.tops.push_back(pid);
  }
}

UnitId ProcessTable::reaped(pid_t pid) {
  listed_ = false;
  const auto at = top_owner_.find(pid);
  if (at == top_owner_.end()) {
    strangers_.erase(pid);
    return {};
  }
  const Top top = at->second;
  Activation& unit = units_[top.unit.value];
  make_room(unit.left_groups);
  if (!spawned_only_) {
    const bool left_nobody = top.childless != 0 && top.childless == forks_.generation();
    if (!left_nobody && std::ranges::find(lost_, top.unit) == lost_.end()) {
      lost_.push_back(top.unit);
    }
    // A process without children leaves nobody in the group that it led.
    if (top.leads && !left_nobody && (::kill(-pid, 0) == 0 || errno != ESRCH)) {
      left_group_owner_[pid] = top.unit;
      unit.left_groups.push_back(pid);
    }
  }
  top_owner_.erase(at);
  remove_one(unit.tops, pid);
  if (!unit.current && unit.tops.empty()) units_.erase(top.unit.value);
  return top.unit;
}

void ProcessTable::forget(UnitId id) {
  const auto at = units_.find(id.value);
  if (at == units_.end()) return;
  Activation& unit = at->second;
  for (const pid_t group : unit.left_groups) left_group_owner_.erase(group);
  unit.left_groups.clear();
  for (const pid_t top : unit.tops) top_owner_[top].leads = false;
  if (unit.current) by_invocation_.erase(hash_of(invocation_text(unit.invocation)));
  unit.current = false;
  std::erase_if(below_, [id](const auto& seen) { return seen.second.unit == id; });
  if (unit.tops.empty()) units_.erase(at);
}

void ProcessTable::new_turn() {
  listed_ = false;
}

void ProcessTable::end_batch() {
  lost_.clear();
}

std::optional<std::string> ProcessTable::read(pid_t pid, std::string_view file,
                                              std::size_t limit) const {
  if (!proc_) return std::nullopt;
  const std::string path = format("{}/{}", pid, file);
  auto text = read_kernel_file_at(proc_, path.c_str(), limit);
  if (!text) return std::nullopt;
  return std::move(*text);
}

std::optional<ProcessStatus> ProcessTable::status(pid_t pid) const {
  const auto text = read(pid, "stat", 4096);
  return text ? parse_process_stat(*text) : std::nullopt;
}

/// Of all threads of a process. Without CONFIG_PROC_CHILDREN: none.
std::vector<pid_t> ProcessTable::children(pid_t pid) const {
  std::vector<pid_t> found;
  if (!proc_) return found;
  const std::string path = format("{}/task", pid);
  // A folder has two links and one for each folder in it: most processes have one thread.
  struct stat tasks_status {};
  if (::fstatat(proc_.get(), path.c_str(), &tasks_status, 0) != 0) return found;
  if (tasks_status.st_nlink == 3) {
    const std::string list = format("{}/{}/children", path, pid);
    if (auto text = read_kernel_file_at(proc_, list.c_str(), kChildrenLimit)) {
      append_pids(*text, found);
    }
    return found;
  }
  const Folder tasks = open_folder(proc_.get(), path.c_str());
  if (!tasks) return found;
  const BorrowedFd fd(::dirfd(tasks.get()));
  while (const dirent* entry = ::readdir(tasks.get())) {
    if (entry->d_name[0] == '.') continue;
    const std::string list = format("{}/children", entry->d_name);
    auto text = read_kernel_file_at(fd, list.c_str(), kChildrenLimit);
    if (text) append_pids(*text, found);
  }
  return found;
}

UnitId ProcessTable::owner_of_invocation(std::string_view text) const {
  const auto at = by_invocation_.find(hash_of(text));
  if (at == by_invocation_.end()) return {};
  const auto unit = units_.find(at->second.value);
  const bool is_it = unit != units_.end() && invocation_text(unit->second.invocation) == text;
  return is_it ? at->second : UnitId{};
}

UnitId ProcessTable::by_environment(pid_t pid) const {
  const auto text = read(pid, "environ", kEnvironLimit);
  if (!text) return {};
  const auto invocation = find_variable(*text, "INVOCATION_ID");
  return invocation ? owner_of_invocation(*invocation) : UnitId{};
}

UnitId ProcessTable::known_owner(pid_t pid, const ProcessStatus& status) const {
  const auto seen = below_.find(pid);
  if (seen != below_.end() && seen->second.started == status.started) return seen->second.unit;
  if (const UnitId id = by_environment(pid); id.valid()) return id;
  for (const pid_t group : {status.session, status.group}) {
    if (const UnitId id = owner_of_group(group); id.valid()) return id;
  }
  return {};
}

UnitId ProcessTable::by_loss(const ProcessStatus& status) const {
  if (lost_.size() == 1) return lost_.front();
  UnitId match;
  for (const UnitId id : lost_) {
    const auto unit = units_.find(id.value);
    if (unit == units_.end() || status.name != unit->second.program.data()) continue;
    if (match.valid()) return {};  // two of one name: nobody can tell
    match = id;
  }
  return match;
}

void ProcessTable::adopt_orphans() {
  if (listed_ || !proc_ || spawned_only_) return;
  const std::vector<pid_t> listed = children(self_);
  looked_at_ += listed.size() / kListedForOneLooked;
  for (const pid_t pid : listed) {
    if (top_owner_.contains(pid)) continue;
    // A stranger's parent may have died unreaped: in the batch that reaps it
    // the loss may tell whose it is.
    const auto stranger = strangers_.find(pid);
    if (stranger != strangers_.end() && (stranger->second || lost_.empty())) continue;
    const auto now = status(pid);
    if (!now || now->state == 'Z' || now->parent != self_) continue;
    UnitId id = known_owner(pid, *now);
    if (!id.valid()) id = by_loss(*now);
    if (!id.valid()) {
      strangers_.emplace(pid, false);
      continue;
    }
    add_top(pid, Top{id});
    strangers_.erase(pid);
    below_.erase(pid);
  }
  listed_ = true;
}

const std::vector<pid_t>& ProcessTable::tops(UnitId id) const {
  static constinit const std::vector<pid_t> kNone;
  const auto at = units_.find(id.value);
  return at == units_.end() ? kNone : at->second.tops;
}

std::vector<pid_t> ProcessTable::groups(UnitId id) const {
  std::vector<pid_t> found;
  const auto at = units_.find(id.value);
  if (at == units_.end()) return found;
  found = at->second.left_groups;
  for (const pid_t top : at->second.tops) {
    const auto owner = top_owner_.find(top);
    if (owner != top_owner_.end() && owner->second.leads) found.push_back(top);
  }
  return found;
}

bool ProcessTable::any(UnitId id) {
  if (!tops(id).empty()) return true;
  if (proc_ && is_just_its_tops(id)) return false;
  adopt_orphans();
  if (!tops(id).empty()) return true;
  if (proc_) return false;
  const auto at = units_.find(id.value);
  if (at == units_.end()) return false;
  return std::ranges::any_of(at->second.left_groups,
                             [](pid_t group) { return ::kill(-group, 0) == 0 || errno == EPERM; });
}

void ProcessTable::remember(pid_t pid, UnitId id) {
  const auto now = status(pid);
  if (!now) return;
  if (below_.size() >= kRememberLimit) below_.clear();
  below_[pid] = Seen{id, now->started};
}

std::vector<pid_t> ProcessTable::processes(UnitId id) {
  if (is_just_its_tops(id)) return tops(id);
  adopt_orphans();
  std::vector<pid_t> all = tops(id);
  for (std::size_t i = 0; i < all.size() && all.size() < kProcessLimit; ++i) {
    ++looked_at_;
    for (const pid_t child : children(all[i])) {
      remember(child, id);
      all.push_back(child);
    }
  }
  return all;
}

UnitId ProcessTable::unit_of(pid_t pid) {
  for (unsigned depth = 0; depth < kDepthLimit && pid > 1; ++depth) {
    if (const auto at = top_owner_.find(pid); at != top_owner_.end()) return at->second.unit;
    if (pid == self_) return {};
    const auto seen = status(pid);
    if (!seen) return {};
    if (seen->parent == self_) {
      if (spawned_only_) return {};
      if (seen->state == 'Z') return known_owner(pid, *seen);
      adopt_orphans();
      const auto at = top_owner_.find(pid);
      return at == top_owner_.end() ? UnitId{} : at->second.unit;
    }
    pid = seen->parent;
  }
  return {};
}

}  // namespace onset
