#pragma once
// A control server with clients on socket pairs, a clock in the test's hands
// and credentials as the test likes them.

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "control/json.h"
#include "control/server.h"
#include "support/failing_new.h"

namespace onset::test {

using json = Json;

/// Answers "echo" with its parameters, "boom" with an error, keeps "wait",
/// streams `count` replies for "stream".
class EchoHandler final : public CallHandler {
 public:
  void handle(CallId call, const Request& request, const json& parameters, Timestamp) override {
    handled.push_back(request.method);
    if (request.method == "wait") {
      waiting.push_back(call);
    } else if (request.method == "stream") {
      left_[call] = parameters.value("count", 0U);
      padding_ = std::string(parameters.value("bytes", std::size_t{1}), 'x');
      sink->wake(call);
    } else if (request.method == "boom") {
      sink->fail(call, "org.example.Boom", {{"why", "asked"}});
    } else if (request.method == "large") {
      sink->reply(call, {{"text", std::string(parameters.value("bytes", std::size_t{1}), 'x')}});
    } else {
      sink->reply(call, parameters);
    }
  }
  bool pull(CallId call) override {
    ++pulls;
    unsigned& count = left_[call];
    if (count > 0) --count;
    sink->reply(call, {{"left", count}, {"padding", padding_}}, count > 0);
    return count > 0;
  }
  void gone(CallId call) override {
    const UnfailingNew ours;
    left.push_back(call);
  }

  std::vector<std::string> handled;
  std::vector<CallId> waiting;
  std::vector<CallId> left;  ///< the calls whose client has gone
  unsigned pulls = 0;

  ReplySink* sink = nullptr;

 private:
  std::map<CallId, unsigned> left_;
  std::string padding_;
};

class ControlWorld {
 public:
  explicit ControlWorld(ControlLimits limits = {}, ControlPolicy policy = {},
                        PeerGate* gate = nullptr)
      : server(handler, gate, policy, limits) {
    handler.sink = &server;
    (void)server.open();
  }

  /// A client's end; the server has the other one if it took it.
  UniqueFd connect(const PeerCredentials& peer = {100, 0, 0, {}}) {
    std::array<int, 2> pair{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair.data()) != 0) {
      return {};
    }
    accepted = server.accept(UniqueFd(pair[1]), peer, now);
    return UniqueFd(pair[0]);
  }

  /// Until the server has nothing to do at this point of time.
  void run() {
    for (int rounds = 0; rounds < 100000; ++rounds) {
      if (server.next_deadline() <= now.mono) {
        server.elapse(now);
        continue;
      }
      pollfd ready{server.poll_fd().get(), POLLIN, 0};
      if (::poll(&ready, 1, 0) != 1) return;
      server.drain(now);
    }
    stuck = true;
  }

  void pass(Duration span) {
    now.mono = now.mono + span;
    run();
  }

  EchoHandler handler;
  ControlServer server;
  Timestamp now{MonoTime{1'000'000}, WallTime{1'700'000'000'000'000}};
  bool accepted = false;
  bool stuck = false;  ///< run() found no end
};

/// What went out; less than all if the socket is full or closed.
inline std::size_t send_bytes(BorrowedFd fd, std::string_view bytes) {
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    const ssize_t n =
        ::send(fd.get(), bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n <= 0) break;
    sent += static_cast<std::size_t>(n);
  }
  return sent;
}

inline void send_message(BorrowedFd fd, const json& message) {
  std::string bytes = message.dump();
  bytes.push_back('\0');
  send_bytes(fd, bytes);
}

struct Received {
  std::vector<json> messages;
  bool closed = false;
  std::string rest;  ///< bytes without a NUL after them
};

/// The bytes that are there now.
inline std::string read_bytes(BorrowedFd fd, bool* closed = nullptr) {
  std::string bytes;
  std::array<char, 65536> buffer;
  for (;;) {
    const ssize_t n = ::recv(fd.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (n > 0) {
      bytes.append(buffer.data(), static_cast<std::size_t>(n));
      continue;
    }
    if (closed != nullptr) *closed = n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
    return bytes;
  }
}

/// Everything that is there now.
inline Received read_all(BorrowedFd fd) {
  Received got;
  got.rest = read_bytes(fd, &got.closed);
  for (std::size_t end = 0; (end = got.rest.find('\0')) != std::string::npos;) {
    got.messages.push_back(json::parse(got.rest.substr(0, end), nullptr, false));
    got.rest.erase(0, end + 1);
  }
  return got;
}

inline bool is_closed(BorrowedFd fd) {
  return read_all(fd).closed;
}

}  // namespace onset::test
