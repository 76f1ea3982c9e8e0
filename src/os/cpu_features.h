#pragma once
// ConditionCPUFeature=: what CPUID says, by the names that the manual lists.

#include <string_view>

namespace onset {

/// False for an unknown name and on other than x86.
bool cpu_has_feature(std::string_view name);

}  // namespace onset
