// The layout of systemctl status: labels end at one column, values begin behind.
// What belongs below a label is indented as far.
#include "cli/status_view.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/format.h"
#include "cli/reply.h"
#include "control/json.h"
#include "unit/exit_status.h"
#include "unit/signals.h"

namespace onset {

namespace {

using json = Json;

constexpr std::size_t kLabelWidth = 11;
constexpr std::size_t kNameWidth = 15;                 ///< of a process, as the kernel has it
constexpr std::string_view kIndent = "             ";  // label, colon, space

class Lines {
 public:
  explicit Lines(const StatusLook& look) : look_(look) {}

  /// "     Loaded: …"; parts in colour are put in by paint().
  void label(std::string_view name, std::string_view value) {
    text_ += format("{:>{}}: {}\n", name, kLabelWidth, value);
  }
  /// A plain value, cut to the width.
  void cut_label(std::string_view name, std::string_view value) {
    label(name, ellipsize(value, value_width(0)));
  }
  void below(std::string_view value) { text_ += format("{}{}\n", kIndent, value); }
  void line(std::string_view value) { text_ += format("{}\n", value); }
  [[nodiscard]] std::string paint(Tone tone, std::string_view t) const {
    return look_.palette.paint(tone, t);
  }
  /// What is left of the line behind the labels and `taken` columns; 0: no limit.
  [[nodiscard]] std::size_t value_width(std::size_t taken) const {
    if (look_.width == 0) return 0;
    const std::size_t used = kIndent.size() + taken;
    return look_.width > used + 8 ? look_.width - used : 8;
  }
  [[nodiscard]] const StatusLook& look() const { return look_; }
  std::string take() { return std::move(text_); }

