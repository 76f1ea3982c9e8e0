#include "os/bus.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <utility>

#include "base/format.h"
#include "base/out_of_memory.h"
#include "base/text.h"
#include "base/unix_address.h"
#include "os/bus_message.h"

namespace onset {
namespace {

constexpr time_t kDeadlineSeconds = 25;
constexpr std::size_t kInputLimit = kBusMessageLimit + 65536;
constexpr std::size_t kAuthLineLimit = 4096;

/// "%2Fx" → "/x"; none if an escape is broken.
std::optional<std::string> unescape_address(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (text.size() - i < 3) return std::nullopt;
    const int high = hex_value(text[i + 1]);
    const int low = hex_value(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

/// The socket's address of one "unix:path=…" or "unix:abstract=…".
UnixAddress socket_address(std::string_view text) {
  static constexpr std::string_view kUnix = "unix:";
  if (!text.starts_with(kUnix)) return {};
  for (const auto pair : split(text.substr(kUnix.size()), ',')) {
    const auto equals = pair.find('=');
    if (equals == std::string_view::npos) continue;
    const auto key = pair.substr(0, equals);
    const auto value = unescape_address(pair.substr(equals + 1));
    if (!value || (key != "path" && key != "abstract")) continue;
    return key == "path" ? unix_path(*value) : unix_abstract(*value);
  }
  return {};
}

UniqueFd connect_to(std::string_view addresses) {
  for (const auto text : split(addresses, ';')) {
    const UnixAddress address = socket_address(text);
    if (!address) continue;
    UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd) return {};
    if (::connect(fd.get(), address.get(), address.length) == 0) return fd;
  }
  return {};
}

std::string match_rule(std::string_view name) {
  return format(
      "type='signal',sender='org.freedesktop.DBus',interface='org.freedesktop.DBus',"
      "member='NameOwnerChanged',arg0='{}'",
      name);
}

std::string hex(std::string_view text) {
  std::string out;
  for (const char c : text) out += format("{:02x}", static_cast<unsigned char>(c));
  return out;
}

}  // namespace

BusClient::BusClient(std::string addresses)
    : addresses_(std::move(addresses)),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      timer_(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)) {
  epoll_event event{};
  event.events = EPOLLIN;
  if (epoll_ && timer_) (void)::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, timer_.get(), &event);
}

void BusClient::watch(std::uint32_t key, std::string_view name) {
  unwatch(key);
  if (!bus_name_is_valid(name)) {
    changes_.push_back({key, BusNameChanged{false, 0, true}});
    wake_up_now();
    return;
  }
  const std::string& watched = names_.emplace(key, name).first->second;
  (void)or_start_over([&] {
    if (state_ == State::Idle) {
      connect();
    } else if (state_ == State::Ready) {
      follow(watched);
    }
  });
}

void BusClient::unwatch(std::uint32_t key) {
  std::erase_if(changes_, [key](const Change& c) { return c.key == key; });
  const auto at = names_.find(key);
  if (at == names_.end()) return;
  const std::string name = std::move(at->second);
  names_.erase(at);
  const bool shared = std::ranges::any_of(names_, [&](const auto& e) { return e.second == name; });
  if (!shared && matched_.erase(name) > 0) {
    (void)or_start_over([&] {
      call({Asked::Unmatch, name, {}}, "RemoveMatch", "s", match_rule(name));
    });
  }
}

/// Whether the step found memory. Else the next drain() makes a new connection.
template <class Step>
bool BusClient::or_start_over(Step step) {
  if (if_memory_suffices(step)) return true;
  is_torn_ = true;
  wake_up_now();
  return false;
}

void BusClient::connect() {
  socket_ = connect_to(addresses_);
  if (!socket_) {
    disconnect();
    return;
  }
  epoll_event event{};
  event.events = EPOLLIN;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, socket_.get(), &event) != 0) {
    disconnect();
    return;
  }
  state_ = State::Authenticating;
  std::string hello(1, '\0');  // the byte that carries credentials
  hello += format("AUTH EXTERNAL {}\r\n", hex(format("{}", ::geteuid())));
  send(hello);
  set_deadline();
}

