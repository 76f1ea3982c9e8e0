#pragma once
// The other end: a client that blocks, with a deadline on every wait. For the
// command line; onset's own client is one like any other.
//
//   auto client = ControlClient::connect("/run/onset/control", std::chrono::seconds(5));
//   Json reply;
//   auto head = client->call("io.onset.Manager.GetUnit", {{"unit", "a.service"}}, reply);
//
// A stream: send() with `more`, then receive() while its ReplyHead continues.

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "base/unique_fd.h"
#include "control/frame.h"
#include "control/json.h"
#include "control/message.h"

namespace onset {

struct ClientError {
  enum class Kind : std::uint8_t {
    NoManager,  ///< nobody listens on that path
    Denied,     ///< the path may not be opened, or the manager closed at once
    Timeout,
    Closed,    ///< the manager went away before the reply
    Protocol,  ///< what came is not a reply
    System,
  };
  Kind kind{};
  std::string message;  ///< for people, one line
};

class ControlClient {
 public:
  static constexpr Duration kPatience = std::chrono::seconds(25);

  static Result<ControlClient, ClientError> connect(std::string_view path,
                                                    Duration patience = kPatience);
  /// Over a connected stream socket.
  explicit ControlClient(UniqueFd socket);

  /// `parameters`: an object, or null for none. That the manager has closed the
  /// connection is told by receive(), behind what it said before.
  Result<void, ClientError> send(const Request& request, const Json& parameters,
                                 Duration patience = kPatience);
  /// The next reply. kInfinity waits for as long as the manager lives: for jobs.
  /// A reply with an error is a reply: look at ReplyHead::error.
  Result<ReplyHead, ClientError> receive(Json& parameters, Duration patience = kPatience);
  /// One call, one reply.
  Result<ReplyHead, ClientError> call(std::string_view method, const Json& parameters, Json& reply,
                                      Duration patience = kPatience);

  /// Readable when receive() has something, or the end, to tell. (Only after
  /// has_buffered() is false.)
  [[nodiscard]] BorrowedFd fd() const { return socket_; }
  [[nodiscard]] bool has_buffered() const { return input_.has_frame(); }

 private:
  /// Waits for the socket; nothing if it is ready before the deadline.
  Result<void, ClientError> wait(short events, MonoTime deadline);

  UniqueFd socket_;
  FrameReader input_;
  bool heard_ = false;
};

}  // namespace onset
