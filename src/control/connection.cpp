#include "control/connection.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>

namespace onset {

void Connection::receive() {
  std::array<char, 16384> buffer;
  ssize_t n = 0;
  do {
    // recv has no room for ancillary data: descriptors that come along are
    // closed by the kernel.
    n = ::recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  } while (n < 0 && errno == EINTR);
  if (n > 0) {
    input.append(std::string_view(buffer.data(), static_cast<std::size_t>(n)));
    return;
  }
  if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
  // The end, or a reset: whole messages that came before are still taken up.
  ended = true;
}

bool Connection::send() {
  bool progress = false;
  while (unsent() > 0) {
    const ssize_t n =
        ::send(socket_.get(), output_.data() + sent_, unsent(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
    if (n < 0) {
      mute();
      return false;
    }
    sent_ += static_cast<std::size_t>(n);
    progress = true;
  }
  if (unsent() == 0) {
    std::string().swap(output_);
    sent_ = 0;
  } else if (sent_ > output_.size() / 2) {
    output_.erase(0, sent_);
    sent_ = 0;
  }
  return progress;
}

bool Connection::queue(std::string_view message, std::size_t limit) {
  if (muted) return true;
  if (unsent() + message.size() + 1 > limit) return false;
  append_frame(output_, message);
  return true;
}

void Connection::mute() {
  muted = true;
  std::string().swap(output_);
  sent_ = 0;
}

}  // namespace onset
