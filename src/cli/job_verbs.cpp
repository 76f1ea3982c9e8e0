// Jobs: ask for them, wait for them, say how they ended.
#include <algorithm>
#include <csignal>
#include <nlohmann/json.hpp>
#include <set>

#include "base/format.h"
#include "base/text.h"
#include "cli/reply.h"
#include "cli/status_view.h"
#include "cli/verbs.h"
#include "control/name_pattern.h"
#include "unit/enum_words.h"

namespace onset {

namespace {

using nlohmann::json;

std::string_view job_type_of(std::string_view verb) {
  if (verb == "force-reload" || verb == "reload-or-try-restart") return "try-reload-or-restart";
  if (verb == "condrestart" || verb == "condreload" || verb == "cond-restart") return "try-restart";
  return verb;
}

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

/// One job that has ended; 1 if it should not have ended so.
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

/// systemctl points to the logs where the error's name does not say it all.
bool says_it_all(const CallProblem& problem) {
  const bool refuses = problem.message.starts_with("Operation refused");
  return problem.error == "NoSuchUnit" || (problem.error == "NotApplicable" && !refuses) ||
         problem.error.empty() || problem.message.ends_with(" is masked.");
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

/// The units of a first reply: which were refused. 0, or the exit status.
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

/// --wait: units that have been started are watched until they are inactive again.
class EndWatch {
 public:
  explicit EndWatch(Command& command)
      : command_(command),
        link_(command.options.user ? command.context.user_manager
                                   : command.context.system_manager) {}

  Result<void, CallProblem> begin(const std::vector<std::string>& units) {
    std::vector<std::string> known;
    json answers;
    auto got = command_.manager.collect_of(units, "GetUnits", json::object(), answers);
    if (!got) return got;
    for (std::size_t i = 0; i < units.size(); ++i) {
      const json& unit = object_of(answers[i], "unit");
      // Of what there is not the request itself says that.
      if (unit.is_object() && raw_text_of(unit, "load") != "not-found") known.push_back(units[i]);
    }
    if (auto started = link_.start("Subscribe", {{"units", known}}); !started) return started;
    json first;
    auto more = link_.next(first, ControlClient::kPatience);
    if (!more) return Failure{more.error()};
    return {};
  }

  int wait(const std::vector<std::string>& units) {
    int status = 0;
    std::set<std::string> running;
    json answers;
    auto got = command_.manager.collect_of(units, "GetUnits", json::object(), answers);
    if (!got) return command_.fail("Failed to wait", got.error());
    for (const json& answer : answers) {
      const json& unit = object_of(answer, "unit");
      if (!unit.is_object()) return command_.fail("Failed to wait: a unit is gone");
      if (has_ended(unit)) {
        if (raw_text_of(unit, "active") == "failed") status = 1;
      } else {
        running.insert(raw_text_of(unit, "name"));
      }
    }
    while (!running.empty()) {
      json event;
      auto more = link_.next(event, kInfinity);
      if (!more) return command_.fail("Failed to wait", more.error());
      const json& unit = object_of(event, "unit");
      if (!has_ended(unit)) continue;
      if (running.erase(raw_text_of(unit, "name")) != 0 &&
          raw_text_of(unit, "active") == "failed") {
        status = 1;
      }
    }
    return status;
  }

 private:
  static bool has_ended(const json& unit) {
    const std::string active = raw_text_of(unit, "active");
    return (active == "inactive" || active == "failed") && !number_of(unit, "job") &&
           object_of(unit, "job").is_null();
  }

  Command& command_;
  ManagerLink link_;
};

void warn_of_changes(const Command& command, const json& jobs) {
  if (command.options.quiet) return;
  for (const json& job : jobs) {
    if (!flag_of(job, "needs_reload")) continue;
    command.err(changed_on_disk(text_of(job, "unit"), command.program, command.options.user));
  }
}

/// Queues the jobs and reads replies until all have ended.
int run_jobs(Command& command, const json& asked, std::string_view type, const std::string& what) {
  if (auto begun = command.manager.start("Enqueue", asked); !begun) {
    return command.fail(format("Failed to {} {}", type, what), begun.error());
  }
  int status = 0;
  for (bool first = true;; first = false) {
    json reply;
    auto more = command.manager.next(reply, kInfinity);
    if (!more) {
      return tell_refusal(command, type, what, more.error());
    }
    const json& jobs = array_of(reply, "jobs");
    if (first) {
      status = tell_refusals(command, jobs, type);
      warn_of_changes(command, jobs);
    }
    for (const json& job : jobs) {
      // How a job ends counts for more than that another was refused.
      if (const int ended = tell_outcome(command, job); ended != 0) status = ended;
    }
    if (!*more) return status;
  }
}

}  // namespace

namespace {

int refuse_mode(const Command& command, const std::vector<std::string>& units,
                const std::string& why) {
  for (const std::string& unit : units) {
    tell_refusal(command, command.verb, printable(unit), {"InvalidParameter", why, false});
  }
  return 1;
}

/// --job-mode=triggering: what would start the units again is stopped as well.
Result<void, CallProblem> add_triggering(Command& command, std::vector<std::string>& units) {
  const auto properties_of = [&](const std::vector<std::string>& names, const char* property,
                                 std::vector<std::string>& values) -> Result<void, CallProblem> {
    json answers;
    const json asked = {{"names", {property}}};
    if (auto got = command.manager.collect_of(names, "ListProperties", asked, answers); !got) {
      return got;
    }
    for (const json& answer : answers) {
      values.push_back(raw_text_of(object_of(answer, "properties"), property));
    }
    return {};
  };
  std::vector<std::string> lists;
  if (auto got = properties_of(units, "TriggeredBy", lists); !got) return got;
  std::vector<std::string> triggers;
  for (const std::string& list : lists) {
    for (std::string_view trigger : split_whitespace(list)) triggers.emplace_back(trigger);
  }
  std::vector<std::string> states;
  if (auto got = properties_of(triggers, "ActiveState", states); !got) return got;
  for (std::size_t i = 0; i < triggers.size(); ++i) {
    if (states[i] != "inactive" && states[i] != "failed") units.push_back(triggers[i]);
  }
  return {};
}

}  // namespace

int enqueue_units(Command& command, const std::vector<std::string>& units, std::string_view type,
                  std::string_view mode) {
  if (units.empty()) return 0;
  const bool until_end =
      command.options.wait && (type == "start" || type == "restart" || type == "try-restart");
  EndWatch watch(command);
  if (until_end) {
    if (auto begun = watch.begin(units); !begun) {
      return command.fail(format("Failed to {} units", type), begun.error());
    }
  }
  const json asked = {{"units", units},
                      {"type", type},
                      {"mode", mode.empty() ? std::string_view("replace") : mode},
                      {"wait", !command.options.no_block}};
  const std::string what = units.size() > 1 ? std::string("units") : printable(units.front());
  const int status = run_jobs(command, asked, type, what);
  return status == 0 && until_end ? watch.wait(units) : status;
}

int verb_enqueue(Command& command) {
  auto units = unit_names(command);
  if (!units) return command.fail(units.error());
  std::string_view mode = command.options.job_mode;
  if (mode == "triggering") {
    if (command.verb != "stop") {
      return refuse_mode(command, *units, "--job-mode=triggering is only valid for stop.");
    }
    if (auto added = add_triggering(command, *units); !added) {
      return command.fail("Failed to get properties", added.error());
    }
    mode = "replace";
  }
  if (!mode.empty() && !from_string<JobMode>(mode)) {
    return refuse_mode(command, *units, format("Job mode {} invalid", printable(mode)));
  }
  const bool has_glob = std::any_of(command.names.begin(), command.names.end(), is_name_pattern);
  if (command.verb == "start" && has_glob && !command.options.all && !command.options.quiet) {
    command.err(
        "Warning: systemctl start called with a glob pattern.\n"
        "Hint: unit globs expand to loaded units, so start will usually have no effect.\n"
        "      Passing --all will also load units which are pulled in by other units.\n"
        "      See systemctl(1) for more details.");
  }
  return enqueue_units(command, *units, job_type_of(command.verb), mode);
}

int verb_isolate(Command& command) {
  std::vector<std::string> units;
  if (command.verb == "isolate") {
    auto named = unit_names(command, ".target");
    if (!named) return command.fail(named.error());
    units = std::move(*named);
  } else {
    units.push_back(format("{}.target", command.verb));
  }
  return enqueue_units(command, units, "start", "isolate");
}

int verb_kill(Command& command) {
  auto units = unit_names(command);
  if (!units) return command.fail(units.error());
  const Options& options = command.options;
  const std::string who = options.kill_whom.empty() ? "all" : options.kill_whom;
  int status = 0;
  for (const std::string& unit : *units) {
    if (who != "all" && who != "main" && who != "control") {
      return command.fail(format("Failed to kill unit {}: Invalid who argument {}", printable(unit),
                                 printable(who)));
    }
    json reply;
    const json asked = {{"unit", unit},
                        {"who", who},
                        {"signal", options.signal.value_or(SIGTERM)},
                        {"fail", options.job_mode == "fail"}};
    if (auto sent = command.manager.call("Kill", asked, reply); !sent) {
      status = command.fail(format("Failed to kill unit {}", printable(unit)), sent.error());
      if (sent.error().no_manager) return 1;
    }
  }
  return status == 0 ? 0 : 1;
}

int verb_reset_failed(Command& command) {
  json reply;
  if (command.names.empty()) {
    auto reset = command.manager.call("ResetFailed", json::object(), reply);
    return reset ? 0 : command.fail("Failed to reset failed units", reset.error());
  }
  auto units = unit_names(command);
  if (!units) return command.fail(units.error());
  int status = 0;
  for (const std::string& unit : *units) {
    auto reset = command.manager.call("ResetFailed", {{"unit", unit}}, reply);
    if (reset) continue;
    command.fail(format("Failed to reset failed state of unit {}", printable(unit)), reset.error());
    status = 1;
  }
  return status;
}

namespace {

/// Drops jobs of units that no pattern matches; whether there were any.
bool keep_matching(const Command& command, json& jobs) {
  if (command.names.empty()) return false;
  json kept = json::array();
  for (const json& job : jobs) {
    const std::string unit = raw_text_of(job, "unit");
    const bool matches =
        std::any_of(command.names.begin(), command.names.end(),
                    [&](const std::string& name) { return matches_pattern(name, unit); });
    if (matches) kept.push_back(job);
  }
  const bool dropped = kept.size() < jobs.size();
  jobs = std::move(kept);
  return dropped;
}

}  // namespace

int verb_list_jobs(Command& command) {
  const DependencySide side = command.options.side;
  if (side == DependencySide::After || side == DependencySide::Before) {
    return command.fail("list-jobs --after and --before are not supported yet.");
  }
  json reply;
  if (auto listed = command.manager.call("ListJobs", json::object(), reply); !listed) {
    return command.fail("Failed to list jobs", listed.error());
  }
  json jobs = array_of(reply, "jobs");
  const bool skipped = keep_matching(command, jobs);
  if (command.print_json(jobs)) return 0;
  Table table({"JOB", "UNIT", "TYPE", "STATE"});
  for (const json& job : jobs) {
    const std::string state = text_of(job, "state");
    const Tone tone = state == "running" ? Tone::Good : Tone::Plain;
    table.add({format("{}", number_of(job, "id").value_or(0)),
               Table::Cell(text_of(job, "unit"), tone), text_of(job, "type"),
               Table::Cell(state, tone)});
  }
  if (table.rows() == 0) {
    if (command.options.has_legend()) {
      command.out(format("No jobs {}.\n", skipped ? "listed" : "running"));
    }
    return 0;
  }
  command.out(table.text(command.palette(), command.options.has_legend(), command.width(), 1));
  if (command.options.has_legend()) {
    command.out(format("\n{} jobs listed.\n", table.rows()));
  }
  return 0;
}

int verb_cancel(Command& command) {
  json reply;
  if (command.names.empty()) {
    auto cancelled = command.manager.call("CancelJob", json::object(), reply);
    return cancelled ? 0 : command.fail("Failed to cancel all jobs", cancelled.error());
  }
  int status = 0;
  for (const std::string& name : command.names) {
    const auto id = parse_uint<std::uint32_t>(name);
    if (!id)
      return command.fail(
          format("Failed to parse job id \"{}\": Invalid argument", c_escape(name)));
    auto cancelled = command.manager.call("CancelJob", {{"id", *id}}, reply);
    if (cancelled) continue;
    command.fail(format("Failed to cancel job {}", *id), cancelled.error());
    status = 1;
  }
  return status;
}

}  // namespace onset
