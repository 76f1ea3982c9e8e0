// The bytes of control connections through the real server, frames, messages and methods, over
// the fake kernel and a simulated clock. The input is what a client sends, in pieces:
//
//   0x1e        ends a piece: it is sent, and the server comes to rest
//   0x1d LETTER the same, and then: c the client leaves and another one comes, o another one
//               comes beside it, u a user's does, l one comes by the listening socket, r it reads
//               what has come, t 31 s pass, x a's process ends, d it is killed, s n.service is
//               ready, f the next spawn fails, p the newest process of e ends, b the boot begins, v
//               nothing can be frozen, w a file of a unit changes, g and e the gate refuses the
//               next client or can't look, m the next call finds no memory, y no file can be
//               read again, z PID 1 says goodbye
//
// Every reply is held to the interface file, as the unit tests do.
// Parsers: control/frame.cpp control/message.cpp control/json_text.cpp control/parameters.cpp
// Parsers: control/connection.cpp control/server.cpp control/manager_interface.cpp
// Parsers: control/methods_*.cpp control/refusal.cpp control/subscription.cpp
// Parsers: control/dependency_walk.cpp control/*_view.cpp

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>

#include "control/json.h"
#include "control/manager_interface.h"
#include "control/server.h"
#include "fuzz/fuzz.h"
#include "support/engine_world.h"
#include "unit/control/fake_backend.h"
#include "unit/control/varlink_schema.h"

using namespace onset;
using namespace onset::fuzz;
using json = Json;

namespace {

constexpr std::string_view kOwn = "io.onset.Manager.";
constexpr gid_t kGroup = 50;
constexpr JsonLimits kMessageLimits{.bytes = 8192, .depth = 64, .values = 2048};

const test::VarlinkSchema& own_schema() {
  static const test::VarlinkSchema schema(manager_interface_text());
  return schema;
}

const test::VarlinkSchema& service_schema() {
  static const test::VarlinkSchema schema(service_interface_text());
  return schema;
}

/// Between the server and the methods: knows which call a reply answers.
class Witness final : public CallHandler, public ReplySink {
 public:
  explicit Witness(ManagerInterface& interface) : interface_(interface) {}
  ReplySink* server = nullptr;
  bool is_short_of_memory = false;  ///< for the next call

  void handle(CallId call, const Request& request, const json& parameters, Timestamp now) override {
    expect(!open_.contains(call), "a connection has one call at a time", request.method);
    open_[call] = request;
    if (std::exchange(is_short_of_memory, false)) throw std::bad_alloc();
    interface_.handle(call, request, parameters, now);
  }
  bool pull(CallId call) override { return interface_.pull(call); }
  void gone(CallId call) override {
    open_.erase(call);
    interface_.gone(call);
  }

  void reply(CallId call, const json& parameters, bool continues) override {
    const Request request = answer(call, continues);
    const std::string_view method = request.method;
    std::string problem;
    if (method.starts_with(kOwn)) {
      problem = own_schema().check_output(std::string(method.substr(kOwn.size())), parameters);
    }
    expect(problem.empty(), "a reply is what the interface file says", problem);
    server->reply(call, parameters, continues);
  }
  void fail(CallId call, std::string_view error, const json& parameters) override {
    (void)answer(call, false);
    const auto dot = error.rfind('.');
    const std::string name(error.substr(dot + 1));
    const auto& schema = error.starts_with(kOwn) ? own_schema() : service_schema();
    const std::string problem = schema.check_error(name, parameters);
    expect(problem.empty(), "an error is what the interface file says", problem);
    server->fail(call, error, parameters);
  }
  void wake(CallId call) override { server->wake(call); }

 private:
  Request answer(CallId call, bool continues) {
    const auto open = open_.find(call);
    expect(open != open_.end(), "a reply answers a call that is open");
    Request request = open->second;
    expect(request.more || !continues, "only a call with \"more\" has several replies",
           request.method);
    if (!continues) open_.erase(open);
    return request;
  }

  ManagerInterface& interface_;
  std::map<CallId, Request> open_;
};

/// A message that is understood can be printed, and is then understood as itself.
void try_message(std::string_view text) {
  json parameters;
  json again;
  if (const auto request = parse_request(text, kMessageLimits, parameters)) {
    const auto second = parse_request(format_request(*request, parameters), {}, again);
    expect(second && second->method == request->method && second->more == request->more &&
               second->oneway == request->oneway && second->upgrade == request->upgrade &&
               dump_json(again) == dump_json(parameters),
           "a printed call is read as itself", text);
  }
  if (const auto head = parse_reply(text, kMessageLimits, parameters)) {
    const auto second = parse_reply(format_reply(*head, parameters), {}, again);
    expect(second && second->continues == head->continues && second->error == head->error &&
               dump_json(again) == dump_json(parameters),
           "a printed reply is read as itself", text);
  }
}

class Gate final : public PeerGate {
 public:
  enum class Answer : std::uint8_t { Yes, No, Error } next = Answer::Yes;

