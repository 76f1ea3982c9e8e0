// One drain: take the events in, then rounds over the connections in which each
// may have one call handled, one piece of a stream made, and its bytes sent,
// until there is nothing to do or the round's share is used up. Replies that
// come from elsewhere (a job has ended) are queued and make the server due.
#include "control/server.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <new>
#include <nlohmann/json.hpp>

#include "base/format.h"
#include "control/json_object.h"

namespace onset {

namespace {

using json = Json;

constexpr std::uint64_t kListening = 0;
constexpr unsigned kAcceptsADrain = 64;
constexpr unsigned kCallsADrain = 64;
constexpr const char* kBadMessage = "io.onset.Manager.BadMessage";
constexpr const char* kOutOfResources = "io.onset.Manager.OutOfResources";
constexpr const char* kLimitReached = "io.onset.Manager.LimitReached";
// Frames that need no memory, with the NUL that ends each.
constexpr char kNoMemory[] =
    R"({"error":"io.onset.Manager.OutOfResources","parameters":{"message":"out of memory"}})";
constexpr char kNotWatched[] =
    R"({"error":"io.onset.Manager.OutOfResources","parameters":{"message":"epoll_ctl failed"}})";
constexpr char kNoRoom[] =
    R"({"error":"io.onset.Manager.LimitReached","parameters":{"message":"too many connections"}})";

template <std::size_t Size>
constexpr std::string_view frame_of(const char (&text)[Size]) {
  return {text, Size};
}

}  // namespace

ControlServer::ControlServer(CallHandler& handler, PeerGate* gate, ControlPolicy policy,
                             ControlLimits limits)
    : handler_(handler), gate_(gate), policy_(policy), limits_(limits) {}

ControlServer::~ControlServer() = default;

// ---- accepting --------------------------------------------------------------

SysResult ControlServer::open() {
  epoll_.reset(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll_) return Failure{SysError{"epoll_create1", errno}};
  return {};
}

SysResult ControlServer::listen(UniqueFd socket) {
  const int flags = ::fcntl(socket.get(), F_GETFL);
  if (flags < 0 || ::fcntl(socket.get(), F_SETFL, flags | O_NONBLOCK) < 0) {
    return Failure{SysError{"fcntl O_NONBLOCK", errno}};
  }
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = kListening;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, socket.get(), &event) != 0) {
    return Failure{SysError{"epoll_ctl", errno}};
  }
  unwatch(listening_);
  listening_ = std::move(socket);
  return {};
}

void ControlServer::watch_listening(bool on) {
  epoll_event event{};
  event.events = on ? static_cast<std::uint32_t>(EPOLLIN) : 0U;
  event.data.u64 = kListening;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, listening_.get(), &event);
}

/// Without memory for one more it is closed, and the others are not kept waiting.
void ControlServer::admit(UniqueFd socket, Timestamp now) {
  try {
    if (auto peer = read_peer(socket)) accept(std::move(socket), *peer, now);
  } catch (const std::bad_alloc&) {
    say_goodbye(socket, frame_of(kNoMemory));  // accept() ends in none
  }
}

