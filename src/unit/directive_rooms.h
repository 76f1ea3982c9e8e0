#pragma once
// The rooms that the table of directives is made of: one span of rows each.

#include <span>

#include "unit/directives.h"

namespace onset {

std::span<const Directive> unit_directives();
std::span<const Directive> condition_directives();
std::span<const Directive> service_directives();
std::span<const Directive> install_directives();
/// Shared by [Service], [Socket], [Mount] and [Swap].
std::span<const Directive> exec_directives();
std::span<const Directive> sandbox_directives();
/// Shared by these and [Scope].
std::span<const Directive> kill_directives();
/// Shared by these and [Slice].
std::span<const Directive> resource_directives();
std::span<const Directive> mount_directives();
std::span<const Directive> scheduling_directives();
std::span<const Directive> socket_directives();
std::span<const Directive> scope_directives();
std::span<const Directive> other_directives();

}  // namespace onset
