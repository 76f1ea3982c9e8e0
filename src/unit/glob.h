#pragma once
// Shell patterns, glob(7): "*", "?", "[a-z]", "[!x]", "[[:digit:]]", in the C locale. glob(3)
// itself would bring NSS with it.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "unit/file_source.h"

namespace onset {

enum class Backslash : std::uint8_t {
  Plain,    ///< a character like others: unit names are full of them (fnmatch's FNM_NOESCAPE)
  Escapes,  ///< makes the next character stand for itself
};

/// True if the pattern covers the whole text. Time is bounded by the product of
/// the two lengths.
bool glob_matches(std::string_view pattern, std::string_view text,
                  Backslash backslash = Backslash::Plain) noexcept;

/// True if the text has any character that is special in a pattern.
constexpr bool is_glob(std::string_view text) noexcept {
  return text.find_first_of("*?[") != std::string_view::npos;
}

/// The absolute paths that are there and that the pattern covers, level by level as glob(3) has it:
/// sorted by bytes; a name with a leading dot only where the pattern has it; a backslash escapes;
/// what can't be read has nothing below it; with a slash at its end only folders, which have it
/// too. ENOMEM: more than kGlobPathsMax.
Result<std::vector<std::string>> glob_paths(std::string_view pattern, FileSource& files);
inline constexpr std::size_t kGlobPathsMax = 65536;

/// "/a/{b,c}": "/a/b", "/a/c", as a shell does it before anything else; what has no comma or no end
/// stays as it is. At most kGlobAlternativesMax, the rest is left out.
std::vector<std::string> expand_braces(std::string_view pattern);
inline constexpr std::size_t kGlobAlternativesMax = 1024;

}  // namespace onset
