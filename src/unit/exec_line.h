#pragma once
// ExecStart= and its kin, systemd.service(5) COMMAND LINES: one value → commands,
// and later one command and an environment → argv.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "unit/environment.h"
#include "unit/specifiers.h"

namespace onset {

/// One command. `path` is absolute and simplified, or a bare name: whoever
/// launches looks that up in the search path.
struct ExecCommand {
  std::string path;
  std::vector<std::string>
      argv;                      ///< never empty; argv[0] is the path as written unless argv0_given
  bool ignore_failure = false;   ///< "-"
  bool no_env_expand = false;    ///< ":"
  bool full_privileges = false;  ///< "+"
  bool no_setuid = false;        ///< "!"
  bool ambient_magic = false;    ///< "!!"
  bool argv0_given = false;      ///< "@"
  bool operator==(const ExecCommand&) const = default;
};

/// The commands of one value. Lone ";" words part commands, "\;" is a ";". The
/// error is one for which systemd refuses the unit. What systemd only warns of
/// (unknown escapes, a bad command with "-", a broken first word) is appended to
/// `warnings`, if given, and the commands before it count. An empty value gives
/// no command: the caller resets the list.
Result<std::vector<ExecCommand>, std::string> parse_exec_line(
    std::string_view value, const SpecifierScope& scope,
    std::vector<std::string>* warnings = nullptr);

/// argv with its variables replaced, unless no_env_expand. A word that begins
/// with "$" and not "${" or "$$" is one variable and becomes the words of its value,
/// quotes honoured, none if unknown; elsewhere ${NAME} is replaced as it is, "$$"
/// is "$", and any other "$" stays.
std::vector<std::string> expand_argv(const ExecCommand& command, const Environment& environment);

}  // namespace onset
