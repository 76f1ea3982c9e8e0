#include "os/confinement.h"

#include <sys/stat.h>

#include <cerrno>
#include <charconv>
#include <string>

#include "base/format.h"
#include "base/text.h"
#include "os/kernel.h"

namespace onset {
namespace {

constexpr std::size_t kStatusLimit = 65536;

/// The text behind "NAME:" at the start of a line.
std::optional<std::string_view> field(std::string_view status, std::string_view name) {
  while (!status.empty()) {
    const std::string_view line = status.substr(0, status.find('\n'));
    status.remove_prefix(line.size() < status.size() ? line.size() + 1 : line.size());
    if (!line.starts_with(name) || line.size() == name.size() || line[name.size()] != ':') continue;
    return trim(line.substr(name.size() + 1));
  }
  return std::nullopt;
}

/// Nothing of a process that is gone.
Result<std::optional<Confinement>> read_confinement(const std::string& process) {
  const auto text = read_kernel_file(format("/proc/{}/status", process).c_str(), kStatusLimit);
  if (text) return parse_confinement(*text);
  const int err = text.error().err;
  if (err == EMFILE || err == ENFILE || err == ENOMEM) return Failure{text.error()};
  return std::optional<Confinement>();
}

/// What onset may not look at belongs to a process with more rights than onset,
/// which can't have put it there: without rights it changes no root.
bool same_place(const std::string& process, const char* name) {
  struct stat here {};
  struct stat there {};
  if (::stat(format("/proc/self/{}", name).c_str(), &here) != 0) return false;
  if (::stat(format("/proc/{}/{}", process, name).c_str(), &there) != 0) {
    return errno == EACCES || errno == EPERM;
  }
  return here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

}  // namespace

std::optional<Confinement> parse_confinement(std::string_view status) {
  const auto flag = field(status, "NoNewPrivs");
  const auto set = field(status, "CapBnd");
  if (!flag || !set || (*flag != "0" && *flag != "1") || set->empty()) return std::nullopt;
  Confinement found;
  found.no_new_privileges = *flag == "1";
  const char* const end = set->data() + set->size();
  const auto [at, error] = std::from_chars(set->data(), end, found.bounding, 16);
  if (error != std::errc{} || at != end) return std::nullopt;
  return found;
}

Result<bool> is_as_free_as_self(pid_t pid) {
  const std::string process = format("{}", pid);
  const auto own = read_confinement("self");
  if (!own) return Failure{own.error()};
  const auto other = read_confinement(process);
  if (!other) return Failure{other.error()};
  return *own && *other && !is_confined(**other, **own) && same_place(process, "root") &&
         same_place(process, "ns/user");
}

}  // namespace onset
