// The table of options, systemctl(1): parser, help and completion read it.
#include <array>

#include "cli/option_values.h"
#include "cli/options.h"

namespace onset {

namespace {

using enum Takes;
constexpr auto kNone = nullptr;

/// Known to systemctl, and not to be had here.
constexpr OptionRow refused(const char* name, char letter, Takes takes, const char* placeholder,
                            const char* why) {
  return {name, letter, takes, nullptr, nullptr, placeholder, nullptr, why};
}

constexpr std::array kTable = {
    OptionRow{"help", 'h', Nothing, &Options::help, kNone, "", "Show this help"},
    OptionRow{"version", 0, Nothing, &Options::version, kNone, "", "Show package version"},
    OptionRow{"system", 0, Nothing, kNone, option::set_system, "", "Connect to system manager"},
    OptionRow{"user", 0, Nothing, &Options::user, kNone, "", "Connect to user service manager"},
    OptionRow{"type", 't', Value, kNone, option::set_types, "TYPE",
              "List units of a particular type"},
    OptionRow{"state", 0, Value, kNone, option::set_states, "STATE",
              "List units with particular LOAD or SUB or ACTIVE state"},
    OptionRow{"failed", 0, Nothing, kNone, option::set_failed, "", "Shortcut for --state=failed"},
    OptionRow{"property", 'p', Value, kNone, option::set_properties, "NAME",
              "Show only properties by this name"},
    OptionRow{nullptr, 'P', Value, kNone, option::set_properties_and_value, "NAME",
              "Equivalent to --value --property=NAME"},
    OptionRow{"all", 'a', Nothing, &Options::all, kNone, "",
              "Show all properties/all units currently in memory, including dead/empty ones"},
    OptionRow{"full", 'l', Nothing, &Options::full, kNone, "",
              "Don't ellipsize unit names on output; with 'edit', the whole file"},
    OptionRow{"recursive", 'r', Nothing, kNone, kNone, "",
              "Show units of local containers too: none is known here"},
    OptionRow{"reverse", 0, Nothing, kNone, option::set_side<DependencySide::Reverse>, "",
              "Show reverse dependencies with 'list-dependencies'"},
    OptionRow{"after", 0, Nothing, kNone, option::set_side<DependencySide::After>, "",
              "Show units ordered before, with 'list-dependencies'"},
    OptionRow{"before", 0, Nothing, kNone, option::set_side<DependencySide::Before>, "",
              "Show units ordered after, with 'list-dependencies'"},
    OptionRow{"with-dependencies", 0, Nothing, &Options::with_dependencies, kNone, "",
              "Show unit dependencies with 'status', 'cat', 'list-units' and 'list-unit-files'"},
    OptionRow{"job-mode", 0, Value, kNone, option::set_job_mode, "MODE",
              "Specify how to deal with already queued jobs, when queueing a new job"},
    OptionRow{"fail", 0, Nothing, kNone, option::set_fail, "",
              "Equivalent to --job-mode=fail; with 'kill', nothing to signal is an error"},
    OptionRow{"irreversible", 0, Nothing, kNone, option::set_irreversible, "", nullptr},
    OptionRow{"ignore-dependencies", 0, Nothing, kNone, option::set_ignore_dependencies, "",
              nullptr},
    OptionRow{"show-types", 0, Nothing, &Options::show_types, kNone, "",
              "When showing sockets, explicitly show their type"},
    OptionRow{"value", 0, Nothing, &Options::value, kNone, "",
              "When showing properties, only print the value"},
    OptionRow{"check-inhibitors", 0, Value, kNone, option::set_check_inhibitors, "MODE",
              "Whether to check inhibitors (auto, yes, no): there are none here"},
    OptionRow{nullptr, 'i', Nothing, kNone, kNone, "", "Shortcut for --check-inhibitors=no"},
    OptionRow{"kill-whom", 0, Value, kNone, option::set_kill_whom, "WHOM",
              "Whom to send signal to"},
    OptionRow{"kill-who", 0, Value, kNone, option::set_kill_whom, "WHOM", nullptr},
    OptionRow{"signal", 's', Value, kNone, option::set_signal, "SIGNAL", "Which signal to send"},
    OptionRow{"what", 0, Value, kNone, option::set_what, "RESOURCES", nullptr},
    OptionRow{"now", 0, Nothing, &Options::now, kNone, "",
              "Start or stop unit after enabling or disabling it"},
    OptionRow{"dry-run", 0, Nothing, &Options::dry_run, kNone, "",
              "Only print what would be done, with the verbs of the system's end"},
    OptionRow{"quiet", 'q', Nothing, &Options::quiet, kNone, "", "Suppress output"},
    OptionRow{"wait", 0, Nothing, &Options::wait, kNone, "",
              "For (re)start, wait until service stopped again; for is-system-running, wait until "
              "startup is completed"},
    OptionRow{"no-block", 0, Nothing, &Options::no_block, kNone, "",
              "Do not wait until operation finished"},
    OptionRow{"no-wall", 0, Nothing, &Options::no_wall, kNone, "",
              "Don't send wall message before halt/power-off/reboot"},
    OptionRow{"message", 0, Value, kNone, option::set_message, "MESSAGE",
              "Specify human-readable reason for system shutdown"},
    OptionRow{"no-reload", 0, Nothing, &Options::no_reload, kNone, "",
              "Don't reload daemon after en-/dis-abling unit files"},
    OptionRow{"legend", 0, Value, kNone, option::set_legend, "BOOL",
              "Enable/disable the legend (column headers and hints)"},
    OptionRow{"no-legend", 0, Nothing, kNone, option::set_no_legend, "", nullptr},
    OptionRow{"no-pager", 0, Nothing, kNone, kNone, "",
              "Do not pipe output into a pager: never done"},
    OptionRow{"no-ask-password", 0, Nothing, kNone, kNone, "",
              "Do not ask for system passwords: never done"},
    OptionRow{"no-warn", 0, Nothing, &Options::no_warn, kNone, "",
              "No warning about units without [Install]"},
    OptionRow{"runtime", 0, Nothing, &Options::runtime, kNone, "",
              "Edit/enable/disable/mask unit files temporarily until next reboot"},
    OptionRow{"force", 'f', Nothing, kNone, option::set_force, "",
              "When enabling unit files, override existing symlinks; when shutting down, execute "
              "action immediately"},
    OptionRow{"preset-mode", 0, Value, kNone, option::set_preset_mode, "MODE",
              "Apply only enable, only disable, or all presets"},
    OptionRow{"root", 0, Value, kNone, option::set_root, "PATH",
              "Edit/enable/disable/mask unit files in the specified root directory"},
    OptionRow{"lines", 'n', Value, kNone, option::set_lines, "INTEGER",
              "Number of log lines to show with 'status': there are none yet"},
    OptionRow{"output", 'o', Value, kNone, option::set_output, "STRING",
              "Format of log lines with 'status': there are none yet"},
    OptionRow{"plain", 0, Nothing, &Options::plain, kNone, "",
              "Print unit dependencies as a list instead of a tree"},
    OptionRow{"timestamp", 0, Value, kNone, option::set_timestamp, "FORMAT",
              "Change format of printed timestamps (pretty, unix, us, utc, us+utc)"},
    OptionRow{"json", 0, MaybeValue, kNone, option::set_json, "MODE",
              "Print JSON: short, pretty or off"},
    OptionRow{"order", 0, Value, kNone, option::set_order, "ORDER",
              "With 'top', sort by cpu, memory, io, tasks, pressure or name"},
    OptionRow{"delay", 0, Value, kNone, option::set_delay, "SPAN",
              "With 'top', the time between two looks"},
    OptionRow{"iterations", 0, Value, kNone, option::set_iterations, "INTEGER",
              "With 'top', print so often and end"},
    OptionRow{"fuzz", 0, Value, kNone, option::set_fuzz, "SPAN",
              "With 'critical-chain', also show units so much earlier than the latest"},
    OptionRow{"stdin", 0, Nothing, &Options::use_stdin, kNone, "",
              "Read new contents of edited file from stdin"},
    OptionRow{"drop-in", 0, Value, kNone, option::set_drop_in, "NAME",
              "Edit unit files using the specified drop-in file name"},
    refused("host", 'H', Value, "[USER@]HOST",
            "-H/--host= is not supported: onset is asked where it runs."),
    refused("machine", 'M', Value, "CONTAINER",
            "-M/--machine= is not supported: enter the container and ask there."),
    refused("image", 0, Value, "PATH",
            "--image= is not supported: mount the image and use --root=."),
    refused("global", 0, Nothing, "", "--global is not supported yet: use --user as each user."),
    refused("marked", 0, Nothing, "", "--marked is not supported yet: name the units."),
    refused("show-transaction", 'T', Nothing, "", "-T/--show-transaction is not supported yet."),
    OptionRow{"reboot-argument", 0, Value, kNone, option::set_reboot_argument, "ARG",
              "Specify argument string to pass to reboot()"},
    refused("firmware-setup", 0, Nothing, "", "--firmware-setup is not supported."),
    refused("boot-loader-menu", 0, Value, "TIMEOUT", "--boot-loader-menu= is not supported."),
    refused("boot-loader-entry", 0, Value, "NAME", "--boot-loader-entry= is not supported."),
    refused("mkdir", 0, Nothing, "", "--mkdir is not supported: bind and mount-image are not."),
    refused("read-only", 0, Nothing, "",
            "--read-only is not supported: bind and mount-image are not."),
};

}  // namespace

std::span<const OptionRow> option_table() noexcept {
  return kTable;
}

}  // namespace onset
