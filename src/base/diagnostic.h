#pragma once
// What is wrong with a file, where, and what was expected there. Collected, so
// that all errors of a file reach the user at once.

#include <string>
#include <utility>
#include <vector>

namespace onset {

enum class Severity : unsigned char { Note, Warning, Error };

struct Diagnostic {
  Severity severity = Severity::Warning;
  std::string file;   ///< empty: not about a file
  unsigned line = 0;  ///< 1-based; 0: about the file as a whole
  std::string message;
};

using Diagnostics = std::vector<Diagnostic>;

/// "FILE:LINE: message", with the parts that are there.
std::string to_string(const Diagnostic& d);

}  // namespace onset
