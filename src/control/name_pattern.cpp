// One pass with a memory of the last "*": on a mismatch that one takes one more
// character. What comes before an earlier "*" is settled for good.
#include "control/name_pattern.h"

namespace onset {

namespace {

constexpr std::size_t kNone = std::string_view::npos;

/// Where the bracket expression that begins at `at` ends; kNone: it has no end
/// and the "[" stands for itself.
std::size_t bracket_end(std::string_view pattern, std::size_t at) noexcept {
  std::size_t end = at + 1;
  if (end < pattern.size() && (pattern[end] == '!' || pattern[end] == '^')) ++end;
  if (end < pattern.size() && pattern[end] == ']') ++end;
  return pattern.find(']', end);
}

bool in_bracket(std::string_view set, char c) noexcept {
  const bool negated = !set.empty() && (set.front() == '!' || set.front() == '^');
  if (negated) set.remove_prefix(1);
  bool found = false;
  for (std::size_t i = 0; i < set.size(); ++i) {
    const auto low = static_cast<unsigned char>(set[i]);
    auto high = low;
    if (i + 2 < set.size() && set[i + 1] == '-') {
      high = static_cast<unsigned char>(set[i + 2]);
      i += 2;
    }
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= low && byte <= high) found = true;
  }
  return found != negated;
}

/// How much of the pattern matches one character; 0: it does not.
std::size_t match_one(std::string_view pattern, std::size_t at, char c) noexcept {
  if (at >= pattern.size()) return 0;
  if (pattern[at] == '?') return 1;
  if (pattern[at] == '[') {
    const std::size_t end = bracket_end(pattern, at);
    if (end != kNone) {
      return in_bracket(pattern.substr(at + 1, end - at - 1), c) ? end - at + 1 : 0;
    }
  }
  return pattern[at] == c ? 1 : 0;
}

}  // namespace

bool is_name_pattern(std::string_view text) noexcept {
  return text.find_first_of("*?[") != kNone;
}

bool matches_pattern(std::string_view pattern, std::string_view name) noexcept {
  std::size_t p = 0;
  std::size_t n = 0;
  std::size_t star = kNone;
  std::size_t star_end = 0;  // what the "*" has taken ends before this
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_end = n;
      continue;
    }
    if (const std::size_t taken = match_one(pattern, p, name[n]); taken > 0) {
      p += taken;
      ++n;
      continue;
    }
    if (star == kNone) return false;
    p = star + 1;
    n = ++star_end;
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace onset
