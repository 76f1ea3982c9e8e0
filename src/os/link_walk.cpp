// One name after the other, each looked at from the root: what has been passed is free of links.
#include "os/link_walk.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <deque>
#include <optional>

#include "base/text.h"
#include "base/unique_fd.h"
#include "os/kernel.h"

namespace onset {
namespace {

constexpr unsigned kLinksMax = 40;  // the kernel's own limit

/// Nothing is mounted by looking: not without LOOKUP_OPEN, and no other file system is entered.
UniqueFd look_at(BorrowedFd root, const std::string& path) {
  open_how how{};
  how.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC;
  how.resolve = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS;
  return UniqueFd(
      static_cast<int>(::syscall(SYS_openat2, root.get(), path.c_str() + 1, &how, sizeof how)));
}

/// None: it is no link.
std::optional<std::string> target_of(const UniqueFd& fd) {
  std::array<char, kPathMax + 1> text{};
  const ssize_t n = ::readlinkat(fd.get(), "", text.data(), text.size());
  if (n <= 0 || static_cast<std::size_t>(n) > kPathMax) return std::nullopt;
  return std::string(text.data(), static_cast<std::size_t>(n));
}

void put_before(std::deque<std::string>& rest, std::string_view path) {
  const auto names = split(path, '/');
  for (auto name = names.rbegin(); name != names.rend(); ++name) {
    if (!name->empty() && *name != ".") rest.emplace_front(*name);
  }
}

std::string with_rest(std::string path, const std::deque<std::string>& rest) {
  for (const std::string& name : rest) path += "/" + name;
  return path.empty() ? "/" : path;
}

}  // namespace

std::string resolve_links(const std::string& path) {
  const auto root = open_path("/", O_PATH | O_DIRECTORY);
  if (!root) return path;
  std::string done;
  std::deque<std::string> rest;
  put_before(rest, path);
  unsigned links = 0;
  while (!rest.empty()) {
    const std::string name = rest.front();
    rest.pop_front();
    if (name == "..") {
      done.resize(done.empty() ? 0 : done.rfind('/'));
      continue;
    }
    const UniqueFd fd = look_at(*root, done + "/" + name);
    if (!fd) return path_simplify(with_rest(done + "/" + name, rest));
    if (const auto target = target_of(fd)) {
      if (++links > kLinksMax) return path;
      if (target->starts_with('/')) done.clear();
      put_before(rest, *target);
    } else {
      done += "/" + name;
    }
  }
  return with_rest(done, rest);
}

}  // namespace onset
