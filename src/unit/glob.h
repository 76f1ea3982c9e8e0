#pragma once
// Shell patterns over names: "*", "?", "[a-z]", "[!x]". No backslash escapes,
// as unit names may have backslashes of their own (fnmatch's FNM_NOESCAPE).

#include <string_view>

namespace onset {

/// True if the pattern covers the whole text. Time is bounded by the product of
/// the two lengths.
bool glob_matches(std::string_view pattern, std::string_view text) noexcept;

/// True if the text has any character that is special in a pattern.
constexpr bool is_glob(std::string_view text) noexcept {
  return text.find_first_of("*?[") != std::string_view::npos;
}

}  // namespace onset
