#pragma once
// "OPERATOR VALUE" of conditions, and the order of versions (systemd.unit(5);
// the order is that of the UAPI Version Format Specification). Pure.

#include <cstdint>
#include <string_view>

namespace onset {

enum class Operator : std::uint8_t {
  GlobMatch,     ///< $=
  GlobMismatch,  ///< !$=
  TextEqual,     ///< =
  TextUnequal,   ///< !=
  Less,
  LessOrEqual,
  Equal,    ///< ==
  Unequal,  ///< <>
  GreaterOrEqual,
  Greater,
};

/// Takes an operator off the front; `otherwise` if there is none.
Operator take_operator(std::string_view& text, Operator otherwise);

/// Negative, 0 or positive.
int compare_versions(std::string_view a, std::string_view b);

/// Whether `value` stands in the relation to `wanted`, compared as text, as a
/// glob or as a version.
bool version_holds(Operator op, std::string_view value, std::string_view wanted);

/// The same for numbers: "=" is "==", "!=" is "<>"; the globs never hold.
bool number_holds(Operator op, std::uint64_t value, std::uint64_t wanted);

}  // namespace onset
