#include "cli/manager_link.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/format.h"
#include "cli/render.h"
#include "control/json.h"

namespace onset {

namespace {

using json = Json;

constexpr std::string_view kInterface = "io.onset.Manager.";

CallProblem problem_of(const ClientError& error) {
  return {{}, error.message, error.kind == ClientError::Kind::NoManager};
}

CallProblem problem_of(const ReplyHead& head, const json& parameters) {
  std::string_view name = head.error;
  if (name.starts_with(kInterface)) name.remove_prefix(kInterface.size());
  CallProblem problem;
  problem.error = name;
  const auto text = [&](const char* key) -> std::string {
    const auto found = parameters.find(key);
    if (found == parameters.end() || !found->is_string()) return {};
    return printable(found->get_ref<const std::string&>());
  };
  problem.message = text("message");
  if (problem.message.empty()) {
    const std::string parameter = text("parameter");
    problem.message =
        parameter.empty() ? printable(name) : format("{} ({})", printable(name), parameter);
  }
  return problem;
}

}  // namespace

Result<void, CallProblem> ManagerLink::connect() {
  if (client_) return {};
  auto client = finder_.find();
  if (!client) return Failure{problem_of(client.error())};
  client_.emplace(std::move(*client));
  return {};
}

Result<void, CallProblem> ManagerLink::call(std::string_view method, const json& parameters,
                                            json& reply, Duration patience) {
  if (auto connected = connect(); !connected) return connected;
  auto head = client_->call(format("{}{}", kInterface, method), parameters, reply, patience);
  if (!head) {
    client_.reset();
    return Failure{problem_of(head.error())};
  }
  if (!head->error.empty()) return Failure{problem_of(*head, reply)};
  return {};
}

Result<void, CallProblem> ManagerLink::start(std::string_view method, const json& parameters) {
  if (auto connected = connect(); !connected) return connected;
  Request request;
  request.method = format("{}{}", kInterface, method);
  request.more = true;
  if (auto sent = client_->send(request, parameters); !sent) {
    return Failure{problem_of(sent.error())};
  }
  return {};
}

Result<bool, CallProblem> ManagerLink::next(json& reply, Duration patience) {
  if (!client_) return Failure{CallProblem{{}, "nothing was asked", false}};
  auto head = client_->receive(reply, patience);
  if (!head) {
    client_.reset();
    return Failure{problem_of(head.error())};
  }
  if (!head->error.empty()) return Failure{problem_of(*head, reply)};
  return head->continues;
}

Result<void, CallProblem> ManagerLink::collect(std::string_view method, const json& parameters,
                                               const char* name, json& list) {
  list = json::array();
  if (auto started = start(method, parameters); !started) return started;
  for (;;) {
    json reply;
    auto more = next(reply, ControlClient::kPatience);
    if (!more) return Failure{more.error()};
    const auto found = reply.find(name);
    if (found == reply.end() || !found->is_array()) {
      return Failure{CallProblem{{}, format("the manager's reply has no {}", name), false}};
    }
    for (json& one : *found) list.push_back(std::move(one));
    if (!*more) return {};
  }
}

Result<void, CallProblem> ManagerLink::collect_of(const std::vector<std::string>& units,
                                                  std::string_view method, json parameters,
                                                  json& list) {
  list = json::array();
  for (std::size_t from = 0; from < units.size(); from += kUnitsACall) {
    json& asked = parameters["units"] = json::array();
    const std::size_t end = std::min(units.size(), from + kUnitsACall);
    for (std::size_t i = from; i < end; ++i) asked.push_back(units[i]);
    json some;
    if (auto got = collect(method, parameters, "units", some); !got) return got;
    if (some.size() != end - from) {
      return Failure{CallProblem{{}, "the manager's reply has other units than asked for", false}};
    }
    for (json& one : some) list.push_back(std::move(one));
  }
  return {};
}

int exit_status_of(const CallProblem& problem, std::string_view verb) {
  if (problem.error == "NoSuchUnit") return 5;
  if (problem.error == "JobsConflict") return 4;
  if (problem.error == "NotSupported") return 3;
  if (problem.error == "NotApplicable") {
    // No ExecReload= is a thing that can't be done; RefuseManualStart= forbids.
    return verb == "reload" || verb.ends_with("reload-or-restart") ? 3 : 4;
  }
  return 1;
}

}  // namespace onset