  Result<bool> admits(const PeerCredentials& /*peer*/) override {
    const Answer answer = std::exchange(next, Answer::Yes);
    if (answer == Answer::Error) return Failure{SysError{"open", EMFILE}};
    return answer == Answer::Yes;
  }
};

test::EngineWorld::Files units() {
  test::EngineWorld::Files files = {
      {"a.service",
       "[Unit]\nDescription=A\nWants=b.service\n[Service]\nExecStart=/bin/a\nRestart=on-failure\n"},
      {"b.service",
       "[Unit]\nConflicts=c.service\n[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/"
       "b\n"},
      {"c.service",
       "[Unit]\nRequires=b.service\nAfter=b.service\n[Service]\nExecStart=/bin/c\nExecStop=/bin/"
       "c-\n"},
      {"n.service",
       "[Service]\nType=notify\nExecStart=/bin/n\nExecReload=/bin/r\nEnvironment=A=1 "
       "B=2\nUser=root\n"},
      {"t@.service", "[Unit]\nPartOf=x.target\n[Service]\nExecStart=/bin/t %i\n"},
      {"e.service",
       "[Service]\nExecCondition=/bin/0\nExecStartPre=/bin/1\nExecStart=/bin/2\n"
       "ExecStartPost=/bin/3\nExecStop=/bin/4\nExecStopPost=/bin/5\nRuntimeMaxSec=60\n"},
      {"q.service",
       "[Unit]\nConditionPathExists=|!/no\nConditionPathExists=|/no\nAssertPathExists=/yes\n"
       "[Service]\nExecStart=/bin/q\n"},
      {"r.service",
       "[Unit]\nAssertPathExists=/no\nRequisite=c.service\n[Service]\nExecStart=/bin/r\n"},
      {"k.service", "[Unit]\nConditionPathExists=/no\n[Service]\nExecStart=/bin/k\n"},
      {"w.service", "[Unit]\nAfter=n.service\n[Service]\nExecStart=/bin/w\n"},
      {"loop1.service",
       "[Unit]\nRequires=loop2.service\nAfter=loop2.service\n[Service]\nExecStart=/bin/l\n"},
      {"loop2.service",
       "[Unit]\nRequires=loop1.service\nAfter=loop1.service\n[Service]\nExecStart=/bin/l\n"},
      {"guarded.service", "[Unit]\nRefuseManualStart=yes\n[Service]\nExecStart=/bin/g\n"},
      {"bad.service", "[Service]\nExecStart=a/b\n"},
      {"alias.service", "-> a.service"},
      {"masked.service", "/dev/null"},
      {"late.service", "[Unit]\nJobTimeoutSec=9\n[Service]\nType=notify\nExecStart=/bin/l\n"},
      {"lacks.service", "[Unit]\nRequires=missing.service\n[Service]\nExecStart=/bin/l\n"},
      {"default.target", "-> multi-user.target"},
      {"x.target", "[Unit]\nWants=a.service n.service\nAfter=a.service\nAllowIsolate=yes\n"},
      {"my.slice", "[Slice]\n"},
      {"multi-user.target", "[Unit]\nRequires=basic.target\nAllowIsolate=yes\n"}};
  for (const char* name : {"sysinit.target", "basic.target", "shutdown.target"}) {
    files.emplace_back(name, "[Unit]\nDefaultDependencies=no\n");
  }
  return files;
}

class World {
 public:
  World()
      : engine_(units()),
        backend_(engine_),
        interface_(engine_.manager, backend_),
        witness_(interface_),
        server_(witness_, &gate_, policy(), limits()) {
    for (const auto& [name, text] : units()) backend_.files.insert(name);
    backend_.places[100] = "/system.slice/a.service/below";
    engine_.os.false_conditions = {"/no"};
    witness_.server = &server_;
    interface_.set_sink(&witness_);
    engine_.manager.set_listener(&interface_);
    expect(server_.open().ok(), "there is an epoll instance");
    for (const std::string_view method : ManagerInterface::method_names()) {
      const auto& methods = own_schema().methods;
      expect(std::find(methods.begin(), methods.end(), method) != methods.end(),
             "a method is in the interface file", method);
    }
    listen();
    connect();
  }

