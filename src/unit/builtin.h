#pragma once
// The units of the binary itself: units/ of the repository, embedded at build
// time, so that an image with onset alone boots. They come after the whole
// search path.

#include <span>
#include <string_view>

namespace onset {

struct BuiltinUnit {
  std::string_view name;
  std::string_view text;
  std::string_view alias_of;  ///< not empty: a second name of another one, without text
};

/// Of the system's manager (units/) or of a user's (units/user/).
std::span<const BuiltinUnit> builtin_units(bool user_manager);

}  // namespace onset
