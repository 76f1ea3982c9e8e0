#pragma once
// A small client of the message bus, for Type=dbus: who owns a name, and when
// that changes (D-Bus specification; org.freedesktop.DBus).
//
// It connects when the first name is watched, never waits, and parses with
// bounds: whatever is wrong with a message ends the connection. Nothing
// listening, a connection lost, an answer that does not come within 25 s: each
// is told as bus_gone for every name watched, once.
//
// Where memory runs out over what the bus has sent, or over a question to it, the
// connection is made anew: whoever owns the names then is told again.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "engine/service.h"

namespace onset {

struct BusMessage;

class BusClient {
 public:
  /// Addresses as the specification has them ("unix:path=/run/dbus/system_bus_socket"),
  /// parted by ";"; the first that can be connected to wins.
  explicit BusClient(std::string addresses);

  struct Change {
    std::uint32_t key = 0;
    BusNameChanged change;
  };

  /// Replaces what the key watched. The present owner is told first. bad_alloc: the key
  /// watches nothing.
  void watch(std::uint32_t key, std::string_view name);
  void unwatch(std::uint32_t key);

  /// Readable when drain() has something to do or next() something to tell.
  [[nodiscard]] BorrowedFd poll_fd() const { return epoll_; }
  /// Takes what the bus has sent. bad_alloc: the next one begins with a new connection.
  void drain();
  /// The next change that was not told yet, oldest first.
  std::optional<Change> next();

 private:
  enum class State : std::uint8_t { Idle, Authenticating, Greeting, Ready };
  enum class Asked : std::uint8_t { Hello, Match, Unmatch, Owner, Process };
  struct Question {
    Asked what{};
    std::string name;   ///< the well-known name that it is about
    std::string owner;  ///< of Process: the unique name
  };

  void connect();
  void disconnect();
  void close_connection();
  void look();
  template <class Step>
  bool or_start_over(Step step);
  void receive();
  bool take_auth_line();
  bool take_message();
  void handle_message(std::string_view message);
  void answered(const Question& question, bool is_error, const BusMessage& message);
  void name_changed(const BusMessage& message);
  void follow(const std::string& name);
  void tell(const std::string& name, bool owned, pid_t owner);
  void call(Question question, std::string_view member, std::string_view signature,
            std::string_view argument);
  void send(std::string_view bytes);
  void flush();
  void set_deadline();
  void wake_up_now();

  std::string addresses_;
  UniqueFd epoll_;
  UniqueFd timer_;
  UniqueFd socket_;
  State state_ = State::Idle;
  bool writing_ = false;  ///< EPOLLOUT is watched
  bool timed_ = false;    ///< the timer runs for an answer
  bool waking_ = false;   ///< it runs to have drain() called
  bool is_torn_ = false;  ///< memory ran out: what the bus said or was asked is incomplete
  std::uint32_t serial_ = 0;
  std::string input_;
  std::string output_;
  std::unordered_map<std::uint32_t, Question> questions_;  ///< by serial
  std::unordered_map<std::uint32_t, std::string> names_;   ///< by key
  std::unordered_set<std::string> matched_;                ///< names subscribed to
  std::vector<Change> changes_;
};

}  // namespace onset