  void send(std::string_view piece) {
    while (!piece.empty()) {
      const ssize_t n =
          ::send(client_.get(), piece.data(), piece.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (n <= 0) break;  // closed, or it does not read
      piece.remove_prefix(static_cast<std::size_t>(n));
      run();
    }
    run();
  }

  void happen(char what) {
    switch (what) {
      case 'c':
        connect();
        break;
      case 'o':
        others_.push_back(std::move(client_));
        unread_.clear();
        connect();
        break;
      case 'u':
        others_.push_back(std::move(client_));
        connect({200, 1000, kGroup, {}});
        break;
      case 'l':
        connect_by_address();
        break;
      case 'g':
        gate_.next = Gate::Answer::No;
        break;
      case 'e':
        gate_.next = Gate::Answer::Error;
        break;
      case 'r':
        read();
        break;
      case 't':
        engine_.pass(std::chrono::seconds(31));
        break;
      case 'x':
        if (engine_.os.pid_of("a.service") != 0) engine_.exit("a.service", 0);
        break;
      case 'd':
        if (engine_.os.pid_of("a.service") != 0) engine_.die("a.service", 11);
        break;
      case 's':
        if (engine_.os.pid_of("n.service") != 0)
          engine_.notify("n.service", "READY=1\nSTATUS=\x1b[1m");
        break;
      case 'p':
        if (engine_.os.pid_of("e.service") != 0) engine_.exit("e.service", 0);
        break;
      case 'b':
        engine_.manager.start_up(engine_.now);
        break;
      case 'm':
        witness_.is_short_of_memory = true;
        break;
      case 'y':
        backend_.generators = 1;
        break;
      case 'v':
        backend_.can_freeze = false;
        break;
      case 'f':
        engine_.os.fail_spawns = 1;
        break;
      case 'w':
        backend_.stale = "a.service";
        engine_.table.set("a.service", "[Service]\nExecStart=/bin/a2\n");
        break;
      case 'z':
        server_.close_all();
        break;
      default:
        break;
    }
    run();
    engine_.manager.collect();
  }

  /// The last client leaves: nothing is kept for it.
  void finish() {
    for (int i = 0; i < 64 && read(); ++i) run();
    client_.reset();
    others_.clear();
    run();
    expect(server_.connections() == 0, "who has left is forgotten");
    expect(interface_.pending_calls() == 0, "no call is left without its client");
    engine_.manager.collect();
  }

 private:
  static ControlLimits limits() {
    ControlLimits limits;
    limits.message = kMessageLimits;
    limits.output_bytes = 1U << 15U;
    limits.output_low = 1U << 13U;
    limits.connections = 6;
    limits.connections_per_user = 4;
    limits.reserved_for_root = 1;
    return limits;
  }
  /// Whoever runs this may speak, over the listening socket too.
  static ControlPolicy policy() {
    ControlPolicy policy;
    policy.manager_uid = ::getuid();
    policy.group = kGroup;
    return policy;
  }

  /// An address that the kernel chooses: no file.
  void listen() {
    UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un any{};
    any.sun_family = AF_UNIX;
    const bool made =
        ::bind(socket.get(), reinterpret_cast<sockaddr*>(&any), sizeof any.sun_family) == 0 &&
        ::listen(socket.get(), 8) == 0;
    expect(made, "there is a listening socket");
    address_length_ = sizeof address_;
    (void)::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address_), &address_length_);
    expect(server_.listen(std::move(socket)).ok(), "the server listens");
  }
  void connect_by_address() {
    UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    (void)::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address_), address_length_);
    client_ = std::move(socket);
    unread_.clear();
  }

  void connect(const PeerCredentials& peer = {100, 0, 0, {}}) {
    std::array<int, 2> pair{-1, -1};
    const int made =
        ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair.data());
    expect(made == 0, "there is a pair of sockets");
    client_ = UniqueFd(pair[0]);
    unread_.clear();
    run();
    const int small = 4096;  // replies go out in pieces
    (void)::setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    (void)server_.accept(UniqueFd(pair[1]), peer, engine_.now);
    run();
  }

  /// Whole replies only, each of them JSON.
  bool read() {
    std::array<char, 65536> buffer;
    const ssize_t n = ::recv(client_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (n <= 0) return false;
    for (std::string_view got(buffer.data(), static_cast<std::size_t>(n)); !got.empty();) {
      const auto end = got.find('\0');
      unread_.append(got.substr(0, end));
      if (end == std::string_view::npos) break;
      got.remove_prefix(end + 1);
      const json reply = json::parse(unread_, nullptr, false);
      expect(reply.is_object(), "a reply is an object", unread_);
      unread_.clear();
    }
    return true;
  }

  void run() {
    for (int rounds = 0; rounds < 20000; ++rounds) {
      if (engine_.manager.next_deadline() <= engine_.now.mono) engine_.manager.elapse(engine_.now);
      if (server_.next_deadline() <= engine_.now.mono) {
        server_.elapse(engine_.now);
        continue;
      }
      pollfd ready{server_.poll_fd().get(), POLLIN, 0};
      if (::poll(&ready, 1, 0) != 1) return;
      server_.drain(engine_.now);
    }
    expect(false, "the server comes to rest");
  }

  Gate gate_;
  test::EngineWorld engine_;
  test::FakeBackend backend_;
  ManagerInterface interface_;
  Witness witness_;
  ControlServer server_;
  UniqueFd client_;
  std::vector<UniqueFd> others_;
  sockaddr_un address_{};
  socklen_t address_length_ = 0;
  std::string unread_;
};

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest = text_of(data, size);
  try_message(rest);
  World world;
  while (!rest.empty()) {
    const std::size_t end = rest.find_first_of("\x1d\x1e");
    world.send(rest.substr(0, end));
    if (end == std::string_view::npos) break;
    const bool is_event = rest[end] == '\x1d' && end + 1 < rest.size();
    if (is_event) world.happen(rest[end + 1]);
    rest.remove_prefix(end + (is_event ? 2 : 1));
  }
  world.finish();
  return 0;
}
