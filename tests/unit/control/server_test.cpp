#include "control/server.h"

#include <dirent.h>
#include <malloc.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <climits>
#include <cstring>
#include <random>

#include "control/client.h"
#include "support/failing_new.h"
#include "unit/control/control_world.h"

using namespace onset;
using namespace onset::test;
using namespace std::chrono_literals;

namespace {

json call(const char* method, json parameters = json::object()) {
  return {{"method", method}, {"parameters", std::move(parameters)}};
}

json more(const char* method, json parameters = json::object()) {
  return {{"method", method}, {"parameters", std::move(parameters)}, {"more", true}};
}

std::size_t open_descriptors() {
  std::size_t n = 0;
  DIR* dir = ::opendir("/proc/self/fd");
  while (::readdir(dir) != nullptr) ++n;
  ::closedir(dir);
  return n;
}

}  // namespace

TEST_CASE("a call gets its reply", "[control][server]") {
  ControlWorld world;
  auto client = world.connect();
  send_message(client, call("echo", {{"n", 1}}));
  world.run();
  auto got = read_all(client);
  REQUIRE(got.messages.size() == 1);
  CHECK(got.messages[0] == json{{"parameters", {{"n", 1}}}});
  CHECK_FALSE(got.closed);
}

TEST_CASE("a connection that is closed is heard of no more, though a child holds it",
          "[control][server]") {
  ControlWorld world;
  auto client = world.connect();
  send_message(client, call("echo"));
  world.run();
  int here[2];
  int there[2];
  REQUIRE((::pipe(here) == 0 && ::pipe(there) == 0));
  char byte = 0;
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    client.reset();  // what it holds is the server's end
    ::close(there[1]);
    (void)!::write(here[1], &byte, 1);
    (void)!::read(there[0], &byte, 1);
    ::_exit(0);
  }
  REQUIRE(::read(here[0], &byte, 1) == 1);
  client.reset();
  world.run();
  CHECK(world.server.connections() == 0);
  pollfd look{world.server.poll_fd().get(), POLLIN, 0};
  CHECK(::poll(&look, 1, 0) == 0);
  for (const int end : {here[0], here[1], there[0], there[1]}) ::close(end);
  CHECK(::waitpid(child, nullptr, 0) == child);
}

TEST_CASE("calls that come in one piece are answered in their order", "[control][server]") {
  ControlWorld world;
  auto client = world.connect();
  for (int i = 0; i < 200; ++i) send_message(client, call("echo", {{"n", i}}));
  world.run();
  auto got = read_all(client);
  REQUIRE(got.messages.size() == 200);
  for (int i = 0; i < 200; ++i)
    CHECK(got.messages[static_cast<std::size_t>(i)]["parameters"]["n"] == i);
}

TEST_CASE("the next call waits for the last reply of the one before", "[control][server]") {
  ControlWorld world;
  auto client = world.connect();
  send_message(client, more("wait"));
  send_message(client, call("echo"));
  world.run();
  CHECK(world.handler.handled == std::vector<std::string>{"wait"});
  world.server.reply(world.handler.waiting[0], {{"step", 1}}, true);
  world.run();
  CHECK(world.handler.handled.size() == 1);
  world.server.reply(world.handler.waiting[0], {{"step", 2}}, false);
  world.run();
  CHECK(world.handler.handled.size() == 2);
  auto got = read_all(client);
  REQUIRE(got.messages.size() == 3);
  CHECK(got.messages[0]["continues"] == true);
  CHECK_FALSE(got.messages[1].contains("continues"));
}

TEST_CASE("a oneway call gets no reply, not even an error", "[control][server]") {
  ControlWorld world;
  auto client = world.connect();
  for (const char* method : {"echo", "boom", "wait"}) {
    json message = call(method);
    message["oneway"] = true;
    send_message(client, message);
  }
  send_message(client, call("echo", {{"last", true}}));
  world.run();
  auto got = read_all(client);
  REQUIRE(got.messages.size() == 1);
  CHECK(got.messages[0]["parameters"]["last"] == true);
  CHECK(world.handler.left.size() == 1);  // nobody waits for what "wait" would say
}

