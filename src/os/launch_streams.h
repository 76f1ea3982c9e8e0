#pragma once
// StandardInput=, StandardOutput=, StandardError= and the terminal settings of
// systemd.exec(5) → where descriptors 0, 1 and 2 of a process come from.
//
// Differences, until onset keeps logs: journal, kmsg and their "+console" forms
// go to onset's own output, error output to its own error output; unset output
// is the journal's.

#include "os/launch_plan.h"
#include "os/launch_settings.h"
#include "os/socket_table.h"

namespace onset {

struct StreamRequest {
  const ExecConfig& exec;
  bool terminal_input = true;  ///< false for commands that never own the terminal
  mode_t umask = 0022;
  const PassedSockets* sockets = nullptr;  ///< what socket units hand over
};

/// Fills streams and terminal; on failure sets plan.failed.
void plan_streams(LaunchPlan& plan, const StreamRequest& request, const LaunchSettings& settings);

/// Whether one of the three is a socket that a socket unit hands over: then it is passed in no
/// other way.
bool is_on_socket(const ExecConfig& exec);
/// Whether the process gets a terminal, and so $TERM.
bool uses_terminal(const ExecConfig& exec);

}  // namespace onset
