#include "control/client.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/format.h"
#include "base/unix_address.h"
#include "control/json.h"

namespace onset {

namespace {

using json = Json;
using Kind = ClientError::Kind;

// The manager is trusted with more than it trusts its clients with.
constexpr JsonLimits kReplyLimits{std::size_t{64} << 20, 64, std::size_t{1} << 23};

MonoTime monotonic_now() {
  timespec ts{};
  ::clock_gettime(CLOCK_MONOTONIC, &ts);
  return MonoTime{std::int64_t{ts.tv_sec} * 1'000'000 + ts.tv_nsec / 1000};
}

Failure<ClientError> failure(Kind kind, std::string message) {
  return Failure{ClientError{kind, std::move(message)}};
}

Failure<ClientError> connect_failure(std::string_view path, int err) {
  Kind kind = Kind::System;
  if (err == ENOENT || err == ECONNREFUSED || err == ENOTDIR) kind = Kind::NoManager;
  if (err == EACCES || err == EPERM) kind = Kind::Denied;
  if (err == EAGAIN || err == ETIMEDOUT) kind = Kind::Timeout;
  return failure(kind, format("cannot reach the manager at {}: {}", path, errno_text(err)));
}

/// connect(2) of a Unix socket blocks while the backlog is full; its deadline is
/// the send timeout, unix(7).
void limit_connect(BorrowedFd socket, Duration patience) {
  timeval limit{};
  if (patience != kInfinity) {
    limit.tv_sec = patience.count() / 1'000'000;
    limit.tv_usec = patience.count() % 1'000'000;
  }
  ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

}  // namespace

Result<ControlClient, ClientError> ControlClient::connect(std::string_view path,
                                                          Duration patience) {
  const UnixAddress address = unix_path(path);
  if (!address) return connect_failure(path, ENAMETOOLONG);
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) return connect_failure(path, errno);
  limit_connect(socket, patience);
  int rc = 0;
  do {
    rc = ::connect(socket.get(), address.get(), address.length);
  } while (rc != 0 && errno == EINTR);
  if (rc != 0) return connect_failure(path, errno);
  return ControlClient(std::move(socket));
}

ControlClient::ControlClient(UniqueFd socket)
    : socket_(std::move(socket)), input_(kReplyLimits.bytes) {}

Result<void, ClientError> ControlClient::wait(short events, MonoTime deadline) {
  for (;;) {
    int timeout = -1;
    if (deadline != kNever) {
      const std::int64_t left = std::max<std::int64_t>(0, deadline.us - monotonic_now().us);
      timeout = static_cast<int>(std::min<std::int64_t>((left + 999) / 1000, INT_MAX));
    }
    pollfd wanted{socket_.get(), events, 0};
    const int n = ::poll(&wanted, 1, timeout);
    if (n > 0) return {};
    if (n == 0) return failure(Kind::Timeout, "the manager did not answer in time");
    if (errno != EINTR) return failure(Kind::System, format("poll: {}", errno_text(errno)));
  }
}

Result<void, ClientError> ControlClient::send(const Request& request, const json& parameters,
                                              Duration patience) {
  const MonoTime deadline = monotonic_now() + patience;
  std::string bytes;
  append_frame(bytes, format_request(request, parameters));
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    const ssize_t n = ::send(socket_.get(), bytes.data() + sent, bytes.size() - sent,
                             MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n >= 0) {
      sent += static_cast<std::size_t>(n);
      continue;
    }
    if (errno == EINTR) continue;
    // Why it was closed may have come before: receive() tells.
    if (errno == EPIPE || errno == ECONNRESET) return {};
    if (errno != EAGAIN && errno != EWOULDBLOCK) {
      return failure(Kind::System, format("send: {}", errno_text(errno)));
    }
    if (auto ready = wait(POLLOUT, deadline); !ready) return ready;
  }
  return {};
}

Result<ReplyHead, ClientError> ControlClient::receive(json& parameters, Duration patience) {
  const MonoTime deadline = monotonic_now() + patience;
  std::array<char, 65536> buffer;
  while (!input_.has_frame()) {
    if (input_.overflowed()) return failure(Kind::Protocol, "the manager's reply is too long");
    const ssize_t n = ::recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (n > 0) {
      heard_ = true;
      input_.append(std::string_view(buffer.data(), static_cast<std::size_t>(n)));
      continue;
    }
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      if (auto ready = wait(POLLIN, deadline); !ready) return Failure{ready.error()};
      continue;
    }
    // Whoever is not authorised is cut off before a byte is read.
    if (!heard_)
      return failure(Kind::Denied, "the manager does not accept commands from this user");
    return failure(Kind::Closed, "the manager has closed the connection");
  }
  auto head = parse_reply(*input_.next(), kReplyLimits, parameters);
  if (!head) return failure(Kind::Protocol, format("the manager's reply: {}", head.error()));
  return *head;
}

Result<ReplyHead, ClientError> ControlClient::call(std::string_view method, const json& parameters,
                                                   json& reply, Duration patience) {
  Request request;
  request.method = method;
  if (auto sent = send(request, parameters, patience); !sent) return Failure{sent.error()};
  return receive(reply, patience);
}

}  // namespace onset