TEST_CASE("an upgrade is refused and the connection goes on", "[control][server]") {
  ControlWorld world;
  auto client = world.connect();
  json message = call("echo");
  message["upgrade"] = true;
  send_message(client, message);
  send_message(client, call("echo"));
  world.run();
  auto got = read_all(client);
  REQUIRE(got.messages.size() == 2);
  CHECK(got.messages[0]["error"] == "org.varlink.service.InvalidParameter");
  CHECK(got.messages[0]["parameters"]["parameter"] == "upgrade");
}

TEST_CASE("a client that leaves in the middle of a call is forgotten", "[control][server]") {
  ControlWorld world;
  auto client = world.connect();
  send_message(client, call("wait"));
  world.run();
  client.reset();
  world.run();
  CHECK(world.server.connections() == 0);
  REQUIRE(world.handler.left.size() == 1);
  // A late reply reaches nobody.
  world.server.reply(world.handler.waiting[0], {}, false);
  world.run();
  CHECK_FALSE(world.stuck);
}

TEST_CASE("calls sent before the client left are still carried out", "[control][server]") {
  ControlWorld world;
  auto client = world.connect();
  for (int i = 0; i < 5; ++i) send_message(client, call("echo"));
  client.reset();
  world.run();
  CHECK(world.handler.handled.size() == 5);
  CHECK(world.server.connections() == 0);
}

TEST_CASE("a client that has said all it will still gets its replies", "[control][server]") {
  ControlWorld world;
  auto client = world.connect();
  send_message(client, more("wait"));
  ::shutdown(client.get(), SHUT_WR);
  world.run();
  CHECK_FALSE(world.stuck);
  CHECK(world.server.connections() == 1);
  world.server.reply(world.handler.waiting[0], {{"done", true}}, false);
  world.run();
  auto got = read_all(client);
  CHECK(got.messages.size() == 1);
  CHECK(got.closed);
}

TEST_CASE("a stream is made only as fast as it is read", "[control][server]") {
  ControlWorld world;
  auto client = world.connect();
  send_message(client, more("stream", {{"count", 1000}, {"bytes", 10000}}));
  world.run();
  CHECK(world.handler.pulls < 200);  // of 10 MB, what the socket and the low mark hold
  std::ptrdiff_t messages = 0;
  for (int i = 0; i < 2000 && messages < 1000; ++i) {
    const std::string bytes = read_bytes(client);
    messages += std::count(bytes.begin(), bytes.end(), '\0');
    world.run();
  }
  CHECK(messages == 1000);
  CHECK(world.server.connections() == 1);
}

TEST_CASE("S1: an unauthorised peer is closed before a byte is read", "[control][server][S1]") {
  ControlWorld world;
  for (PeerCredentials peer : {PeerCredentials{100, 1000, 1000, {}}, PeerCredentials{0, 0, 0, {}},
                               PeerCredentials{100, 65534, 65534, {}}}) {
    auto client = world.connect(peer);
    CHECK_FALSE(world.accepted);
    send_message(client, call("echo"));
    world.run();
    CHECK(is_closed(client));
  }
  CHECK(world.handler.handled.empty());
}

TEST_CASE("S4: the gate has the last word on a peer", "[control][server][S4]") {
  struct Gate final : PeerGate {
    Result<bool> admits(const PeerCredentials& peer) override { return peer.pid != 666; }
  } gate;
  ControlWorld world({}, {}, &gate);
  auto refused = world.connect({666, 0, 0, {}});
  CHECK_FALSE(world.accepted);
  CHECK(is_closed(refused));
  auto admitted = world.connect({100, 0, 0, {}});
  CHECK(world.accepted);
}

TEST_CASE("P2: a peer that can't be looked at is refused and told why", "[control][server][P2]") {
  struct Gate final : PeerGate {
    Result<bool> admits(const PeerCredentials&) override {
      return Failure{SysError{"open /proc/100/status", EMFILE}};
    }
  } gate;
  ControlWorld world({}, {}, &gate);
  auto stranger = world.connect({100, 1000, 1000, {}});
  CHECK(read_all(stranger).messages.empty());
  ControlClient client(world.connect());
  CHECK_FALSE(world.accepted);
  json reply;
  const auto head = client.call("echo", {{"text", std::string(4096, 'x')}}, reply);
  REQUIRE(head);
  CHECK(head->error == "io.onset.Manager.OutOfResources");
  CHECK(reply["message"] == "open /proc/100/status: Too many open files");
  CHECK(world.handler.handled.empty());
}

