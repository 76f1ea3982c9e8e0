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
#include "unit/control/varlink_schema.h"

namespace onset::test {

class FakeBackend final : public ControlBackend {
 public:
  explicit FakeBackend(EngineWorld& world) : world_(world) {}

  bool has_unit_file(std::string_view name) override { return files.contains(std::string(name)); }
  void forget_files() override { looked = false; }
  UnitFileFacts file_facts(const Unit&) override {
    if (!looked) ++looks;
    looked = true;
    return {"static", "enabled"};
  }
  bool needs_reload(const Unit& unit) override { return unit.id == stale; }
  Result<Diagnostics, RequestError> reload(Timestamp now) override {
    Diagnostics diagnostics{{Severity::Warning, "/etc/a.service", 3, "Unknown key 'X'"}};
    world_.manager.reload(world_.table, now, diagnostics);
    return diagnostics;
  }
  std::string default_target() override { return "multi-user.target"; }
  std::vector<pid_t> processes(UnitId id) override {
    return crowd.empty() ? world_.os.processes(id) : crowd;
  }
  std::string command_line(pid_t pid) override {
    return "/bin/fake \x1b[31m" + std::to_string(pid);
  }
  ProcessPlace place(pid_t pid) override { return {places[pid], 1}; }
  UnitId unit_of_pid(pid_t pid) override {
    return pid == 4242 ? world_.manager.graph().find("a.service") : UnitId{};
  }
  std::string control_group(UnitId id) override {
    return "/system.slice/" + world_.manager.graph().unit(id).id;
  }
  UnitUsage usage(UnitId) override { return {1024, std::nullopt, 3}; }
  SysResult freeze(UnitId id, bool frozen) override {
    if (!can_freeze) return Failure{SysError{"cgroup.freeze", ENOTSUP}};
    if (frozen) frozen_units.insert(id.value);
    if (!frozen) frozen_units.erase(id.value);
    return {};
  }
  bool is_frozen(UnitId id) override { return frozen_units.contains(id.value); }
  bool can_freeze = true;
  std::set<std::uint32_t> frozen_units;
  Result<void, RequestError> shut_down(const ShutdownRequest& request, Timestamp now) override {
    if (request.objective == Objective::Kexec) {
      return Failure{RequestError{RequestErrorKind::NotSupported, {}, "no kernel is loaded"}};
    }
    forced = request.force;
    message = request.message;
    world_.manager.shut_down(request.objective, request.exit_status, now);
    return {};
  }
  std::string version() override { return "0.1.0"; }
  std::vector<std::string> features() override { return {"cgroup"}; }
  std::map<std::string, std::string> properties() override {
    return {{"Virtualization", "docker"}};
  }

  std::set<std::string> files;
  std::string stale;
  bool forced = false;
  std::string message;  ///< of the shutdown
  bool looked = false;  ///< into the folders, since forget_files()
  unsigned looks = 0;
  std::vector<pid_t> crowd;             ///< the processes of each unit, if not the real ones
  std::map<pid_t, std::string> places;  ///< cgroups of processes

 private:
  EngineWorld& world_;
};

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
      method_ = method;
      send_message(socket_,
                   {{"method", full_name(method)}, {"parameters", parameters}, {"more", more}});
      world_->run();
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
