#pragma once
// The one table of verbs: what the program does, what help and completion list.

#include <span>
#include <string_view>

#include "cli/command.h"

namespace onset {

using VerbFunction = int (*)(Command&);

enum class VerbGroup : unsigned char { Units, Files, Jobs, Environment, Manager, System, Hidden };
/// What completion offers behind the verb.
enum class Completes : unsigned char { Nothing, Units, UnitFiles, Targets, Jobs, Files };

struct VerbRow {
  std::string_view name;
  unsigned min;  ///< arguments behind the verb
  unsigned max;
  bool online_only;  ///< in a chroot: nothing is done, and that is no failure
  VerbGroup group;
  Completes completes;
  VerbFunction run;
  const char* parameters;
  const char* help;
};

inline constexpr unsigned kAnyNumber = 0xffff;

std::span<const VerbRow> verb_table() noexcept;
const VerbRow* find_verb(std::string_view name) noexcept;

// jobs: job_verbs.cpp, kill_verbs.cpp, job_list_verbs.cpp
int verb_enqueue(Command& command);  ///< start, stop, restart, reload, …
int verb_isolate(Command& command);  ///< also default, rescue, emergency
int verb_kill(Command& command);
int verb_reset_failed(Command& command);
int verb_list_jobs(Command& command);
int verb_cancel(Command& command);
// states and properties: state_verbs.cpp, show_verb.cpp, status_view.cpp
int verb_is_active(Command& command);
int verb_is_failed(Command& command);
int verb_is_system_running(Command& command);
int verb_show(Command& command);
int verb_cat(Command& command);
int verb_status(Command& command);
int verb_top(Command& command);       ///< top_verb.cpp
int verb_diagnose(Command& command);  ///< diagnose_verb.cpp
// lists: list_view.cpp, dependency_view.cpp
int verb_list_units(Command& command);
int verb_list_dependencies(Command& command);
// files, with or without a manager: install_verbs.cpp, verify_verb.cpp
int verb_change_files(Command& command);  ///< enable, disable, preset, mask, link, set-default, …
int verb_is_enabled(Command& command);
int verb_get_default(Command& command);
int verb_list_unit_files(Command& command);
int verb_verify(Command& command);
int verb_edit(Command& command);          ///< edit_verb.cpp
int verb_set_property(Command& command);  ///< set_property_verb.cpp
// what the boot took: boot_verbs.cpp
int verb_time(Command& command);
int verb_blame(Command& command);
int verb_critical_chain(Command& command);
int verb_plot(Command& command);
int verb_save_boot_times(Command& command);
// the rest: other_verbs.cpp
int verb_list_type(Command& command);  ///< list-sockets, list-timers, …
int verb_freeze(Command& command);     ///< and thaw
int verb_run(Command& command);        ///< with options before it; run_cli() knows the verb itself
int verb_whoami(Command& command);
int verb_help(Command& command);
int verb_not_yet(Command& command);
// the manager and the system: system_verbs.cpp
int verb_daemon_reload(Command& command);
int verb_daemon_reexec(Command& command);
int verb_shut_down(Command& command);  ///< poweroff, reboot, halt, exit, kexec
int verb_switch_root(Command& command);
int verb_runlevel(Command& command);
/// What is planned for later: shutdown -c, shutdown --show.
int cancel_shutdown(Command& command);
int show_shutdown(Command& command);
int verb_log_setting(Command& command);  ///< log-level, log-target
// environment_verbs.cpp
int verb_show_environment(Command& command);
int verb_change_environment(Command& command);  ///< set-environment, unset-environment
int verb_import_environment(Command& command);

int verb_complete(Command& command);  ///< help.cpp: words for a shell

/// Lets the manager read its files again. Of what there is to say about them, what
/// concerns these units (names or paths) is told: the rest stands in its log.
int reload_for(Command& command, const std::vector<std::string>& units);

/// Starts or stops the units and waits as the options say; what --now needs.
int enqueue_units(Command& command, const std::vector<std::string>& units, std::string_view type,
                  std::string_view mode);

}  // namespace onset
