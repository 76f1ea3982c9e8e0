#include "os/bus.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <random>

#include "base/format.h"
#include "os/bus_message.h"
#include "support/failing_new.h"
#include "unit/os/os_world.h"

using namespace onset;
using namespace onset::test;

namespace {

void put_u32(std::string& out, std::uint32_t value) {
  for (unsigned shift = 0; shift < 32; shift += 8) out += static_cast<char>(value >> shift & 0xFFU);
}
void pad(std::string& out, std::size_t to) {
  while (out.size() % to != 0) out += '\0';
}
void put_string(std::string& out, std::string_view text) {
  pad(out, 4);
  put_u32(out, static_cast<std::uint32_t>(text.size()));
  out += text;
  out += '\0';
}

/// A message as a bus would send it, made with code of its own.
std::string message(std::uint8_t type, std::uint32_t reply_to, std::string_view member,
                    const std::string& body, std::string_view signature,
                    std::string_view path = {}) {
  std::string fields;
  if (reply_to != 0) {
    pad(fields, 8);
    fields += std::string("\5\1u\0", 4);
    put_u32(fields, reply_to);
  }
  const auto text = [&](char code, char kind, std::string_view value) {
    pad(fields, 8);
    fields += code;
    fields += '\1';
    fields += kind;
    fields += '\0';
    if (kind == 'g') {
      fields += static_cast<char>(value.size());
      fields += value;
      fields += '\0';
    } else {
      put_string(fields, value);
    }
  };
  text(7, 's', "org.freedesktop.DBus");
  if (!path.empty()) text(1, 'o', path);
  if (!member.empty()) text(3, 's', member);
  if (type == 3) text(4, 's', "org.freedesktop.DBus.Error.NameHasNoOwner");
  if (!signature.empty()) text(8, 'g', signature);
  std::string out = "l";
  out += static_cast<char>(type);
  out += '\1';
  out += '\1';
  put_u32(out, static_cast<std::uint32_t>(body.size()));
  put_u32(out, 99);
  put_u32(out, static_cast<std::uint32_t>(fields.size()));
  out += fields;
  pad(out, 8);
  return out + body;
}

std::string string_body(std::string_view text) {
  std::string body;
  put_string(body, text);
  return body;
}

/// The bus: listens, answers what the client asks.
class Bus {
 public:
  explicit Bus(const ScratchFolder& folder) : path_(folder / "bus") {
    listen_ = UniqueFd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strcpy(address.sun_path, path_.c_str());
    REQUIRE(::bind(listen_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::listen(listen_.get(), 1) == 0);
  }
  [[nodiscard]] std::string address() const { return "unix:path=" + path_; }
  /// Answers whatever was asked: every name is owned by process 4321, as ":1.9".
  void answer() {
    if (pollfd waiting{listen_.get(), POLLIN, 0}; ::poll(&waiting, 1, 0) > 0) {
      accept();
      input_.clear();
    }
    pollfd ready{peer_.get(), POLLIN, 0};
    while (peer_ && ::poll(&ready, 1, 0) > 0 && read_more()) {
    }
    while (input_.starts_with('\0') || input_.starts_with("BEGIN")) {
      if (line() != "BEGIN") send("OK 1234\r\n");
    }
    while (!input_.empty()) {
      const Call asked = call();
      if (asked.member == "GetConnectionUnixProcessID") {
        std::string pid;
        put_u32(pid, 4321);
        send(message(2, asked.serial, "", pid, "u"));
      } else {
        send(message(2, asked.serial, "", string_body(":1.9"), "s"));
      }
    }
  }

  void accept() {
    peer_ = UniqueFd(::accept4(listen_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    REQUIRE(static_cast<bool>(peer_));
  }
  void send(std::string_view bytes) {
    REQUIRE(::send(peer_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(bytes.size()));
  }
  /// Waits for a line of the authentication.
  std::string line() {
    while (input_.find("\r\n") == std::string::npos) REQUIRE(read_more());
    const auto end = input_.find("\r\n");
    std::string text = input_.substr(0, end);
    input_.erase(0, end + 2);
    return text;
  }
  struct Call {
    std::uint32_t serial = 0;
    std::string member;
    std::string argument;
  };
  /// Waits for a call.
  Call call() {
    for (;;) {
      const auto length = bus_message_length(input_);
      REQUIRE(length.has_value());
      if (*length > 0 && input_.size() >= *length) break;
      REQUIRE(read_more());
    }
    const std::string bytes = input_.substr(0, *bus_message_length(input_));
    input_.erase(0, bytes.size());
    const auto parsed = parse_bus_message(bytes);
    REQUIRE(parsed.has_value());
    Call call{parsed->serial, std::string(parsed->member), {}};
    BusBody body(*parsed);
    if (parsed->signature == "s") call.argument = body.string().value_or("?");
    return call;
  }
  void hang_up() { peer_.reset(); }
  /// Everything up to and with the answer to Hello.
  void greet(BusClient& client) {
    accept();
    CHECK(line() == std::string(1, '\0') + "AUTH EXTERNAL " + uid_hex());
    send("OK 1234\r\n");
    client.drain();
    CHECK(line() == "BEGIN");
    const Call hello = call();
    CHECK(hello.member == "Hello");
    send(message(2, hello.serial, "", string_body(":1.7"), "s"));
    client.drain();
  }

 private:
  static std::string uid_hex() {
    std::string text;
    for (const char c : format("{}", ::geteuid())) text += format("{:02x}", static_cast<int>(c));
    return text;
  }
  bool read_more() {
    pollfd ready{peer_.get(), POLLIN, 0};
    if (::poll(&ready, 1, 10000) <= 0) return false;
    char buffer[4096];
    const ssize_t n = ::recv(peer_.get(), buffer, sizeof buffer, 0);
    if (n > 0) input_.append(buffer, static_cast<std::size_t>(n));
    return n > 0;
  }
  std::string path_;
  UniqueFd listen_;
  UniqueFd peer_;
  std::string input_;
};

bool wait_readable(const BusClient& client, int milliseconds = 10000) {
  pollfd ready{client.poll_fd().get(), POLLIN, 0};
  return ::poll(&ready, 1, milliseconds) == 1;
}

std::string change_body(std::string_view name, std::string_view before, std::string_view now) {
  std::string body;
  put_string(body, name);
  put_string(body, before);
  put_string(body, now);
  return body;
}

std::vector<BusClient::Change> drain(BusClient& client) {
  client.drain();
  std::vector<BusClient::Change> told;
  while (const auto change = client.next()) told.push_back(*change);
  return told;
}

}  // namespace

TEST_CASE("a name's owner is told, then each change", "[os][bus]") {
  const ScratchFolder folder;
  Bus bus(folder);
  BusClient client(bus.address());
  client.watch(5, "org.example.Thing");
  bus.greet(client);
  const Bus::Call match = bus.call();
  CHECK(match.member == "AddMatch");
  CHECK(match.argument.find("arg0='org.example.Thing'") != std::string::npos);
  Bus::Call owner = bus.call();
  CHECK(owner.member == "GetNameOwner");
  CHECK(owner.argument == "org.example.Thing");
  bus.send(message(2, match.serial, "", "", ""));
  bus.send(message(3, owner.serial, "", string_body("none"), "s"));
  REQUIRE(wait_readable(client));
  auto changes = drain(client);
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].key == 5);
  CHECK_FALSE(changes[0].change.owned);
  CHECK_FALSE(changes[0].change.bus_gone);

  // It is taken; the owner's process is asked for.
  bus.send(message(4, 0, "NameOwnerChanged", change_body("org.example.Thing", "", ":1.9"), "sss"));
  bus.send(message(4, 0, "NameOwnerChanged", change_body("org.example.Other", "", ":1.3"), "sss"));
  REQUIRE(wait_readable(client));
  CHECK(drain(client).empty());
  const Bus::Call process = bus.call();
  CHECK(process.member == "GetConnectionUnixProcessID");
  CHECK(process.argument == ":1.9");
  std::string pid;
  put_u32(pid, 4321);
  bus.send(message(2, process.serial, "", pid, "u"));
  REQUIRE(wait_readable(client));
  changes = drain(client);
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].change.owned);
  CHECK(changes[0].change.owner == 4321);

