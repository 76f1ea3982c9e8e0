// Jobs: ask for them, wait for them, say how they ended.
#include <csignal>
#include <nlohmann/json.hpp>
#include <set>

#include "base/format.h"
#include "base/text.h"
#include "cli/reply.h"
#include "cli/verbs.h"

namespace onset {

namespace {

using nlohmann::json;

std::string_view job_type_of(std::string_view verb) {
  if (verb == "force-reload" || verb == "reload-or-try-restart") return "try-reload-or-restart";
  if (verb == "condrestart" || verb == "condreload" || verb == "cond-restart") return "try-restart";
  return verb;
}

/// A service's own result, in words that fit behind "because".
std::string reason_of(std::string_view unit_result) {
  if (unit_result == "resources") return "something that it needs could not be had";
  if (unit_result == "protocol") return "the service did not do what its Type= promises";
  if (unit_result == "timeout") return "it took longer than it may";
  if (unit_result == "exit-code") return "a process of it exited with an error";
  if (unit_result == "signal") return "a process of it was ended by a signal";
  if (unit_result == "core-dump") return "a process of it crashed";
  if (unit_result == "watchdog") return "the service missed its watchdog";
  if (unit_result == "start-limit-hit") return "it was started too often in too short a time";
  if (unit_result == "oom-kill") return "it ran out of memory";
  return {};
}

/// One job that has ended; 1 if it should not have ended so.
int tell_outcome(const Command& command, const json& job) {
  const std::string unit = text_of(job, "unit");
  const std::string result = text_of(job, "result");
  const std::string message = text_of(job, "message");
  if (result.empty() || result == "done" || result == "skipped") return 0;
  if (command.options.quiet) return 1;
  if (result == "canceled") return command.fail(format("Job for {} canceled.", unit));
  if (result == "timeout") return command.fail(format("Job for {} timed out.", unit));
  if (result == "invalid") {
    return command.fail(format("{} is not active, cannot reload.", unit));
  }
  if (result == "collected") {
    return command.fail(format("Queued job for {} was garbage collected.", unit));
  }
  std::string why = message;
  if (why.empty()) why = reason_of(text_of(job, "unit_result"));
  if (result == "dependency") {
    command.err(format("A dependency job for {} failed{}{}.", unit, why.empty() ? "" : ": ", why));
  } else if (result == "assert") {
    command.err(format("Assertion failed on job for {}{}{}.", unit, why.empty() ? "" : ": ", why));
  } else if (why.empty()) {
    command.err(format("Job for {} failed ({}).", unit, result));
  } else {
    command.err(format("Job for {} failed: {}.", unit, why));
  }
  return command.fail(format("See \"{} status {}\" for details.", command.program, unit));
}

/// The units of a first reply: which were refused. 0, or the exit status.
int tell_refusals(const Command& command, const json& jobs, std::string_view type) {
  int status = 0;
  for (const json& job : jobs) {
    CallProblem problem{raw_text_of(job, "error"), text_of(job, "message"), false};
    if (problem.error.empty()) continue;
    problem.error = problem.error.substr(problem.error.rfind('.') + 1);
    status = command.fail(format("Failed to {} {}", type, text_of(job, "asked")), problem);
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
    if (auto started = link_.start("Subscribe", {{"units", units}}); !started) return started;
    json first;
    auto more = link_.next(first, ControlClient::kPatience);
    if (!more) return Failure{more.error()};
    return {};
  }

  int wait(const std::vector<std::string>& units) {
    int status = 0;
    std::set<std::string> running;
    for (const std::string& name : units) {
      json reply;
      auto got = command_.manager.call("GetUnit", {{"unit", name}}, reply);
      if (!got) return command_.fail("Failed to wait", got.error());
      const json& unit = object_of(reply, "unit");
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
      return command.fail(format("Failed to {} {}", type, what), more.error());
    }
    const json& jobs = array_of(reply, "jobs");
    if (first) status = tell_refusals(command, jobs, type);
    for (const json& job : jobs) {
      if (const int ended = tell_outcome(command, job); ended != 0 && status == 0) status = ended;
    }
    if (!*more) return status;
  }
}

}  // namespace

int enqueue_units(Command& command, const std::vector<std::string>& units, std::string_view type,
                  std::string_view mode) {
  if (units.empty()) return 0;
  const bool until_end =
      command.options.wait && (type == "start" || type == "restart" || type == "try-restart");
  if (until_end && command.options.no_block) {
    return command.fail("--wait may not be combined with --no-block.");
  }
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
  return enqueue_units(command, *units, job_type_of(command.verb), command.options.job_mode);
}

int verb_isolate(Command& command) {
  std::vector<std::string> units;
  if (command.verb == "isolate") {
    auto named = unit_names(command);
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
    json reply;
    const json asked = {{"unit", unit}, {"who", who}, {"signal", options.signal.value_or(SIGTERM)}};
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

int verb_list_jobs(Command& command) {
  json reply;
  if (auto listed = command.manager.call("ListJobs", json::object(), reply); !listed) {
    return command.fail("Failed to list jobs", listed.error());
  }
  const json& jobs = array_of(reply, "jobs");
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
    if (!command.options.no_legend) command.out("No jobs running.\n");
    return 0;
  }
  command.out(table.text(command.palette(), !command.options.no_legend, command.width(), 1));
  if (!command.options.no_legend) {
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
    if (!id) return command.fail(format("Failed to parse job id \"{}\"", c_escape(name)));
    auto cancelled = command.manager.call("CancelJob", {{"id", *id}}, reply);
    if (cancelled) continue;
    command.fail(format("Failed to cancel job {}", *id), cancelled.error());
    status = 1;
  }
  return status;
}

}  // namespace onset
