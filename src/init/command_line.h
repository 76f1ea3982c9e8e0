#pragma once
// The command line's surroundings on this machine: files, sockets, terminal.

namespace onset {

/// Runs one command of cli/; its exit status.
int run_command_line(int argc, char** argv, char** environment);

}  // namespace onset
