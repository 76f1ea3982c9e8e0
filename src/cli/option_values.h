#pragma once
// What an option's value does: the functions that the table of options names.
// Each takes down what it is given, or answers with what is wrong with it, in
// systemctl's words; empty: nothing is.

#include <string>
#include <string_view>

#include "cli/options.h"

namespace onset::option {

std::string set_types(Options& options, std::string_view value);
std::string set_states(Options& options, std::string_view value);
std::string set_failed(Options& options, std::string_view value);
std::string set_properties(Options& options, std::string_view value);
std::string set_properties_and_value(Options& options, std::string_view value);
std::string set_json(Options& options, std::string_view value);
std::string set_signal(Options& options, std::string_view value);
std::string set_lines(Options& options, std::string_view value);
std::string set_order(Options& options, std::string_view value);
std::string set_fuzz(Options& options, std::string_view value);
std::string set_delay(Options& options, std::string_view value);
std::string set_iterations(Options& options, std::string_view value);
std::string set_output(Options& options, std::string_view value);
std::string set_legend(Options& options, std::string_view value);
std::string set_kill_whom(Options& options, std::string_view value);
std::string set_job_mode(Options& options, std::string_view value);
std::string set_fail(Options& options, std::string_view value);
std::string set_irreversible(Options& options, std::string_view value);
std::string set_ignore_dependencies(Options& options, std::string_view value);
std::string set_preset_mode(Options& options, std::string_view value);
std::string set_what(Options& options, std::string_view value);
std::string set_timestamp(Options& options, std::string_view value);
std::string set_no_legend(Options& options, std::string_view value);
std::string set_check_inhibitors(Options& options, std::string_view value);
std::string set_message(Options& options, std::string_view value);
std::string set_reboot_argument(Options& options, std::string_view value);
std::string set_drop_in(Options& options, std::string_view value);
std::string set_root(Options& options, std::string_view value);
std::string set_system(Options& options, std::string_view value);
std::string set_force(Options& options, std::string_view value);

template <DependencySide side>
std::string set_side(Options& options, std::string_view) {
  options.side = side;
  options.after |= side == DependencySide::After;
  options.before |= side == DependencySide::Before;
  return {};
}

}  // namespace onset::option