void ControlServer::accept_some(Timestamp now) {
  for (unsigned i = 0; i < kAcceptsADrain; ++i) {
    UniqueFd socket(::accept4(listening_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (socket) {
      admit(std::move(socket), now);
      continue;
    }
    if (errno == EINTR || errno == ECONNABORTED) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) return;
    // Out of descriptors or memory: the socket would stay readable, and looking
    // at it again at once would be a busy loop.
    watch_listening(false);
    accept_again_ = now.mono + limits_.accept_pause;
    return;
  }
}

/// The one message, if the socket takes it.
void ControlServer::say_goodbye(BorrowedFd socket, std::string_view frame) {
  (void)!::send(socket.get(), frame.data(), frame.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

bool ControlServer::accept(UniqueFd socket, const PeerCredentials& peer, Timestamp now) {
  if (!is_authorised(peer, policy_)) return false;
  try {
    return take_in(socket, peer, now);
  } catch (const std::bad_alloc&) {
    say_goodbye(socket, frame_of(kNoMemory));
    return false;
  }
}

/// A user who may speak to the manager is told why not. bad_alloc: the socket is left.
bool ControlServer::take_in(UniqueFd& socket, const PeerCredentials& peer, Timestamp now) {
  if (gate_ != nullptr) {
    const auto admitted = gate_->admits(peer);
    if (!admitted) {
      std::string frame;
      append_frame(frame, format_reply({false, kOutOfResources},
                                       json_object({{"message", to_string(admitted.error())}})));
      say_goodbye(socket, frame);
    }
    if (!admitted || !*admitted) return false;
  }
  if (!make_room(peer.uid)) {
    say_goodbye(socket, frame_of(kNoRoom));
    return false;
  }
  const std::uint64_t id = ++last_id_;
  auto made = std::make_unique<Connection>(CallId{id}, peer, limits_.message.bytes, now.mono);
  Connection& c = *connections_.emplace(id, std::move(made)).first->second;
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = id;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, socket.get(), &event) != 0) {
    connections_.erase(id);
    say_goodbye(socket, frame_of(kNotWatched));
    return false;
  }
  c.open(std::move(socket));
  c.interest = EPOLLIN;
  c.input_deadline = now.mono + limits_.patience;
  return true;
}

bool ControlServer::make_room(uid_t uid) {
  const auto same_user = std::count_if(connections_.begin(), connections_.end(),
                                       [&](auto& entry) { return entry.second->peer.uid == uid; });
  if (static_cast<std::size_t>(same_user) >= limits_.connections_per_user) return evict(uid);
  const bool root = uid == 0;
  const unsigned reserved = std::min(limits_.reserved_for_root, limits_.connections);
  const unsigned room = root ? limits_.connections : limits_.connections - reserved;
  if (connections_.size() < room) return true;
  return evict(root ? std::nullopt : std::optional(uid));
}

/// Closes the connection that has been idle for longest; those of others than
/// root first.
bool ControlServer::evict(std::optional<uid_t> only_of) {
  auto victim = connections_.end();
  auto rank = [](const Connection& c) { return std::pair(c.peer.uid == 0, c.last_used); };
  for (auto it = connections_.begin(); it != connections_.end(); ++it) {
    const Connection& c = *it->second;
    if (!c.is_idle() || (only_of && c.peer.uid != *only_of)) continue;
    if (victim == connections_.end() || rank(c) < rank(*victim->second)) victim = it;
  }
  if (victim == connections_.end()) return false;
  destroy(victim);
  return true;
}

ControlServer::Connections::iterator ControlServer::destroy(Connections::iterator it) {
  if (it->second->busy) handler_.gone(CallId{it->first});
  unwatch(it->second->socket());
  return connections_.erase(it);
}

/// Before it is closed: a child that is launched at this moment has a copy of it, and epoll goes
/// on telling of what can't be asked about any more.
void ControlServer::unwatch(BorrowedFd socket) {
  if (socket) (void)::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, socket.get(), nullptr);
}

// ---- replies ----------------------------------------------------------------

Connection* ControlServer::find(CallId call) {
  auto it = connections_.find(static_cast<std::uint64_t>(call));
  return it == connections_.end() ? nullptr : it->second.get();
}

void ControlServer::queue(CallId call, const ReplyHead& head, const json& parameters) {
  Connection* c = find(call);
  if (c == nullptr || !c->busy || c->abandoned) return;
  // While it is busy it can be told that there was no memory for its reply.
  if (!c->oneway && !c->muted && !c->cut_off) put(*c, head, parameters);
  if (!head.continues) c->busy = c->wants_pull = false;
  backlog_ = true;
}

void ControlServer::put(Connection& c, const ReplyHead& head, const json& parameters) const {
  std::string message = format_reply(head, parameters);
  if (message.size() >= limits_.output_bytes) {
    c.abandoned = head.continues;  // in the middle of a stream: the handler is told later
    message = format_reply(
        {false, kLimitReached},
        json_object({{"message",
                      format("the reply has {} bytes; ask for less, or for more replies than one",
                             message.size())}}));
  }
  // A client that asks and does not read is cut off; the next drain does it.
  if (!c.queue(message, limits_.output_bytes)) c.cut_off = true;
}

void ControlServer::reply(CallId call, const json& parameters, bool continues) {
  queue(call, {continues, {}}, parameters);
}

void ControlServer::fail(CallId call, std::string_view error, const json& parameters) {
  queue(call, {false, std::string(error)}, parameters);
}

void ControlServer::wake(CallId call) {
  Connection* c = find(call);
  if (c == nullptr || !c->busy) return;
  c->wants_pull = true;
  backlog_ = true;
}

// ---- the loop's side --------------------------------------------------------

void ControlServer::drain(Timestamp now) {
  std::array<epoll_event, 64> events;
  const int n = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), 0);
  for (int i = 0; i < n; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    if (event.data.u64 == kListening) {
      accept_some(now);
    } else if (Connection* c = find(CallId{event.data.u64})) {
      handle_events(*c, event.events);
    }
  }
  work(now);
}

void ControlServer::handle_events(Connection& c, std::uint32_t events) {
  if ((events & (EPOLLHUP | EPOLLERR)) != 0) c.mute();
  if ((events & (EPOLLIN | EPOLLHUP)) == 0 || !c.wants_input(limits_.output_low)) return;
  try {
    c.receive();
  } catch (const std::bad_alloc&) {
    (void)refuse(c);
  }
}

