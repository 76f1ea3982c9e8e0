#pragma once
// One client of the control server: its socket, what it has sent and what it is
// owed. Knows bytes, limits of time and size; what a call means it does not.

#include <string>
#include <string_view>

#include "base/time.h"
#include "base/unique_fd.h"
#include "control/call.h"
#include "control/frame.h"
#include "control/peer.h"

namespace onset {

class Connection {
 public:
  Connection(CallId id, PeerCredentials credentials, std::size_t message_bytes, MonoTime now)
      : call(id), peer(std::move(credentials)), input(message_bytes), last_used(now) {}

  /// Takes over the socket; once, before anything else.
  void open(UniqueFd socket) { socket_ = std::move(socket); }
  /// Reads once what is there. Notices the end.
  void receive();
  /// Sends what the socket takes; true: bytes have gone.
  bool send();
  /// Queues bytes; false: more than `limit` would be unread.
  bool queue(std::string_view message, std::size_t limit);
  /// Nothing more can reach the client: what is queued goes.
  void mute();

  [[nodiscard]] std::size_t unsent() const { return output_.size() - sent_; }
  [[nodiscard]] BorrowedFd socket() const { return socket_; }
  /// Nothing is under way in either direction.
  [[nodiscard]] bool is_idle() const {
    return !busy && !input.has_frame() && !input.has_partial() && unsent() == 0;
  }
  /// A further message may be read: there is no call before it.
  [[nodiscard]] bool wants_input(std::size_t output_low) const {
    return !ended && !closing && !busy && !input.has_frame() && unsent() < output_low;
  }
  /// No call can follow and nothing is left to send.
  [[nodiscard]] bool is_over() const {
    if (cut_off) return true;
    if (busy || unsent() > 0) return false;
    return closing || (ended && !input.has_frame());
  }

  const CallId call;  ///< of every call of this connection: it has one at a time
  PeerCredentials peer;
  FrameReader input;
  MonoTime last_used;
  MonoTime input_deadline = kNever;   ///< a message is owed
  MonoTime output_deadline = kNever;  ///< a read is owed
  std::uint32_t interest = 0;         ///< what epoll watches for
  bool spoke = false;                 ///< a message has come
  bool busy = false;                  ///< a call is under way
  bool oneway = false;                ///< …and wants no reply
  bool more = false;                  ///< …and takes several
  bool wants_pull = false;            ///< …and has more to send when there is room
  bool abandoned = false;             ///< …and has been ended without its handler
  bool ended = false;                 ///< no further bytes will come
  bool muted = false;                 ///< nobody reads
  bool closing = false;               ///< to be closed once all is sent
  bool cut_off = false;               ///< to be closed at once

 private:
  UniqueFd socket_;
  std::string output_;
  std::size_t sent_ = 0;
};

}  // namespace onset