  // And let go.
  bus.send(message(4, 0, "NameOwnerChanged", change_body("org.example.Thing", ":1.9", ""), "sss"));
  REQUIRE(wait_readable(client));
  changes = drain(client);
  REQUIRE(changes.size() == 1);
  CHECK_FALSE(changes[0].change.owned);

  client.unwatch(5);
  CHECK(bus.call().member == "RemoveMatch");
}

TEST_CASE("memory that runs out over a name loses nothing of it", "[os][bus][memory]") {
  const unsigned failures = GENERATE(1U, 2U, 5U);
  bool has_failed = true;
  for (unsigned left = 0; has_failed; ++left) {
    CAPTURE(left, failures);
    const ScratchFolder folder;
    Bus bus(folder);
    BusClient client(bus.address());
    std::vector<BusClient::Change> told;
    told.reserve(16);
    {
      const FailingNew failing(left, failures);
      bool is_watched = false;
      for (int turn = 0; turn < 20; ++turn) {
        try {
          if (!is_watched) client.watch(5, "org.example.Thing");
          is_watched = true;
          client.drain();
          while (const auto change = client.next()) told.push_back(*change);
        } catch (const std::bad_alloc&) {
          const UnfailingNew the_test;
          if (is_watched) CHECK(wait_readable(client));
        }
        const UnfailingNew the_bus;
        bus.answer();
      }
      has_failed = FailingNew::count() > 0;
    }
    REQUIRE_FALSE(told.empty());
    CHECK(told.back().change.owned);
    CHECK(told.back().change.owner == 4321);
    CHECK(std::ranges::none_of(told, [](const auto& t) { return t.change.bus_gone; }));
    CHECK_FALSE(wait_readable(client, 0));
  }
}