void ControlServer::work(Timestamp now) {
  backlog_ = false;
  unsigned done = 0;
  bool again = true;
  while (again && done < kCallsADrain) {
    again = false;
    for (auto& [id, c] : connections_) {
      if (!step_or_refuse(*c, now)) continue;
      again = true;
      ++done;
    }
  }
  backlog_ = again;
  for (auto it = connections_.begin(); it != connections_.end();) {
    if (it->second->is_over()) {
      it = destroy(it);
      continue;
    }
    settle(*it->second, now);
    ++it;
  }
}

/// What can't be done for want of memory is one client's loss.
bool ControlServer::step_or_refuse(Connection& c, Timestamp now) {
  try {
    return step(c, now);
  } catch (const std::bad_alloc&) {
    return refuse(c);
  }
}

/// Out of memory on the way, or before its message was taken up: it is told so and let go.
bool ControlServer::refuse(Connection& c) {
  handler_.gone(c.call);
  c.closing = true;
  c.input.clear();
  c.abandoned = false;
  if (!c.busy) c.oneway = false;
  c.busy = true;
  try {
    fail(c.call, kOutOfResources, json_object({{"message", "out of memory"}}));
    return true;
  } catch (const std::bad_alloc&) {
    if (c.unsent() == 0) say_goodbye(c.socket(), frame_of(kNoMemory));
    c.busy = false;
    c.cut_off = true;
    return false;
  }
}

/// One thing for one client; false: there was nothing.
bool ControlServer::step(Connection& c, Timestamp now) {
  if (c.cut_off) return false;
  bool did = false;
  if (c.busy && (c.muted || c.abandoned)) {
    c.busy = c.wants_pull = c.abandoned = false;
    handler_.gone(c.call);
    did = true;
  }
  if (c.busy && c.wants_pull && c.unsent() < limits_.output_low) {
    c.wants_pull = false;
    if (handler_.pull(c.call) && c.busy) c.wants_pull = true;
    did = true;
  } else if (!c.busy && !c.closing && c.unsent() < limits_.output_low &&
             (c.input.has_frame() || c.input.overflowed())) {
    take_call(c, now);
    did = true;
  }
  if (c.unsent() > 0 && c.send()) {
    c.last_used = now.mono;
    c.output_deadline = kNever;
    did = true;  // there may be room for more now
  }
  return did;
}

void ControlServer::take_call(Connection& c, Timestamp now) {
  c.spoke = true;
  c.last_used = now.mono;
  c.input_deadline = kNever;
  c.busy = true;
  c.oneway = c.more = false;
  json parameters;
  Result<Request, std::string> request = Failure{std::string("the message is too long")};
  if (auto message = c.input.next()) request = parse_request(*message, limits_.message, parameters);
  if (!request) {
    fail(c.call, kBadMessage, json_object({{"message", request.error()}}));
    c.closing = true;
    c.input.clear();
    return;
  }
  c.oneway = request->oneway;
  c.more = request->more && !request->oneway;
  if (request->upgrade) {
    fail(c.call, "org.varlink.service.InvalidParameter", json_object({{"parameter", "upgrade"}}));
    return;
  }
  handler_.handle(c.call, *request, parameters, now);
  if (c.oneway && c.busy) {
    c.busy = c.wants_pull = false;
    handler_.gone(c.call);
  }
}

/// What the client owes, and what to wait for.
void ControlServer::settle(Connection& c, Timestamp now) {
  const bool reads = c.wants_input(limits_.output_low);
  if (!reads || (c.spoke && !c.input.has_partial())) {
    c.input_deadline = kNever;
  } else if (c.input_deadline == kNever) {
    c.input_deadline = now.mono + limits_.patience;
  }
  if (c.unsent() == 0) {
    c.output_deadline = kNever;
  } else if (c.output_deadline == kNever) {
    c.output_deadline = now.mono + limits_.patience;
  }
  std::uint32_t interest = 0;
  if (reads) interest |= EPOLLIN;
  if (c.unsent() > 0) interest |= EPOLLOUT;
  if (interest == c.interest) return;
  epoll_event event{};
  event.events = interest;
  event.data.u64 = static_cast<std::uint64_t>(c.call);
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, c.socket().get(), &event) == 0) {
    c.interest = interest;
  }
}

MonoTime ControlServer::next_deadline() const {
  if (backlog_) return MonoTime{0};
  MonoTime earliest = accept_again_;
  for (const auto& [id, c] : connections_) {
    earliest = std::min({earliest, c->input_deadline, c->output_deadline});
  }
  return earliest;
}

void ControlServer::elapse(Timestamp now) {
  if (accept_again_ <= now.mono) {
    accept_again_ = kNever;
    watch_listening(true);
  }
  for (auto& [id, c] : connections_) {
    if (std::min(c->input_deadline, c->output_deadline) <= now.mono) c->cut_off = true;
  }
  drain(now);
}

void ControlServer::close_all() {
  for (auto it = connections_.begin(); it != connections_.end();) {
    it->second->send();
    it = destroy(it);
  }
  unwatch(listening_);
  listening_.reset();
}

}  // namespace onset
