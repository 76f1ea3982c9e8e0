// list-jobs and cancel: the jobs that are queued.

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "base/format.h"
#include "base/text.h"
#include "cli/reply.h"
#include "cli/verbs.h"
#include "control/json.h"
#include "unit/glob.h"

namespace onset {

using json = Json;

namespace {

/// Drops jobs of units that no pattern matches; whether there were any.
bool keep_matching(const Command& command, json& jobs) {
  if (command.names.empty()) return false;
  json kept = json::array();
  for (const json& job : jobs) {
    const std::string unit = raw_text_of(job, "unit");
    const bool matches =
        std::any_of(command.names.begin(), command.names.end(),
                    [&](const std::string& name) { return glob_matches(name, unit); });
    if (matches) kept.push_back(job);
  }
  const bool dropped = kept.size() < jobs.size();
  jobs = std::move(kept);
  return dropped;
}

/// ListJobs' pairs, by the job that is asked about: whom it holds up, whom it waits for.
struct JobOrder {
  std::map<std::int64_t, std::vector<std::int64_t>> blocking;
  std::map<std::int64_t, std::vector<std::int64_t>> waiting_for;
  std::map<std::int64_t, std::string> words;  ///< "2 (a.service/start)"

  JobOrder(const json& jobs, const json& pairs) {
    for (const json& job : jobs) {
      const std::int64_t id = number_of(job, "id").value_or(0);
      words[id] = format("{} ({}/{})", id, text_of(job, "unit"), text_of(job, "type"));
    }
    for (const json& pair : pairs) {
      const std::int64_t job = number_of(pair, "job").value_or(0);
      const std::int64_t other = number_of(pair, "waits_for").value_or(0);
      if (!words.contains(job) || !words.contains(other)) continue;
      blocking[other].push_back(job);
      waiting_for[job].push_back(other);
    }
  }
};

/// The rows below one job, as systemctl has them.
void add_others(Table& table, const JobOrder& order, std::int64_t id, const std::string& holder,
                const Options& options) {
  const auto add = [&](const auto& lists, std::string_view what) {
    const auto list = lists.find(id);
    if (list == lists.end()) return;
    for (const std::int64_t other : list->second) {
      table.add({std::string("└─"), format("\t{} {}", what, order.words.at(other)),
                 std::string("-"), std::string("-")});
    }
  };
  if (options.after) add(order.blocking, "blocking job");
  if (options.before) add(order.waiting_for, "waiting for job");
  if (options.before && !holder.empty()) {
    table.add({std::string("└─"), format("\twaiting for a slot in {}", holder), std::string("-"),
               std::string("-")});
  }
}

/// The table's columns by their names, as systemctl prints them; others by number.
json jobs_as_rows(const json& jobs, const JobOrder& order, const Options& options) {
  const auto list_of = [](const auto& lists, std::int64_t id) {
    const auto list = lists.find(id);
    return list == lists.end() ? json::array() : json(list->second);
  };
  json rows = json::array();
  for (const json& job : jobs) {
    const std::int64_t id = number_of(job, "id").value_or(0);
    json row = {{"job", id}};
    for (const char* column : {"unit", "type", "state"}) row[column] = raw_text_of(job, column);
    if (const std::string holder = raw_text_of(job, "held_by"); !holder.empty())
      row["held_by"] = holder;
    if (options.after) row["blocking"] = list_of(order.blocking, id);
    if (options.before) row["waiting_for"] = list_of(order.waiting_for, id);
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace

int verb_list_jobs(Command& command) {
  const Options& options = command.options;
  json reply;
  json asked = json::object();
  if (options.after || options.before) asked["order"] = true;
  if (auto listed = command.manager.call("ListJobs", asked, reply); !listed) {
    return command.fail("Failed to list jobs", listed.error());
  }
  json jobs = array_of(reply, "jobs");
  const JobOrder order(jobs, array_of(reply, "order"));
  const bool skipped = keep_matching(command, jobs);
  if (options.json != JsonStyle::Off) {
    command.print_json(jobs_as_rows(jobs, order, options));
    return 0;
  }
  if (jobs.empty()) {
    if (options.has_legend()) {
      command.out(format("No jobs {}.\n", skipped ? "listed" : "running"));
    }
    return 0;
  }
  Table table({"JOB", "UNIT", "TYPE", "STATE"});
  for (const json& job : jobs) {
    const std::int64_t id = number_of(job, "id").value_or(0);
    const std::string state = text_of(job, "state");
    const Tone tone = state == "running" ? Tone::Good : Tone::Plain;
    table.add({format("{}", id), Table::Cell(text_of(job, "unit"), tone), text_of(job, "type"),
               Table::Cell(state, tone)});
    add_others(table, order, id, text_of(job, "held_by"), options);
  }
  command.out(table.text(command.palette(), options.has_legend(), command.width(), 1));
  if (options.has_legend()) command.out(format("\n{} jobs listed.\n", jobs.size()));
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
