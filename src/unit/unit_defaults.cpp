#include "unit/unit_defaults.h"

#include <algorithm>
#include <utility>

#include "base/format.h"
#include "base/text.h"
#include "unit/environment.h"
#include "unit/manager_settings.h"
#include "unit/name.h"
#include "unit/unit_members.h"

namespace onset {
namespace {

/// "a-b-c.slice" lies in "a-b.slice", "a.slice" in "-.slice", that in none.
std::string parent_slice(std::string_view slice) {
  if (slice == "-.slice") return {};
  const std::string_view prefix = unit_prefix(slice);
  const std::size_t dash = prefix.rfind('-');
  if (dash == std::string_view::npos) return "-.slice";
  return std::string(prefix.substr(0, dash)) + ".slice";
}

/// Instances of one template share a slice of their own.
std::string default_slice(const Unit& unit, bool user_manager) {
  if (unit.type == UnitType::Slice) return parent_slice(unit.id);
  if (unit.id == "init.scope") return "-.slice";
  const std::string top = user_manager ? "app" : "system";
  if (!is_instance(unit.id)) return top + ".slice";
  return top + "-" + unit_escape(unit_prefix(unit.id)) + ".slice";
}

bool has_cgroup(UnitType type) {
  switch (type) {
    case UnitType::Service:
    case UnitType::Socket:
    case UnitType::Mount:
    case UnitType::Automount:
    case UnitType::Swap:
    case UnitType::Slice:
    case UnitType::Scope:
      return true;
    case UnitType::Target:
    case UnitType::Device:
    case UnitType::Timer:
    case UnitType::Path:
      return false;
  }
  return false;
}

ServiceType implied_type(const ServiceConfig& service) {
  if (!service.bus_name.empty()) return ServiceType::Dbus;
  return service.commands(ExecRole::Start).empty() ? ServiceType::Oneshot : ServiceType::Simple;
}

/// What nothing is said of stays unmade: most services have no use for it.
void complete_service_exec(Unit& unit, bool user_manager, const HostFacts& host) {
  const auto& said = config_of<ExecConfig>(std::as_const(unit));
  const bool reads_nothing = !said.standard_input || said.standard_input->input == ExecInput::Null;
  if (reads_nothing && !said.standard_input_data.empty()) {
    config_of<ExecConfig>(unit).standard_input.emplace().input = ExecInput::Data;
  }
  if (user_manager && said.working_directory.empty()) {
    auto& exec = config_of<ExecConfig>(unit);
    exec.working_directory = host.home;
    exec.working_directory_optional = true;
  }
}

void complete_service(Unit& unit, bool user_manager, const HostFacts& host) {
  auto& service = config_of<ServiceConfig>(unit);
  if (!service.type_written) service.type = implied_type(service);
  if (service.type == ServiceType::Oneshot && !service.timeout_start) {
    service.timeout_start = kInfinity;
  }
  const bool notifies =
      service.type == ServiceType::Notify || service.type == ServiceType::NotifyReload;
  if (service.notify_access == NotifyAccess::None && (notifies || service.watchdog.count() > 0)) {
    service.notify_access = NotifyAccess::Main;
  }
  if (!service.oom_policy_written && config_of<CgroupConfig>(unit).delegate) {
    service.oom_policy = OomPolicy::Continue;
    service.oom_policy_written = true;
  }
  complete_service_exec(unit, user_manager, host);
}

/// The name says what Where= leaves open.
void complete_mount(Unit& unit) {
  auto& mount = config_of<MountConfig>(unit);
  if (!mount.where.empty()) return;
  if (auto path = unit_unescape_path(without_suffix(unit.id))) mount.where = std::move(*path);
}

void complete_automount(Unit& unit) {
  auto& automount = config_of<AutomountConfig>(unit);
  if (!automount.where.empty()) return;
  if (auto path = unit_unescape_path(without_suffix(unit.id))) automount.where = std::move(*path);
}

void complete_swap(Unit& unit) {
  auto& swap = config_of<SwapConfig>(unit);
  if (!swap.what.empty()) return;
  if (auto path = unit_unescape_path(without_suffix(unit.id))) swap.what = std::move(*path);
}

void complete_scope(Unit& unit) {
  auto& scope = config_of<ScopeConfig>(unit);
  if (scope.oom_policy_written || !config_of<CgroupConfig>(std::as_const(unit)).delegate) return;
  scope.oom_policy = OomPolicy::Continue;
  scope.oom_policy_written = true;
}

/// What is left open the unit's own name decides.
void complete_socket(Unit& unit) {
  auto& socket = config_of<SocketConfig>(unit);
  if (socket.fd_name.empty()) socket.fd_name = unit.id;
  if (socket.service.empty() && !socket.accept) {
    socket.service = std::string(without_suffix(unit.id)) + ".service";
  }
}

bool slice_name_is_valid(std::string_view name) {
  if (name == "-.slice") return true;
  const std::string_view prefix = unit_prefix(name);
  return is_plain(name) && !prefix.starts_with('-') && !prefix.ends_with('-') &&
         prefix.find("--") == std::string_view::npos;
}

std::string start_problem(const Unit& unit, const ServiceConfig& service) {
  const std::size_t starts = service.commands(ExecRole::Start).size();
  const bool has_action = unit.config.success_action != EmergencyAction::None;
  if (starts > 1 && service.type != ServiceType::Oneshot) {
    return "more than one ExecStart= is for Type=oneshot alone";
  }
  if (starts > 0) return {};
  if (service.commands(ExecRole::Stop).empty() && !has_action) {
    return "a service needs ExecStart=, ExecStop= or SuccessAction=";
  }
  if (service.type != ServiceType::Oneshot) {
    return "a service without ExecStart= has to be of Type=oneshot";
  }
  if (!service.remain_after_exit && !has_action) {
    return "a service without ExecStart= needs RemainAfterExit=yes";
  }
  return {};
}

std::string oneshot_problem(const ServiceConfig& service) {
  if (service.restart == ServiceRestart::Always || service.restart == ServiceRestart::OnSuccess) {
    return "Restart=always and Restart=on-success are not for Type=oneshot";
  }
  if (!service.restart_force_status.empty()) {
    return "RestartForceExitStatus= is not for Type=oneshot";
  }
  if (service.exit_type == ExitType::Cgroup) return "ExitType=cgroup is not for Type=oneshot";
  return {};
}

void remark(const Unit& unit, Diagnostics& diagnostics, std::string message) {
  diagnostics.push_back({Severity::Note, unit.fragment_path, 0, std::move(message)});
}

void remark_on_service(const Unit& unit, const ServiceConfig& service, Diagnostics& diagnostics) {
  if (service.type == ServiceType::Oneshot && service.runtime_max != kInfinity) {
    remark(unit, diagnostics, "RuntimeMaxSec= has no effect with Type=oneshot");
  }
  if (service.runtime_max == kInfinity && service.runtime_randomized_extra.count() > 0) {
    remark(unit, diagnostics, "RuntimeRandomizedExtraSec= has no effect without RuntimeMaxSec=");
  }
  if (service.restart_steps > 0 && service.restart_max_delay == kInfinity) {
    remark(unit, diagnostics, "RestartSteps= has no effect without RestartMaxDelaySec=");
  }
  if (service.restart_max_delay < service.restart_delay.value_or(ManagerSettings{}.restart_delay)) {
    remark(unit, diagnostics, "RestartMaxDelaySec= is below RestartSec=, which holds");
  }
}

std::string service_problem(const Unit& unit, Diagnostics& diagnostics) {
  const auto& service = config_of<ServiceConfig>(unit);
  std::string problem = start_problem(unit, service);
  if (problem.empty() && service.type == ServiceType::Oneshot) problem = oneshot_problem(service);
  if (problem.empty() && service.type == ServiceType::Dbus && service.bus_name.empty()) {
    problem = "a service of Type=dbus needs BusName=";
  }
  const KillMode mode = config_of<KillConfig>(unit).mode;
  if (problem.empty() && !config_of<ExecConfig>(unit).pam_name.empty() &&
      mode != KillMode::ControlGroup && mode != KillMode::Mixed) {
    problem = "with PAMName=, KillMode= has to be control-group or mixed";
  }
  if (problem.empty()) remark_on_service(unit, service, diagnostics);
  return problem;
}

/// systemd.mount(5).
std::string mount_problem(const Unit& unit) {
  const MountConfig& mount = *unit.mount;
  const auto name = name_from_path(mount.where, ".mount");
  if (!name || *name != unit.id) {
    return format("Where={} has to be the path that the unit's name stands for", mount.where);
  }
  if (mount.is_found) return {};
  if (is_api_mount_point(mount.where)) {
    return format("{} is mounted by the manager itself, no unit may", mount.where);
  }
  if (mount.what.empty() && mount.where != "/") return "a mount needs What=";
  return {};
}

/// systemd.automount(5).
std::string automount_problem(const Unit& unit) {
  const std::string& where = unit.automount->where;
  const auto name = name_from_path(where, ".automount");
  if (!name || *name != unit.id) {
    return format("Where={} has to be the path that the unit's name stands for", where);
  }
  if (where == "/") return "the root can't be mounted when somebody looks";
  if (is_api_mount_point(where)) {
    return format("{} is mounted by the manager itself, no unit may", where);
  }
  return {};
}

/// systemd.socket(5).
std::string socket_problem(const Unit& unit) {
  const auto& socket = config_of<SocketConfig>(unit);
  if (socket.listen.empty()) return "a socket unit needs at least one Listen…=";
  if (socket.accept && !std::ranges::all_of(socket.listen, takes_connections))
    return "Accept=yes is for ListenStream= and ListenSequentialPacket= alone";
  if (socket.accept && socket.max_connections == 0)
    return "with Accept=yes, MaxConnections= has to be at least 1";
  if (socket.accept && !socket.service.empty())
    return "with Accept=yes the template of the unit's own name is started, Service= can't say "
           "another one";
  const auto has_path = [](const ListenAddress& listen) { return !path_of(listen).empty(); };
  if (!socket.symlinks.empty() && std::ranges::count_if(socket.listen, has_path) != 1)
    return "Symlinks= is for a unit with one path in the file system";
  return {};
}

/// systemd.swap(5).
std::string swap_problem(const Unit& unit) {
  const SwapConfig& swap = *unit.swap;
  const auto name = name_from_path(swap.what, ".swap");
  if (!name || *name != unit.id) {
    return format("What={} has to be the path that the unit's name stands for", swap.what);
  }
  return {};
}

}  // namespace

namespace {

void complete_exec(ExecConfig& exec) {
  if (exec.environment.size() > 1) {  // the last of a name counts
    exec.environment = Environment(exec.environment).assignments();
  }
  switch (exec.standard_input ? exec.standard_input->input : ExecInput::Null) {
    case ExecInput::Tty:
    case ExecInput::TtyForce:
    case ExecInput::TtyFail:
    case ExecInput::Socket:
    case ExecInput::Fd:
      if (!exec.standard_output) {
        exec.standard_output = StdStream{};
        exec.standard_output->output = ExecOutput::Inherit;
      }
      break;
    case ExecInput::Null:
    case ExecInput::Data:
    case ExecInput::File:
      // Nothing to write to: systemd takes its default, too.
      if (exec.standard_output && exec.standard_output->output == ExecOutput::Inherit) {
        exec.standard_output.reset();
      }
      break;
  }
}

/// How many failure units OnFailureJobMode=isolate would have to isolate.
std::size_t failure_units(const Unit& unit) {
  return static_cast<std::size_t>(std::ranges::count_if(
      unit.config.dependencies,
      [](const NamedDependency& d) { return d.kind == DependencyKind::OnFailure; }));
}

}  // namespace

void complete_unit(Unit& unit, bool user_manager, const HostFacts& host) {
  if (unit.type == UnitType::Mount) complete_mount(unit);
  if (unit.type == UnitType::Automount) complete_automount(unit);
  if (unit.type == UnitType::Swap) complete_swap(unit);
  if (unit.type == UnitType::Socket) complete_socket(unit);
  if (unit.type == UnitType::Scope) complete_scope(unit);
  if (unit.config.description.empty() && unit.mount != nullptr) {
    unit.config.description = unit.mount->where;
  }
  if (unit.config.description.empty() && unit.type == UnitType::Device) {
    unit.config.description = unit_unescape_path(without_suffix(unit.id)).value_or(unit.id);
  }
  if (unit.config.description.empty() && unit.automount != nullptr) {
    unit.config.description = unit.automount->where;
  }
  if (unit.config.description.empty()) unit.config.description = unit.id;
  // Of a device it is the manager's to say.
  if (!unit.config.job_running_timeout && unit.type != UnitType::Device)
    unit.config.job_running_timeout = unit.config.job_timeout;
  if (has_cgroup(unit.type)) {
    auto& cgroup = config_of<CgroupConfig>(unit);
    if (cgroup.slice.empty()) cgroup.slice = default_slice(unit, user_manager);
  }
  if (unit.exec != nullptr) complete_exec(*unit.exec);
  if (unit.type == UnitType::Service) complete_service(unit, user_manager, host);
}

void set_device_to_wait_for(Unit& unit, bool links_are_made) {
  const auto waits = [&](const std::string& path) {
    return !path.empty() && (links_are_made || is_kernel_node(path));
  };
  if (unit.mount != nullptr) {
    if (std::string path = mount_device(*unit.mount); waits(path))
      unit.mount->device = std::move(path);
  } else if (unit.swap != nullptr) {
    if (std::string path = swap_device(*unit.swap); waits(path))
      unit.swap->device = std::move(path);
  }
}

std::string unit_problem(const Unit& unit, Diagnostics& diagnostics) {
  if (unit.type == UnitType::Slice && !slice_name_is_valid(unit.id)) {
    return "not a valid name of a slice";
  }
  if (unit.type == UnitType::Slice && unit.cgroup->slice != parent_slice(unit.id)) {
    return "a slice lies where its name says, Slice= can't move it";
  }
  if (unit.config.on_failure_job_mode == JobMode::Isolate && failure_units(unit) > 1) {
    return "OnFailureJobMode=isolate leaves room for one OnFailure= unit";
  }
  if (unit.type == UnitType::Service) return service_problem(unit, diagnostics);
  if (unit.type == UnitType::Mount) return mount_problem(unit);
  if (unit.type == UnitType::Automount) return automount_problem(unit);
  if (unit.type == UnitType::Swap) return swap_problem(unit);
  if (unit.type == UnitType::Socket) return socket_problem(unit);
  return {};
}

}  // namespace onset
