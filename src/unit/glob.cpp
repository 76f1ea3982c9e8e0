#include "unit/glob.h"

#include <cstddef>

namespace onset {
namespace {

struct Bracket {
  bool matches = false;
  std::size_t length = 0;  ///< of the whole "[…]"; 0: it has no end and is a plain "["
};

Bracket match_bracket(std::string_view pattern, char c) noexcept {
  std::size_t at = 1;
  const bool negated = at < pattern.size() && (pattern[at] == '!' || pattern[at] == '^');
  if (negated) ++at;
  bool found = false;
  for (bool first = true; at < pattern.size(); first = false) {
    if (pattern[at] == ']' && !first) return {found != negated, at + 1};
    const bool is_range =
        at + 2 < pattern.size() && pattern[at + 1] == '-' && pattern[at + 2] != ']';
    const char low = pattern[at];
    const char high = is_range ? pattern[at + 2] : low;
    if (low <= c && c <= high) found = true;
    at += is_range ? 3 : 1;
  }
  return {};
}

/// How many characters of the pattern the one character `c` uses up; 0: no match.
std::size_t match_one(std::string_view pattern, char c) noexcept {
  if (pattern.empty()) return 0;
  if (pattern.front() == '?') return 1;
  if (pattern.front() == '[') {
    const Bracket bracket = match_bracket(pattern, c);
    if (bracket.length > 0) return bracket.matches ? bracket.length : 0;
  }
  return pattern.front() == c ? 1 : 0;
}

}  // namespace

bool glob_matches(std::string_view pattern, std::string_view text) noexcept {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;  // where to go on behind the last "*"
  std::size_t star_text = 0;                  // and what it has taken so far
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = ++p;
      star_text = t;
      continue;
    }
    if (const std::size_t used = match_one(pattern.substr(p), text[t])) {
      p += used;
      ++t;
      continue;
    }
    if (star == std::string_view::npos) return false;
    p = star;
    t = ++star_text;
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace onset
