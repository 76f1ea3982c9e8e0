// The layout of systemctl status: labels end at one column, values begin behind.
// What belongs below a label is indented as far.
#include "cli/status_view.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/format.h"
#include "cli/reply.h"
#include "unit/exit_status.h"
#include "unit/signals.h"

namespace onset {

namespace {

using nlohmann::json;

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

void add_loaded(Lines& lines, const json& unit) {
  const std::string load = text_of(unit, "load");
  const std::string file = text_of(unit, "file");
  const std::string state = text_of(unit, "file_state");
  const std::string preset = text_of(unit, "file_preset");
  const std::string error = text_of(unit, "load_error");
  std::string value = lines.paint(load_tone(load), load);
  if (!error.empty() && load != "not-found") {
    value += format(" (Reason: {})", error);
  } else if (!file.empty()) {
    value += format(" ({}", file);
    if (!state.empty()) value += format("; {}", lines.paint(enabled_tone(state), state));
    if (!preset.empty()) value += format("; preset: {}", lines.paint(enabled_tone(preset), preset));
    value += ')';
  }
  lines.label("Loaded", value);
}

/// Folders with their drop-ins below.
void add_dropins(Lines& lines, const json& unit) {
  const std::vector<std::string> paths = texts_of(unit, "dropins");
  std::string folder;
  bool first = true;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    const std::size_t slash = paths[i].rfind('/');
    const std::string here = slash == std::string::npos ? std::string() : paths[i].substr(0, slash);
    if (here != folder || first) {
      first ? lines.label("Drop-In", here) : lines.below(here);
      first = false;
      folder = here;
    }
    const bool last =
        i + 1 == paths.size() || paths[i + 1].substr(0, paths[i + 1].rfind('/')) != here;
    lines.below(format("{}─{}", last ? "└" : "├", paths[i].substr(slash + 1)));
  }
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

void add_active(Lines& lines, const json& unit) {
  const std::string active = text_of(unit, "active");
  const std::string sub = text_of(unit, "sub");
  const std::string result = text_of(unit, "result");
  std::string detail = sub;
  if (active == "failed" && !result.empty() && result != "success") {
    detail = format("Result: {}", result);
  }
  std::string value = lines.paint(state_tone(active), format("{} ({})", active, detail));
  if (const auto at = since(unit)) {
    value += format(" since {}; {}", format_time(*at), format_age(*at, lines.look().now));
  }
  lines.label("Active", value);
}

void add_checks_and_job(Lines& lines, const json& unit) {
  const json& check = object_of(unit, "failed_check");
  if (!check.is_null()) {
    const std::string text = text_of(check, "check");
    const auto at = time_of(check, "checked");
    std::string value = "start condition failed";
    if (at) value += format(" at {}; {}", format_time(*at), format_age(*at, lines.look().now));
    lines.label("Condition", value);
    lines.below(format("└─ {} was not met", text));
  }
  const json& job = object_of(unit, "job");
  if (job.is_null()) return;
  const auto waits = number_of(job, "waits_for");
  lines.label("Job",
              format("{} ({}, {}{})", number_of(job, "id").value_or(0), text_of(job, "type"),
                     text_of(job, "state"), waits ? format(" for job {}", *waits) : std::string()));
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

void add_ended(Lines& lines, const json& record) {
  const std::string text =
      format("{}={}", text_of(record, "directive"), text_of(record, "command"));
  const std::string ending = ending_of(record, lines);
  lines.label("Process", format("{} ({})", ellipsize(text, lines.value_width(32)), ending));
}

void add_main_and_control(Lines& lines, const json& unit) {
  const json& control = object_of(unit, "control");
  const json& main = object_of(unit, "main");
  const bool control_runs = number_of(control, "pid").value_or(0) > 0;
  if (!control.is_null() && !control_runs && !raw_text_of(control, "code").empty()) {
    add_ended(lines, control);
  }
  const auto main_pid = number_of(main, "pid").value_or(0);
  if (main_pid > 0) {
    const std::string name = process_name(unit, main_pid);
    lines.label("Main PID",
                name.empty() ? format("{}", main_pid) : format("{} ({})", main_pid, name));
  } else if (!main.is_null() && !raw_text_of(main, "code").empty()) {
    add_ended(lines, main);
  }
  if (control_runs) {
    const auto pid = number_of(control, "pid").value_or(0);
    lines.label("Cntrl PID", format("{} ({})", pid, process_name(unit, pid)));
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
  if (const auto tasks = number_of(unit, "tasks"); tasks && *tasks > 0) {
    lines.label("Tasks", format("{}", *tasks));
  }
  if (const auto memory = number_of(unit, "memory"); memory && *memory > 0) {
    lines.label("Memory", format_bytes(static_cast<std::uint64_t>(*memory)));
  }
}

/// "├─1234 /usr/sbin/nginx", one line for each process. `indent` stands before.
void add_process_tree(std::string& out, const json& unit, std::string_view indent,
                      const StatusLook& look) {
  const json& processes = array_of(unit, "processes");
  std::size_t digits = 1;
  for (const json& process : processes) {
    digits = std::max(digits, format("{}", number_of(process, "pid").value_or(0)).size());
  }
  for (std::size_t i = 0; i < processes.size(); ++i) {
    const std::string pid = format("{:>{}}", number_of(processes[i], "pid").value_or(0), digits);
    const std::string head = format("{}{}─{} ", indent, i + 1 == processes.size() ? "└" : "├", pid);
    const std::size_t taken = display_width(head);
    const std::size_t room =
        look.width == 0 ? 0 : std::max<std::size_t>(look.width - std::min(look.width, taken), 8);
    out += head + ellipsize(text_of(processes[i], "command"), room) + '\n';
  }
}

void add_group(Lines& lines, const json& unit, std::string& tree) {
  if (array_of(unit, "processes").empty()) return;
  const std::string group = text_of(unit, "cgroup");
  lines.label(group.empty() ? "Processes" : "CGroup",
              group.empty() ? "found without a cgroup" : group);
  add_process_tree(tree, unit, kIndent, lines.look());
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
  add_checks_and_job(lines, unit);
  add_docs(lines, unit);
  add_main_and_control(lines, unit);
  add_usage(lines, unit);
  std::string tree;
  add_group(lines, unit, tree);
  std::string text = lines.take() + tree;
  Lines tail(look);
  for (const std::string& note : texts_of(unit, "notes")) tail.label("Note", note);
  text += tail.take();
  if (flag_of(unit, "needs_reload")) {
    text += look.palette.paint(Tone::Warn,
                               format("Warning: the files of {} have changed since they were read. "
                                      "Run '{} daemon-reload' to load them.",
                                      name, look.program)) +
            '\n';
  }
  return text;
}

namespace {

/// "● host" and the lines below it.
void add_summary(Lines& lines, const json& manager, std::string_view host, std::size_t failed,
                 std::int64_t since_us) {
  const std::string state = text_of(manager, "SystemState");
  const Tone tone = state == "running"                              ? Tone::Good
                    : state == "degraded" || state == "maintenance" ? Tone::Bad
                                                                    : Tone::Warn;
  lines.line(format("{} {}", lines.paint(tone, state == "degraded" ? "×" : "●"), printable(host)));
  lines.label("State", lines.paint(tone, state));
  const std::string jobs = text_of(manager, "NJobs");
  lines.label("Jobs", format("{} queued", jobs.empty() ? "0" : jobs));
  lines.label("Failed",
              lines.paint(failed > 0 ? Tone::Bad : Tone::Plain, format("{} units", failed)));
  if (since_us > 0) {
    lines.label("Since",
                format("{}; {}", format_time(since_us), format_age(since_us, lines.look().now)));
  }
  lines.label("onset", text_of(manager, "Version"));
  const std::string backend = text_of(manager, "ProcessBackend");
  if (!backend.empty()) lines.label("Processes", format("by {}", backend));
}

}  // namespace

std::string system_status_text(const json& manager, std::string_view host,
                               const std::vector<json>& units, std::int64_t since,
                               const StatusLook& look) {
  Lines lines(look);
  std::size_t failed = 0;
  std::vector<const json*> shown;
  for (const json& unit : units) {
    const bool is_failed = raw_text_of(unit, "active") == "failed";
    if (is_failed) ++failed;
    if (is_failed || !array_of(unit, "processes").empty()) shown.push_back(&unit);
  }
  add_summary(lines, manager, host, failed, since);
  std::string text = lines.take();
  for (std::size_t i = 0; i < shown.size(); ++i) {
    const json& unit = *shown[i];
    const bool last = i + 1 == shown.size();
    const std::string active = raw_text_of(unit, "active");
    const std::string sub = text_of(unit, "sub");
    text += format("{}{}─{} {} {}\n", kIndent, last ? "└" : "├",
                   look.palette.paint(state_tone(active), state_dot(active)), text_of(unit, "name"),
                   look.palette.paint(Tone::Dim, format("({})", sub)));
    add_process_tree(text, unit, format("{}{} ", kIndent, last ? " " : "│"), look);
  }
  return text;
}

}  // namespace onset