TEST_CASE("P1: a client that there is no memory for is told so", "[control][server][P1]") {
  const unsigned failures = GENERATE(1U, UINT_MAX);
  unsigned failed = 1;
  for (unsigned left = 0; failed > 0; ++left) {
    CAPTURE(left, failures);
    ControlWorld world;
    const PeerCredentials peer{100, 0, 0, {0, 4, 27}};
    std::array<int, 2> pair{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) == 0);
    UniqueFd ours(pair[0]);
    UniqueFd theirs(pair[1]);
    send_message(ours, call("echo", {{"text", std::string(1000, 'x')}}));
    {
      const FailingNew failing(left, failures);
      (void)world.server.accept(std::move(theirs), peer, world.now);
      world.run();
      failed = FailingNew::count();
    }
    const auto received = read_all(ours);
    REQUIRE(received.messages.size() == 1);
    CHECK(received.rest.empty());
    if (failed > 0 && received.messages[0].contains("error")) {
      CHECK(received.messages[0]["error"] == "io.onset.Manager.OutOfResources");
      CHECK(received.closed);
    }
    ControlClient next(world.connect());
    CHECK(world.accepted);
  }
}

TEST_CASE("S5: a client that never says anything is closed in time", "[control][server][S5]") {
  ControlWorld world;
  auto client = world.connect();
  world.pass(29s);
  CHECK(world.server.connections() == 1);
  world.pass(2s);
  CHECK(world.server.connections() == 0);
}

TEST_CASE("S5: a message that trickles in is not waited for", "[control][server][S5]") {
  ControlWorld world;
  auto client = world.connect();
  send_message(client, call("echo"));
  world.run();
  for (int i = 0; i < 40 && world.server.connections() == 1; ++i) {
    send_bytes(client, "{");
    world.pass(1s);
  }
  CHECK(world.server.connections() == 0);
}

TEST_CASE("S5: between its messages a client may take its time", "[control][server][S5]") {
  ControlWorld world;
  auto client = world.connect();
  send_message(client, call("echo"));
  world.run();
  CHECK(world.server.next_deadline() == kNever);
  world.pass(24h);
  CHECK(world.server.connections() == 1);
  auto waiting = world.connect();
  send_message(waiting, call("wait"));
  world.run();
  CHECK(world.server.next_deadline() == kNever);
}

TEST_CASE("S5: a client that does not read is closed in time", "[control][server][S5]") {
  ControlWorld world;
  auto client = world.connect();
  send_message(client, more("stream", {{"count", 1000}, {"bytes", 10000}}));
  world.run();
  world.pass(31s);
  CHECK(world.server.connections() == 0);
  CHECK(world.handler.left.size() == 1);
}

TEST_CASE("S5: replies that nobody reads are capped", "[control][server][S5]") {
  ControlWorld world;
  auto client = world.connect();
  send_message(client, more("wait"));
  world.run();
  const json piece{{"text", std::string(100000, 'x')}};
  for (int i = 0; i < 100; ++i) world.server.reply(world.handler.waiting[0], piece, true);
  world.run();
  CHECK(world.server.connections() == 0);
  CHECK(world.handler.left.size() == 1);
}

TEST_CASE("S5: a client that pipelines and never reads is stopped, not buffered",
          "[control][server][S5]") {
  ControlWorld world;
  auto client = world.connect();
  std::string bytes = call("large", {{"bytes", 5000}}).dump();
  bytes.push_back('\0');
  std::size_t sent = 0;
  for (int i = 0; i < 5000; ++i) {
    const std::size_t n = send_bytes(client, bytes);
    sent += n;
    world.run();
    if (n < bytes.size()) break;
  }
  CHECK(sent < 5000 * bytes.size());
  CHECK(world.handler.handled.size() < 500);
  CHECK_FALSE(world.stuck);
}

