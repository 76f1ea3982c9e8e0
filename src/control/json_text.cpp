// One pass over the bytes, outside and inside of strings, counts depth and
// values; only then the parser, which reports an error as a discarded value.
#include "control/json_text.h"

#include <nlohmann/json.hpp>
#include <optional>

#include "base/format.h"
#include "control/json.h"

namespace onset {

namespace {

/// What is wrong with the text's size or shape; nothing if it may be parsed.
std::optional<std::string> refuse(std::string_view text, const JsonLimits& limits) {
  if (text.size() > limits.bytes) {
    return format("the message has more than {} bytes", limits.bytes);
  }
  unsigned depth = 0;
  std::size_t values = 1;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
      continue;
    }
    if (c == '"') in_string = true;
    if (c == '[' || c == '{') {
      if (++depth > limits.depth) return format("the message nests deeper than {}", limits.depth);
      ++values;
    }
    if ((c == ']' || c == '}') && depth > 0) --depth;
    if (c == ',') ++values;
    if (values > limits.values) return format("the message has more than {} values", limits.values);
  }
  return std::nullopt;
}

}  // namespace

Result<void, std::string> parse_json(std::string_view text, const JsonLimits& limits, Json& out) {
  if (auto reason = refuse(text, limits)) return Failure{std::move(*reason)};
  out = Json::parse(text, nullptr, false);
  if (out.is_discarded()) return Failure{std::string("the message is not JSON")};
  return {};
}

std::string dump_json(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace onset
