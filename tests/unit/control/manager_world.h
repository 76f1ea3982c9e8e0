#pragma once
// A manager on the fake kernel behind its control interface, spoken to in
// Varlink over a socket pair. Every message is held to the interface file.

#include <catch2/catch.hpp>
#include <memory>
#include <set>
#include <string>

#include "control/manager_interface.h"
#include "control/server.h"
#include "support/engine_world.h"
#include "unit/control/control_world.h"
#include "unit/control/fake_backend.h"
#include "unit/control/varlink_schema.h"

namespace onset::test {

inline constexpr const char* kService = "[Service]\nExecStart=/bin/a\n";

/// The parameters of Enqueue.
inline json enqueue(const char* type, std::vector<std::string> units) {
  return {{"type", type}, {"units", std::move(units)}};
}

inline json waiting(const char* type, std::vector<std::string> units) {
  json p = enqueue(type, std::move(units));
  p["wait"] = true;
  return p;
}

class ManagerWorld {
 public:
  explicit ManagerWorld(const EngineWorld::Files& files, ManagerConfig config = {})
      : engine(with_basic_units(files), config),
        backend(engine),
        interface(engine.manager, backend),
        server(interface, nullptr, {}),
        schema(manager_interface_text()) {
    for (const auto& [name, text] : files) backend.files.insert(name);
    interface.set_sink(&server);
    engine.manager.set_listener(&interface);
    (void)server.open();
  }

  /// A client of its own connection.
  class Client {
   public:
    Client(ManagerWorld& world, UniqueFd socket) : world_(&world), socket_(std::move(socket)) {}

    void send(const std::string& method, const json& parameters, bool more = false) {
      write(method, parameters, more);
      world_->run();
    }
    /// The manager has not read it yet.
    void write(const std::string& method, const json& parameters, bool more = false) {
      method_ = method;
      send_message(socket_,
                   {{"method", full_name(method)}, {"parameters", parameters}, {"more", more}});
    }
    /// Everything that has come, each reply checked.
    std::vector<json> replies() {
      world_->run();
      std::vector<json> all = read_all(socket_).messages;
      for (const json& message : all) world_->check(method_, message);
      return all;
    }
    void leave() {
      socket_.reset();
      world_->run();
    }

   private:
    static std::string full_name(const std::string& method) {
      return method.find('.') == std::string::npos ? "io.onset.Manager." + method : method;
    }
    ManagerWorld* world_;
    UniqueFd socket_;
    std::string method_;
  };

  Client client() {
    std::array<int, 2> pair{};
    (void)::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair.data());
    (void)server.accept(UniqueFd(pair[1]), {100, 0, 0, {}}, engine.now);
    return Client(*this, UniqueFd(pair[0]));
  }

  /// One call, one reply: {"parameters": …} or with "error" too.
  json call(const std::string& method, const json& parameters = json::object()) {
    Client c = client();
    c.send(method, parameters);
    auto replies = c.replies();
    REQUIRE(replies.size() == 1);
    return replies.front();
  }
  /// The parameters of a reply that must not be an error.
  json ask(const std::string& method, const json& parameters = json::object()) {
    json reply = call(method, parameters);
    CAPTURE(method, parameters.dump(), reply.dump());
    REQUIRE_FALSE(reply.contains("error"));
    return reply["parameters"];
  }
  /// The error's last word.
  std::string refusal(const std::string& method, const json& parameters = json::object()) {
    json reply = call(method, parameters);
    const std::string error = reply.value("error", std::string());
    return error.substr(error.rfind('.') + 1);
  }

  void run() {
    for (int rounds = 0; rounds < 100000; ++rounds) {
      if (server.next_deadline() <= engine.now.mono) {
        server.elapse(engine.now);
        continue;
      }
      pollfd ready{server.poll_fd().get(), POLLIN, 0};
      if (::poll(&ready, 1, 0) != 1) return;
      server.drain(engine.now);
    }
    FAIL("the server does not come to rest");
  }

  void check(const std::string& method, const json& message) {
    if (method.find('.') != std::string::npos) return;
    CAPTURE(method, message.dump());
    const json parameters = message.value("parameters", json::object());
    if (!message.contains("error")) {
      CHECK(schema.check_output(method, parameters) == "");
      return;
    }
    const std::string error = message["error"];
    constexpr std::string_view kOwn = "io.onset.Manager.";
    if (error.starts_with(kOwn)) {
      CHECK(schema.check_error(error.substr(kOwn.size()), parameters) == "");
      CHECK_FALSE(parameters.value("message", std::string()).empty());
    } else {
      static const VarlinkSchema service(service_interface_text());
      CHECK(service.check_error(error.substr(error.rfind('.') + 1), parameters) == "");
    }
  }

  /// What services depend on by default.
  static EngineWorld::Files with_basic_units(EngineWorld::Files files) {
    for (const char* name : {"sysinit.target", "basic.target", "shutdown.target"}) {
      files.emplace_back(name, "[Unit]\nDefaultDependencies=no\n");
    }
    return files;
  }

  EngineWorld engine;
  FakeBackend backend;
  ManagerInterface interface;
  ControlServer server;
  VarlinkSchema schema;
};

}  // namespace onset::test
