#include "init/notify_socket.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstddef>

#include "base/text.h"
#include "base/unix_address.h"
#include "init/notify_datagram.h"
#include "os/kernel.h"

namespace onset {
namespace {

constexpr int kReceiveBuffer = 8 * 1024 * 1024;

Result<UnixAddress> address_of(std::string_view text) {
  const bool is_abstract = text.starts_with('@');
  UnixAddress address;
  if (is_abstract) address = unix_abstract(text.substr(1));
  if (text.starts_with('/')) address = unix_path(text);
  if (!address) return Failure{SysError{"notify socket address", EINVAL}};
  return address;
}

/// Of a socket that is made now (unix(7), /proc/sys/net/unix/max_dgram_qlen): the
/// kernel takes one more than it says.
unsigned queue_length() {
  constexpr unsigned kUnknown = 4096;  // its default is 10
  auto text = read_kernel_file("/proc/sys/net/unix/max_dgram_qlen");
  if (!text) return kUnknown;
  const auto length = parse_uint<unsigned>(std::string_view(*text).substr(0, text->find('\n')));
  return length && *length < UINT_MAX ? *length + 1 : kUnknown;
}

}  // namespace

NotifySocket::NotifySocket(UniqueFd fd)
    : fd_(std::move(fd)), capacity_(queue_length()), buffer_(kNotifyMax + 1, '\0') {}

Result<NotifySocket> NotifySocket::bind(const std::string& path) {
  auto address = address_of(path);
  if (!address) return Failure{address.error()};
  UniqueFd fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return Failure{SysError{"socket", errno}};
  (void)unlink(path.c_str());
  if (::bind(fd.get(), address->get(), address->length) < 0) {
    return Failure{SysError{"bind", errno}};
  }
  // Any user's service may write to it; who may say what is NotifyAccess='s matter.
  if (chmod(path.c_str(), 0666) < 0) return Failure{SysError{"chmod", errno}};
  const int on = 1;
  if (setsockopt(fd.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on) < 0) {
    return Failure{SysError{"SO_PASSCRED", errno}};
  }
  if (setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBuffer, sizeof kReceiveBuffer) <
      0) {
    (void)setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &kReceiveBuffer, sizeof kReceiveBuffer);
  }
  return NotifySocket(std::move(fd));
}

bool NotifySocket::receive(NotifyDatagram& datagram) {
  datagram = {};
  alignas(cmsghdr) std::array<char, kNotifyAncillaryMax> control{};
  iovec vector{buffer_.data(), buffer_.size()};
  msghdr header{};
  header.msg_iov = &vector;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  const ssize_t n = recvmsg(fd_.get(), &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (n < 0) return errno == EINTR;

  const NotifyAncillary ancillary =
      read_notify_ancillary({control.data(), std::min(header.msg_controllen, control.size())});
  // FDSTORE=1 comes with the fd store; until then nothing is kept.
  for (std::size_t i = 0; i < ancillary.descriptor_count; ++i) {
    UniqueFd closes(ancillary.descriptors[i]);
  }
  datagram.text = notify_text({buffer_.data(), static_cast<std::size_t>(n)}, header.msg_flags);
  if (datagram.text.empty()) return true;
  datagram.pid = ancillary.pid;
  datagram.uid = ancillary.uid;
  return true;
}

SysResult send_notify(std::string_view address, std::string_view text) {
  auto to = address_of(address);
  if (!to) return Failure{to.error()};
  UniqueFd fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return Failure{SysError{"socket", errno}};
  if (sendto(fd.get(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT, to->get(),
             to->length) < 0) {
    return Failure{SysError{"sendto", errno}};
  }
  return {};
}

}  // namespace onset
