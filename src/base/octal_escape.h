#pragma once
// How lines of fstab(5) and of the kernel's tables of mounts and swaps hold what separates their
// fields: blanks, tabs, line ends and backslashes are \ooo.

#include <string>
#include <string_view>

namespace onset {

/// Three octal digits of a byte that is not NUL; any other backslash stays.
std::string unescape_octal(std::string_view text);

}  // namespace onset