/// Every name that is watched loses its bus, once.
void BusClient::disconnect() {
  changes_.reserve(changes_.size() + names_.size());
  close_connection();
  for (const auto& entry : names_) {
    changes_.push_back({entry.first, BusNameChanged{false, 0, true}});
  }
  names_.clear();
  set_deadline();
}

void BusClient::close_connection() {
  // A child that has not executed yet may hold a copy, of which epoll would go on telling.
  if (socket_) (void)::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, socket_.get(), nullptr);
  socket_.reset();
  state_ = State::Idle;
  writing_ = false;
  input_.clear();
  output_.clear();
  questions_.clear();
  matched_.clear();
}

void BusClient::drain() {
  if (!or_start_over([this] { look(); })) throw_out_of_memory();
}

std::optional<BusClient::Change> BusClient::next() {
  if (changes_.empty()) return std::nullopt;
  const Change first = changes_.front();
  changes_.erase(changes_.begin());
  if (changes_.empty()) set_deadline();
  return first;
}

void BusClient::look() {
  std::uint64_t elapsed = 0;
  bool due = ::read(timer_.get(), &elapsed, sizeof elapsed) > 0;
  if (due) timed_ = false;
  if (std::exchange(waking_, false)) due = false;
  if (std::exchange(is_torn_, false)) {
    close_connection();
    if (!names_.empty()) connect();
  }
  const bool waiting = state_ != State::Idle && (state_ != State::Ready || !questions_.empty());
  if (due && waiting) disconnect();  // no answer in time
  if (socket_) flush();
  if (socket_) receive();
  set_deadline();
}

void BusClient::receive() {
  std::array<char, 16384> buffer;
  while (socket_) {
    const ssize_t n = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) {
      disconnect();
      return;
    }
    input_.append(buffer.data(), static_cast<std::size_t>(n));
    while (socket_ && (state_ == State::Authenticating ? take_auth_line() : take_message())) {
    }
    if (input_.size() > kInputLimit) disconnect();
  }
}

bool BusClient::take_auth_line() {
  const auto end = input_.find("\r\n");
  if (end == std::string::npos) {
    if (input_.size() > kAuthLineLimit) disconnect();
    return false;
  }
  const std::string line = input_.substr(0, end);
  input_.erase(0, end + 2);
  if (!line.starts_with("OK ") && line != "OK") {
    disconnect();  // REJECTED, ERROR, or nonsense
    return false;
  }
  send("BEGIN\r\n");
  state_ = State::Greeting;
  call({Asked::Hello, {}, {}}, "Hello", {}, {});
  return true;
}

bool BusClient::take_message() {
  const auto length = bus_message_length(input_);
  if (!length) {
    disconnect();
    return false;
  }
  if (*length == 0 || input_.size() < *length) return false;
  const std::string message = input_.substr(0, *length);
  input_.erase(0, *length);
  handle_message(message);
  return socket_.get() >= 0;
}

void BusClient::handle_message(std::string_view bytes) {
  const auto message = parse_bus_message(bytes);
  if (!message) {
    disconnect();
    return;
  }
  switch (message->type) {
    case BusMessageType::Return:
    case BusMessageType::Error: {
      const auto asked = questions_.find(message->reply_to);
      if (asked == questions_.end()) return;
      const Question question = std::move(asked->second);
      questions_.erase(asked);
      answered(question, message->type == BusMessageType::Error, *message);
      return;
    }
    case BusMessageType::Signal:
      if (message->sender == "org.freedesktop.DBus" && message->member == "NameOwnerChanged") {
        name_changed(*message);
      }
      return;
    case BusMessageType::Call:
    case BusMessageType::Invalid:
      return;  // nobody has anything to ask of us
  }
}

