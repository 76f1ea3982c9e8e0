#pragma once
// "onset run", and systemd-run by its name: a command in a unit of its own. systemd-run(1).

#include <span>
#include <string>
#include <string_view>

#include "cli/context.h"

namespace onset {

/// `arguments[0]` is the program, without folders; the exit status.
int run_transient(CliContext& context, std::span<const std::string> arguments);

}  // namespace onset