TEST_CASE("a reply beyond the cap becomes an error", "[control][server]") {
  ControlWorld world;
  auto client = world.connect();
  send_message(client, call("large", {{"bytes", 5 << 20}}));
  world.run();
  auto got = read_all(client);
  REQUIRE(got.messages.size() == 1);
  CHECK(got.messages[0]["error"] == "io.onset.Manager.LimitReached");
}

TEST_CASE("a stream with a piece beyond the cap ends there, for its handler too",
          "[control][server]") {
  ControlWorld world;
  auto client = world.connect();
  send_message(client, more("stream", {{"count", 3}, {"bytes", 5 << 20}}));
  send_message(client, call("echo"));
  world.run();
  auto got = read_all(client);
  REQUIRE(got.messages.size() == 2);
  CHECK(got.messages[0]["error"] == "io.onset.Manager.LimitReached");
  CHECK_FALSE(got.messages[1].contains("error"));
  CHECK(world.handler.pulls == 1);
  CHECK(world.handler.left.size() == 1);
}

TEST_CASE("S6: what is not a message gets an error and the connection ends",
          "[control][server][S6]") {
  const std::string rows[] = {
      std::string(1, '\0'),
      std::string("\xff\xff\xff\x7f\0", 5),
      std::string("{}\0", 3),
      std::string(100000, '[') + '\0',
      std::string((1 << 20) + 1, 'x'),
      std::string("{\"method\":\"echo\",\"more\":3}\0", 27),
  };
  for (const std::string& bytes : rows) {
    ControlWorld world;
    auto client = world.connect();
    for (std::size_t sent = 0; sent < bytes.size();) {
      const std::size_t n = send_bytes(client, std::string_view(bytes).substr(sent));
      world.run();
      if (n == 0) break;
      sent += n;
    }
    auto got = read_all(client);
    REQUIRE(got.messages.size() == 1);
    CHECK(got.messages[0]["error"] == "io.onset.Manager.BadMessage");
    CHECK(got.closed);
    CHECK(world.server.connections() == 0);
    CHECK(world.handler.handled.empty());
  }
}

TEST_CASE("S7: one user's clients leave room for others and for root", "[control][server][S7]") {
  ControlLimits limits;
  limits.connections = 8;
  limits.connections_per_user = 5;
  limits.reserved_for_root = 2;
  ControlPolicy policy;
  policy.group = 27;
  ControlWorld world(limits, policy);
  auto busy = [&](uid_t uid) {
    auto client = world.connect({100, uid, 27, {}});
    send_message(client, call("wait"));
    world.run();
    return client;
  };
  std::vector<UniqueFd> clients;
  for (int i = 0; i < 5; ++i) {
    clients.push_back(busy(1000));
    CHECK(world.accepted);
  }
  clients.push_back(busy(1000));
  CHECK_FALSE(world.accepted);  // its own cap
  clients.push_back(busy(1001));
  CHECK(world.accepted);
  clients.push_back(busy(1001));
  CHECK_FALSE(world.accepted);  // the rest is root's
  clients.push_back(busy(0));
  CHECK(world.accepted);
  clients.push_back(busy(0));
  CHECK(world.accepted);
  clients.push_back(busy(0));
  CHECK_FALSE(world.accepted);
  CHECK(world.server.connections() == 8);
}

TEST_CASE("S7: ten thousand silent clients do not keep root out", "[control][server][S7]") {
  ControlWorld world;
  std::vector<UniqueFd> flood;
  for (int i = 0; i < 10000; ++i) {
    world.now.mono = world.now.mono + 1us;
    auto client = world.connect();
    CHECK(world.accepted);  // the longest idle one goes
    if (flood.size() < 600) flood.push_back(std::move(client));
  }
  world.run();
  CHECK(world.server.connections() <= 512);
  auto admin = world.connect();
  REQUIRE(world.accepted);
  send_message(admin, call("echo"));
  world.run();
  CHECK(read_all(admin).messages.size() == 1);
}

