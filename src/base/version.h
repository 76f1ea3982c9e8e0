#pragma once

#include <string_view>

namespace onset {

inline constexpr std::string_view kVersion = "0.1.0";
/// The systemd whose manuals say what onset's words mean.
inline constexpr unsigned kSystemdVersion = 252;

}  // namespace onset
