// list-jobs and cancel: the jobs that are queued.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/format.h"
#include "base/text.h"
#include "cli/reply.h"
#include "cli/verbs.h"
#include "control/name_pattern.h"

namespace onset {

using nlohmann::json;

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
