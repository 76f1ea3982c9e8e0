#include "support/memory_files.h"

#include <cerrno>
#include <deque>

#include "base/text.h"

namespace onset::test {
namespace {

constexpr unsigned kLinksMax = 40;

std::string parent_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == 0 || slash == std::string_view::npos ? "/" : std::string(path.substr(0, slash));
}

void push_front(std::deque<std::string>& parts, std::string_view path) {
  const auto pieces = split(path, '/');
  for (auto piece = pieces.rbegin(); piece != pieces.rend(); ++piece) {
    if (!piece->empty()) parts.emplace_front(*piece);
  }
}

}  // namespace

Result<std::string> MemoryFiles::resolve(std::string_view path, bool follow_last) const {
  std::deque<std::string> parts;
  push_front(parts, path);
  std::string at;
  unsigned links = 0;
  while (!parts.empty()) {
    const std::string part = parts.front();
    parts.pop_front();
    if (part == ".") continue;
    if (part == "..") {
      at = at.empty() ? "" : at.substr(0, at.rfind('/'));
      continue;
    }
    const std::string next = at + "/" + part;
    const auto node = nodes_.find(next);
    if (node != nodes_.end() && node->second.kind == FileKind::Symlink &&
        (follow_last || !parts.empty())) {
      if (++links > kLinksMax) return Failure{SysError{"open", ELOOP}};
      if (path_is_absolute(node->second.text)) at.clear();
      push_front(parts, node->second.text);
      continue;
    }
    if (node == nodes_.end() && !parts.empty()) return Failure{SysError{"open", ENOENT}};
    at = next;
  }
  return at.empty() ? std::string("/") : at;
}

void MemoryFiles::add_parents(std::string_view path) {
  for (std::string parent = parent_of(path); !nodes_.contains(parent); parent = parent_of(parent)) {
    nodes_[parent] = {FileKind::Directory, {}, 0755, 0};
  }
}

void MemoryFiles::add(std::string_view path, std::string_view text, std::uint32_t mode,
                      std::uint32_t owner) {
  add_parents(path);
  nodes_[std::string(path)] = {FileKind::Regular, std::string(text), mode, owner};
}

void MemoryFiles::add_link(std::string_view path, std::string_view target) {
  add_parents(path);
  nodes_[std::string(path)] = {FileKind::Symlink, std::string(target), 0777, 0};
}

void MemoryFiles::set_unit(const std::string& path, std::string_view text) {
  constexpr std::string_view kAlias = "-> ";
  const std::string_view first = text.substr(0, text.find('\n'));
  (void)remove(path);
  if (first.starts_with(kAlias)) {
    add_link(path, first.substr(kAlias.size()));
  } else if (first == "/dev/null") {
    add_link(path, first);
  } else {
    add(path, text);
  }
}

void MemoryFiles::add_directory(std::string_view path, std::uint32_t mode, std::uint32_t owner) {
  add_parents(path);
  nodes_[std::string(path)] = {FileKind::Directory, {}, mode, owner};
}

void MemoryFiles::add_special(std::string_view path) {
  add_parents(path);
  nodes_[std::string(path)] = {FileKind::Other, {}, 0644, 0};
}

bool MemoryFiles::exists(std::string_view path) const {
  return nodes_.contains(path);
}

std::string MemoryFiles::link(std::string_view path) const {
  const auto node = nodes_.find(path);
  if (node == nodes_.end() || node->second.kind != FileKind::Symlink) return {};
  return node->second.text;
}

std::map<std::string, std::string> MemoryFiles::links() const {
  std::map<std::string, std::string> found;
  for (const auto& [path, node] : nodes_) {
    if (node.kind == FileKind::Symlink) found.emplace(path, node.text);
  }
  return found;
}

FileStatus MemoryFiles::status_of(const std::string& path, const Node& node) {
  FileStatus status;
  status.kind = node.kind;
  status.mode = node.mode;
  status.owner = node.owner;
  status.executable = (node.mode & 0111U) != 0;
  status.is_null_device = path == "/dev/null";
  status.size = node.text.size();
  status.mtime_ns = 1;
  return status;
}

void MemoryFiles::break_path(std::string_view path, int error) {
  if (error == 0) {
    broken_.erase(std::string(path));
  } else {
    broken_[std::string(path)] = error;
  }
}

