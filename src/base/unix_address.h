#pragma once
// The address of a unix socket (unix(7)). Makes no system call, allocates nothing.

#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>
#include <cstring>
#include <string_view>

namespace onset {

struct UnixAddress {
  sockaddr_un un{};
  socklen_t length = 0;  ///< 0: the text is none, or too long for one

  explicit operator bool() const noexcept { return length != 0; }
  [[nodiscard]] const sockaddr* get() const noexcept {
    return reinterpret_cast<const sockaddr*>(&un);
  }
};

/// A path, with its NUL.
inline UnixAddress unix_path(std::string_view path) noexcept {
  UnixAddress address;
  if (path.empty() || path.size() >= sizeof address.un.sun_path) return address;
  address.un.sun_family = AF_UNIX;
  std::memcpy(address.un.sun_path, path.data(), path.size());
  address.length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
  return address;
}

/// A name in the abstract namespace, without the NUL that marks it.
inline UnixAddress unix_abstract(std::string_view name) noexcept {
  UnixAddress address;
  if (name.empty() || name.size() >= sizeof address.un.sun_path) return address;
  address.un.sun_family = AF_UNIX;
  std::memcpy(address.un.sun_path + 1, name.data(), name.size());
  address.length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  return address;
}

}  // namespace onset
