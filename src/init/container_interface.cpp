#include "init/container_interface.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "base/format.h"
#include "base/unique_fd.h"

namespace onset {
namespace {

std::string variable(char** environment, std::string_view name) {
  for (char** e = environment; e != nullptr && *e != nullptr; ++e) {
    const std::string_view entry(*e);
    if (entry.size() > name.size() && entry.starts_with(name) && entry[name.size()] == '=') {
      return std::string(entry.substr(name.size() + 1));
    }
  }
  return {};
}

bool is_plain_word(std::string_view s) {
  return s.size() <= 64 && std::all_of(s.begin(), s.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '_';
         });
}

std::string hex_digits(std::string_view uuid) {
  std::string digits;
  for (char c : uuid) {
    if (c == '-') continue;
    const char lower = (c >= 'A' && c <= 'F') ? static_cast<char>(c + 32) : c;
    if (!((lower >= '0' && lower <= '9') || (lower >= 'a' && lower <= 'f'))) return {};
    digits += lower;
  }
  return digits.size() == 32 ? digits : std::string{};
}

SysError make_folder(const char* path) {
  if (mkdir(path, 0755) == 0 || errno == EEXIST) return {};
  return SysError{"mkdir", errno};
}

}  // namespace

ContainerInterface read_container_interface(char** environment) {
  ContainerInterface c;
  c.kind = variable(environment, "container");
  if (!is_plain_word(c.kind)) c.kind = "other";
  c.uuid = hex_digits(variable(environment, "container_uuid"));
  c.notify_socket = variable(environment, "NOTIFY_SOCKET");
  return c;
}

std::vector<std::string> publish_booted(const ContainerInterface& interface) {
  std::vector<std::string> losses;
  for (const char* path : {"/run/systemd", "/run/systemd/system"}) {
    if (const SysError e = make_folder(path); e.err != 0) {
      losses.push_back(
          format("{} can't be made ({}): programs that ask sd_booted() think that no init runs",
                 path, errno_text(e.err)));
      return losses;
    }
  }
  if (interface.kind.empty()) return losses;
  UniqueFd fd(
      open("/run/systemd/container", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!fd || write(fd.get(), interface.kind.data(), interface.kind.size()) !=
                 static_cast<ssize_t>(interface.kind.size())) {
    losses.push_back(format("/run/systemd/container can't be written: {}", errno_text(errno)));
  }
  return losses;
}

}  // namespace onset
