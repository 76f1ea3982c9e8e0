#pragma once
// The control server: accepts, authorises, reads calls, hands them to the
// handler, sends replies. Nothing blocks and no client can make it grow: each
// has a cap on what it sends and on what it leaves unread, and a deadline while
// it owes bytes or owes a read. At rest it waits in the kernel alone.
//
//   listening socket ─→ peer ─→ authorised? ─→ connection
//   bytes ─→ frame ─→ Request ─→ CallHandler ─→ ReplySink ─→ bytes
//
// It owns an epoll instance, so that the loop of the manager watches one fd of
// it: when poll_fd() is readable, drain(); at next_deadline(), elapse(). Replies
// may be queued at any time (a job has ended): next_deadline() is then due at
// once, so the loop asks for it after everything else, right before it waits.
// Descriptors that a client sends never arrive: there is no room for them.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>

#include "base/result.h"
#include "base/time.h"
#include "base/unique_fd.h"
#include "control/call.h"
#include "control/connection.h"
#include "control/json.h"
#include "control/peer.h"

namespace onset {

struct ControlLimits {
  unsigned connections = 512;
  unsigned connections_per_user = 256;
  /// Of `connections`, those that only root gets.
  unsigned reserved_for_root = 32;
  JsonLimits message;
  /// What a client may leave unread before it is cut off.
  std::size_t output_bytes = std::size_t{4} << 20;
  /// A stream is only continued while less than this is unread.
  std::size_t output_low = std::size_t{64} << 10;
  /// For a message that has begun, for the first one of a connection, and for
  /// the next byte of output to be read.
  Duration patience = std::chrono::seconds(30);
  /// After the process ran out of descriptors, until the next accept.
  Duration accept_pause = std::chrono::seconds(1);
};

class ControlServer final : public ReplySink {
 public:
  /// `gate` may be null. All three outlive the server.
  ControlServer(CallHandler& handler, PeerGate* gate, ControlPolicy policy,
                ControlLimits limits = {});
  ~ControlServer() override;
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

  /// Makes the epoll instance; once, before anything else.
  SysResult open();
  /// Takes over a listening stream socket; it is made non-blocking.
  SysResult listen(UniqueFd socket);
  /// Takes over a connected one, if its peer is authorised and has room.
  bool accept(UniqueFd socket, const PeerCredentials& peer, Timestamp now);

  [[nodiscard]] BorrowedFd poll_fd() const { return epoll_; }
  /// Does what is ready now, a bounded amount: what is left makes
  /// next_deadline() due at once.
  void drain(Timestamp now);
  [[nodiscard]] MonoTime next_deadline() const;
  void elapse(Timestamp now);

  /// Says goodbye: replies that are queued are sent as far as the sockets take
  /// them, then everything is closed.
  void close_all();

  [[nodiscard]] std::size_t connections() const { return connections_.size(); }

  void reply(CallId call, const Json& parameters, bool continues) override;
  void fail(CallId call, std::string_view error, const Json& parameters) override;
  void wake(CallId call) override;

 private:
  using Connections = std::map<std::uint64_t, std::unique_ptr<Connection>>;

  bool take_in(UniqueFd& socket, const PeerCredentials& peer, Timestamp now);
  void accept_some(Timestamp now);
  void admit(UniqueFd socket, Timestamp now);
  void watch_listening(bool on);
  static void say_goodbye(BorrowedFd socket, std::string_view frame);
  [[nodiscard]] bool make_room(uid_t uid);
  bool evict(std::optional<uid_t> only_of);
  [[nodiscard]] Connection* find(CallId call);
  void queue(CallId call, const ReplyHead& head, const Json& parameters);
  void put(Connection& c, const ReplyHead& head, const Json& parameters) const;
  void handle_events(Connection& c, std::uint32_t events);
  void work(Timestamp now);
  bool step_or_refuse(Connection& c, Timestamp now);
  bool refuse(Connection& c);
  bool step(Connection& c, Timestamp now);
  void take_call(Connection& c, Timestamp now);
  void settle(Connection& c, Timestamp now);
  Connections::iterator destroy(Connections::iterator it);
  void unwatch(BorrowedFd socket);

  CallHandler& handler_;
  PeerGate* gate_;
  ControlPolicy policy_;
  ControlLimits limits_;
  UniqueFd epoll_;
  UniqueFd listening_;
  MonoTime accept_again_ = kNever;
  Connections connections_;
  std::uint64_t last_id_ = 0;
  bool backlog_ = false;  ///< there is something to do without waiting
};

}  // namespace onset
