#include "unit/manager_settings.h"

#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "base/format.h"
#include "base/text.h"
#include "unit/capability.h"
#include "unit/enum_words.h"
#include "unit/environment.h"
#include "unit/resource_parsers.h"
#include "unit/values.h"

namespace onset {
namespace {

using M = ManagerSettings;
using Context = ManagerParseContext;
using Row = ManagerDirective;

constexpr std::array<std::string_view, 8> kLevels = {"emerg",   "alert",  "crit", "err",
                                                     "warning", "notice", "info", "debug"};

// ---- values of one member ---------------------------------------------------

/// As units have it: 0 is no limit.
template <auto Member>
std::string parse_timeout(Context& context, std::string_view value) {
  auto span = parse_span_zero_is_infinity(value);
  if (!span) return std::move(span).error();
  context.settings.*Member = *span;
  return {};
}

template <auto Member>
std::string parse_span_into(Context& context, std::string_view value) {
  auto span = parse_span(value);
  if (!span) return std::move(span).error();
  context.settings.*Member = *span;
  return {};
}

template <auto Member>
std::string show_span(const M& settings) {
  return format_span(settings.*Member);
}

std::string parse_timeout_abort(Context& context, std::string_view value) {
  if (!value.empty()) return parse_timeout<&M::timeout_abort>(context, value);
  context.settings.timeout_abort.reset();
  return {};
}

std::string show_timeout_abort(const M& settings) {
  return format_span(settings.timeout_abort.value_or(settings.timeout_stop));
}

std::string parse_burst(Context& context, std::string_view value) {
  auto number = parse_unsigned(value, UINT32_MAX);
  if (!number) return std::move(number).error();
  context.settings.start_limit_burst = static_cast<unsigned>(*number);
  return {};
}

std::string show_burst(const M& settings) {
  return format("{}", settings.start_limit_burst);
}

std::string parse_start_concurrency(Context& context, std::string_view value) {
  auto count = value.empty() ? Parsed<unsigned>(kNoCountLimit) : parse_count(value);
  if (!count) return std::move(count).error();
  if (*count == 0) return "a number above 0, or infinity";
  context.settings.start_concurrency_max = *count;
  return {};
}

std::string show_start_concurrency(const M& settings) {
  return format_count(settings.start_concurrency_max);
}

std::string parse_oom_score(Context& context, std::string_view value) {
  if (value.empty()) {
    context.settings.oom_score_adjust.reset();
    return {};
  }
  auto number = parse_oom_score_adjust(value);
  if (!number) return std::move(number).error();
  context.settings.oom_score_adjust = *number;
  return {};
}

std::string show_oom_score(const M& settings) {
  return format("{}", settings.oom_score_adjust.value_or(0));
}

template <auto Member>
std::string parse_bool_into(Context& context, std::string_view value) {
  auto on = parse_bool(value);
  if (!on) return std::move(on).error();
  context.settings.*Member = *on;
  return {};
}

template <auto Member>
std::string show_bool(const M& settings) {
  return settings.*Member ? "yes" : "no";
}

std::string parse_tasks_max(Context& context, std::string_view value) {
  if (value.empty()) {
    context.settings.tasks_max.reset();
    return {};
  }
  auto tasks = parse_tasks(context.scope.host, value);
  if (!tasks) return std::move(tasks).error();
  context.settings.tasks_max = *tasks;
  return {};
}

std::string show_tasks_max(const M& settings) {
  return format_amount(settings.tasks_max.value_or(kUnlimited));
}

// ---- environment ------------------------------------------------------------

/// SPECIFIERS of systemd-system.conf(5). The first that is not among them; empty: none.
std::string_view strange_specifier(std::string_view value) {
  constexpr std::string_view kKnown = "aAbBHlmMovwWTV%";
  constexpr auto kNone = std::string_view::npos;
  for (auto at = value.find('%'); at != kNone; at = value.find('%', at + 2)) {
    if (at + 1 == value.size()) break;
    const char c = value[at + 1];
    if ((is_alpha(c) || is_digit(c)) && kKnown.find(c) == std::string_view::npos) {
      return value.substr(at, 2);
    }
  }
  return {};
}

template <auto Member>
std::string parse_variables(Context& context, std::string_view value) {
  auto& variables = context.settings.*Member;
  if (value.empty()) {
    variables.clear();
    return {};
  }
  if (const auto strange = strange_specifier(value); !strange.empty()) {
    return format("one of the manager's specifiers, not \"{}\"", strange);
  }
  EnvironmentAssignments parsed = parse_environment_assignments(value, context.scope);
  for (const std::string& problem : parsed.problems) {
    context.diagnostics.push_back({Severity::Warning, std::string(context.file), context.line,
                                   format("{}=: {}; ignored", context.key, problem)});
  }
  Environment merged(variables);
  for (const std::string& assignment : parsed.assignments) merged.set_assignment(assignment);
  variables = std::move(merged).assignments();
  return {};
}

// ---- streams ----------------------------------------------------------------

/// Without what needs a path or a descriptor, as that can be no default for all.
template <auto Member>
std::string parse_output(Context& context, std::string_view value) {
  if (value == "syslog" || value == "syslog+console") {  // old names
    context.settings.*Member = value == "syslog" ? ExecOutput::Journal : ExecOutput::JournalConsole;
    return {};
  }
  const auto kind = from_string<ExecOutput>(value);
  if (!kind || *kind >= ExecOutput::Socket) {
    return "inherit, null, tty, journal, kmsg, journal+console or kmsg+console";
  }
  context.settings.*Member = *kind;
  return {};
}

template <auto Member>
std::string show_output(const M& settings) {
  return std::string(to_string(settings.*Member));
}

// ---- limits -----------------------------------------------------------------

std::string take_limit(std::vector<Limit>& limits, int resource, std::string_view value) {
  auto limit = parse_limit(resource, value);
  if (!limit) return std::move(limit).error();
  std::erase_if(limits, [&](const Limit& l) { return l.resource == resource; });
  limits.push_back({resource, limit->soft, limit->hard});
  return {};
}

template <int Resource>
std::string parse_default_limit(Context& context, std::string_view value) {
  return take_limit(context.settings.limits, Resource, value);
}

// ---- what is told -----------------------------------------------------------

std::string parse_level_into(Context& context, std::string_view value) {
  const auto level = parse_log_level(value);
  if (!level) return "emerg, alert, crit, err, warning, notice, info, debug or 0 to 7";
  context.settings.log_level = level;
  return {};
}

std::string parse_show_status(Context& context, std::string_view value) {
  if (value == "auto" || value == "error") {
    context.settings.show_status = value == "auto" ? ShowStatus::Auto : ShowStatus::Error;
    return {};
  }
  const auto on = parse_bool(value);
  if (!on) return "a boolean, auto or error";
  context.settings.show_status = *on ? ShowStatus::Yes : ShowStatus::No;
  return {};
}

std::string parse_status_format(Context& context, std::string_view value) {
  for (const auto f :
       {StatusUnitFormat::Name, StatusUnitFormat::Description, StatusUnitFormat::Combined}) {
    if (value != to_string(f)) continue;
    context.settings.status_unit_format = f;
    return {};
  }
  return "name, description or combined";
}

// ---- what is checked alone --------------------------------------------------

std::string check_any(Context& /*context*/, std::string_view /*value*/) {
  return {};
}
std::string check_bool(Context& /*context*/, std::string_view value) {
  auto parsed = parse_bool(value);
  return parsed ? std::string() : std::move(parsed).error();
}
std::string check_span(Context& /*context*/, std::string_view value) {
  auto parsed = parse_span(value);
  return parsed ? std::string() : std::move(parsed).error();
}
/// "default" is the device's own timeout.
template <auto Member>
std::string parse_watchdog(Context& context, std::string_view value) {
  Duration& setting = context.settings.*Member;
  if (value.empty()) {
    setting = M{}.*Member;
  } else if (value == "off") {
    setting = Duration::zero();
  } else if (value == "default") {
    setting = kInfinity;
  } else if (const auto span = parse_span(value)) {
    setting = *span;
  } else {
    return "a time span, off or default";
  }
  return {};
}
std::string check_nanoseconds(Context& /*context*/, std::string_view value) {
  auto parsed = parse_span_ns(value);
  return parsed ? std::string() : std::move(parsed).error();
}
std::string check_path(Context& /*context*/, std::string_view value) {
  return value.empty() || value.starts_with('/') ? "" : "an absolute path";
}
std::string parse_watchdog_device(Context& context, std::string_view value) {
  if (auto wrong = check_path(context, value); !wrong.empty()) return wrong;
  context.settings.watchdog_device = value;
  return {};
}
std::string show_watchdog_device(const M& settings) {
  return settings.watchdog_device;
}
std::string check_capabilities(Context& /*context*/, std::string_view value) {
  const CapabilityList list = parse_capability_set(value);
  if (list.unknown.empty()) return {};
  return format("capabilities such as CAP_NET_ADMIN, not \"{}\"", c_escape(list.unknown.front()));
}
template <auto Member, class E>
std::string parse_word_into(Context& context, std::string_view value) {
  const auto word = from_string<E>(value);
  if (!word) return expected_words<E>();
  context.settings.*Member = *word;
  return {};
}
template <auto Member>
std::string show_word(const M& settings) {
  return std::string(to_string(settings.*Member));
}
std::string check_burst_action(Context& /*context*/, std::string_view value) {
  constexpr std::array<std::string_view, 5> kActions = {"none", "reboot-force", "poweroff-force",
                                                        "reboot-immediate", "poweroff-immediate"};
  if (std::ranges::find(kActions, value) != kActions.end()) return {};
  return "reboot-force, poweroff-force, reboot-immediate, poweroff-immediate or none";
}
std::string parse_burst_action(Context& context, std::string_view value) {
  auto& setting = context.settings.ctrl_alt_del_burst_action;
  if (value.empty()) {
    setting = M{}.ctrl_alt_del_burst_action;
    return {};
  }
  if (auto wrong = check_burst_action(context, value); !wrong.empty()) return wrong;
  setting = from_string<EmergencyAction>(value).value_or(setting);
  return {};
}
std::string show_burst_action(const M& settings) {
  return std::string(to_string(settings.ctrl_alt_del_burst_action));
}

// ---- rows -------------------------------------------------------------------

constexpr Row later(std::string_view name, decltype(Row::parse) check, std::string_view help,
                    std::string_view inert = {}) {
  return {.name = name, .parse = check, .support = Support::NotYet, .help = help, .inert = inert};
}

template <auto Member>
constexpr Row timeout(std::string_view name, std::string_view help, std::string_view property) {
  return {.name = name,
          .parse = parse_timeout<Member>,
          .show = show_span<Member>,
          .help = help,
          .property = property};
}

template <auto Member>
constexpr Row span(std::string_view name, std::string_view help, std::string_view property) {
  return {.name = name,
          .parse = parse_span_into<Member>,
          .show = show_span<Member>,
          .help = help,
          .property = property};
}

template <auto Member>
constexpr Row boolean(std::string_view name, std::string_view help) {
  return {.name = name, .parse = parse_bool_into<Member>, .show = show_bool<Member>, .help = help};
}

template <auto Member>
constexpr Row watchdog(std::string_view name, std::string_view help, std::string_view property) {
  return {.name = name,
          .parse = parse_watchdog<Member>,
          .show = show_span<Member>,
          .help = help,
          .property = property};
}

template <auto Member>
constexpr Row output(std::string_view name, std::string_view help) {
  return {.name = name, .parse = parse_output<Member>, .show = show_output<Member>, .help = help};
}

template <int Resource>
constexpr Row limit(std::string_view name) {
  return {.name = name,
          .parse = parse_default_limit<Resource>,
          .help = "Of a unit without the Limit…= of that name.",
          .resource = Resource};
}

constexpr Row kRows[] = {
    later("LogColor", check_bool, "Colour in the manager's own lines."),
    {.name = "LogLevel",
     .parse = parse_level_into,
     .help = "The least important of the manager's own lines that is told."},
    later("LogLocation", check_bool, "Where in the source a line comes from.", "no"),
    later("LogTarget", check_any, "Where the manager's own lines go."),
    later("LogTime", check_bool, "The time in front of them.", "no"),
    later("DumpCore", check_bool, "A core file when the manager crashes."),
    later("CrashChangeVT", check_any, "The virtual terminal to show then.", "no"),
    later("CrashShell", check_bool, "A shell then.", "no"),
    later("CrashReboot", check_bool, "A reboot then.", "no"),
    {.name = "ShowStatus",
     .parse = parse_show_status,
     .help = "Lines about units that start and stop; error: of what fails, auto: slow jobs too."},
    output<&M::output>("DefaultStandardOutput", "StandardOutput= of units without one."),
    output<&M::error_output>("DefaultStandardError", "StandardError= of units without one."),
    {.name = "CtrlAltDelBurstAction",
     .parse = parse_burst_action,
     .show = show_burst_action,
     .help = "What more than 7 Ctrl-Alt-Del within 2 s do."},
    later("CPUAffinity", check_any, "The CPUs of the manager and of what it starts."),
    later("NUMAPolicy", check_any, "Their NUMA policy.", "default"),
    later("NUMAMask", check_any, "The nodes of that policy."),
    watchdog<&M::runtime_watchdog>("RuntimeWatchdogSec",
                                   "The hardware watchdog while the machine runs.",
                                   "RuntimeWatchdogUSec"),
    watchdog<&M::reboot_watchdog>("RebootWatchdogSec", "The hardware watchdog during a reboot.",
                                  "RebootWatchdogUSec"),
    watchdog<&M::kexec_watchdog>("KExecWatchdogSec", "The hardware watchdog during kexec.",
                                 "KExecWatchdogUSec"),
    {.name = "ShutdownWatchdogSec",
     .parse = parse_watchdog<&M::reboot_watchdog>,
     .help = "The old name of RebootWatchdogSec=."},
    watchdog<&M::runtime_watchdog_pre>("RuntimeWatchdogPreSec",
                                       "How long before it the kernel is told.",
                                       "RuntimeWatchdogPreUSec"),
    later("RuntimeWatchdogPreGovernor", check_any, "What the kernel does then."),
    {.name = "WatchdogDevice",
     .parse = parse_watchdog_device,
     .show = show_watchdog_device,
     .help = "The device of the hardware watchdog; empty: /dev/watchdog0."},
    later("CapabilityBoundingSet", check_capabilities,
          "The capabilities that the manager and all that it starts can ever have."),
    later("NoNewPrivileges", check_bool, "No program gains privileges.", "no"),
    later("SystemCallArchitectures", check_any, "The architectures of system calls."),
    later("TimerSlackNSec", check_nanoseconds, "The timer slack of the manager."),
    {.name = "StatusUnitFormat",
     .parse = parse_status_format,
     .help = "What the lines of ShowStatus= call units by: name, description or combined."},
    later("DefaultTimerAccuracySec", check_span, "AccuracySec= of timers without one."),
    timeout<&M::timeout_start>("DefaultTimeoutStartSec",
                               "TimeoutStartSec= of units without one; 0: none.",
                               "DefaultTimeoutStartUSec"),
    timeout<&M::timeout_stop>("DefaultTimeoutStopSec",
                              "TimeoutStopSec= of units without one; 0: none.",
                              "DefaultTimeoutStopUSec"),
    {.name = "DefaultTimeoutAbortSec",
     .parse = parse_timeout_abort,
     .show = show_timeout_abort,
     .help = "TimeoutAbortSec= of units without one; empty: their TimeoutStopSec=.",
     .property = "DefaultTimeoutAbortUSec"},
    span<&M::restart_delay>("DefaultRestartSec", "RestartSec= of units without one.",
                            "DefaultRestartUSec"),
    timeout<&M::device_timeout>("DefaultDeviceTimeoutSec",
                                "How long devices are waited for; 0: without end.",
                                "DefaultDeviceTimeoutUSec"),
    span<&M::start_limit_interval>("DefaultStartLimitIntervalSec",
                                   "StartLimitIntervalSec= of units without one.",
                                   "DefaultStartLimitIntervalUSec"),
    {.name = "DefaultStartLimitInterval",
     .parse = parse_span_into<&M::start_limit_interval>,
     .help = "The old name of DefaultStartLimitIntervalSec=."},
    {.name = "DefaultStartLimitBurst",
     .parse = parse_burst,
     .show = show_burst,
     .help = "StartLimitBurst= of units without one."},
    {.name = "StartConcurrencyMax",
     .parse = parse_start_concurrency,
     .show = show_start_concurrency,
     .help = "How many units may be starting at once; onset's own."},
    {.name = "DefaultEnvironment",
     .parse = parse_variables<&M::environment>,
     .help = "Variables of all processes that are started."},
    {.name = "ManagerEnvironment",
     .parse = parse_variables<&M::manager_environment>,
     .help = "Variables of the manager, which those of a user's manager are handed on."},
    boolean<&M::cpu_accounting>("DefaultCPUAccounting", "CPUAccounting= of units without one."),
    boolean<&M::memory_accounting>("DefaultMemoryAccounting", "MemoryAccounting= likewise."),
    boolean<&M::tasks_accounting>("DefaultTasksAccounting", "TasksAccounting= likewise."),
    {.name = "DefaultIOAccounting",  // no property of systemd's manager
     .parse = parse_bool_into<&M::io_accounting>,
     .help = "IOAccounting= likewise."},
    {.name = "DefaultIPAccounting",
     .parse = parse_bool_into<&M::ip_accounting>,
     .help = "IPAccounting= likewise."},
    {.name = "DefaultMemoryPressureWatch",
     .parse = parse_word_into<&M::pressure_watch, PressureWatch>,
     .help = "MemoryPressureWatch= of units without one."},
    {.name = "DefaultMemoryPressureThresholdSec",
     .parse = parse_span_into<&M::pressure_threshold>,
     .help = "MemoryPressureThresholdSec= likewise."},
    {.name = "DefaultBlockIOAccounting",
     .support = Support::Obsolete,
     .help = "of cgroup v1, in its place is DefaultIOAccounting="},
    {.name = "DefaultTasksMax",
     .parse = parse_tasks_max,
     .show = show_tasks_max,
     .help = "TasksMax= of units without one; empty: 15% of what the machine can have."},
    limit<RLIMIT_CPU>("DefaultLimitCPU"),
    limit<RLIMIT_FSIZE>("DefaultLimitFSIZE"),
    limit<RLIMIT_DATA>("DefaultLimitDATA"),
    limit<RLIMIT_STACK>("DefaultLimitSTACK"),
    limit<RLIMIT_CORE>("DefaultLimitCORE"),
    limit<RLIMIT_RSS>("DefaultLimitRSS"),
    limit<RLIMIT_NOFILE>("DefaultLimitNOFILE"),
    limit<RLIMIT_AS>("DefaultLimitAS"),
    limit<RLIMIT_NPROC>("DefaultLimitNPROC"),
    limit<RLIMIT_MEMLOCK>("DefaultLimitMEMLOCK"),
    limit<RLIMIT_LOCKS>("DefaultLimitLOCKS"),
    limit<RLIMIT_SIGPENDING>("DefaultLimitSIGPENDING"),
    limit<RLIMIT_MSGQUEUE>("DefaultLimitMSGQUEUE"),
    limit<RLIMIT_NICE>("DefaultLimitNICE"),
    limit<RLIMIT_RTPRIO>("DefaultLimitRTPRIO"),
    limit<RLIMIT_RTTIME>("DefaultLimitRTTIME"),
    {.name = "DefaultOOMPolicy",
     .parse = parse_word_into<&M::oom_policy, OomPolicy>,
     .show = show_word<&M::oom_policy>,
     .help = "OOMPolicy= of services without one, and without Delegate=."},
    {.name = "DefaultOOMScoreAdjust",
     .parse = parse_oom_score,
     .show = show_oom_score,
     .help = "OOMScoreAdjust= of units without one; empty: the manager's own value."},
    later("DefaultSmackProcessLabel", check_any, "SmackProcessLabel= of units without one."),
};

}  // namespace

std::string_view to_string(StatusUnitFormat f) {
  switch (f) {
    case StatusUnitFormat::Name:
      return "name";
    case StatusUnitFormat::Description:
      return "description";
    case StatusUnitFormat::Combined:
      return "combined";
  }
  return "";
}

std::string_view to_string(ShowStatus s) {
  switch (s) {
    case ShowStatus::No:
      return "no";
    case ShowStatus::Error:
      return "error";
    case ShowStatus::Auto:
      return "auto";
    case ShowStatus::Yes:
      return "yes";
  }
  return "";
}

std::span<const ManagerDirective> manager_directives() {
  return kRows;
}

const ManagerDirective* find_manager_directive(std::string_view name) {
  const Row* row = std::ranges::find(kRows, name, &Row::name);
  return row == std::end(kRows) ? nullptr : row;
}

std::optional<int> parse_log_level(std::string_view text) {
  const auto* name = std::ranges::find(kLevels, text);
  if (name != kLevels.end()) return static_cast<int>(name - kLevels.begin());
  if (text.size() == 1 && text[0] >= '0' && text[0] <= '7') return text[0] - '0';
  return std::nullopt;
}

std::string_view log_level_name(int level) {
  return level >= 0 && level < 8 ? kLevels[static_cast<std::size_t>(level)] : "";
}

const Limit* find_limit(const std::vector<Limit>& limits, int resource) {
  const auto found = std::ranges::find(limits, resource, &Limit::resource);
  return found == limits.end() ? nullptr : &*found;
}

}  // namespace onset
