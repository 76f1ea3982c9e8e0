#pragma once
// Text from values. Light to include: the formatting code of fmt is compiled
// once, in format.cpp. Use onset::format("{}", x).

#include <fmt/core.h>

#include <string>

#include "base/result.h"

namespace onset {

using fmt::format;

/// "No such file or directory" for ENOENT, without a locale.
std::string errno_text(int err);

/// "open: No such file or directory".
std::string to_string(const SysError& e);

}  // namespace onset
