#pragma once
// The way back from values to text that onset itself has no use for: a command as a unit file
// has it, a percent sign that is no specifier.

#include <string>
#include <string_view>

#include "unit/exec_line.h"

namespace onset::test {

/// "%" is "%%".
std::string doubled_percent(std::string_view text);
/// The command as a value of ExecStart=.
std::string printed_command(const ExecCommand& command);

}  // namespace onset::test