Result<std::string> MemoryFiles::read(std::string_view path, std::size_t limit) {
  ++reads_;
  if (const auto broken = broken_.find(path); broken != broken_.end())
    return Failure{SysError{"read", broken->second}};
  auto real = resolve(path, true);
  if (!real) return Failure{real.error()};
  const auto node = nodes_.find(*real);
  if (node == nodes_.end()) return Failure{SysError{"open", ENOENT}};
  if (node->second.kind != FileKind::Regular) return Failure{SysError{"open", EINVAL}};
  if (node->second.text.size() > limit) return Failure{SysError{"read", EFBIG}};
  return node->second.text;
}

Result<std::vector<DirectoryItem>> MemoryFiles::list(std::string_view directory) {
  ++listings_;
  if (const auto broken = broken_.find(directory); broken != broken_.end())
    return Failure{SysError{"readdir", broken->second}};
  auto real = resolve(directory, true);
  if (!real) return Failure{real.error()};
  const auto node = nodes_.find(*real);
  if (node == nodes_.end()) return Failure{SysError{"opendir", ENOENT}};
  if (node->second.kind != FileKind::Directory) return Failure{SysError{"opendir", ENOTDIR}};
  std::vector<DirectoryItem> items;
  const std::string prefix = *real == "/" ? "/" : *real + "/";
  for (auto at = nodes_.upper_bound(prefix); at != nodes_.end(); ++at) {
    if (!at->first.starts_with(prefix)) break;
    const std::string_view rest = std::string_view(at->first).substr(prefix.size());
    if (rest.find('/') == std::string_view::npos)
      items.push_back({std::string(rest), at->second.kind});
  }
  return items;
}

Result<std::string> MemoryFiles::read_link(std::string_view path) {
  auto real = resolve(path, false);
  if (!real) return Failure{real.error()};
  const auto node = nodes_.find(*real);
  if (node == nodes_.end()) return Failure{SysError{"readlink", ENOENT}};
  if (node->second.kind != FileKind::Symlink) return Failure{SysError{"readlink", EINVAL}};
  return node->second.text;
}

Result<FileStatus> MemoryFiles::lstat(std::string_view path) {
  auto real = resolve(path, false);
  if (!real) return Failure{real.error()};
  const auto node = nodes_.find(*real);
  if (node == nodes_.end()) return Failure{SysError{"lstat", ENOENT}};
  return status_of(*real, node->second);
}

Result<FileStatus> MemoryFiles::stat(std::string_view path) {
  auto real = resolve(path, true);
  if (!real) return Failure{real.error()};
  const auto node = nodes_.find(*real);
  if (node == nodes_.end()) return Failure{SysError{"stat", ENOENT}};
  return status_of(*real, node->second);
}

SysResult MemoryFiles::make_directories(std::string_view path) {
  add_parents(path);
  nodes_.try_emplace(std::string(path), Node{FileKind::Directory, {}, 0755, 0});
  return {};
}

SysResult MemoryFiles::make_link(std::string_view target, std::string_view path) {
  if (!nodes_.contains(parent_of(path))) return Failure{SysError{"symlink", ENOENT}};
  if (nodes_.contains(path)) return Failure{SysError{"symlink", EEXIST}};
  nodes_[std::string(path)] = {FileKind::Symlink, std::string(target), 0777, 0};
  return {};
}

SysResult MemoryFiles::remove(std::string_view path) {
  const auto node = nodes_.find(path);
  if (node == nodes_.end()) return Failure{SysError{"unlink", ENOENT}};
  if (node->second.kind == FileKind::Directory) return Failure{SysError{"unlink", EISDIR}};
  nodes_.erase(node);
  return {};
}

void MemoryFiles::remove_empty_directory(std::string_view path) {
  const auto node = nodes_.find(path);
  if (node == nodes_.end() || node->second.kind != FileKind::Directory) return;
  const auto next = std::next(node);
  if (next != nodes_.end() && next->first.starts_with(std::string(path) + "/")) return;
  nodes_.erase(node);
}

SysResult MemoryFiles::write_file(std::string_view path, std::string_view text,
                                  std::uint32_t mode) {
  add(path, text, mode);
  return {};
}

}  // namespace onset::test
