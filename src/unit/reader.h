#pragma once
// The text of a unit file → assignments (systemd.syntax(7)). Alone sees inih.
//
//   bytes → physical lines → comments out, continuations joined → logical
//   lines, checked → inih → section, key, value

#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"

namespace onset {

struct Assignment {
  std::string section;
  std::string key;
  std::string value;  ///< trimmed; quotes, escapes and specifiers untouched
  unsigned line = 0;  ///< of its first physical line, 1-based
};

/// A "[NAME]" line, so that a section that means nothing can be told of even if
/// nothing stands in it.
struct SectionStart {
  std::string name;
  unsigned line = 0;
};

struct ReadResult {
  std::vector<Assignment> assignments;
  std::vector<SectionStart> sections;  ///< in order; without those of "X-…"
  /// Warning: that line was left out. Error: systemd refuses the file, and so must the loader.
  Diagnostics diagnostics;
  [[nodiscard]] bool refused() const noexcept {
    for (const Diagnostic& d : diagnostics)
      if (d.severity == Severity::Error) return true;
    return false;
  }
};

/// Longest line, and longest logical line, in bytes.
inline constexpr std::size_t kLineMax = std::size_t{1} << 20;

/// Sections whose names begin with "X-" are skipped. Any bytes are survived;
/// time and memory are linear in the text.
ReadResult read_unit_text(std::string_view text, std::string_view file_name);

}  // namespace onset
