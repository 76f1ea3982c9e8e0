#pragma once
// A command's connection to the manager: made at the first call, with errors
// that say what the user can do about them.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cli/context.h"
#include "control/json.h"

namespace onset {

/// A call that came to nothing. `error` is the short name of the interface's
/// error ("NoSuchUnit"), empty if the manager was not reached or broke off.
struct CallProblem {
  std::string error;
  std::string message;
  bool no_manager = false;
};

/// So many names fit a call: it has 1 MiB at most.
inline constexpr std::size_t kUnitsACall = 2048;

class ManagerLink {
 public:
  explicit ManagerLink(ManagerFinder& finder) : finder_(finder) {}

  /// `method` without the interface's name.
  Result<void, CallProblem> call(std::string_view method, const Json& parameters, Json& reply,
                                 Duration patience = ControlClient::kPatience);
  /// A stream: the next replies come from next().
  Result<void, CallProblem> start(std::string_view method, const Json& parameters);
  /// True while another one follows.
  Result<bool, CallProblem> next(Json& reply, Duration patience);
  /// A stream read to its end, its replies' arrays of that name put together.
  Result<void, CallProblem> collect(std::string_view method, const Json& parameters,
                                    const char* name, Json& list);
  /// GetUnits or ListProperties: an answer for each unit, in their order.
  Result<void, CallProblem> collect_of(const std::vector<std::string>& units,
                                       std::string_view method, Json parameters, Json& list);
  /// Whether a manager runs and answers.
  bool reachable() { return connect().ok(); }

 private:
  Result<void, CallProblem> connect();

  ManagerFinder& finder_;
  std::optional<ControlClient> client_;
};

/// The exit status of systemctl(1) for an error of the manager, by the rules of
/// LSB's init scripts: 5 not installed, 4 not allowed, 3 not applicable, else 1.
int exit_status_of(const CallProblem& problem, std::string_view verb);

}  // namespace onset
