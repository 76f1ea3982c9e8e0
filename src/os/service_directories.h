#pragma once
// RuntimeDirectory= and its four siblings as a table: where they live, what
// variable names them, which step they fail (systemd.exec(5)).

#include <string>
#include <string_view>

#include "os/launch_step.h"
#include "unit/exec_config.h"
#include "unit/specifiers.h"

namespace onset {

const std::string& directory_base(ExecDirectory kind, const HostFacts& host);
std::string_view directory_variable(ExecDirectory kind);
LaunchStep directory_step(ExecDirectory kind);

}  // namespace onset
