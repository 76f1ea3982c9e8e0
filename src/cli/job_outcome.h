#pragma once
// What is said of a job that was refused or has ended, in systemctl's words.

#include <string>
#include <string_view>

#include "cli/command.h"
#include "control/json.h"

namespace onset {

/// One job that has ended; 1 if it should not have ended so.
int tell_outcome(const Command& command, const Json& job);

/// Why no job of that type was queued for the unit; the exit status.
int tell_refusal(const Command& command, std::string_view type, const std::string& unit,
                 const CallProblem& problem);

/// The units of Enqueue's first reply: which were refused. 0, or the exit status.
int tell_refusals(const Command& command, const Json& jobs, std::string_view type);

}  // namespace onset