 private:
  StatusLook look_;
  std::string text_;
};

// ---- what the parts say -----------------------------------------------------

Tone load_tone(std::string_view load) {
  return load == "error" || load == "bad-setting" || load == "not-found" || load == "masked"
             ? Tone::Bad
             : Tone::Plain;
}

Tone enabled_tone(std::string_view state) {
  if (state == "enabled" || state == "enabled-runtime") return Tone::Good;
  if (state == "disabled" || state == "linked") return Tone::Warn;
  return Tone::Plain;
}

/// The preset says nothing about what can't be enabled, systemctl(1).
bool shows_preset(std::string_view state) {
  return state != "alias" && state != "static" && state != "generated" && state != "transient";
}

void add_loaded(Lines& lines, const json& unit) {
  const std::string load = text_of(unit, "load");
  const std::string file = text_of(unit, "file");
  const std::string state = text_of(unit, "file_state");
  const std::string preset = text_of(unit, "file_preset");
  const std::string error = text_of(unit, "load_error");
  std::string value = lines.paint(load_tone(load), load);
  if (!error.empty()) {
    value += format(" (Reason: {})", error);
  } else if (!file.empty()) {
    value += format(" ({}", file);
    if (!state.empty()) value += format("; {}", lines.paint(enabled_tone(state), state));
    if (!state.empty() && !preset.empty() && shows_preset(state)) {
      value += format("; preset: {}", lines.paint(enabled_tone(preset), preset));
    }
    value += ')';
  }
  lines.label("Loaded", value);
  if (flag_of(unit, "transient")) lines.label("Transient", "yes");
}

/// Folders, and below each its drop-ins on one line.
void add_dropins(Lines& lines, const json& unit) {
  std::string folder;
  std::string names;
  bool first = true;
  const auto add_folder = [&] {
    if (names.empty()) return;
    first ? lines.label("Drop-In", folder) : lines.below(folder);
    first = false;
    lines.below(format("└─{}", names));
    names.clear();
  };
  for (const std::string& path : texts_of(unit, "dropins")) {
    const std::size_t slash = path.rfind('/');
    const std::string here = slash == std::string::npos ? std::string() : path.substr(0, slash);
    if (here != folder) add_folder();
    folder = here;
    names += format("{}{}", names.empty() ? "" : ", ",
                    path.substr(slash == std::string::npos ? 0 : slash + 1));
  }
  add_folder();
}

/// The point of time that the state is shown with.
std::optional<std::int64_t> since(const json& unit) {
  const std::string active = raw_text_of(unit, "active");
  if (active == "active" || active == "reloading") return time_of(unit, "active_entered");
  if (active == "inactive" || active == "failed") return time_of(unit, "inactive_entered");
  if (active == "activating") return time_of(unit, "inactive_left");
  if (active == "deactivating") return time_of(unit, "active_left");
  return time_of(unit, "state_changed");
}

/// How long the unit was active, once it is not: not of a target, which does nothing.
std::optional<std::int64_t> duration(const json& unit) {
  const auto from = time_of(unit, "active_entered");
  const auto to = time_of(unit, "active_left");
  if (!from || !to || *to < *from || raw_text_of(unit, "name").ends_with(".target")) {
    return std::nullopt;
  }
  return *to - *from;
}

void add_active(Lines& lines, const json& unit) {
  const std::string active = text_of(unit, "active");
  const std::string sub = text_of(unit, "sub");
  const std::string result = text_of(unit, "result");
  std::string value =
      lines.paint(state_tone(active), active == sub ? active : format("{} ({})", active, sub));
  if (!result.empty() && result != "success") value += format(" (Result: {})", result);
  const WallTime now = lines.look().now;
  if (const auto at = since(unit)) {
    value +=
        format(" since {}; {}", format_time(*at, lines.look().time_style), format_age(*at, now));
  }
  lines.label("Active", value);
  if (const auto end = time_of(unit, "ends"); end && active == "active") {
    lines.label("Until", format("{}; {}", format_time(*end, lines.look().time_style),
                                format_age(*end, now)));
  }
  if (const auto lasted = duration(unit)) lines.label("Duration", format_lasting(*lasted));
}

std::string checked_at(Lines& lines, const json& failed, Tone tone, std::string_view what) {
  std::string value = format("start {}", lines.paint(tone, what));
  if (const auto at = time_of(failed, "checked")) {
    value += format(" at {}; {}", format_time(*at, lines.look().time_style),
                    format_age(*at, lines.look().now));
  }
  return value;
}

void add_checks(Lines& lines, const json& unit) {
  if (const json& failed = object_of(unit, "failed_conditions"); !failed.is_null()) {
    lines.label("Condition", checked_at(lines, failed, Tone::Warn, "condition failed"));
    const std::vector<std::string> checks = texts_of(failed, "checks");
    for (std::size_t i = 0; i < checks.size(); ++i) {
      lines.below(format("{}─ {} was not met", i + 1 < checks.size() ? "├" : "└", checks[i]));
    }
  }
  if (const json& failed = object_of(unit, "failed_asserts"); !failed.is_null()) {
    lines.label("Assert", checked_at(lines, failed, Tone::Bad, "assertion failed"));
    const std::vector<std::string> checks = texts_of(failed, "checks");
    // The one without a "|" failed for itself; else none of the others helped.
    const auto own = std::find_if(checks.begin(), checks.end(), [](const std::string& check) {
      return check.find("=|") == std::string::npos;
    });
    lines.below(own == checks.end() ? "none of the trigger assertions were met"
                                    : format("{} was not met", *own));
  }
}

void add_job(Lines& lines, const json& unit) {
  const json& job = object_of(unit, "job");
  if (job.is_null()) return;
  lines.label("Job", format("{} ({}, {}{})", number_of(job, "id").value_or(0), text_of(job, "type"),
                            text_of(job, "state"), what_it_waits_for(job)));
}

/// "● a.service", one below the other.
void add_others(Lines& lines, const json& unit, const char* key, std::string_view label) {
  bool first = true;
  for (const json& other : array_of(unit, key)) {
    const std::string active = raw_text_of(other, "active");
    const std::string value =
        format("{} {}", lines.paint(state_tone(active), state_dot(active)), text_of(other, "name"));
    first ? lines.label(label, value) : lines.below(value);
    first = false;
  }
}

void add_listen(Lines& lines, const json& unit) {
  bool first = true;
  for (const json& listen : array_of(unit, "listen")) {
    const std::string value =
        format("{} ({})", text_of(listen, "address"), text_of(listen, "kind"));
    first ? lines.label("Listen", value) : lines.below(value);
    first = false;
  }
}

void add_docs(Lines& lines, const json& unit) {
  bool first = true;
  for (const std::string& page : texts_of(unit, "documentation")) {
    first ? lines.label("Docs", page) : lines.below(page);
    first = false;
  }
}

// ---- processes --------------------------------------------------------------

/// "code=exited, status=1/FAILURE".
std::string ending_of(const json& record, Lines& lines) {
  const std::string code = text_of(record, "code");
  const int status = static_cast<int>(number_of(record, "status").value_or(0));
  std::string value = format("code={}, ", code);
  if (code == "exited") {
    const std::string_view name = exit_status_name(status);
    value += name.empty() ? format("status={}", status) : format("status={}/{}", status, name);
    return status == 0 ? value : lines.paint(Tone::Bad, value);
  }
  value += format("signal={}", signal_name(status));
  return lines.paint(Tone::Bad, value);
}

/// "name" of a running process: the last part of its command's first word.
std::string process_name(const json& unit, std::int64_t pid) {
  for (const json& process : array_of(unit, "processes")) {
    if (number_of(process, "pid") != pid) continue;
    std::string command = text_of(process, "command");
    command = command.substr(0, command.find(' '));
    command = command.substr(command.rfind('/') + 1);
    while (!command.empty() && (command.back() == ':' || command.back() == ']')) command.pop_back();
    if (command.starts_with('[')) command.erase(0, 1);
    command = ellipsize(command, kNameWidth);
    return command;
  }
  return {};
}

bool runs(const json& record) {
  return flag_of(record, "running");
}

/// A command that has ended: "Process: 12 ExecStartPre=… (code=exited, status=0/SUCCESS)".
void add_ended(Lines& lines, const json& record) {
  const std::string text = format("{} {}={}", number_of(record, "pid").value_or(0),
                                  text_of(record, "directive"), text_of(record, "command"));
  const std::string ending = ending_of(record, lines);
  lines.label("Process", format("{} ({})", ellipsize(text, lines.value_width(32)), ending));
}

std::string pid_and_name(const json& unit, const json& record) {
  const auto pid = number_of(record, "pid").value_or(0);
  const std::string name = process_name(unit, pid);
  return name.empty() ? format("{}", pid) : format("{} ({})", pid, name);
}

void add_processes(Lines& lines, const json& unit) {
  const json& control = object_of(unit, "control");
  const json& main = object_of(unit, "main");
  for (const json& record : array_of(unit, "commands")) {
    const auto pid = number_of(record, "pid");
    const bool has_successor = (runs(main) && number_of(main, "pid") == pid) ||
                               (runs(control) && number_of(control, "pid") == pid);
    if (!has_successor) add_ended(lines, record);
  }
  std::string value;
  if (runs(main)) {
    value = pid_and_name(unit, main);
  } else if (!main.is_null()) {
    value = format("{}", number_of(main, "pid").value_or(0));
    if (!raw_text_of(main, "code").empty()) value += format(" ({})", ending_of(main, lines));
  }
  if (!runs(control)) {
    if (!value.empty()) lines.label("Main PID", value);
  } else if (value.empty()) {
    lines.label("Cntrl PID", pid_and_name(unit, control));
  } else {
    lines.label("Main PID", format("{}; Control PID: {}", value, pid_and_name(unit, control)));
  }
}

void add_usage(Lines& lines, const json& unit) {
  const std::string status = text_of(unit, "status_text");
  if (!status.empty()) {
    lines.label("Status", lines.paint(Tone::Strong,
                                      format("\"{}\"", ellipsize(status, lines.value_width(2)))));
  }
  if (const auto error = number_of(unit, "status_errno")) {
    lines.label("Error", format("{} ({})", *error, errno_text(static_cast<int>(*error))));
  }
  if (const auto restarts = number_of(unit, "restarts"); restarts && *restarts > 0) {
    lines.label("Restarts", format("{}", *restarts));
  }
  if (const auto tasks = number_of(unit, "tasks")) {
    const auto refused = number_of(unit, "tasks_refused").value_or(0);
    lines.label("Tasks",
                refused > 0 ? format("{} ({} refused)", *tasks, refused) : format("{}", *tasks));
  }
  const auto bytes_of = [&](const char* name) {
    return format_bytes(static_cast<std::uint64_t>(number_of(unit, name).value_or(0)));
  };
  if (number_of(unit, "ip_ingress_bytes")) {
    lines.label("IP",
                format("{} in, {} out", bytes_of("ip_ingress_bytes"), bytes_of("ip_egress_bytes")));
  }
  const auto peak = number_of(unit, "memory_peak");
  if (number_of(unit, "memory")) {
    lines.label("Memory", peak
                              ? format("{} (peak: {})", bytes_of("memory"), bytes_of("memory_peak"))
                              : bytes_of("memory"));
  } else if (peak) {
    lines.label("Mem peak", bytes_of("memory_peak"));
  }
  if (number_of(unit, "io_read_bytes").value_or(0) > 0 ||
      number_of(unit, "io_write_bytes").value_or(0) > 0) {
    lines.label(
        "IO", format("{} read, {} written", bytes_of("io_read_bytes"), bytes_of("io_write_bytes")));
  }
  if (const auto cpu = number_of(unit, "cpu_nsec")) {
    lines.label("CPU", format_lasting(*cpu / 1000));
  }
}

void add_device(Lines& lines, const json& unit) {
  if (const std::string path = text_of(unit, "device"); !path.empty()) {
    lines.cut_label("Device", path);
  }
}

void add_limits(Lines& lines, const json& unit) {
  for (const std::string& text : texts_of(unit, "not_enforced")) {
    lines.label("Limits", lines.paint(Tone::Bad, text));
  }
}

void add_group(Lines& lines, const json& unit, std::string& tree) {
  if (array_of(unit, "processes").empty()) return;
  const std::string group = text_of(unit, "cgroup");
  lines.label(group.empty() ? "Processes" : "CGroup",
              group.empty() ? "found without a cgroup" : group);
  tree = process_tree(unit, kIndent, lines.look());
}

}  // namespace

int unit_status_code(const json& unit) {
  const std::string active = raw_text_of(unit, "active");
  if (raw_text_of(unit, "load") == "not-found" && active == "inactive") return 4;
  return active == "active" || active == "reloading" ? 0 : 3;
}

std::string unit_status_text(const json& unit, const StatusLook& look) {
  Lines lines(look);
  const std::string name = text_of(unit, "name");
  const std::string description = text_of(unit, "description");
  const std::string active = raw_text_of(unit, "active");
  const std::string head =
      description.empty() || description == name ? name : format("{} - {}", name, description);
  lines.line(format("{} {}", lines.paint(state_tone(active), state_dot(active)),
                    ellipsize(head, look.width > 2 ? look.width - 2 : 0)));
  add_loaded(lines, unit);
  add_dropins(lines, unit);
  add_active(lines, unit);
  if (const std::string problem = text_of(unit, "problem"); !problem.empty()) {
    lines.label("Problem", lines.paint(Tone::Bad, problem));
  }
  add_checks(lines, unit);
  add_job(lines, unit);
  add_others(lines, unit, "triggered_by", "TriggeredBy");
  add_others(lines, unit, "triggers", "Triggers");
  add_docs(lines, unit);
  add_listen(lines, unit);
  add_device(lines, unit);
  add_processes(lines, unit);
  add_usage(lines, unit);
  add_limits(lines, unit);
  std::string tree;
  add_group(lines, unit, tree);
  std::string text = lines.take() + tree;
  Lines tail(look);
  for (const std::string& note : texts_of(unit, "notes")) tail.label("Note", note);
  text += tail.take();
  return text;
}

std::string changed_on_disk(std::string_view unit, std::string_view program, bool is_user) {
  return format(
      "Warning: The unit file, source configuration file or drop-ins of {} changed on disk. "
      "Run '{}{} daemon-reload' to reload units.",
      unit, program, is_user ? " --user" : "");
}

}  // namespace onset
