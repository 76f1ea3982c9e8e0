// The table of directives first; what the engine knows better (defaults that
// the manager fills in, dependencies of the graph, state) over it.
#include "control/properties.h"

#include <algorithm>
#include <array>

#include "base/format.h"
#include "base/text.h"
#include "control/unit_view.h"
#include "graph/applicable.h"
#include "unit/directives.h"
#include "unit/enum_words.h"
#include "unit/manager_settings.h"
#include "unit/resource_parsers.h"
#include "unit/signals.h"
#include "unit/unit_members.h"
#include "unit/values.h"

namespace onset {

namespace {

/// Which properties are asked for; without names all of them.
class Wanted {
 public:
  explicit Wanted(const PropertyNames& names) : names_(names) {}
  [[nodiscard]] bool has(std::string_view name) const {
    return !names_ || std::find(names_->begin(), names_->end(), name) != names_->end();
  }
  /// Leaves out what nobody asked for.
  Properties only(Properties all) const {
    if (names_) std::erase_if(all, [&](const auto& entry) { return !has(entry.first); });
    return all;
  }

 private:
  const PropertyNames& names_;
};

std::string yes_no(bool value) {
  return value ? "yes" : "no";
}

template <class T>
std::string or_unset(const std::optional<T>& value, std::string_view otherwise = "[not set]") {
  return value ? format("{}", *value) : std::string(otherwise);
}

void put(Properties& p, std::string name, std::string value) {
  p.insert_or_assign(std::move(name), std::move(value));
}

void put_time(Properties& p, const std::string& name, const Timestamp& t) {
  p.insert_or_assign(name, t.is_set() ? format("{}", t.wall.us) : std::string());
  p.insert_or_assign(name + "Monotonic", format("{}", t.mono.us));
}

// ---- settings ---------------------------------------------------------------

/// The rows that are settings of this type: [Unit], its own section, and with
/// [Service] what it shares with others.
void put_settings(Properties& p, const Unit& unit, const Wanted& wanted) {
  const auto own = section_of(unit.type);
  for (const Directive& d : directives()) {
    if (d.show == nullptr) continue;
    const bool is_own =
        d.section == Section::Unit || d.section == own ||
        (own && d.section == Section::Service && find_directive(*own, d.name) == &d);
    if (!is_own) continue;
    // Properties of their own in no systemd: what came of them is ConditionResult.
    if (d.name.starts_with("Condition") || d.name.starts_with("Assert")) continue;
    const std::string_view name = d.property.empty() ? d.name : d.property;
    if (!wanted.has(name)) continue;
    p.insert_or_assign(std::string(name), d.show(unit));
  }
}

void put_dependencies(Properties& p, const UnitGraph& graph, UnitId id, const Wanted& wanted) {
  std::array<std::string, kDependencyKinds> names;
  std::array<bool, kDependencyKinds> shown{};
  for (unsigned kind = 0; kind < kDependencyKinds; ++kind) {
    shown[kind] = wanted.has(to_string(static_cast<DependencyKind>(kind)));
  }
  for (const Dependency& d : graph.dependencies(id)) {
    for (unsigned kind = 0; kind < kDependencyKinds; ++kind) {
      if (!shown[kind] || !d.kinds.has(static_cast<DependencyKind>(kind))) continue;
      if (!names[kind].empty()) names[kind] += ' ';
      names[kind] += graph.unit(d.other).id;
    }
  }
  for (unsigned kind = 0; kind < kDependencyKinds; ++kind) {
    const auto k = static_cast<DependencyKind>(kind);
    if (k == DependencyKind::InSlice) continue;  // Slice=
    if (k == DependencyKind::References || k == DependencyKind::ReferencedBy)
      continue;  // nobody's word
    p.insert_or_assign(std::string(to_string(k)), names[kind]);
  }
}

// ---- state ------------------------------------------------------------------

/// systemd names the D-Bus error that a job for the unit would end in.
std::string load_error(const Unit& unit) {
  const char* error = nullptr;
  switch (unit.load_state) {
    case LoadState::Stub:
    case LoadState::Loaded:
    case LoadState::Merged:
      return {};
    case LoadState::NotFound:
      return format("org.freedesktop.systemd1.NoSuchUnit \"{}\"", not_found_text(unit.id));
    case LoadState::BadSetting:
      error = "org.freedesktop.systemd1.BadUnitSetting";
      break;
    case LoadState::Error:
      error = "org.freedesktop.systemd1.LoadFailed";
      break;
    case LoadState::Masked:
      error = "org.freedesktop.systemd1.UnitMasked";
      break;
  }
  return format("{} \"{}\"", error, load_problem(unit));
}

void put_identity(Properties& p, const Unit& unit, ControlBackend& backend, const Wanted& wanted) {
  std::vector<std::string> names{unit.id};
  names.insert(names.end(), unit.aliases.begin(), unit.aliases.end());
  // These look into folders and files.
  if (wanted.has("UnitFileState") || wanted.has("UnitFilePreset")) {
    const UnitFileFacts facts = backend.file_facts(unit);
    put(p, "UnitFileState", facts.state);
    put(p, "UnitFilePreset", facts.preset);
  }
  if (wanted.has("NeedDaemonReload")) {
    put(p, "NeedDaemonReload", yes_no(backend.needs_reload(unit)));
  }
  put(p, "Id", unit.id);
  put(p, "Names", join(names, " "));
  put(p, "Following", {});
  put(p, "Description", unit.config.description.empty() ? unit.id : unit.config.description);
  put(p, "LoadState", std::string(to_string(unit.load_state)));
  put(p, "LoadError", load_error(unit));
  put(p, "FragmentPath", unit.fragment_path);
  put(p, "DropInPaths", join(unit.dropin_paths, " "));
  put(p, "Transient", yes_no(unit.is_transient));
  put(p, "Perpetual", yes_no(is_perpetual(unit)));
}

void put_abilities(Properties& p, const UnitGraph& graph, UnitId id) {
  const Unit& unit = graph.unit(id);
  const bool loaded = unit.load_state == LoadState::Loaded;
  auto can = [&](JobType type) { return loaded && is_applicable(graph, id, type); };
  put(p, "CanStart", yes_no(can(JobType::Start) && !unit.config.refuse_manual_start));
  put(p, "CanStop", yes_no(can(JobType::Stop) && !unit.config.refuse_manual_stop));
  put(p, "CanReload", yes_no(loaded && can_reload(graph, id)));
  put(p, "CanIsolate",
      yes_no(can(JobType::Start) && unit.config.allow_isolate && !unit.config.refuse_manual_start));
  put(p, "CanClean", {});
}

void put_state(Properties& p, const Manager& manager, UnitId id) {
  const UnitRuntime& rt = manager.runtime(id);
  const UnitConfig& config = manager.graph().unit(id).config;
  put(p, "ActiveState", std::string(to_string(manager.active_state(id))));
  put(p, "SubState", std::string(manager.sub_state(id)));
  put_time(p, "StateChangeTimestamp", rt.state_change);
  put_time(p, "ActiveEnterTimestamp", rt.active_enter);
  put_time(p, "ActiveExitTimestamp", rt.active_exit);
  put_time(p, "InactiveEnterTimestamp", rt.inactive_enter);
  put_time(p, "InactiveExitTimestamp", rt.inactive_exit);
  put_time(p, "ConditionTimestamp", rt.condition_time);
  put(p, "ConditionResult", yes_no(rt.condition_result));
  put_time(p, "AssertTimestamp", rt.assert_time);
  put(p, "AssertResult", yes_no(rt.assert_result));
  put(p, "InvocationID", to_hex(rt.invocation));
  const Job* job = manager.job(rt.job);
  put(p, "Job", job != nullptr ? format("{}", job->id.value) : std::string());
  put(p, "StartLimitIntervalUSec",
      format_span(
          config.start_limit_interval.value_or(manager.config().defaults.start_limit_interval)));
  put(p, "StartLimitBurst",
      format("{}", config.start_limit_burst.value_or(manager.config().defaults.start_limit_burst)));
}

/// Of what a unit may use, what the manager's settings decide.
void put_resource_defaults(Properties& p, const ManagerSettings& defaults, const Unit& unit) {
  const auto& config = config_of<ResourceConfig>(unit);
  const auto put_flag = [&](const char* name, const std::optional<bool>& own, bool otherwise) {
    put(p, name, yes_no(own.value_or(otherwise)));
  };
  put_flag("CPUAccounting", config.cpu_accounting, defaults.cpu_accounting);
  put_flag("MemoryAccounting", config.memory_accounting, defaults.memory_accounting);
  put_flag("TasksAccounting", config.tasks_accounting, defaults.tasks_accounting);
  put_flag("IOAccounting", config.io_accounting, defaults.io_accounting);
  put_flag("BlockIOAccounting", config.block_io_accounting, defaults.io_accounting);
  put_flag("IPAccounting", config.ip_accounting, defaults.ip_accounting);
  put(p, "MemoryPressureWatch",
      std::string(to_string(config.pressure_watch.value_or(defaults.pressure_watch))));
  put(p, "MemoryPressureThresholdUSec",
      format_span(config.pressure_threshold.value_or(defaults.pressure_threshold)));
  if (unit.service && !unit.service->oom_policy_written) {
    put(p, "OOMPolicy", std::string(to_string(defaults.oom_policy)));
  }
  if (!config.tasks_max) {
    const bool is_slice = unit.type == UnitType::Slice;
    const std::uint64_t most = defaults.tasks_max.value_or(kUnlimited);
    put(p, "TasksMax", format_amount(is_slice ? kUnlimited : most));
  }
  put(p, "DelegateControllers", format_controllers(config.delegated));
}

void put_resources(Properties& p, ControlBackend& backend, UnitId id, const Wanted& wanted) {
  put(p, "NotEnforced", join(backend.not_enforced(id), "\n"));
  constexpr std::string_view kMeasured[] = {
      "MemoryCurrent",  "MemoryPeak",       "CPUUsageNSec",  "TasksCurrent",
      "IOReadBytes",    "IOReadOperations", "IOWriteBytes",  "IOWriteOperations",
      "IPIngressBytes", "IPIngressPackets", "IPEgressBytes", "IPEgressPackets",
      "TasksRefused"};
  if (std::any_of(std::begin(kMeasured), std::end(kMeasured),
                  [&](std::string_view name) { return wanted.has(name); })) {
    constexpr std::string_view kNoData = "[no data]";
    const UnitUsage usage = backend.usage(id);
    put(p, "MemoryCurrent", or_unset(usage.memory));
    put(p, "MemoryPeak", or_unset(usage.memory_peak));
    put(p, "CPUUsageNSec", or_unset(usage.cpu_nsec));
    put(p, "TasksCurrent", or_unset(usage.tasks));
    put(p, "IOReadBytes", or_unset(usage.io_read_bytes, kNoData));
    put(p, "IOReadOperations", or_unset(usage.io_read_operations, kNoData));
    put(p, "IOWriteBytes", or_unset(usage.io_write_bytes, kNoData));
    put(p, "IOWriteOperations", or_unset(usage.io_write_operations, kNoData));
    put(p, "IPIngressBytes", or_unset(usage.ip_ingress_bytes, kNoData));
    put(p, "IPIngressPackets", or_unset(usage.ip_ingress_packets, kNoData));
    put(p, "IPEgressBytes", or_unset(usage.ip_egress_bytes, kNoData));
    put(p, "IPEgressPackets", or_unset(usage.ip_egress_packets, kNoData));
    put(p, "TasksRefused", or_unset(usage.tasks_refused));
  }
  const std::string group = backend.control_group(id);
  put(p, "ControlGroup", group);
  put(p, "CanFreeze", yes_no(!group.empty()));
  put(p, "FreezerState", backend.is_frozen(id) ? "frozen" : "running");
}

// ---- services ---------------------------------------------------------------

/// CLD_EXITED and its kin, siginfo(2): what ExecMainCode= shows.
int exit_code_number(ExitKind kind) {
  switch (kind) {
    case ExitKind::None:
      return 0;
    case ExitKind::Exited:
      return 1;
    case ExitKind::Killed:
      return 2;
    case ExitKind::Dumped:
      return 3;
  }
  return 0;
}

void put_service_settings(Properties& p, const Manager& manager, const Unit& unit) {
  const ManagerSettings& defaults = manager.config().defaults;
  put(p, "TimeoutStartUSec", format_span(manager.start_timeout(unit)));
  put(p, "TimeoutStopUSec", format_span(manager.stop_timeout(unit)));
  put(p, "TimeoutAbortUSec", format_span(manager.abort_timeout(unit)));
  put(p, "RestartUSec", format_span(unit.service->restart_delay.value_or(defaults.restart_delay)));
}

/// Of how its processes are run, what the manager's settings decide.
void put_exec_defaults(Properties& p, const ManagerSettings& defaults, const ExecConfig& exec) {
  if (!exec.standard_output) put(p, "StandardOutput", std::string(to_string(defaults.output)));
  if (!exec.standard_error) put(p, "StandardError", std::string(to_string(defaults.error_output)));
  if (!exec.oom_score_adjust && defaults.oom_score_adjust) {
    put(p, "OOMScoreAdjust", format("{}", *defaults.oom_score_adjust));
  }
  constexpr std::string_view kPrefix = "Default";
  for (const ManagerDirective& d : manager_directives()) {
    const Limit* limit = find_limit(defaults.limits, d.resource);
    if (limit == nullptr || find_limit(exec.limits, d.resource) != nullptr) continue;
    put(p, std::string(d.name.substr(kPrefix.size())), format_limit(limit->hard));
  }
}

struct ExecProperty {
  const char* name;
  ExecRole role;
};
constexpr ExecProperty kExecProperties[] = {
    {"ExecCondition", ExecRole::Condition}, {"ExecStartPre", ExecRole::StartPre},
    {"ExecStart", ExecRole::Start},         {"ExecStartPost", ExecRole::StartPost},
    {"ExecReload", ExecRole::Reload},       {"ExecStop", ExecRole::Stop},
    {"ExecStopPost", ExecRole::StopPost},
};

std::string time_or_na(const Timestamp& t) {
  return t.is_set() ? format("{}", t.wall.us) : "n/a";
}

/// The tail of a command's line: how it ran last, in systemctl's words.
std::string run_of(const CommandRecord& r) {
  const bool signalled = r.status.kind != ExitKind::Exited;
  const std::string_view code = to_string(r.status.kind);
  const std::string signal = r.status.value == 0 ? "0" : std::string(signal_name(r.status.value));
  return format("start_time=[{}] ; stop_time=[{}] ; pid={} ; code={} ; status={}{}{}",
                time_or_na(r.started), time_or_na(r.exited), r.pid,
                code.empty() ? std::string_view("(null)") : code, r.status.value,
                signalled ? "/" : "", signalled ? signal : std::string());
}

void put_commands(Properties& p, const Manager& manager, UnitId id) {
  const ServiceConfig& config = *manager.graph().unit(id).service;
  for (const ExecProperty& property : kExecProperties) {
    std::string lines;
    const auto& commands = config.commands(property.role);
    for (std::size_t i = 0; i < commands.size(); ++i) {
      CommandRecord last;
      for (const CommandRecord& r : manager.command_records(id)) {
        if (r.role == property.role && r.index == i) last = r;
      }
      const ExecCommand& c = commands[i];
      lines += format("{}{{ path={} ; argv[]={} ; ignore_errors={} ; {} }}", i > 0 ? "\n" : "",
                      c.path, join(c.argv, " "), yes_no(c.ignore_failure), run_of(last));
    }
    put(p, property.name, std::move(lines));
  }
}

void put_service_state(Properties& p, const Manager& manager, UnitId id) {
  const Unit& unit = manager.graph().unit(id);
  const ServiceState& s = manager.runtime(id).service;
  if (unit.service != nullptr) {
    put_service_settings(p, manager, unit);
    put_exec_defaults(p, manager.config().defaults, config_of<ExecConfig>(unit));
    put_commands(p, manager, id);
  }
  put(p, "Result", std::string(to_string(s.result)));
  put(p, "ReloadResult", std::string(to_string(s.reload_result)));
  put(p, "CleanResult", "success");
  put(p, "MainPID", format("{}", s.main.pid));
  put(p, "ControlPID", format("{}", s.control.pid));
  put(p, "NRestarts", format("{}", s.restarts));
  put(p, "StatusText", std::string(manager.status_text(id)));
  put(p, "StatusErrno", format("{}", s.status_errno));
  if (s.watchdog_override.count() >= 0) put(p, "WatchdogUSec", format_span(s.watchdog_override));
  put_time(p, "ExecMainStartTimestamp", s.main.started);
  put_time(p, "ExecMainExitTimestamp", s.main.exited);
  put(p, "ExecMainPID", format("{}", s.main.last_pid));
  put(p, "ExecMainCode", format("{}", exit_code_number(s.main.last.kind)));
  put(p, "ExecMainStatus", format("{}", s.main.last.value));
}

/// systemctl(1) shows the same of mounts and swaps.
void put_mount_state(Properties& p, const Manager& manager, UnitId id) {
  const Unit& unit = manager.graph().unit(id);
  const MountState& s = manager.runtime(id).mount;
  const auto& timeout = unit.mount != nullptr ? unit.mount->timeout : unit.swap->timeout;
  put(p, "TimeoutUSec", format_span(timeout.value_or(manager.config().defaults.timeout_start)));
  put(p, "ControlPID", format("{}", s.control.pid));
  put(p, "Result", std::string(to_string(s.result)));
  if (unit.mount != nullptr) put(p, "ReloadResult", std::string(to_string(s.reload_result)));
}

void put_scope_state(Properties& p, const Manager& manager, UnitId id) {
  const Unit& unit = manager.graph().unit(id);
  const ManagerSettings& defaults = manager.config().defaults;
  const ScopeConfig& config = config_of<ScopeConfig>(unit);
  if (!config.timeout_stop) put(p, "TimeoutStopUSec", format_span(defaults.timeout_stop));
  if (!config.oom_policy_written) {
    put(p, "OOMPolicy", std::string(to_string(defaults.oom_policy)));
  }
  put(p, "Result", std::string(to_string(manager.runtime(id).scope.result)));
  put(p, "Controller", "");
}

void put_socket_state(Properties& p, const Manager& manager, UnitId id) {
  const Unit& unit = manager.graph().unit(id);
  const SocketState& s = manager.runtime(id).socket;
  if (unit.socket != nullptr && !unit.socket->timeout)
    put(p, "TimeoutUSec", format_span(manager.config().defaults.timeout_start));
  put(p, "Result", std::string(to_string(s.result)));
  put(p, "ControlPID", format("{}", s.control.pid));
  put(p, "NAccepted", format("{}", s.accepted));
  put(p, "NConnections", format("{}", s.connections));
  put(p, "NRefused", format("{}", s.refused));
}

void put_automount_state(Properties& p, const Manager& manager, UnitId id) {
  const AutomountState& s = manager.runtime(id).automount;
  put(p, "Result", std::string(to_string(s.result)));
  put(p, "ControlPID", format("{}", s.control.pid));
}

}  // namespace

Properties unit_properties(const Manager& manager, ControlBackend& backend, UnitId id,
                           const PropertyNames& names) {
  const Unit& unit = manager.graph().unit(id);
  const Wanted wanted(names);
  Properties p;
  put_settings(p, unit, wanted);
  put_dependencies(p, manager.graph(), id, wanted);
  put_identity(p, unit, backend, wanted);
  put_abilities(p, manager.graph(), id);
  put_state(p, manager, id);
  if (unit.type == UnitType::Service) put_service_state(p, manager, id);
  if (is_mount_like(unit)) put_mount_state(p, manager, id);
  if (unit.type == UnitType::Socket) put_socket_state(p, manager, id);
  if (unit.type == UnitType::Device) {
    put(p, "SysFSPath", manager.syspath(id));
    put(p, "Following", manager.following(id));
    put(p, "JobRunningTimeoutUSec", format_span(manager.job_running_timeout(unit)));
  }
  if (unit.type == UnitType::Automount) put_automount_state(p, manager, id);
  if (unit.type == UnitType::Scope) put_scope_state(p, manager, id);
  if (unit.type == UnitType::Service || unit.type == UnitType::Slice ||
      unit.type == UnitType::Scope) {
    put_resource_defaults(p, manager.config().defaults, unit);
    put_resources(p, backend, id, wanted);
  } else {
    put(p, "CanFreeze", "no");
    put(p, "FreezerState", "running");
  }
  return wanted.only(std::move(p));
}

Properties missing_properties(const std::string& name, const PropertyNames& names) {
  Unit unit;
  unit.id = name;
  unit.type = unit_type_of(name).value_or(UnitType::Service);
  unit.load_state = LoadState::NotFound;
  const Wanted wanted(names);
  Properties p;
  put_settings(p, unit, wanted);
  put(p, "Id", name);
  put(p, "Names", name);
  put(p, "Description", name);
  put(p, "LoadState", std::string(to_string(LoadState::NotFound)));
  put(p, "LoadError", load_error(unit));
  put(p, "ActiveState", std::string(to_string(ActiveState::Inactive)));
  put(p, "SubState", "dead");
  put(p, "UnitFileState", {});
  put(p, "NeedDaemonReload", "no");
  for (const char* ability : {"CanStart", "CanStop", "CanReload", "CanIsolate", "CanFreeze"}) {
    put(p, ability, "no");
  }
  if (unit.type == UnitType::Service) {
    put(p, "MainPID", "0");
    put(p, "ControlPID", "0");
    put(p, "NRestarts", "0");
    put(p, "Result", "success");
    put(p, "ExecMainPID", "0");
    put(p, "ExecMainCode", "0");
    put(p, "ExecMainStatus", "0");
  }
  return wanted.only(std::move(p));
}

namespace {

/// What is not set of limits is the backend's to know.
void put_manager_settings(Properties& p, const ManagerSettings& settings) {
  for (const ManagerDirective& d : manager_directives()) {
    const std::string name(d.property.empty() ? d.name : d.property);
    if (d.show != nullptr) p.insert_or_assign(name, d.show(settings));
    const Limit* limit = find_limit(settings.limits, d.resource);
    if (limit == nullptr) continue;
    p.insert_or_assign(name, format_limit(limit->hard));
    p.insert_or_assign(name + "Soft", format_limit(limit->soft));
  }
}

}  // namespace

Properties manager_properties(const Manager& manager, ControlBackend& backend) {
  Properties p;
  for (auto& [name, value] : backend.properties()) p.insert_or_assign(name, value);
  std::size_t failed = 0;
  std::size_t names = 0;
  for (std::uint32_t i = 0; i < manager.graph().size(); ++i) {
    const Unit& unit = manager.graph().unit(UnitId{i});
    if (manager.active_state(UnitId{i}) == ActiveState::Failed) ++failed;
    names += 1 + unit.aliases.size();
  }
  const ManagerConfig& config = manager.config();
  put(p, "Version", backend.version());
  put(p, "Features", join(backend.features(), " "));
  put(p, "SystemState", std::string(to_string(manager.system_state())));
  put(p, "NNames", format("{}", names));
  put(p, "NFailedUnits", format("{}", failed));
  put(p, "NJobs", format("{}", manager.job_count()));
  put_time(p, "FinishTimestamp", manager.finished());
  put(p, "ExitCode", format("{}", manager.exit_status()));
  put_manager_settings(p, config.defaults);
  return p;
}

}  // namespace onset
