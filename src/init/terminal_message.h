#pragma once
// A few lines to somebody else's terminal.

#include <string>
#include <string_view>

namespace onset {

/// Never waits: a terminal that takes nothing gets nothing. What is no terminal neither.
void write_to_terminal(const std::string& path, std::string_view text);

}  // namespace onset
