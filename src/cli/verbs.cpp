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
            "List units currently in memory"},
    VerbRow{"list-automounts", 0, kAny, true, Units, kU, verb_list_type, "[PATTERN…]",
            "List automount units currently in memory, ordered by path"},
    VerbRow{"list-paths", 0, kAny, true, Units, kU, verb_list_type, "[PATTERN…]",
            "List path units currently in memory, ordered by path"},
    VerbRow{"list-sockets", 0, kAny, true, Units, kU, verb_list_type, "[PATTERN…]",
            "List socket units currently in memory, ordered by address"},
    VerbRow{"list-timers", 0, kAny, true, Units, kU, verb_list_type, "[PATTERN…]",
            "List timer units currently in memory, ordered by next elapse"},
    VerbRow{"is-active", 1, kAny, true, Units, kU, verb_is_active, "PATTERN…",
            "Check whether units are active"},
    VerbRow{"is-failed", 1, kAny, true, Units, kU, verb_is_failed, "PATTERN…",
            "Check whether units are failed"},
    VerbRow{"status", 0, kAny, true, Units, kU, verb_status, "[PATTERN…|PID…]",
            "Show runtime status of one or more units"},
    VerbRow{"diagnose", 1, kAny, true, Units, kU, verb_diagnose, "UNIT…",
            "Show what keeps units from going on: waits, locks, limits, pressure"},
    VerbRow{"top", 0, 0, true, Units, kNone, verb_top, "",
            "Show what units and slices use: CPU, memory, I/O, tasks, pressure"},
    VerbRow{"show", 0, kAny, true, Units, kU, verb_show, "[PATTERN…]",
            "Show properties of one or more units or the manager"},
    VerbRow{"cat", 1, kAny, false, Units, Completes::UnitFiles, verb_cat, "PATTERN…",
            "Show files and drop-ins of specified units"},
    VerbRow{"start", 1, kAny, true, Units, kU, verb_enqueue, "UNIT…",
            "Start (activate) one or more units"},
    VerbRow{"stop", 1, kAny, true, Units, kU, verb_enqueue, "UNIT…",
            "Stop (deactivate) one or more units"},
    VerbRow{"reload", 1, kAny, true, Units, kU, verb_enqueue, "UNIT…", "Reload one or more units"},
    VerbRow{"restart", 1, kAny, true, Units, kU, verb_enqueue, "UNIT…",
            "Start or restart one or more units"},
    VerbRow{"try-restart", 1, kAny, true, Units, kU, verb_enqueue, "UNIT…",
            "Restart one or more units if active"},
    VerbRow{"condrestart", 1, kAny, true, Hidden, kU, verb_enqueue, "UNIT…", ""},
    VerbRow{"reload-or-restart", 1, kAny, true, Units, kU, verb_enqueue, "UNIT…",
            "Reload one or more units if possible, otherwise start or restart"},
    VerbRow{"try-reload-or-restart", 1, kAny, true, Units, kU, verb_enqueue, "UNIT…",
            "If active, reload one or more units, if supported, otherwise restart"},
    VerbRow{"reload-or-try-restart", 1, kAny, true, Hidden, kU, verb_enqueue, "UNIT…", ""},
    VerbRow{"force-reload", 1, kAny, true, Hidden, kU, verb_enqueue, "UNIT…", ""},
    VerbRow{"isolate", 1, 1, true, Units, Completes::Targets, verb_isolate, "UNIT",
            "Start one unit and stop all others"},
    VerbRow{"kill", 1, kAny, true, Units, kU, verb_kill, "UNIT…",
            "Send signal to processes of a unit"},
    VerbRow{"reset-failed", 0, kAny, true, Units, kU, verb_reset_failed, "[PATTERN…]",
            "Reset failed state for all, one, or more units"},
    VerbRow{"help", 0, kAny, true, Units, kU, verb_help, "PATTERN…|PID…",
            "Show manual for one or more units"},
    VerbRow{"whoami", 0, kAny, true, Units, kNone, verb_whoami, "[PID…]",
            "Return unit caller or specified PIDs are part of"},
    VerbRow{"freeze", 1, kAny, true, Units, kU, verb_freeze, "PATTERN…",
            "Freeze execution of unit processes"},
    VerbRow{"thaw", 1, kAny, true, Units, kU, verb_freeze, "PATTERN…",
            "Resume execution of a frozen unit"},
    VerbRow{"list-dependencies", 0, kAny, true, Units, kU, verb_list_dependencies, "[UNIT…]",
            "Recursively show units which are required or wanted by the units or by which those "
            "units are required or wanted"},
    VerbRow{"list-unit-files", 0, kAny, false, Files, kF, verb_list_unit_files, "[PATTERN…]",
            "List installed unit files"},
    VerbRow{"is-enabled", 1, kAny, false, Files, kF, verb_is_enabled, "UNIT…",
            "Check whether unit files are enabled"},
    VerbRow{"enable", 1, kAny, false, Files, kF, verb_change_files, "UNIT…|PATH…",
            "Enable one or more unit files"},
    VerbRow{"disable", 1, kAny, false, Files, kF, verb_change_files, "UNIT…",
            "Disable one or more unit files"},
    VerbRow{"reenable", 1, kAny, false, Files, kF, verb_change_files, "UNIT…",
            "Reenable one or more unit files"},
    VerbRow{"preset", 1, kAny, false, Files, kF, verb_change_files, "UNIT…",
            "Enable/disable one or more unit files based on preset configuration"},
    VerbRow{"preset-all", 0, 0, false, Files, kNone, verb_change_files, "",
            "Enable/disable all unit files based on preset configuration"},
    VerbRow{"mask", 1, kAny, false, Files, kF, verb_change_files, "UNIT…",
            "Mask one or more units"},
    VerbRow{"unmask", 1, kAny, false, Files, kF, verb_change_files, "UNIT…",
            "Unmask one or more units"},
    VerbRow{"revert", 1, kAny, false, Files, kF, verb_change_files, "UNIT…",
            "Revert one or more unit files to vendor version"},
    VerbRow{"edit", 1, kAny, false, Files, kF, verb_edit, "UNIT…", "Edit one or more unit files"},
    VerbRow{"link", 1, kAny, false, Files, Completes::Files, verb_change_files, "PATH…",
            "Link one or more units files into the search path"},
    VerbRow{"add-wants", 2, kAny, false, Files, kF, verb_change_files, "TARGET UNIT…",
            "Add 'Wants' dependency for the target on specified one or more units"},
    VerbRow{"add-requires", 2, kAny, false, Files, kF, verb_change_files, "TARGET UNIT…",
            "Add 'Requires' dependency for the target on specified one or more units"},
    VerbRow{"get-default", 0, 0, false, Files, kNone, verb_get_default, "",
            "Get the name of the default target"},
    VerbRow{"set-default", 1, 1, false, Files, Completes::Targets, verb_change_files, "TARGET",
            "Set the default target"},
    VerbRow{"verify", 1, kAny, false, Files, Completes::Files, verb_verify, "FILE…",
            "Check unit files"},
    VerbRow{"list-jobs", 0, kAny, true, Jobs, kNone, verb_list_jobs, "[PATTERN…]", "List jobs"},
    VerbRow{"cancel", 0, kAny, true, Jobs, Completes::Jobs, verb_cancel, "[JOB…]",
            "Cancel all, one, or more jobs"},
    VerbRow{"daemon-reload", 0, 0, true, Manager, kNone, verb_daemon_reload, "",
            "Reload manager configuration"},
    VerbRow{"daemon-reexec", 0, 0, true, Hidden, kNone, verb_daemon_reexec, "", ""},
    VerbRow{"is-system-running", 0, 0, false, System, kNone, verb_is_system_running, "",
            "Check whether system is fully running"},
    VerbRow{"default", 0, 0, true, System, kNone, verb_isolate, "", "Enter system default mode"},
    VerbRow{"rescue", 0, 0, true, System, kNone, verb_isolate, "", "Enter system rescue mode"},
    VerbRow{"emergency", 0, 0, true, System, kNone, verb_isolate, "",
            "Enter system emergency mode"},
    VerbRow{"poweroff", 0, 0, true, System, kNone, verb_shut_down, "",
            "Shut down and power-off the system"},
    VerbRow{"reboot", 0, 0, true, System, kNone, verb_shut_down, "",
            "Shut down and reboot the system"},
    VerbRow{"halt", 0, 0, true, System, kNone, verb_shut_down, "", "Shut down and halt the system"},
    VerbRow{"kexec", 0, 0, true, System, kNone, verb_shut_down, "",
            "Shut down and reboot the system with kexec"},
    VerbRow{"soft-reboot", 0, 0, true, System, kNone, verb_shut_down, "",
            "Shut down and reboot userspace"},
    VerbRow{"exit", 0, 1, true, System, kNone, verb_shut_down, "[STATUS]",
            "Request user instance or container exit"},
    VerbRow{"clean", 0, kAny, true, Hidden, kNone, verb_not_yet, "", ""},
    VerbRow{"set-property", 0, kAny, true, Hidden, kNone, verb_not_yet, "", ""},
    VerbRow{"bind", 0, kAny, true, Hidden, kNone, verb_not_yet, "", ""},
    VerbRow{"mount-image", 0, kAny, true, Hidden, kNone, verb_not_yet, "", ""},
    VerbRow{"service-log-level", 0, kAny, true, Hidden, kNone, verb_not_yet, "", ""},
    VerbRow{"service-log-target", 0, kAny, true, Hidden, kNone, verb_not_yet, "", ""},
    VerbRow{"list-machines", 0, kAny, true, Hidden, kNone, verb_not_yet, "", ""},
    VerbRow{"show-environment", 0, kAny, true, Hidden, kNone, verb_not_yet, "", ""},
    VerbRow{"set-environment", 0, kAny, true, Hidden, kNone, verb_not_yet, "", ""},
    VerbRow{"unset-environment", 0, kAny, true, Hidden, kNone, verb_not_yet, "", ""},
    VerbRow{"import-environment", 0, kAny, true, Hidden, kNone, verb_not_yet, "", ""},
    VerbRow{"log-level", 0, kAny, true, Hidden, kNone, verb_not_yet, "", ""},
    VerbRow{"log-target", 0, kAny, true, Hidden, kNone, verb_not_yet, "", ""},
    VerbRow{"service-watchdogs", 0, kAny, true, Hidden, kNone, verb_not_yet, "", ""},
    VerbRow{"switch-root", 0, kAny, true, Hidden, kNone, verb_not_yet, "", ""},
    VerbRow{"suspend", 0, kAny, true, Hidden, kNone, verb_not_yet, "", ""},
    VerbRow{"hibernate", 0, kAny, true, Hidden, kNone, verb_not_yet, "", ""},
    VerbRow{"hybrid-sleep", 0, kAny, true, Hidden, kNone, verb_not_yet, "", ""},
    VerbRow{"suspend-then-hibernate", 0, kAny, true, Hidden, kNone, verb_not_yet, "", ""},
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
