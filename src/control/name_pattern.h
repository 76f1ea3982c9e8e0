#pragma once
// Shell patterns for unit names, as fnmatch(3) has them without a locale: *, ?,
// [abc], [!a-z]. A backslash is a character like others, for unit names are
// full of them. Pure; the work is at most length × length.

#include <string_view>

namespace onset {

bool is_name_pattern(std::string_view text) noexcept;
bool matches_pattern(std::string_view pattern, std::string_view name) noexcept;

}  // namespace onset
