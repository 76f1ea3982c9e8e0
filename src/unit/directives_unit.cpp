// [Unit], systemd.unit(5), but for its conditions (directives_condition.cpp).

#include "unit/directive_codecs.h"
#include "unit/directive_rooms.h"

namespace onset {
namespace {

bool is_documentation_uri(std::string_view uri) {
  constexpr std::string_view kSchemes[] = {"http://", "https://", "file:/", "info:", "man:"};
  return std::any_of(std::begin(kSchemes), std::end(kSchemes), [uri](std::string_view scheme) {
    return uri.starts_with(scheme) && uri.size() > scheme.size();
  });
}

std::string parse_documentation(ParseContext& context, std::string_view value) {
  auto& uris = context.unit.config.documentation;
  if (value.empty()) {
    uris.clear();
    return {};
  }
  auto words = split_words(value, WordFlags::Unquote | WordFlags::RetainEscapes);
  if (!words) return std::move(words).error();
  for (const std::string& word : *words) {
    auto uri = expand_value(context, word);
    if (!uri || !is_documentation_uri(*uri)) {
      complain(
          context, Severity::Warning,
          format("Documentation={}: expected {}; ignored", c_escape(word),
                 uri ? std::string("a http://, https://, file:, info: or man: URI") : uri.error()));
      continue;
    }
    uris.push_back(std::move(*uri));
  }
  return {};
}

std::string parse_mounts_for(ParseContext& context, std::string_view value) {
  auto words = split_words(value, WordFlags::Unquote | WordFlags::RetainEscapes);
  if (!words) return std::move(words).error();
  for (const std::string& word : *words) {
    auto path = expand_runtime_path(context, word);
    if (!path) {
      complain(context, Severity::Warning,
               format("RequiresMountsFor={}: expected {}; ignored", c_escape(word), path.error()));
      continue;
    }
    context.unit.config.requires_mounts_for.push_back(std::move(*path));
  }
  return {};
}

/// RequiresOverridable= and RequisiteOverridable= of old: honoured, with a word.
template <DependencyKind Kind>
std::string parse_old_dependency(ParseContext& context, std::string_view value) {
  complain(context, Severity::Note,
           format("{}= is obsolete; {}= is taken for it", context.key,
                  Kind == DependencyKind::Requires ? "Requires" : "Requisite"));
  return parse_dependencies(context, value, Kind);
}

template <auto Member>
constexpr Codec kAction = kWord<Member, EmergencyAction>;

template <auto Member>
constexpr Codec kExitCode{parse_or_reset<Member, unsigned_up_to<255>>, show_member<Member>};

std::string parse_failure_isolate(ParseContext& context, std::string_view value) {
  const auto isolate = parse_bool(value);
  if (!isolate) return isolate.error();
  context.unit.config.on_failure_job_mode = *isolate ? JobMode::Isolate : JobMode::Replace;
  return {};
}

using U = UnitConfig;
using K = DependencyKind;
constexpr Section S = Section::Unit;

constexpr Directive kRows[] = {
    honoured(S, "Description", kText<&U::description>, "Title of the unit, for people."),
    honoured(S, "Documentation", {parse_documentation, show_unescaped<&U::documentation>},
             "Where to read about the unit: http, https, file, info and man URIs."),
    honoured(S, "SourcePath", kPath<&U::source_path>,
             "The foreign configuration file that this unit was made from."),

    honoured(S, "Requires", kDependency<K::Requires>,
             "Units that are started with this one, and whose stop stops it."),
    honoured(S, "Requisite", kDependency<K::Requisite>,
             "Units that must be active already, or the start fails."),
    honoured(S, "Wants", kDependency<K::Wants>,
             "Units that are started with this one; it does not mind if they fail."),
    honoured(S, "BindsTo", kDependency<K::BindsTo>,
             "As Requires=, and this unit stops whenever one of them does."),
    honoured(S, "BindTo", kDependency<K::BindsTo>, "Old name of BindsTo=.", "BindsTo"),
    honoured(S, "Upholds", kDependency<K::Upholds>,
             "Units that are kept running for as long as this one runs.", {}, 249),
    honoured(S, "Conflicts", kDependency<K::Conflicts>,
             "Units that can't run beside this one: a start of either stops the other."),
    honoured(S, "Before", kDependency<K::Before>,
             "Units whose start waits for this one; stopped before it."),
    honoured(S, "After", kDependency<K::After>, "Units that this one's start waits for."),
    honoured(S, "OnSuccess", kDependency<K::OnSuccess>,
             "Units that are started when this one ends well.", {}, 249),
    honoured(S, "OnFailure", kDependency<K::OnFailure>,
             "Units that are started when this one fails."),
    honoured(S, "PropagatesReloadTo", kDependency<K::PropagatesReloadTo>,
             "Units that are reloaded with this one."),
    honoured(S, "PropagateReloadTo", kDependency<K::PropagatesReloadTo>,
             "Old name of PropagatesReloadTo=.", "PropagatesReloadTo"),
    honoured(S, "ReloadPropagatedFrom", kDependency<K::ReloadPropagatedFrom>,
             "Units whose reload reloads this one."),
    honoured(S, "PropagateReloadFrom", kDependency<K::ReloadPropagatedFrom>,
             "Old name of ReloadPropagatedFrom=.", "ReloadPropagatedFrom"),
    honoured(S, "PropagatesStopTo", kDependency<K::PropagatesStopTo>,
             "Units that are stopped with this one.", {}, 249),
    honoured(S, "StopPropagatedFrom", kDependency<K::StopPropagatedFrom>,
             "Units whose stop stops this one.", {}, 249),
    honoured(S, "PartOf", kDependency<K::PartOf>,
             "Units whose stop or restart stops or restarts this one."),
    without_effect(honoured(S, "JoinsNamespaceOf", kDependency<K::JoinsNamespaceOf>,
                            "Units whose network, IPC or /tmp this one shares.")),
    honoured(S, "RequiresOverridable", {parse_old_dependency<K::Requires>, nullptr},
             "Obsolete, read as Requires=."),
    honoured(S, "RequisiteOverridable", {parse_old_dependency<K::Requisite>, nullptr},
             "Obsolete, read as Requisite=."),
    honoured(S, "RequiresMountsFor", {parse_mounts_for, show_unescaped<&U::requires_mounts_for>},
             "Paths whose mount units this one requires and comes after."),

    honoured(S, "StopWhenUnneeded", kBool<&U::stop_when_unneeded>,
             "Stop the unit when no active one needs it."),
    honoured(S, "RefuseManualStart", kBool<&U::refuse_manual_start>,
             "Only a dependency may start the unit, not a user."),
    honoured(S, "RefuseManualStop", kBool<&U::refuse_manual_stop>,
             "Only a dependency may stop the unit, not a user."),
    honoured(S, "AllowIsolate", kBool<&U::allow_isolate>, "The unit may be isolated."),
    honoured(S, "DefaultDependencies", kBool<&U::default_dependencies>,
             "Add the dependencies that nearly every unit of its type needs."),
    honoured(S, "IgnoreOnIsolate", kBool<&U::ignore_on_isolate>,
             "Leave the unit running when another one is isolated."),
    without_effect(honoured(S, "SurviveFinalKillSignal", kBool<&U::survive_final_kill_signal>,
                            "Spare the unit's processes in the last round of a shutdown.", {}, 255),
                   "no"),
    honoured(S, "CollectMode", kWord<&U::collect_mode, CollectMode>,
             "When a unit that nothing refers to is unloaded."),
    honoured(S, "OnSuccessJobMode", kWord<&U::on_success_job_mode, JobMode>,
             "Job mode in which OnSuccess= units are started.", {}, 249),
    honoured(S, "OnFailureJobMode", kWord<&U::on_failure_job_mode, JobMode>,
             "Job mode in which OnFailure= units are started."),
    honoured(S, "OnFailureIsolate", {parse_failure_isolate, nullptr},
             "Old form of OnFailureJobMode=isolate."),

    honoured(S, "JobTimeoutSec", kTimeout<&U::job_timeout>,
             "How long a job for this unit may be queued and run.", "JobTimeoutUSec"),
    honoured(S, "JobRunningTimeoutSec", kTimeout<&U::job_running_timeout>,
             "How long a job for this unit may run.", "JobRunningTimeoutUSec"),
    honoured(S, "JobTimeoutAction", kAction<&U::job_timeout_action>,
             "What to do when a job times out."),
    without_effect(honoured(S, "JobTimeoutRebootArgument", kText<&U::job_timeout_reboot_argument>,
                            "Argument of the reboot of JobTimeoutAction=.")),

    honoured(S, "StartLimitIntervalSec", kSpan<&U::start_limit_interval>,
             "Over which time starts are counted; 0: not at all.", "StartLimitIntervalUSec"),
    honoured(S, "StartLimitInterval", kSpan<&U::start_limit_interval>,
             "Old name of StartLimitIntervalSec=.", "StartLimitIntervalUSec"),
    honoured(S, "StartLimitBurst", kUnsigned<&U::start_limit_burst>,
             "How many starts are allowed in that time."),
    honoured(S, "StartLimitAction", kAction<&U::start_limit_action>,
             "What to do when the unit is started too often."),
    honoured(S, "FailureAction", kAction<&U::failure_action>, "What to do when the unit fails."),
    honoured(S, "SuccessAction", kAction<&U::success_action>,
             "What to do when the unit ends well."),
    honoured(S, "FailureActionExitStatus", kExitCode<&U::failure_action_exit_status>,
             "Exit status of the manager for FailureAction=exit."),
    honoured(S, "SuccessActionExitStatus", kExitCode<&U::success_action_exit_status>,
             "Exit status of the manager for SuccessAction=exit."),
    without_effect(honoured(S, "RebootArgument", kText<&U::reboot_argument>,
                            "Argument of reboot(2) for the actions that reboot.")),
    obsolete(S, "IgnoreOnSnapshot", "Snapshots are gone."),

    // What [Service] took before it moved to [Unit].
    honoured(Section::Service, "StartLimitInterval",
             {kSpan<&U::start_limit_interval>.parse, nullptr},
             "Old place of StartLimitIntervalSec= of [Unit]."),
    honoured(Section::Service, "StartLimitBurst", {kUnsigned<&U::start_limit_burst>.parse, nullptr},
             "Old place of StartLimitBurst= of [Unit]."),
    honoured(Section::Service, "StartLimitAction", {kAction<&U::start_limit_action>.parse, nullptr},
             "Old place of StartLimitAction= of [Unit]."),
    honoured(Section::Service, "FailureAction", {kAction<&U::failure_action>.parse, nullptr},
             "Old place of FailureAction= of [Unit]."),
    without_effect(honoured(Section::Service, "RebootArgument",
                            {kText<&U::reboot_argument>.parse, nullptr},
                            "Old place of RebootArgument= of [Unit].")),
};

}  // namespace

std::span<const Directive> unit_directives() {
  return kRows;
}

}  // namespace onset