TEST_CASE("no bus, or one that goes, is told once for every name", "[os][bus][faults]") {
  const ScratchFolder folder;
  SECTION("nothing listens") {
    BusClient client("unix:path=" + (folder / "none"));
    client.watch(1, "org.example.A");
    REQUIRE(wait_readable(client));
    const auto changes = drain(client);
    REQUIRE(changes.size() == 1);
    CHECK(changes[0].change.bus_gone);
    CHECK(drain(client).empty());
  }
  SECTION("an address that is none") {
    for (const char* address : {"", "tcp:host=x", "unix:", "unix:path=%zz", ";;;", "unix:path="}) {
      BusClient client(address);
      client.watch(1, "org.example.A");
      REQUIRE(wait_readable(client));
      CHECK(drain(client).size() == 1);
    }
  }
  SECTION("the connection is lost, and can be had again") {
    Bus bus(folder);
    BusClient client(bus.address());
    client.watch(1, "org.example.A");
    client.watch(2, "org.example.B");
    bus.greet(client);
    bus.hang_up();
    REQUIRE(wait_readable(client));
    const auto changes = drain(client);
    REQUIRE(changes.size() == 2);
    CHECK(changes[0].change.bus_gone);
    client.watch(1, "org.example.A");
    bus.greet(client);
  }
  SECTION("a name that can be none") {
    BusClient client("unix:path=" + (folder / "none"));
    for (const char* name : {"", "one", "a..b", "a.b'c", ".a.b", "1a.b", "a.b c"}) {
      client.watch(3, name);
      REQUIRE(wait_readable(client));
      CHECK(drain(client).size() == 1);
    }
  }
}

TEST_CASE("whatever a bus sends ends in an answer or the end of the connection",
          "[os][bus][faults]") {
  std::mt19937 random(7);
  const std::string good = message(4, 0, "NameOwnerChanged", change_body("a.b", "", ":1.1"), "sss");
  for (int round = 0; round < 200; ++round) {
    const ScratchFolder folder;
    Bus bus(folder);
    BusClient client(bus.address());
    client.watch(1, "a.b");
    bus.greet(client);
    std::string bytes = good + good;
    for (unsigned i = 0; i < 4; ++i) bytes[random() % bytes.size()] = static_cast<char>(random());
    bus.send(bytes);
    bus.hang_up();
    REQUIRE(wait_readable(client));
    const auto changes = drain(client);
    CHECK(changes.size() == 1);  // the bus is gone in any case
  }
}

TEST_CASE("CVE-2019-6454: a path as long as a message may be takes no stack", "[os][bus][faults]") {
  const SmallStack limit;
  const std::string body = change_body("a.b", "", ":1.1");
  for (const std::size_t length : {4096U, 300'000U, 1'000'000U, 9'000'000U}) {
    CAPTURE(length);
    const std::string bytes =
        message(4, 0, "NameOwnerChanged", body, "sss", "/" + std::string(length, 'x'));
    const auto parsed = parse_bus_message(bytes);
    REQUIRE(parsed.has_value() == (length < kBusMessageLimit - 4096));
    if (parsed) CHECK(parsed->member == "NameOwnerChanged");
  }
}

TEST_CASE("messages are parsed within their bounds", "[os][bus][faults]") {
  const std::string good = message(2, 5, "", string_body("text"), "s");
  const auto parsed = parse_bus_message(good);
  REQUIRE(parsed.has_value());
  CHECK(parsed->reply_to == 5);
  CHECK(parsed->sender == "org.freedesktop.DBus");
  BusBody body(*parsed);
  CHECK(body.string() == "text");
  CHECK_FALSE(body.string().has_value());
  for (std::size_t n = 0; n < good.size(); ++n) CHECK_FALSE(parse_bus_message(good.substr(0, n)));
  CHECK_FALSE(bus_message_length("x").has_value());
  CHECK(bus_message_length("l") == 0U);
  std::string large = good;
  large[7] = '\x7f';
  CHECK_FALSE(bus_message_length(large).has_value());
  std::mt19937 random(3);
  for (int round = 0; round < 20000; ++round) {
    std::string bytes = good;
    for (unsigned i = 0; i < 3; ++i) bytes[random() % bytes.size()] = static_cast<char>(random());
    if (const auto any = parse_bus_message(bytes)) {
      BusBody values(*any);
      while (values.string().has_value()) {
      }
    }
  }
  const std::string own = bus_call(7, "GetNameOwner", "a.b");
  const auto call = parse_bus_message(own);
  REQUIRE(call.has_value());
  CHECK(call->type == BusMessageType::Call);
  CHECK(call->serial == 7);
  CHECK(call->member == "GetNameOwner");
}
