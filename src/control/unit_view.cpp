#include "control/unit_view.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/format.h"
#include "base/text.h"
#include "control/json_object.h"
#include "unit/enum_words.h"

namespace onset {

namespace {

using json = Json;

// A hostile service can't make a reply much longer than its processes are many.
constexpr std::size_t kMaxProcesses = 4096;

json or_null(std::string_view text) {
  return text.empty() ? json() : json(text);
}

template <class T>
json or_null(const std::optional<T>& value) {
  return value ? json(*value) : json();
}

/// The directive that an ExecRole's commands stand in.
std::string_view directive_of(ExecRole role) {
  switch (role) {
    case ExecRole::Condition:
      return "ExecCondition";
    case ExecRole::StartPre:
      return "ExecStartPre";
    case ExecRole::Start:
      return "ExecStart";
    case ExecRole::StartPost:
      return "ExecStartPost";
    case ExecRole::Reload:
      return "ExecReload";
    case ExecRole::Stop:
      return "ExecStop";
    case ExecRole::StopPost:
      return "ExecStopPost";
  }
  return {};
}

json view_exec(const Unit& unit, const ServiceProcess& process, ExecRole role, std::size_t index) {
  if (process.last_pid == 0) return nullptr;  // there has never been one
  const bool running = process.pid != 0;
  const bool is_known = !running && process.last.kind != ExitKind::None;
  return json_object({{"pid", process.last_pid},
                      {"running", running},
                      {"directive", directive_of(role)},
                      {"command", command_text(unit, role, index)},
                      {"started", view_time(process.started)},
                      {"exited", is_known ? view_time(process.exited) : json()},
                      {"code", is_known ? json(to_string(process.last.kind)) : json()},
                      {"status", is_known ? json(process.last.value) : json()}});
}

/// The commands that have ended, in the order in which systemctl lists them:
/// that of the directives.
json view_commands(const Manager& manager, UnitId id) {
  const Unit& unit = manager.graph().unit(id);
  const auto records = manager.command_records(id);
  std::vector<CommandRecord> ended;
  for (const CommandRecord& r : records) {
    if (r.exited.is_set() && r.status.kind != ExitKind::None) ended.push_back(r);
  }
  std::sort(ended.begin(), ended.end(), [](const CommandRecord& a, const CommandRecord& b) {
    return std::pair(a.role, a.index) < std::pair(b.role, b.index);
  });
  json list = json::array();
  for (const CommandRecord& r : ended) {
    const ServiceProcess process{0, r.pid, r.status, r.started, r.exited};
    list.push_back(view_exec(unit, process, r.role, r.index));
  }
  return list;
}

/// "sub/deeper" of a group that lies below the unit's; null in the unit's own.
json group_below(std::string_view unit_group, std::string_view group) {
  if (unit_group.empty() || !group.starts_with(unit_group)) return nullptr;
  group.remove_prefix(unit_group.size());
  return group.starts_with('/') && group.size() > 1 ? json(group.substr(1)) : json();
}

json view_processes(ControlBackend& backend, UnitId id, const ServiceState& service) {
  json list = json::array();
  const std::string unit_group = backend.control_group(id);
  for (pid_t pid : backend.processes(id)) {
    if (list.size() >= kMaxProcesses) break;
    const char* role = "other";
    if (pid == service.main.pid) role = "main";
    if (pid == service.control.pid) role = "control";
    const ProcessPlace place = backend.place(pid);
    list.push_back(json_object({{"pid", pid},
                                {"role", role},
                                {"command", backend.command_line(pid)},
                                {"group", group_below(unit_group, place.group)},
                                {"parent", place.parent > 0 ? json(place.parent) : json()}}));
  }
  return list;
}

json view_failed(const std::vector<std::string>& checks, const Timestamp& checked) {
  if (checks.empty()) return nullptr;
  return json_object({{"checks", checks}, {"checked", view_time(checked)}});
}

json view_notes(const Manager& manager, const Unit& unit) {
  json notes = json::array();
  const auto& dropins = unit.dropin_paths;
  for (const Diagnostic& d : manager.load_diagnostics()) {
    if (d.file.empty()) continue;
    if (d.file != unit.fragment_path &&
        std::find(dropins.begin(), dropins.end(), d.file) == dropins.end()) {
      continue;
    }
    notes.push_back(to_string(d));
  }
  return notes;
}

void add_service(json& view, const Manager& manager, ControlBackend& backend, UnitId id) {
  const Unit& unit = manager.graph().unit(id);
  const UnitRuntime& runtime = manager.runtime(id);
  const ServiceState& s = runtime.service;
  const bool oneshot = unit.service != nullptr && unit.service->type == ServiceType::Oneshot;
  view["result"] = to_string(s.result);
  view["main"] = view_exec(unit, s.main, ExecRole::Start, oneshot ? s.command_index : 0);
  view["control"] = view_exec(unit, s.control, s.control_role, s.command_index);
  view["commands"] = view_commands(manager, id);
  view["processes"] = view_processes(backend, id, s);
  view["status_text"] = or_null(manager.status_text(id));
  view["status_errno"] = s.status_errno == 0 ? json() : json(s.status_errno);
  view["restarts"] = s.restarts;
  if (s.runtime_deadline != kNever && runtime.active_enter.is_set()) {
    const Duration lasts = s.runtime_deadline - runtime.active_enter.mono;
    view["ends"] = json_object({{"realtime", runtime.active_enter.wall.us + lasts.count()},
                                {"monotonic", s.runtime_deadline.us}});
  }
}

/// Units at the other end of a kind of dependency.
json view_others(const Manager& manager, UnitId id, DependencyKind kind) {
  json list = json::array();
  for (const Dependency& d : manager.graph().dependencies(id)) {
    if (d.kinds.has(kind)) list.push_back(view_summary(manager, d.other));
  }
  return list;
}

json view_listen(const Unit& unit) {
  json list = json::array();
  if (unit.socket == nullptr) return list;
  for (const ListenAddress& listen : unit.socket->listen) {
    list.push_back(json_object({{"address", to_string(listen)}, {"kind", to_string(listen.kind)}}));
  }
  return list;
}

json view_automount(const Manager& manager, UnitId id) {
  const AutomountConfig& config = *manager.graph().unit(id).automount;
  const UnitId mount = manager.mount_of_automount(id);
  const MountConfig* what = mount.valid() ? manager.graph().unit(mount).mount.get() : nullptr;
  return json_object({{"what", what != nullptr ? or_null(what->what) : json()},
                      {"where", config.where},
                      {"mounted", mount.valid() && manager.runtime(mount).mount.is_there != 0},
                      {"idle_usec", config.timeout_idle.count()}});
}

}  // namespace

json view_time(const Timestamp& t) {
  if (!t.is_set()) return nullptr;
  return json_object({{"realtime", t.wall.us}, {"monotonic", t.mono.us}});
}

json view_ended_job(const UnitGraph& graph, const Job& job) {
  return json_object({{"id", job.id.value},
                      {"unit", graph.unit(job.unit).id},
                      {"type", to_string(job.type)},
                      {"state", job.state == JobState::Running ? "running" : "waiting"},
                      {"waits_for", nullptr},
                      {"held_by", nullptr},
                      {"queued", json_object({{"realtime", job.queued.wall.us},
                                              {"monotonic", job.queued.mono.us}})},
                      {"began", view_time(job.began)}});
}

json view_job(const Manager& manager, const Job& job) {
  json view = view_ended_job(manager.graph(), job);
  if (job.state == JobState::Waiting) {
    if (const JobId blocker = manager.blocker_of(job); blocker.value != 0) {
      view["waits_for"] = blocker.value;
    } else if (job.held_by.is_set()) {
      view["held_by"] = manager.holder_text(job);
    }
  }
  return view;
}

json view_diagnostic(const Diagnostic& d) {
  const char* severity = "note";
  if (d.severity == Severity::Warning) severity = "warning";
  if (d.severity == Severity::Error) severity = "error";
  return json_object(
      {{"severity", severity}, {"file", d.file}, {"line", d.line}, {"message", d.message}});
}

json view_summary(const Manager& manager, UnitId id) {
  const Unit& unit = manager.graph().unit(id);
  const Job* job = manager.job(manager.runtime(id).job);
  return json_object(
      {{"name", unit.id},
       {"description", unit.config.description.empty() ? unit.id : unit.config.description},
       {"load", to_string(unit.load_state)},
       {"active", to_string(manager.active_state(id))},
       {"sub", manager.sub_state(id)},
       {"job", job != nullptr ? json(job->id.value) : json()},
       {"job_type", job != nullptr ? json(to_string(job->type)) : json()}});
}

json view_missing(const std::string& name) {
  json view = json_object({{"name", name},
                           {"names", json::array({name})},
                           {"description", name},
                           {"documentation", json::array()},
                           {"load", to_string(LoadState::NotFound)},
                           {"load_error", not_found_text(name)},
                           {"active", to_string(ActiveState::Inactive)},
                           {"sub", "dead"},
                           {"dropins", json::array()},
                           {"needs_reload", false},
                           {"commands", json::array()},
                           {"processes", json::array()},
                           {"not_enforced", json::array()},
                           {"transient", false},
                           {"listen", json::array()},
                           {"triggers", json::array()},
                           {"triggered_by", json::array()},
                           {"notes", json::array()}});
  for (const char* absent : {"result",
                             "file",
                             "file_state",
                             "file_preset",
                             "state_changed",
                             "active_entered",
                             "active_left",
                             "inactive_entered",
                             "inactive_left",
                             "failed_conditions",
                             "failed_asserts",
                             "main",
                             "control",
                             "tasks",
                             "memory",
                             "cpu_nsec",
                             "memory_peak",
                             "io_read_bytes",
                             "io_write_bytes",
                             "ip_ingress_bytes",
                             "ip_egress_bytes",
                             "tasks_refused",
                             "cgroup",
                             "slice",
                             "status_text",
                             "status_errno",
                             "invocation_id",
                             "restarts",
                             "job",
                             "problem",
                             "ends",
                             "device",
                             "automount"}) {
    view[absent] = nullptr;
  }
  return view;
}

json view_status(const Manager& manager, ControlBackend& backend, UnitId id) {
  const Unit& unit = manager.graph().unit(id);
  const UnitRuntime& runtime = manager.runtime(id);
  json view = view_missing(unit.id);
  view.update(view_summary(manager, id));
  view.erase("job_type");

  for (const std::string& alias : unit.aliases) view["names"].push_back(alias);
  view["documentation"] = unit.config.documentation;
  view["load_error"] = or_null(load_problem(unit));
  view["file"] = or_null(unit.fragment_path);
  view["dropins"] = unit.dropin_paths;
  const UnitFileFacts facts = backend.file_facts(unit);
  view["file_state"] = or_null(facts.state);
  view["file_preset"] = or_null(facts.preset);
  view["needs_reload"] = backend.needs_reload(unit);

  view["state_changed"] = view_time(runtime.state_change);
  view["active_entered"] = view_time(runtime.active_enter);
  view["active_left"] = view_time(runtime.active_exit);
  view["inactive_entered"] = view_time(runtime.inactive_enter);
  view["inactive_left"] = view_time(runtime.inactive_exit);
  view["failed_conditions"] = view_failed(failed_conditions(unit, runtime), runtime.condition_time);
  view["failed_asserts"] = view_failed(failed_asserts(unit, runtime), runtime.assert_time);
  view["listen"] = view_listen(unit);
  view["triggers"] = view_others(manager, id, DependencyKind::Triggers);
  view["triggered_by"] = view_others(manager, id, DependencyKind::TriggeredBy);
  if (unit.type == UnitType::Service) add_service(view, manager, backend, id);
  if (has_scope_processes(unit)) {
    view["result"] = to_string(runtime.scope.result);
    view["processes"] = view_processes(backend, id, runtime.service);
  }
  if (unit.socket != nullptr) view["result"] = to_string(runtime.socket.result);
  if (unit.automount != nullptr) {
    view["result"] = to_string(runtime.automount.result);
    view["automount"] = view_automount(manager, id);
  }

  const UnitUsage usage = backend.usage(id);
  view["tasks"] = or_null(usage.tasks);
  view["memory"] = or_null(usage.memory);
  view["cpu_nsec"] = or_null(usage.cpu_nsec);
  view["memory_peak"] = or_null(usage.memory_peak);
  view["io_read_bytes"] = or_null(usage.io_read_bytes);
  view["io_write_bytes"] = or_null(usage.io_write_bytes);
  view["ip_ingress_bytes"] = or_null(usage.ip_ingress_bytes);
  view["ip_egress_bytes"] = or_null(usage.ip_egress_bytes);
  view["tasks_refused"] = or_null(usage.tasks_refused);
  view["not_enforced"] = backend.not_enforced(id);
  view["cgroup"] = or_null(backend.control_group(id));
  view["slice"] = or_null(unit.cgroup != nullptr ? unit.cgroup->slice : std::string());
  view["transient"] = unit.is_transient;
  view["invocation_id"] = or_null(to_hex(runtime.invocation));
  const Job* job = manager.job(runtime.job);
  view["job"] = job != nullptr ? view_job(manager, *job) : json();
  view["device"] = or_null(manager.syspath(id));
  view["problem"] = or_null(manager.problem(id));
  view["notes"] = view_notes(manager, unit);
  for (std::string& line : backend.starvation(id)) view["notes"].push_back(std::move(line));
  return view;
}

std::string not_found_text(std::string_view name) {
  return format("Unit {} not found.", name);
}

std::string load_problem(const Unit& unit) {
  if (unit.load_state == LoadState::NotFound) return not_found_text(unit.id);
  if (unit.load_state == LoadState::Masked) return format("Unit {} is masked.", unit.id);
  return unit.load_error;
}

std::string to_hex(const InvocationId& id) {
  std::string text;
  bool any = false;
  for (std::uint8_t byte : id) {
    text += format("{:02x}", byte);
    any = any || byte != 0;
  }
  return any ? text : std::string();
}

std::string command_text(const Unit& unit, ExecRole role, std::size_t index) {
  if (unit.service == nullptr) return {};
  const auto& commands = unit.service->commands(role);
  return index < commands.size() ? join(commands[index].argv, " ") : std::string();
}

std::string_view to_string(SystemState state) {
  switch (state) {
    case SystemState::Initializing:
      return "initializing";
    case SystemState::Starting:
      return "starting";
    case SystemState::Running:
      return "running";
    case SystemState::Degraded:
      return "degraded";
    case SystemState::Maintenance:
      return "maintenance";
    case SystemState::Stopping:
      return "stopping";
    case SystemState::Offline:
      return "offline";
  }
  return "";
}

namespace {

std::vector<std::string> failed_checks(const std::vector<Condition>& checks, std::uint64_t failed,
                                       std::string_view prefix) {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < checks.size() && i < 64; ++i) {
    if (((failed >> i) & 1U) == 0) continue;
    const Condition& c = checks[i];
    texts.push_back(format("{}{}={}{}{}", prefix, to_string(c.type), c.trigger ? "|" : "",
                           c.negate ? "!" : "", c.parameter));
  }
  return texts;
}

}  // namespace

std::vector<std::string> failed_conditions(const Unit& unit, const UnitRuntime& runtime) {
  if (runtime.condition_result) return {};
  return failed_checks(unit.config.conditions, runtime.failed_conditions, "Condition");
}

std::vector<std::string> failed_asserts(const Unit& unit, const UnitRuntime& runtime) {
  if (runtime.assert_result) return {};
  return failed_checks(unit.config.asserts, runtime.failed_asserts, "Assert");
}

}  // namespace onset
