// Jobs: ask for them, wait for them.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/format.h"
#include "base/text.h"
#include "cli/job_outcome.h"
#include "cli/reply.h"
#include "cli/status_view.h"
#include "cli/verbs.h"
#include "control/json.h"
#include "unit/enum_words.h"
#include "unit/glob.h"

namespace onset {

namespace {

using json = Json;

std::string_view job_type_of(std::string_view verb) {
  if (verb == "force-reload" || verb == "reload-or-try-restart" || verb == "condreload")
    return "try-reload-or-restart";
  if (verb == "condrestart") return "try-restart";
  return verb;
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
  const bool has_glob = std::any_of(command.names.begin(), command.names.end(), is_glob);
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

}  // namespace onset
