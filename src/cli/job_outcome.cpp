// See job_outcome.h. Below systemctl's line stands the cause, where the manager knows more.
#include "cli/job_outcome.h"

#include <nlohmann/json.hpp>

#include "base/format.h"
#include "cli/reply.h"
#include "control/json.h"

namespace onset {

namespace {

using json = Json;

/// A service's own result, in systemctl's words behind "because".
std::string_view reason_of(std::string_view unit_result) {
  if (unit_result == "resources") return "of unavailable resources or another system error";
  if (unit_result == "protocol") {
    return "the service did not take the steps required by its unit configuration";
  }
  if (unit_result == "timeout") return "a timeout was exceeded";
  if (unit_result == "exit-code") return "the control process exited with error code";
  if (unit_result == "signal") return "a fatal signal was delivered to the control process";
  if (unit_result == "core-dump") {
    return "a fatal signal was delivered causing the control process to dump core";
  }
  if (unit_result == "watchdog") return "the service failed to send watchdog ping";
  if (unit_result == "start-limit-hit") return "start of the service was attempted too often";
  return {};
}

std::string with_user(const Command& command) {
  return format("{}{}", command.program, command.options.user ? " --user" : "");
}

/// What systemctl says, and below it the cause, where the manager knows more.
int tell_failure(const Command& command, const json& job) {
  const std::string unit = text_of(job, "unit");
  const std::string unit_result = text_of(job, "unit_result");
  const std::string message = text_of(job, "message");
  const std::string_view reason = reason_of(unit_result);
  command.err(reason.empty() ? format("Job for {} failed.", unit)
                             : format("Job for {} failed because {}.", unit, reason));
  if (!message.empty()) command.err(format("{}: {}", unit, message));
  const std::string program = with_user(command);
  command.err(format("See \"{} status {}\" for details.", program, unit));
  if (unit_result == "start-limit-hit") {
    command.err(
        format("To force a start use \"{0} reset-failed {1}\"\n"
               "followed by \"{0} start {1}\" again.",
               program, unit));
  }
  return 1;
}

/// systemctl points to the logs where the error's name does not say it all.
bool says_it_all(const CallProblem& problem) {
  const bool refuses = problem.message.starts_with("Operation refused");
  return problem.error == "NoSuchUnit" || (problem.error == "NotApplicable" && !refuses) ||
         problem.error.empty() || problem.message.ends_with(" is masked.");
}

}  // namespace

int tell_outcome(const Command& command, const json& job) {
  const std::string unit = text_of(job, "unit");
  const std::string result = text_of(job, "result");
  const std::string message = text_of(job, "message");
  if (result.empty() || result == "done" || result == "skipped") return 0;
  if (command.options.quiet) return 1;
  const auto with_cause = [&](std::string_view line) {
    command.err(line);
    if (!message.empty()) command.err(format("{}: {}", unit, message));
    return 1;
  };
  if (result == "canceled") return command.fail(format("Job for {} canceled.", unit));
  if (result == "timeout") return command.fail(format("Job for {} timed out.", unit));
  if (result == "invalid") {
    return command.fail(format("{} is not active, cannot reload.", unit));
  }
  if (result == "collected") {
    return command.fail(format("Queued job for {} was garbage collected.", unit));
  }
  if (result == "once") {
    return command.fail(
        format("Unit {} was started already once and can't be started again.", unit));
  }
  if (result == "unsupported") {
    return with_cause(
        format("Operation on or unit type of {} not supported on this system.", unit));
  }
  if (result == "assert") return with_cause(format("Assertion failed on job for {}.", unit));
  if (result == "dependency") {
    return with_cause(format("A dependency job for {} failed. See '{} status {}' for details.",
                             unit, with_user(command), unit));
  }
  return tell_failure(command, job);
}

int tell_refusal(const Command& command, std::string_view type, const std::string& unit,
                 const CallProblem& problem) {
  const int status = command.fail(format("Failed to {} {}", type, unit), problem);
  if (!problem.no_manager && !says_it_all(problem)) {
    command.err(format("See {} logs and '{} status {}' for details.",
                       command.options.user ? "user" : "system", with_user(command), unit));
  }
  return status;
}

int tell_refusals(const Command& command, const json& jobs, std::string_view type) {
  int status = 0;
  for (const json& job : jobs) {
    CallProblem problem{raw_text_of(job, "error"), text_of(job, "message"), false};
    if (problem.error.empty()) continue;
    problem.error = problem.error.substr(problem.error.rfind('.') + 1);
    status = tell_refusal(command, type, text_of(job, "asked"), problem);
  }
  return status;
}

}  // namespace onset
