#pragma once
// Varlink's messages, varlink.org "Method Call": a call is {method, parameters,
// oneway, more, upgrade}, a reply {parameters, continues, error}. Pure.

#include <string>
#include <string_view>

#include "base/result.h"
#include "control/json.h"
#include "control/json_text.h"

namespace onset {

struct Request {
  std::string method;   ///< "io.onset.Manager.GetUnit"
  bool oneway = false;  ///< no reply is wanted
  bool more = false;    ///< several are welcome
  bool upgrade = false;
};

struct ReplyHead {
  bool continues = false;  ///< another one follows
  std::string error;       ///< "io.onset.Manager.NoSuchUnit"; empty: none
};

/// A call; `parameters` is always an object. The error is a sentence.
Result<Request, std::string> parse_request(std::string_view text, const JsonLimits& limits,
                                           Json& parameters);
std::string format_request(const Request& request, const Json& parameters);

Result<ReplyHead, std::string> parse_reply(std::string_view text, const JsonLimits& limits,
                                           Json& parameters);
std::string format_reply(const ReplyHead& head, const Json& parameters);

}  // namespace onset
