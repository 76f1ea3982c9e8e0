#pragma once
// Small programs of systemd's by their names: what packages' scripts call beside systemctl, and
// what needs no manager. systemd-escape(1), systemd-detect-virt(1).

#include <span>
#include <string>
#include <string_view>

#include "cli/context.h"

namespace onset {

bool is_small_applet(std::string_view program) noexcept;
/// `arguments[0]` is the program, without folders; the exit status.
int run_small_applet(CliContext& context, std::span<const std::string> arguments);

}  // namespace onset
