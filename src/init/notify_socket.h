#pragma once
// The socket that services tell their state on (sd_notify(3)), and the one that
// onset itself tells: $NOTIFY_SOCKET upwards.

#include <sys/types.h>

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"

namespace onset {

struct NotifyDatagram {
  pid_t pid = 0;
  uid_t uid = 0;
  std::string_view text;  ///< into the socket's buffer, until the next receive()
};

/// Receives datagrams with the sender's credentials as the kernel gives them.
/// Descriptors that come along are closed after the datagram was handled, which
/// is what BARRIER=1 waits for; what is truncated, too long or without
/// credentials is dropped, and the socket goes on.
class NotifySocket {
 public:
  static Result<NotifySocket> bind(const std::string& path);
  NotifySocket(NotifySocket&&) = default;

  [[nodiscard]] BorrowedFd fd() const { return fd_; }
  /// As many as can wait in it at most: after so many receive(), everything that had
  /// been sent before the first of them is out.
  [[nodiscard]] unsigned capacity() const { return capacity_; }
  /// The next datagram; false: none left for now. A dropped one has pid 0.
  bool receive(NotifyDatagram& datagram);

 private:
  explicit NotifySocket(UniqueFd fd);
  UniqueFd fd_;
  unsigned capacity_;
  std::string buffer_;
};

/// Sends to a $NOTIFY_SOCKET address ("/path" or "@abstract"). Nothing blocks.
SysResult send_notify(std::string_view address, std::string_view text);

}  // namespace onset
