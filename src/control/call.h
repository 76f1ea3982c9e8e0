#pragma once
// The seam between the server, which knows sockets, and the methods, which know
// units: calls go up, replies go down.

#include <cstdint>
#include <string_view>

#include "base/time.h"
#include "control/json.h"
#include "control/message.h"

namespace onset {

/// A call under way. A connection has one at a time; the next one is taken up
/// after the last reply.
enum class CallId : std::uint64_t {};

/// Where replies go. Never calls back, never blocks: bytes are queued, and a
/// client that does not read them loses its connection later, not in here.
class ReplySink {
 public:
  virtual ~ReplySink() = default;
  /// `continues`: another reply follows (only for a call with `more`).
  virtual void reply(CallId call, const Json& parameters, bool continues = false) = 0;
  /// The last reply, an error by its full name.
  virtual void fail(CallId call, std::string_view error, const Json& parameters) = 0;
  /// Asks for CallHandler::pull() of this call, when its client can take more.
  virtual void wake(CallId call) = 0;
};

class CallHandler {
 public:
  virtual ~CallHandler() = default;
  /// Answers at once, or keeps the id and answers later.
  virtual void handle(CallId call, const Request& request, const Json& parameters,
                      Timestamp now) = 0;
  /// The client takes more: send some. True: there is more to send after it.
  virtual bool pull(CallId call) = 0;
  /// The client has left (or wants no reply): forget the call. Needs no memory.
  virtual void gone(CallId call) = 0;
};

}  // namespace onset
