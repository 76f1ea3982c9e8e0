// Each member is looked up by name and has to be of its type; what is absent or
// null has its default, what is unknown is left to later versions of Varlink.
#include "control/message.h"

#include <nlohmann/json.hpp>

#include "base/format.h"
#include "control/json_object.h"

namespace onset {

namespace {

using json = Json;

/// False: there, and not a boolean.
bool read_flag(const json& message, const char* name, bool& out) {
  auto it = message.find(name);
  if (it == message.end() || it->is_null()) return true;
  const bool* value = it->get_ptr<const bool*>();
  if (value == nullptr) return false;
  out = *value;
  return true;
}

bool read_text(const json& message, const char* name, std::string& out) {
  auto it = message.find(name);
  if (it == message.end() || it->is_null()) return true;
  const std::string* value = it->get_ptr<const std::string*>();
  if (value == nullptr) return false;
  out = *value;
  return true;
}

Result<void, std::string> read_message(std::string_view text, const JsonLimits& limits,
                                       json& message, json& parameters) {
  if (auto parsed = parse_json(text, limits, message); !parsed) return parsed;
  if (!message.is_object()) return Failure{std::string("the message is not a JSON object")};
  parameters = json::object();
  auto it = message.find("parameters");
  if (it == message.end() || it->is_null()) return {};
  if (!it->is_object()) return Failure{std::string("\"parameters\" is not a JSON object")};
  parameters = std::move(*it);
  return {};
}

}  // namespace

Result<Request, std::string> parse_request(std::string_view text, const JsonLimits& limits,
                                           json& parameters) {
  json message;
  if (auto read = read_message(text, limits, message, parameters); !read) {
    return Failure{read.error()};
  }
  Request request;
  if (!read_text(message, "method", request.method) || request.method.empty()) {
    return Failure{std::string("\"method\" is not a method's name")};
  }
  for (auto [name, flag] : {std::pair{"oneway", &request.oneway}, std::pair{"more", &request.more},
                            std::pair{"upgrade", &request.upgrade}}) {
    if (!read_flag(message, name, *flag)) return Failure{format("\"{}\" is not a boolean", name)};
  }
  return request;
}

std::string format_request(const Request& request, const json& parameters) {
  json message = json_object({{"method", request.method}});
  if (!parameters.empty()) message["parameters"] = parameters;
  if (request.oneway) message["oneway"] = true;
  if (request.more) message["more"] = true;
  if (request.upgrade) message["upgrade"] = true;
  return dump_json(message);
}

Result<ReplyHead, std::string> parse_reply(std::string_view text, const JsonLimits& limits,
                                           json& parameters) {
  json message;
  if (auto read = read_message(text, limits, message, parameters); !read) {
    return Failure{read.error()};
  }
  ReplyHead head;
  if (!read_text(message, "error", head.error)) {
    return Failure{std::string("\"error\" is not an error's name")};
  }
  if (!read_flag(message, "continues", head.continues)) {
    return Failure{std::string("\"continues\" is not a boolean")};
  }
  return head;
}

std::string format_reply(const ReplyHead& head, const json& parameters) {
  json message = json::object();
  message["parameters"] = parameters.is_object() ? parameters : json::object();
  if (head.continues) message["continues"] = true;
  if (!head.error.empty()) message["error"] = head.error;
  return dump_json(message);
}

}  // namespace onset
