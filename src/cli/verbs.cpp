#include "cli/verbs.h"

#include <array>

namespace onset {

namespace {

using enum VerbGroup;
constexpr unsigned kAny = kAnyNumber;
constexpr auto kU = Completes::Units;
constexpr auto kF = Completes::UnitFiles;
constexpr auto kNone = Completes::Nothing;

constexpr std::array kTable = {
    // name, min, max, online only, group, completes, function, parameters, help
    VerbRow{"list-units", 0, kAny, true, Units, kU, verb_list_units, "[PATTERN…]",
            "List the units in memory"},
    VerbRow{"is-active", 1, kAny, true, Units, kU, verb_is_active, "PATTERN…",
            "Whether units are active"},
    VerbRow{"is-failed", 1, kAny, true, Units, kU, verb_is_failed, "PATTERN…",
            "Whether units have failed"},
    VerbRow{"status", 0, kAny, true, Units, kU, verb_status, "[PATTERN…|PID…]",
            "Show the state of units, or of the whole"},
    VerbRow{"show", 0, kAny, true, Units, kU, verb_show, "[PATTERN…]",
            "Show properties of units or of the manager"},
    VerbRow{"cat", 1, kAny, false, Units, Completes::UnitFiles, verb_cat, "PATTERN…",
            "Show the files of units"},
    VerbRow{"start", 1, kAny, true, Units, kU, verb_enqueue, "UNIT…", "Start units"},
    VerbRow{"stop", 1, kAny, true, Units, kU, verb_enqueue, "UNIT…", "Stop units"},
    VerbRow{"reload", 1, kAny, true, Units, kU, verb_enqueue, "UNIT…", "Reload units"},
    VerbRow{"restart", 1, kAny, true, Units, kU, verb_enqueue, "UNIT…", "Start or restart units"},
    VerbRow{"try-restart", 1, kAny, true, Units, kU, verb_enqueue, "UNIT…",
            "Restart units if they are active"},
    VerbRow{"condrestart", 1, kAny, true, Hidden, kU, verb_enqueue, "UNIT…", ""},
    VerbRow{"reload-or-restart", 1, kAny, true, Units, kU, verb_enqueue, "UNIT…",
            "Reload units that can, restart the others"},
    VerbRow{"try-reload-or-restart", 1, kAny, true, Units, kU, verb_enqueue, "UNIT…",
            "The same for those that are active"},
    VerbRow{"reload-or-try-restart", 1, kAny, true, Hidden, kU, verb_enqueue, "UNIT…", ""},
    VerbRow{"force-reload", 1, kAny, true, Hidden, kU, verb_enqueue, "UNIT…", ""},
    VerbRow{"isolate", 1, 1, true, Units, Completes::Targets, verb_isolate, "UNIT",
            "Start a unit, stop what it does not need"},
    VerbRow{"kill", 1, kAny, true, Units, kU, verb_kill, "UNIT…", "Send a signal to processes"},
    VerbRow{"reset-failed", 0, kAny, true, Units, kU, verb_reset_failed, "[PATTERN…]",
            "Forget that units failed"},
    VerbRow{"list-dependencies", 0, kAny, true, Units, kU, verb_list_dependencies, "[UNIT…]",
            "Show what units pull in, as a tree"},
    VerbRow{"list-unit-files", 0, kAny, false, Files, kF, verb_list_unit_files, "[PATTERN…]",
            "List the installed unit files"},
    VerbRow{"is-enabled", 1, kAny, false, Files, kF, verb_is_enabled, "UNIT…",
            "Whether unit files are enabled"},
    VerbRow{"enable", 1, kAny, false, Files, kF, verb_change_files, "UNIT…|PATH…",
            "Make the links of [Install]"},
    VerbRow{"disable", 1, kAny, false, Files, kF, verb_change_files, "UNIT…", "Take them away"},
    VerbRow{"reenable", 1, kAny, false, Files, kF, verb_change_files, "UNIT…",
            "Take them away and make them anew"},
    VerbRow{"preset", 1, kAny, false, Files, kF, verb_change_files, "UNIT…",
            "Enable or disable as the presets say"},
    VerbRow{"preset-all", 0, 0, false, Files, kNone, verb_change_files, "",
            "The same for all unit files"},
    VerbRow{"mask", 1, kAny, false, Files, kF, verb_change_files, "UNIT…",
            "Make units impossible to start"},
    VerbRow{"unmask", 1, kAny, false, Files, kF, verb_change_files, "UNIT…", "Undo mask"},
    VerbRow{"link", 1, kAny, false, Files, Completes::Files, verb_change_files, "PATH…",
            "Link unit files into the search path"},
    VerbRow{"add-wants", 2, kAny, false, Files, kF, verb_change_files, "TARGET UNIT…",
            "Let a target want units"},
    VerbRow{"add-requires", 2, kAny, false, Files, kF, verb_change_files, "TARGET UNIT…",
            "Let a target require units"},
    VerbRow{"get-default", 0, 0, false, Files, kNone, verb_get_default, "",
            "Show the target that a start leads to"},
    VerbRow{"set-default", 1, 1, false, Files, Completes::Targets, verb_change_files, "TARGET",
            "Set it"},
    VerbRow{"verify", 1, kAny, false, Files, Completes::Files, verb_verify, "FILE…",
            "Check unit files"},
    VerbRow{"list-jobs", 0, kAny, true, Jobs, kNone, verb_list_jobs, "", "List jobs"},
    VerbRow{"cancel", 0, kAny, true, Jobs, Completes::Jobs, verb_cancel, "[JOB…]",
            "Cancel jobs, or all of them"},
    VerbRow{"daemon-reload", 0, 0, true, Manager, kNone, verb_daemon_reload, "",
            "Read all unit files again"},
    VerbRow{"daemon-reexec", 0, 0, true, Hidden, kNone, verb_daemon_reexec, "", ""},
    VerbRow{"is-system-running", 0, 0, false, System, kNone, verb_is_system_running, "",
            "Whether the start has ended, and well"},
    VerbRow{"default", 0, 0, true, System, kNone, verb_isolate, "", "Enter the default target"},
    VerbRow{"rescue", 0, 0, true, System, kNone, verb_isolate, "", "Enter the rescue target"},
    VerbRow{"emergency", 0, 0, true, System, kNone, verb_isolate, "", "Enter the emergency target"},
    VerbRow{"poweroff", 0, 0, true, System, kNone, verb_shut_down, "", "Stop all and power off"},
    VerbRow{"reboot", 0, 0, true, System, kNone, verb_shut_down, "", "Stop all and reboot"},
    VerbRow{"halt", 0, 0, true, System, kNone, verb_shut_down, "", "Stop all and halt"},
    VerbRow{"kexec", 0, 0, true, System, kNone, verb_shut_down, "", "Stop all and boot by kexec"},
    VerbRow{"exit", 0, 1, true, System, kNone, verb_shut_down, "[STATUS]",
            "Stop all and end the manager"},
    VerbRow{"complete", 1, 1, false, Hidden, kNone, verb_complete, "verbs|options", ""},
};

}  // namespace

std::span<const VerbRow> verb_table() noexcept {
  return kTable;
}

const VerbRow* find_verb(std::string_view name) noexcept {
  for (const VerbRow& row : kTable) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

}  // namespace onset
