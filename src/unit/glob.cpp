// One pass with a memory of the last "*": on a mismatch that one takes one more character. What
// comes before an earlier "*" is settled for good.
#include "unit/glob.h"

#include <cctype>
#include <cstddef>

namespace onset {
namespace {

struct Class {
  std::string_view name;
  int (*has)(int);
};
constexpr Class kClasses[] = {
    {"[:alnum:]", std::isalnum}, {"[:alpha:]", std::isalpha}, {"[:blank:]", std::isblank},
    {"[:cntrl:]", std::iscntrl}, {"[:digit:]", std::isdigit}, {"[:graph:]", std::isgraph},
    {"[:lower:]", std::islower}, {"[:print:]", std::isprint}, {"[:punct:]", std::ispunct},
    {"[:space:]", std::isspace}, {"[:upper:]", std::isupper}, {"[:xdigit:]", std::isxdigit},
};

const Class* class_at(std::string_view text) noexcept {
  for (const Class& c : kClasses) {
    if (text.starts_with(c.name)) return &c;
  }
  return nullptr;
}

constexpr unsigned char byte_of(char c) noexcept {
  return static_cast<unsigned char>(c);
}

/// Reads what is between "[" and "]".
class Bracket {
 public:
  Bracket(std::string_view pattern, Backslash backslash) noexcept
      : pattern_(pattern), escapes_(backslash == Backslash::Escapes) {}

  /// The length of the whole "[…]"; 0: it has no end, and is a plain "[".
  std::size_t match(char c, bool& matches) noexcept {
    const bool negated = at_ < pattern_.size() && (pattern_[at_] == '!' || pattern_[at_] == '^');
    if (negated) ++at_;
    bool found = false;
    for (bool first = true; at_ < pattern_.size(); first = false) {
      if (pattern_[at_] == ']' && !first) {
        matches = found != negated;
        return at_ + 1;
      }
      if (take_member(c)) found = true;
    }
    return 0;
  }

 private:
  bool take_member(char c) noexcept {
    if (const Class* const known = class_at(pattern_.substr(at_))) {
      at_ += known->name.size();
      return known->has(byte_of(c)) != 0;
    }
    const unsigned char low = take_character();
    unsigned char high = low;
    if (at_ + 1 < pattern_.size() && pattern_[at_] == '-' && pattern_[at_ + 1] != ']') {
      ++at_;
      high = take_character();
    }
    return low <= byte_of(c) && byte_of(c) <= high;
  }

  unsigned char take_character() noexcept {
    if (escapes_ && pattern_[at_] == '\\' && at_ + 1 < pattern_.size()) ++at_;
    return byte_of(pattern_[at_++]);
  }

  std::string_view pattern_;
  bool escapes_;
  std::size_t at_ = 1;
};

/// How many characters of the pattern the one character `c` uses up; 0: no match.
std::size_t match_one(std::string_view pattern, char c, Backslash backslash) noexcept {
  if (pattern.empty()) return 0;
  if (pattern.front() == '?') return 1;
  if (pattern.front() == '[') {
    bool matches = false;
    const std::size_t length = Bracket(pattern, backslash).match(c, matches);
    if (length > 0) return matches ? length : 0;
  }
  if (pattern.front() == '\\' && backslash == Backslash::Escapes) {
    return pattern.size() > 1 && pattern[1] == c ? 2 : 0;
  }
  return pattern.front() == c ? 1 : 0;
}

}  // namespace

bool glob_matches(std::string_view pattern, std::string_view text, Backslash backslash) noexcept {
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
    if (const std::size_t used = match_one(pattern.substr(p), text[t], backslash)) {
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
