// [Service] of its own, systemd.service(5).

#include "unit/directive_checks.h"
#include "unit/directive_codecs.h"
#include "unit/directive_rooms.h"
#include "unit/exec_line.h"
#include "unit/exec_parsers.h"

namespace onset {
namespace {

template <ExecRole Role>
std::string parse_exec(ParseContext& context, std::string_view value) {
  return parse_exec_commands(
      context, value, config_of<ServiceConfig>(context.unit).exec[static_cast<unsigned>(Role)]);
}

template <ExecRole Role>
std::string show_exec(const Unit& unit) {
  return show_exec_commands(config_of<ServiceConfig>(unit).commands(Role));
}

template <ExecRole Role>
constexpr Codec kExec{parse_exec<Role>, show_exec<Role>};

std::string parse_type(ParseContext& context, std::string_view value) {
  const auto type = enum_value<ServiceType>(value);
  if (!type) return type.error();
  ServiceConfig& service = config_of<ServiceConfig>(context.unit);
  service.type = *type;
  service.type_written = true;
  return {};
}

std::string parse_oom_policy(ParseContext& context, std::string_view value) {
  const auto policy = enum_value<OomPolicy>(value);
  if (!policy) return policy.error();
  ServiceConfig& service = config_of<ServiceConfig>(context.unit);
  service.oom_policy = *policy;
  service.oom_policy_written = true;
  return {};
}

/// TimeoutSec= is both limits.
std::string parse_timeouts(ParseContext& context, std::string_view value) {
  const auto span = parse_span_zero_is_infinity(value);
  if (!span) return span.error();
  ServiceConfig& service = config_of<ServiceConfig>(context.unit);
  service.timeout_start = *span;
  service.timeout_stop = *span;
  return {};
}

/// "infinity" is as good as 0: no watchdog.
std::string parse_watchdog(ParseContext& context, std::string_view value) {
  const auto span = parse_span(value);
  if (!span) return span.error();
  config_of<ServiceConfig>(context.unit).watchdog = *span == kInfinity ? Duration(0) : *span;
  return {};
}

/// A relative path is below the manager's runtime directory.
std::string parse_pid_file(ParseContext& context, std::string_view value) {
  std::string& pid_file = config_of<ServiceConfig>(context.unit).pid_file;
  if (value.empty()) {
    pid_file.clear();
    return {};
  }
  auto text = expand_value(context, value, kPathMax);
  if (!text) return std::move(text).error();
  if (!path_is_absolute(*text)) *text = context.scope.host.runtime_dir + "/" + *text;
  // Already expanded: a "%" left in it is the file's own.
  for (std::size_t at = 0; (at = text->find('%', at)) != std::string::npos; at += 2) {
    text->insert(at, 1, '%');
  }
  auto path = expand_runtime_path(context, *text);
  if (!path) return std::move(path).error();
  if (!path_is_normalized(*path)) return "a path without \"..\"";
  pid_file = std::move(*path);
  return {};
}

bool bus_name_element_is_valid(std::string_view element) {
  if (element.empty() || is_digit(element.front())) return false;
  return std::all_of(element.begin(), element.end(),
                     [](char c) { return is_alpha(c) || is_digit(c) || c == '_' || c == '-'; });
}

/// D-Bus specification, "Bus names": a well-known name.
bool bus_name_is_valid(std::string_view name) {
  if (name.empty() || name.size() > 255) return false;
  const auto elements = split(name, '.');
  return elements.size() >= 2 &&
         std::all_of(elements.begin(), elements.end(), bus_name_element_is_valid);
}

std::string parse_bus_name(ParseContext& context, std::string_view value) {
  std::string& bus_name = config_of<ServiceConfig>(context.unit).bus_name;
  auto name = expand_value(context, value);
  if (!name) return std::move(name).error();
  if (!bus_name_is_valid(*name)) return "a well-known D-Bus name such as org.example.Service";
  bus_name = std::move(*name);
  return {};
}

template <auto Member>
std::string parse_statuses(ParseContext& context, std::string_view value) {
  ExitStatusSet& set = member_of<Member>(context.unit);
  if (value.empty()) {
    set = {};
    return {};
  }
  for (const std::string& problem : parse_exit_status(value, set)) {
    complain(context, Severity::Warning, format("{}=: {}; ignored", context.key, problem));
  }
  return {};
}
template <auto Member>
std::string show_statuses(const Unit& unit) {
  return to_string(member_of<Member>(unit));
}
template <auto Member>
constexpr Codec kStatuses{parse_statuses<Member>, show_statuses<Member>};

template <auto Member>
constexpr Codec kResettableSpan{parse_or_reset<Member, span_of_seconds>, show_member<Member>};

std::string show_reload_signal(const Unit& unit) {
  return shown(config_of<ServiceConfig>(unit).reload_signal);
}

/// systemd.service(5), Sockets=: they are wanted, come first, and their sockets are handed over.
std::string parse_sockets(ParseContext& context, std::string_view value) {
  if (std::string problem = check_socket_names(context, value); !problem.empty()) return problem;
  for (const auto kind :
       {DependencyKind::Wants, DependencyKind::After, DependencyKind::TriggeredBy}) {
    if (std::string problem = parse_dependencies(context, value, kind); !problem.empty())
      return problem;
  }
  return {};
}

using C = ServiceConfig;
using R = ExecRole;
constexpr Section S = Section::Service;

constexpr Directive exec_row(std::string_view name, Codec codec, std::string_view help) {
  return protecting(S, name, codec, help);
}

constexpr Directive kRows[] = {
    honoured(S, "Type", {parse_type, show_member<&C::type>},
             "When the service counts as started: simple, exec, forking, oneshot, dbus, notify, "
             "notify-reload or idle."),
    honoured(S, "ExitType", kWord<&C::exit_type, ExitType>,
             "Whether the service ends with its main process or with its last one."),
    honoured(S, "RemainAfterExit", kBool<&C::remain_after_exit>,
             "The service stays active when its processes have ended well."),
    honoured(S, "GuessMainPID", kBool<&C::guess_main_pid>,
             "Guess the main process of a forking service without a PID file."),
    protecting(S, "PIDFile", {parse_pid_file, show_member<&C::pid_file>},
               "The file in which the service writes the PID of its main process."),
    honoured(S, "BusName", {parse_bus_name, show_member<&C::bus_name>},
             "The D-Bus name whose owner the service is."),

    exec_row("ExecCondition", kExec<R::Condition>,
             "Commands that decide whether the start goes on: 1 to 254 skips it."),
    exec_row("ExecStartPre", kExec<R::StartPre>, "Commands that are run before ExecStart=."),
    exec_row("ExecStart", kExec<R::Start>, "The command that is the service."),
    exec_row("ExecStartPost", kExec<R::StartPost>,
             "Commands that are run once the service has started."),
    exec_row("ExecReload", kExec<R::Reload>, "Commands that make it read its configuration again."),
    exec_row("ExecStop", kExec<R::Stop>, "Commands that ask the service to stop."),
    exec_row("ExecStopPost", kExec<R::StopPost>,
             "Commands that are run when the service has ended, however it did."),

    honoured(S, "Restart", kWord<&C::restart, ServiceRestart>,
             "After which ends the service is started again."),
    honoured(S, "RestartSec", kSpan<&C::restart_delay>, "How long to wait before that.",
             "RestartUSec"),
    honoured(S, "RestartSteps", kUnsigned<&C::restart_steps>,
             "In how many steps the wait grows to RestartMaxDelaySec=.", {}, 254),
    honoured(S, "RestartMaxDelaySec", kSpan<&C::restart_max_delay>, "The longest such wait.",
             "RestartMaxDelayUSec", 254),
    honoured(S, "SuccessExitStatus", kStatuses<&C::success_status>,
             "Further exit statuses and signals that are a success."),
    honoured(S, "RestartPreventExitStatus", kStatuses<&C::restart_prevent_status>,
             "Exit statuses and signals after which there is no restart."),
    honoured(S, "RestartForceExitStatus", kStatuses<&C::restart_force_status>,
             "Exit statuses and signals after which there always is one."),

    honoured(S, "TimeoutSec", {parse_timeouts, nullptr}, "TimeoutStartSec= and TimeoutStopSec=."),
    honoured(S, "TimeoutStartSec", kTimeout<&C::timeout_start>, "How long a start may take.",
             "TimeoutStartUSec"),
    honoured(S, "TimeoutStopSec", kTimeout<&C::timeout_stop>,
             "How long each step of a stop may take.", "TimeoutStopUSec"),
    honoured(S, "TimeoutAbortSec", kResettableSpan<&C::timeout_abort>,
             "How long the end after a watchdog's signal may take.", "TimeoutAbortUSec"),
    honoured(S, "TimeoutStartFailureMode", kWord<&C::timeout_start_failure, TimeoutFailureMode>,
             "How a start that takes too long is ended."),
    honoured(S, "TimeoutStopFailureMode", kWord<&C::timeout_stop_failure, TimeoutFailureMode>,
             "How a stop that takes too long is ended."),
    honoured(S, "RuntimeMaxSec", kSpan<&C::runtime_max>, "How long the service may be active.",
             "RuntimeMaxUSec"),
    honoured(S, "RuntimeRandomizedExtraSec", kSpan<&C::runtime_randomized_extra>,
             "A random time of up to this is added to it.", "RuntimeRandomizedExtraUSec"),
    honoured(S, "WatchdogSec", {parse_watchdog, show_member<&C::watchdog>},
             "The longest silence between two keep-alive notifications.", "WatchdogUSec"),
    honoured(S, "NotifyAccess", kWord<&C::notify_access, NotifyAccess>,
             "Whose notifications count: none, main, exec or all."),
    honoured(S, "ReloadSignal", {parse_into<&C::reload_signal, parse_signal>, show_reload_signal},
             "The signal that makes a notify-reload service reload.", {}, 253),

    honoured(S, "RootDirectoryStartOnly", kBool<&C::root_directory_start_only>,
             "RootDirectory= holds for ExecStart= alone."),
    honoured(S, "PermissionsStartOnly", kBool<&C::permissions_start_only>,
             "User= and its like hold for ExecStart= alone (old; see the prefix \"+\")."),
    honoured(S, "NonBlocking", kBool<&C::non_blocking>,
             "Sockets that are handed over are set not to block."),
    honoured(S, "OOMPolicy", {parse_oom_policy, show_member<&C::oom_policy>},
             "What happens when the kernel kills a process for want of memory."),

    not_yet(S, "FileDescriptorStoreMax", check_unsigned,
            "How many file descriptors the manager keeps for the service.", "0"),
    honoured(S, "Sockets", {parse_sockets, nullptr},
             "Socket units whose sockets the service is handed."),
    not_yet(S, "USBFunctionDescriptors", check_path, "File with USB FunctionFS descriptors."),
    not_yet(S, "USBFunctionStrings", check_path, "File with USB FunctionFS strings."),
    obsolete(S, "BusPolicy", "Belonged to kdbus."),
    obsolete(S, "SysVStartPriority", "Belonged to the order of init scripts."),
};

}  // namespace

std::span<const Directive> service_directives() {
  return kRows;
}

}  // namespace onset
