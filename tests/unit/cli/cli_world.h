#pragma once
// A command line over files in memory and a manager whose replies are written
// down beforehand: they wait in a socket pair, and what the client asked is read
// from it afterwards.

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <deque>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/text.h"
#include "cli/context.h"
#include "control/frame.h"
#include "control/json.h"
#include "control/message.h"
#include "support/memory_files.h"

namespace onset::test {

using json = Json;

class StringSink final : public TextSink {
 public:
  void write(std::string_view more) override { text += more; }
  std::string text;
};

/// One connection after the other, each with its replies.
class ScriptedFinder final : public ManagerFinder {
 public:
  /// Begins a connection; what follows is answered on it.
  void connection() {
    std::array<int, 2> pair{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) == 0);
    waiting_.emplace_back(pair[0]);
    servers_.emplace_back(pair[1]);
  }
  void reply(const json& parameters, bool continues = false) { write({continues, {}}, parameters); }
  void fail(std::string_view name, const json& parameters) {
    write({false, "io.onset.Manager." + std::string(name)}, parameters);
  }
  /// No more will come on the connection begun last.
  void close() { servers_.back().reset(); }

  Result<ControlClient, ClientError> find() override {
    if (waiting_.empty()) {
      return Failure{
          ClientError{ClientError::Kind::NoManager, "No onset manager is running here."}};
    }
    UniqueFd socket = std::move(waiting_.front());
    waiting_.pop_front();
    return ControlClient(std::move(socket));
  }

  /// What was asked on all connections, in order: {"method", "parameters"}.
  std::vector<json> asked() {
    std::vector<json> calls;
    for (const UniqueFd& server : servers_) {
      std::array<char, 65536> bytes{};
      const ssize_t n = server ? ::recv(server.get(), bytes.data(), bytes.size(), MSG_DONTWAIT) : 0;
      if (n <= 0) continue;
      for (std::string_view frame :
           split(std::string_view(bytes.data(), static_cast<std::size_t>(n)), '\0')) {
        if (!frame.empty()) calls.push_back(json::parse(frame));
      }
    }
    return calls;
  }

 private:
  void write(const ReplyHead& head, const json& parameters) {
    if (servers_.empty()) connection();
    std::string bytes;
    append_frame(bytes, format_reply(head, parameters));
    REQUIRE(::send(servers_.back().get(), bytes.data(), bytes.size(), MSG_DONTWAIT) ==
            static_cast<ssize_t>(bytes.size()));
  }

  std::deque<UniqueFd> waiting_;
  std::vector<UniqueFd> servers_;
};

class FakeMachine final : public Machine {
 public:
  SysResult end_now(std::string_view how) override {
    ended = how;
    return {};
  }
  void write_to_terminal(const std::string& path, std::string_view text) override {
    told[path] += text;
  }
  std::string ended;
  std::map<std::string, std::string> told;
};

class CliWorld {
 public:
  static constexpr WallTime kNow{1'795'500'782'000'000};

  CliWorld() {
    context.search_path = {"/etc/systemd/system", "/usr/lib/systemd/system"};
    context.working_directory = "/home";
    context.now.wall = kNow;
    context.machine = &machine;
    context.host.hostname = "box";
  }
  int run(std::vector<std::string> words, std::string program = "systemctl") {
    out.text.clear();
    err.text.clear();
    words.insert(words.begin(), std::move(program));
    return run_cli(context, words);
  }

  MemoryFiles files;
  ScriptedFinder manager;
  ScriptedFinder user_manager;
  StringSink out;
  StringSink err;
  FakeMachine machine;
  CliContext context{files, files, manager, user_manager, out, err, {}, {}, {}, {}, {}, {}};
};

/// A reply of GetUnit.
inline json unit_reply(std::string_view name, std::string_view active,
                       std::string_view load = "loaded") {
  return {{"unit", {{"name", name}, {"active", active}, {"load", load}, {"sub", "x"}}}};
}

/// A reply of GetUnits.
inline json units_reply(std::vector<json> replies) {
  json list = json::array();
  for (json& reply : replies) {
    list.push_back({{"asked", "x"}, {"unit", std::move(reply["unit"])}, {"message", nullptr}});
  }
  return {{"units", std::move(list)}};
}

/// A reply of ListProperties.
inline json properties_reply(std::vector<json> units) {
  json list = json::array();
  for (json& unit : units) {
    list.push_back({{"asked", "x"}, {"properties", std::move(unit)}, {"message", nullptr}});
  }
  return {{"units", std::move(list)}};
}

inline json outcome(std::string_view unit, const json& result, std::string_view message = {}) {
  return {{"asked", unit},    {"unit", unit},
          {"job", 7},         {"type", "start"},
          {"result", result}, {"unit_result", nullptr},
          {"error", nullptr}, {"message", message.empty() ? json() : json(message)}};
}

}  // namespace onset::test