TEST_CASE("S8: descriptors that a client sends never arrive", "[control][server][S8]") {
  ControlWorld world;
  auto client = world.connect();
  UniqueFd gift(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const std::size_t before = open_descriptors();
  for (int i = 0; i < 100; ++i) {
    std::string bytes = call("echo").dump() + '\0';
    iovec data{bytes.data(), bytes.size()};
    constexpr std::size_t kGifts = 50;
    alignas(cmsghdr) char control[CMSG_SPACE(kGifts * sizeof(int))] = {};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(kGifts * sizeof(int));
    std::array<int, kGifts> gifts;
    gifts.fill(gift.get());
    std::memcpy(CMSG_DATA(header), gifts.data(), sizeof gifts);
    REQUIRE(::sendmsg(client.get(), &message, MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size()));
    world.run();
  }
  CHECK(read_all(client).messages.size() == 100);
  CHECK(open_descriptors() == before);
}

TEST_CASE("a process without descriptors left does not spin on accept", "[control][server]") {
  ControlWorld world;
  char name[] = "/tmp/onset-control-XXXXXX";
  REQUIRE(::mkdtemp(name) != nullptr);
  const std::string path = std::string(name) + "/control";
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  UniqueFd listening(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  REQUIRE(::bind(listening.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(::listen(listening.get(), 8) == 0);
  REQUIRE(world.server.listen(std::move(listening)).ok());
  UniqueFd client(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  REQUIRE(::connect(client.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);

  rlimit old{};
  ::getrlimit(RLIMIT_NOFILE, &old);
  rlimit none = old;
  none.rlim_cur = 3;
  ::setrlimit(RLIMIT_NOFILE, &none);
  world.run();
  const bool spun = world.stuck;
  const MonoTime again = world.server.next_deadline();
  ::setrlimit(RLIMIT_NOFILE, &old);
  CHECK_FALSE(spun);
  CHECK(world.server.connections() == 0);
  CHECK(again == world.now.mono + 1s);

  world.pass(1s);
  if (::geteuid() == 0) {
    CHECK(world.server.connections() == 1);
    send_message(client, call("echo"));
    world.run();
    CHECK(read_all(client).messages.size() == 1);
  }
  ::unlink(path.c_str());
  ::rmdir(name);
}

TEST_CASE("S12: the server makes no socket but the one it is given", "[control][server][S12]") {
  const std::size_t before = open_descriptors();
  ControlWorld world;
  CHECK(open_descriptors() == before + 1);  // its epoll instance
}

TEST_CASE("random bytes never harm the server, and its heap stays flat", "[control][server][S6]") {
  std::mt19937 random(99);
  ControlWorld world;
  auto steady = world.connect();
  send_message(steady, call("echo"));
  world.run();
  const std::string seed = call("echo", {{"a", 1}}).dump() + '\0';
  std::size_t heap = 0;
  for (int round = 0; round < 3000; ++round) {
    auto client = world.connect();
    for (auto piece = random() % 5; piece > 0; --piece) {
      std::string bytes;
      if (random() % 2 == 0) {
        bytes = seed;
        bytes[random() % bytes.size()] = static_cast<char>(random() % 256);
      } else {
        for (auto i = random() % 3000; i > 0; --i) bytes.push_back(static_cast<char>(random()));
      }
      send_bytes(client, bytes);
      if (random() % 2 == 0) world.run();
    }
    if (random() % 2 == 0) read_all(client);
    client.reset();
    world.run();
    world.handler.handled.clear();
    world.handler.handled.shrink_to_fit();
    if (round == 500) heap = ::mallinfo2().uordblks;
  }
  CHECK_FALSE(world.stuck);
  CHECK(world.server.connections() == 1);
  CHECK(::mallinfo2().uordblks < heap + 65536);
  send_message(steady, call("echo"));
  world.run();
  CHECK(read_all(steady).messages.size() == 2);
}

TEST_CASE("at the end replies that are queued are still sent", "[control][server]") {
  ControlWorld world;
  auto client = world.connect();
  auto waiting = world.connect();
  send_message(client, call("wait"));
  send_message(waiting, call("wait"));
  world.run();
  world.server.reply(world.handler.waiting[0], {{"bye", true}}, false);
  world.server.close_all();
  auto got = read_all(client);
  CHECK(got.messages.size() == 1);
  CHECK(got.closed);
  CHECK(is_closed(waiting));
  CHECK(world.handler.left == std::vector<CallId>{world.handler.waiting[1]});
}
