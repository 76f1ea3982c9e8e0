#include "control/client.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <cstring>

#include "unit/control/control_world.h"

using namespace onset;
using namespace onset::test;
using namespace std::chrono_literals;

namespace {

struct Ends {
  ControlClient client;
  UniqueFd manager;
};

Ends make_ends() {
  std::array<int, 2> pair{};
  ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data());
  return {ControlClient(UniqueFd(pair[0])), UniqueFd(pair[1])};
}

}  // namespace

TEST_CASE("a client sends a call and reads its replies", "[control][client]") {
  auto ends = make_ends();
  Request request;
  request.method = "a.b.C";
  request.more = true;
  REQUIRE(ends.client.send(request, {{"x", 1}}, 1s).ok());
  auto got = read_all(ends.manager);
  REQUIRE(got.messages.size() == 1);
  CHECK(got.messages[0] == json{{"method", "a.b.C"}, {"parameters", {{"x", 1}}}, {"more", true}});

  send_message(ends.manager, {{"parameters", {{"n", 1}}}, {"continues", true}});
  send_message(ends.manager, {{"error", "a.b.Bad"}, {"parameters", {{"message", "no"}}}});
  json reply;
  auto head = ends.client.receive(reply, 1s);
  REQUIRE(head.ok());
  CHECK(head->continues);
  CHECK(reply["n"] == 1);
  CHECK(ends.client.has_buffered());
  head = ends.client.receive(reply, 1s);
  REQUIRE(head.ok());
  CHECK(head->error == "a.b.Bad");
  CHECK(reply["message"] == "no");
}

TEST_CASE("a client does not wait beyond its deadline", "[control][client]") {
  auto ends = make_ends();
  json reply;
  auto head = ends.client.receive(reply, 1ms);
  REQUIRE_FALSE(head.ok());
  CHECK(head.error().kind == ClientError::Kind::Timeout);

  Request request;
  request.method = "a.b.C";
  auto sent = ends.client.send(request, {{"text", std::string(4 << 20, 'x')}}, 1ms);
  REQUIRE_FALSE(sent.ok());
  CHECK(sent.error().kind == ClientError::Kind::Timeout);
}

TEST_CASE("a client tells a refusal from a manager that went away", "[control][client]") {
  auto refused = make_ends();
  refused.manager.reset();
  json reply;
  auto head = refused.client.call("a.b.C", nullptr, reply, 1s);
  REQUIRE_FALSE(head.ok());
  CHECK(head.error().kind == ClientError::Kind::Denied);

  auto left = make_ends();
  send_message(left.manager, {{"parameters", json::object()}, {"continues", true}});
  left.manager.reset();
  REQUIRE(left.client.receive(reply, 1s).ok());
  head = left.client.receive(reply, 1s);
  REQUIRE_FALSE(head.ok());
  CHECK(head.error().kind == ClientError::Kind::Closed);
}

TEST_CASE("a reply that is none is said to be so", "[control][client]") {
  auto ends = make_ends();
  send_bytes(ends.manager, std::string_view("nonsense\0", 9));
  json reply;
  auto head = ends.client.receive(reply, 1s);
  REQUIRE_FALSE(head.ok());
  CHECK(head.error().kind == ClientError::Kind::Protocol);
  CHECK(head.error().message == "the manager's reply: the message is not JSON");
}

TEST_CASE("where nobody listens there is no manager", "[control][client]") {
  auto missing = ControlClient::connect("/nonexistent/control", 1s);
  REQUIRE_FALSE(missing.ok());
  CHECK(missing.error().kind == ClientError::Kind::NoManager);
  CHECK(missing.error().message ==
        "cannot reach the manager at /nonexistent/control: No such file or directory");

  auto too_long = ControlClient::connect(std::string(200, 'x'), 1s);
  REQUIRE_FALSE(too_long.ok());
  CHECK(too_long.error().kind == ClientError::Kind::System);
}

TEST_CASE("client and server speak over a real socket", "[control][client]") {
  char name[] = "/tmp/onset-client-XXXXXX";
  REQUIRE(::mkdtemp(name) != nullptr);
  const std::string path = std::string(name) + "/control";
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  UniqueFd listening(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  REQUIRE(::bind(listening.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(::listen(listening.get(), 8) == 0);
  ControlPolicy policy;
  policy.manager_uid = ::geteuid();
  ControlWorld world({}, policy);
  REQUIRE(world.server.listen(std::move(listening)).ok());

  auto client = ControlClient::connect(path, 1s);
  REQUIRE(client.ok());
  Request request;
  request.method = "echo";
  REQUIRE(client->send(request, {{"n", 7}}, 1s).ok());
  world.run();
  json reply;
  REQUIRE(client->receive(reply, 1s).ok());
  CHECK(reply["n"] == 7);
  ::unlink(path.c_str());
  ::rmdir(name);
}
