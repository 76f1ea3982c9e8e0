// A version is a row of parts: letters, digits, and separators. Characters
// outside [a-zA-Z0-9-.^~] count for nothing. From the left: "~" is before
// everything, even the end; then the end; then "-"; then "^"; then "."; then
// letters; then digits, by number. Letters go by the alphabet, capitals first.

#include "os/comparison.h"

#include <algorithm>
#include <array>
#include <string>

#include "base/text.h"
#include "unit/glob.h"

namespace onset {
namespace {

bool counts(char c) {
  return is_alpha(c) || is_digit(c) || c == '-' || c == '.' || c == '^' || c == '~';
}

void skip_what_counts_not(std::string_view& s) {
  while (!s.empty() && !counts(s.front())) s.remove_prefix(1);
}

template <class Predicate>
std::string_view take_while(std::string_view& s, Predicate p) {
  std::size_t n = 0;
  while (n < s.size() && p(s[n])) ++n;
  const auto run = s.substr(0, n);
  s.remove_prefix(n);
  return run;
}

/// -1, 0, 1 for a separator: who has it, comes first.
int who_has(char separator, std::string_view a, std::string_view b) {
  return static_cast<int>(b.starts_with(separator)) - static_cast<int>(a.starts_with(separator));
}

int compare_numbers(std::string_view a, std::string_view b) {
  while (a.size() > 1 && a.front() == '0') a.remove_prefix(1);
  while (b.size() > 1 && b.front() == '0') b.remove_prefix(1);
  if (a.size() != b.size()) return a.size() < b.size() ? -1 : 1;
  return a.compare(b);
}

struct OperatorText {
  std::string_view text;
  Operator op;
};
/// Longer ones before those that they begin with.
constexpr std::array<OperatorText, 10> kOperators{{
    {"!$=", Operator::GlobMismatch},
    {"$=", Operator::GlobMatch},
    {"<>", Operator::Unequal},
    {"<=", Operator::LessOrEqual},
    {"<", Operator::Less},
    {">=", Operator::GreaterOrEqual},
    {">", Operator::Greater},
    {"==", Operator::Equal},
    {"!=", Operator::TextUnequal},
    {"=", Operator::TextEqual},
}};

bool order_holds(Operator op, int order) {
  switch (op) {
    case Operator::Less:
      return order < 0;
    case Operator::LessOrEqual:
      return order <= 0;
    case Operator::Equal:
    case Operator::TextEqual:
      return order == 0;
    case Operator::Unequal:
    case Operator::TextUnequal:
      return order != 0;
    case Operator::GreaterOrEqual:
      return order >= 0;
    case Operator::Greater:
      return order > 0;
    case Operator::GlobMatch:
    case Operator::GlobMismatch:
      return false;
  }
  return false;
}

}  // namespace

Operator take_operator(std::string_view& text, Operator otherwise) {
  for (const OperatorText& row : kOperators) {
    if (!text.starts_with(row.text)) continue;
    text.remove_prefix(row.text.size());
    return row.op;
  }
  return otherwise;
}

int compare_versions(std::string_view a, std::string_view b) {
  for (;;) {
    skip_what_counts_not(a);
    skip_what_counts_not(b);
    if (const int tilde = who_has('~', a, b); tilde != 0) return tilde;
    if (a.starts_with('~')) {
      a.remove_prefix(1);
      b.remove_prefix(1);
      continue;
    }
    if (a.empty() || b.empty()) return static_cast<int>(b.empty()) - static_cast<int>(a.empty());
    bool separator = false;
    for (const char c : {'-', '^', '.'}) {
      if (const int order = who_has(c, a, b); order != 0) return order;
      if (!a.starts_with(c)) continue;
      a.remove_prefix(1);
      b.remove_prefix(1);
      separator = true;
      break;
    }
    if (separator) continue;
    int order = 0;
    if (is_digit(a.front()) || is_digit(b.front())) {
      const auto x = take_while(a, is_digit);
      const auto y = take_while(b, is_digit);
      if (x.empty() != y.empty()) return x.empty() ? -1 : 1;
      order = compare_numbers(x, y);
    } else {
      order = take_while(a, is_alpha).compare(take_while(b, is_alpha));
    }
    if (order != 0) return order < 0 ? -1 : 1;
  }
}

bool version_holds(Operator op, std::string_view value, std::string_view wanted) {
  switch (op) {
    case Operator::GlobMatch:
      return glob_matches(wanted, value, Backslash::Escapes);
    case Operator::GlobMismatch:
      return !glob_matches(wanted, value, Backslash::Escapes);
    case Operator::TextEqual:
      return value == wanted;
    case Operator::TextUnequal:
      return value != wanted;
    case Operator::Less:
    case Operator::LessOrEqual:
    case Operator::Equal:
    case Operator::Unequal:
    case Operator::GreaterOrEqual:
    case Operator::Greater:
      return order_holds(op, compare_versions(value, wanted));
  }
  return false;
}

bool number_holds(Operator op, std::uint64_t value, std::uint64_t wanted) {
  return order_holds(op, value < wanted ? -1 : static_cast<int>(value > wanted));
}

}  // namespace onset
