#include "os/pid_file.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <deque>
#include <vector>

#include "base/format.h"
#include "base/text.h"
#include "os/kernel.h"

namespace onset {
namespace {

constexpr unsigned kLinkLimit = 40;

struct Walked {
  UniqueFd fd;
  struct stat st {};
  bool questionable = false;
};

/// From what `from` owns one may come to what `to` owns without asking who led there.
bool safe_step(uid_t from, uid_t to) {
  return from == 0 || from == ::geteuid() || from == to;
}

void push_front(std::deque<std::string>& names, std::string_view path) {
  std::vector<std::string> parts;
  for (const auto part : split(path, '/')) {
    if (!part.empty() && part != ".") parts.emplace_back(part);
  }
  names.insert(names.begin(), parts.begin(), parts.end());
}

Result<std::string> link_target(int fd, const std::string& name) {
  std::string target(PATH_MAX, '\0');
  const ssize_t n = ::readlinkat(fd, name.c_str(), target.data(), target.size());
  if (n < 0) return Failure{SysError{"readlink", errno}};
  target.resize(static_cast<std::size_t>(n));
  return target;
}

/// Opens the last name for reading, the ones before as folders.
Result<Walked> walk(std::string_view path) {
  std::deque<std::string> names;
  push_front(names, path);
  Walked at;
  auto root = open_path("/", O_PATH | O_DIRECTORY);
  if (!root) return Failure{root.error()};
  at.fd = std::move(*root);
  if (::fstat(at.fd.get(), &at.st) != 0) return Failure{SysError{"fstat", errno}};
  for (unsigned links = 0; !names.empty();) {
    const std::string name = std::move(names.front());
    names.pop_front();
    struct stat st {};
    if (::fstatat(at.fd.get(), name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0) {
      return Failure{SysError{"stat", errno}};
    }
    if (!safe_step(at.st.st_uid, st.st_uid)) at.questionable = true;
    if (S_ISLNK(st.st_mode)) {
      if (++links > kLinkLimit) return Failure{SysError{"open", ELOOP}};
      auto target = link_target(at.fd.get(), name);
      if (!target) return Failure{target.error()};
      // What a link of somebody else's names is that one's choice.
      if (!safe_step(st.st_uid, 0)) at.questionable = true;
      if (target->starts_with('/')) {
        auto top = open_path("/", O_PATH | O_DIRECTORY);
        if (!top) return Failure{top.error()};
        at.fd = std::move(*top);
        if (::fstat(at.fd.get(), &at.st) != 0) return Failure{SysError{"fstat", errno}};
      }
      push_front(names, *target);
      continue;
    }
    const bool last = names.empty();
    if (last && !S_ISREG(st.st_mode)) return Failure{SysError{"open", EINVAL}};
    const int flags = last ? O_RDONLY | O_NONBLOCK : O_PATH | O_DIRECTORY;
    auto next = open_at(at.fd.get(), name.c_str(), flags | O_NOFOLLOW);
    if (!next) return Failure{next.error()};
    at.fd = std::move(*next);
    if (::fstat(at.fd.get(), &at.st) != 0) return Failure{SysError{"fstat", errno}};
  }
  if (!S_ISREG(at.st.st_mode)) return Failure{SysError{"open", EINVAL}};
  return at;
}

struct PidFile {
  std::string text;
  uid_t owner = 0;
  bool questionable = false;
};

Result<PidFile> read_once(std::string_view path) {
  auto file = walk(path);
  if (!file) return Failure{file.error()};
  PidFile read{std::string(64, '\0'), file->st.st_uid, file->questionable};
  const ssize_t n = ::read(file->fd.get(), read.text.data(), read.text.size());
  if (n < 0) return Failure{SysError{"read", errno}};
  read.text.resize(static_cast<std::size_t>(n));
  return read;
}

}  // namespace

Result<PidFileText, std::string> read_pid_file_text(std::string_view path) {
  // An error may be the moment's, and nothing tells when it is over: the file does not change.
  constexpr int kAttempts = 3;
  auto file = read_once(path);
  for (int attempt = 1; !file && file.error().err != ENOENT && attempt < kAttempts; ++attempt)
    file = read_once(path);
  if (!file) {
    const int err = file.error().err;
    if (err == ENOENT) return Failure{std::string()};
    if (err == EINVAL) return Failure{format("{} is not a regular file", path)};
    return Failure{format("{}: {}", path, errno_text(err))};
  }
  const std::string& text = file->text;
  const auto line = trim(std::string_view(text).substr(0, text.find('\n')));
  if (trim(text).empty()) return Failure{std::string()};
  const auto pid = parse_uint<std::uint32_t>(line);
  if (!pid || *pid == 0 || *pid > 4'194'304) {  // PID_MAX_LIMIT
    return Failure{format("{} does not hold a process id: \"{}\"", path, c_escape(line))};
  }
  return PidFileText{static_cast<pid_t>(*pid), file->owner, file->questionable};
}

}  // namespace onset