void BusClient::answered(const Question& question, bool is_error, const BusMessage& message) {
  BusBody body(message);
  switch (question.what) {
    case Asked::Hello: {
      if (is_error) {
        disconnect();
        return;
      }
      state_ = State::Ready;
      std::vector<std::string> all;
      for (const auto& entry : names_) all.push_back(entry.second);
      for (const std::string& name : all) follow(name);
      return;
    }
    case Asked::Match:
      if (is_error) disconnect();
      return;
    case Asked::Unmatch:
      return;
    case Asked::Owner: {
      const auto owner = is_error ? std::nullopt : body.string();
      if (!owner || owner->empty()) {
        tell(question.name, false, 0);
      } else {
        call({Asked::Process, question.name, std::string(*owner)}, "GetConnectionUnixProcessID",
             "s", *owner);
      }
      return;
    }
    case Asked::Process: {
      const auto pid = is_error ? std::nullopt : body.u32();
      tell(question.name, true, static_cast<pid_t>(pid.value_or(0)));
      return;
    }
  }
}

void BusClient::name_changed(const BusMessage& message) {
  BusBody body(message);
  const auto name = body.string();
  const auto before = body.string();
  const auto now = body.string();
  if (!name || !before || !now) return;
  const bool ours = std::ranges::any_of(names_, [&](const auto& e) { return e.second == *name; });
  if (!ours) return;
  if (now->empty()) {
    tell(std::string(*name), false, 0);
  } else {
    call({Asked::Process, std::string(*name), std::string(*now)}, "GetConnectionUnixProcessID", "s",
         *now);
  }
}

/// First the subscription, then the question, so that no change is missed.
void BusClient::follow(const std::string& name) {
  if (matched_.insert(name).second) {
    call({Asked::Match, name, {}}, "AddMatch", "s", match_rule(name));
  }
  call({Asked::Owner, name, {}}, "GetNameOwner", "s", name);
}

void BusClient::tell(const std::string& name, bool owned, pid_t owner) {
  for (const auto& entry : names_) {
    if (entry.second == name)
      changes_.push_back({entry.first, BusNameChanged{owned, owner, false}});
  }
}

void BusClient::call(Question question, std::string_view member, std::string_view signature,
                     std::string_view argument) {
  if (!socket_) return;
  const std::uint32_t serial = ++serial_ == 0 ? ++serial_ : serial_;
  questions_[serial] = std::move(question);
  send(bus_call(serial, member,
                signature.empty() ? std::nullopt : std::optional<std::string_view>(argument)));
  set_deadline();
}

void BusClient::send(std::string_view bytes) {
  output_ += bytes;
  flush();
}

void BusClient::flush() {
  while (!output_.empty()) {
    const ssize_t n = ::send(socket_.get(), output_.data(), output_.size(), MSG_NOSIGNAL);
    if (n > 0) {
      output_.erase(0, static_cast<std::size_t>(n));
    } else if (errno == EAGAIN) {
      break;
    } else if (errno != EINTR) {
      output_.clear();  // what is lost will be seen when reading
      break;
    }
  }
  const bool wanted = !output_.empty();
  if (wanted == writing_) return;
  writing_ = wanted;
  epoll_event event{};
  event.events = wanted ? EPOLLIN | EPOLLOUT : EPOLLIN;
  (void)::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, socket_.get(), &event);
}

/// Armed while an answer is due, with what the oldest question has left.
void BusClient::set_deadline() {
  if (!changes_.empty() || is_torn_) return wake_up_now();
  const bool waiting =
      state_ == State::Authenticating || state_ == State::Greeting || !questions_.empty();
  if (waiting == timed_ && !waking_) return;
  waking_ = false;
  timed_ = waiting;
  itimerspec when{};
  if (waiting) when.it_value.tv_sec = kDeadlineSeconds;
  (void)::timerfd_settime(timer_.get(), 0, &when, nullptr);
}

void BusClient::wake_up_now() {
  waking_ = true;
  timed_ = false;
  itimerspec when{};
  when.it_value.tv_nsec = 1;
  (void)::timerfd_settime(timer_.get(), 0, &when, nullptr);
}

}  // namespace onset
