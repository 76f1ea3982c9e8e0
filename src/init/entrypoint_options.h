#pragma once
// The options of `onset [OPTION…] -- COMMAND [ARG…]`, from argv to plain data.
// Pure: reads nothing but argv, and allocates only for a fault's message.

#include <array>
#include <cstdint>

#include "unit/signals.h"

namespace onset {

struct EntrypointOptions {
  bool to_group = false;          ///< -g: a signal goes to the command's whole process group
  bool wait_descendants = false;  ///< -w: stay until no descendant is left
  int verbosity = 0;              ///< -v: start, end and signals; -vv: every reaped process too
  int parent_death_signal = 0;    ///< -p SIGNAL; 0 is none
  /// -r OLD:NEW: what is sent for signal i; 0 ignores it.
  std::array<std::uint8_t, kSigRtMax + 1> rewrite{};
  /// -e CODE: this exit code of the command becomes 0.
  std::array<bool, 256> is_success{};
  /// COMMAND and its arguments, ended by a null pointer; points into argv.
  char* const* command = nullptr;
};

enum class EntrypointVerdict : std::uint8_t {
  NotOurs,  ///< no `--` after options of this mode alone: another applet's command line
  Refused,  ///< ours, but wrong: `at` is the word, `expected` says what should be there
  Accepted,
};

struct EntrypointCall {
  EntrypointVerdict verdict = EntrypointVerdict::NotOurs;
  EntrypointOptions options;
  const char* at = "";
  const char* expected = "";
};

/// Reads argv (argv[0] is the program's name). An option's argument is the rest
/// of its word or the next word; letters cluster as with getopt(3). A short
/// option that does not exist is Refused; a long one is NotOurs, but to PID 1 Refused
/// too: who meant to run a command does not want a machine's units to start.
EntrypointCall parse_entrypoint(char* const* argv, bool is_pid1) noexcept;

}  // namespace onset
