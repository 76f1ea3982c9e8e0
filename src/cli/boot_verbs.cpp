// time, blame, critical-chain, plot: what the boot took, systemd-analyze(1); and what is kept of it
// for the next one.
#include <nlohmann/json.hpp>

#include "base/format.h"
#include "base/text.h"
#include "cli/boot_times.h"
#include "cli/reply.h"
#include "cli/verbs.h"
#include "unit/boot_times.h"

namespace onset {
namespace {

using json = Json;

constexpr const char* kTimes[] = {"Id",
                                  "InactiveExitTimestampMonotonic",
                                  "ActiveEnterTimestampMonotonic",
                                  "ActiveExitTimestampMonotonic",
                                  "InactiveEnterTimestampMonotonic",
                                  "After"};

/// Prints what went wrong.
bool get_marks(Command& command, BootPhases& marks) {
  json reply;
  if (auto got = command.manager.call("GetManagerProperties", json::object(), reply); !got) {
    command.fail("Failed to get the times of the boot", got.error());
    return false;
  }
  marks = read_phases(object_of(reply, "properties"));
  return true;
}

/// Likewise; of all units that are loaded.
bool get_units(Command& command, std::vector<UnitTimes>& units) {
  json list;
  if (auto got = command.manager.collect("ListUnits", {{"all", true}}, "units", list); !got) {
    command.fail("Failed to list units", got.error());
    return false;
  }
  std::vector<std::string> names;
  for (const json& unit : list) {
    if (raw_text_of(unit, "load") != "not-found") names.push_back(raw_text_of(unit, "name"));
  }
  json answers;
  const json asked = {{"names", kTimes}};
  if (auto got = command.manager.collect_of(names, "ListProperties", asked, answers); !got) {
    command.fail("Failed to get the times of units", got.error());
    return false;
  }
  for (const json& answer : answers) {
    UnitTimes times = read_unit_times(object_of(answer, "properties"));
    if (times.activating.us > 0) units.push_back(std::move(times));
  }
  return true;
}

bool get_record(Command& command, BootRecord& record) {
  return get_marks(command, record.marks) && get_units(command, record.units);
}

bool has_finished(Command& command, const BootPhases& marks) {
  if (marks.finish.us > 0) return true;
  command.err(
      format("Bootup is not yet finished. Please try again later.\n"
             "Hint: Use '{}{} list-jobs' to see active jobs",
             command.program == "systemd-analyze" ? "systemctl" : command.program,
             command.options.user ? " --user" : ""));
  return false;
}

/// By the name that its file has; empty: it can't be told.
std::string default_target(Command& command) {
  json reply;
  if (!command.manager.call("GetDefault", json::object(), reply)) return {};
  return raw_text_of(reply, "unit");
}

MonoTime reached(Command& command, const std::string& target) {
  json answers;
  const json asked = {{"names", {"ActiveEnterTimestampMonotonic"}}};
  if (target.empty() || !command.manager.collect_of({target}, "ListProperties", asked, answers))
    return MonoTime{0};
  if (answers.empty()) return MonoTime{0};
  return read_unit_times(object_of(answers[0], "properties")).activated;
}

}  // namespace

int verb_time(Command& command) {
  BootPhases marks;
  if (!get_marks(command, marks) || !has_finished(command, marks)) return 1;
  const std::string target = default_target(command);
  const MonoTime at = reached(command, target);
  if (command.print_json(times_json(marks, at))) return 0;
  command.out(time_text(marks, target, at));
  return 0;
}

int verb_blame(Command& command) {
  BootRecord record;
  if (!get_record(command, record) || !has_finished(command, record.marks)) return 1;
  if (command.print_json(units_json(record))) return 0;
  command.out(blame_text(record));
  return 0;
}

int verb_critical_chain(Command& command) {
  BootRecord record;
  if (!get_record(command, record) || !has_finished(command, record.marks)) return 1;
  std::vector<std::string> roots;
  if (command.names.empty()) {
    roots.push_back(default_target(command));
  } else {
    auto names = unit_names(command);
    if (!names) return command.fail(names.error());
    roots = std::move(*names);
  }
  if (command.options.has_legend()) {
    command.out(
        "The time when unit became active or started is printed after the \"@\" character.\n"
        "The time the unit took to start is printed after the \"+\" character.\n\n");
  }
  for (const std::string& root : roots)
    command.out(chain_text(record, root, command.options.fuzz, command.palette()));
  return 0;
}

int verb_plot(Command& command) {
  BootRecord record;
  if (!get_record(command, record) || !has_finished(command, record.marks)) return 1;
  if (command.print_json(units_json(record))) return 0;
  std::string title = time_text(record.marks, {}, MonoTime{0});
  title.pop_back();
  const std::string& host = command.context.host.hostname;
  command.out(plot_text(record, host.empty() ? title : format("{}: {}", host, title)));
  return 0;
}

/// onset-boot-times.service: once all targets are reached, maybe a moment before the boot ends.
int verb_save_boot_times(Command& command) {
  std::vector<UnitTimes> units;
  if (!get_units(command, units)) return 1;
  std::vector<BootTime> times;
  for (const UnitTimes& unit : units) {
    if (unit.took() > Duration(0)) times.push_back({unit.name, unit.took()});
  }
  const std::string path = kBootTimesFile;
  SysResult done = command.context.changer.make_directories(path.substr(0, path.rfind('/')));
  if (done)
    done = command.context.changer.write_file(path, format_boot_times(std::move(times)), 0644);
  if (done) return 0;
  return command.fail(format("Failed to write {}: {}", path, to_string(done.error())));
}

}  // namespace onset
