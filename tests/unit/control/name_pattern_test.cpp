#include "control/name_pattern.h"

#include <fnmatch.h>

#include <catch2/catch.hpp>
#include <random>
#include <string>

using namespace onset;

TEST_CASE("patterns match unit names as a shell's do", "[control][name_pattern]") {
  struct Row {
    const char* pattern;
    const char* name;
    bool expected;
  };
  const Row rows[] = {
      {"a.service", "a.service", true},
      {"a.service", "b.service", false},
      {"*", "", true},
      {"*", "a.service", true},
      {"*.service", "a.service", true},
      {"*.service", "a.socket", false},
      {"ngi?x.*", "nginx.service", true},
      {"getty@tty[1-3].service", "getty@tty2.service", true},
      {"getty@tty[!1-3].service", "getty@tty2.service", false},
      {"a*b*c", "axxbyybzzc", true},
      {"a*b*c", "axxbyybzz", false},
      {"[]x]", "]", true},
      {"[a", "[a", true},
      {"a\\x2db", "a\\x2db", true},
      {"**", "abc", true},
      {"?", "", false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.pattern, row.name);
    CHECK(matches_pattern(row.pattern, row.name) == row.expected);
  }
}

TEST_CASE("patterns agree with fnmatch", "[control][name_pattern]") {
  std::mt19937 random(3);
  auto text = [&](const char* alphabet, std::size_t size) {
    std::string s;
    for (auto n = random() % 8; n > 0; --n) s.push_back(alphabet[random() % size]);
    return s;
  };
  unsigned matched = 0;
  for (int i = 0; i < 20000; ++i) {
    const std::string pattern = text("ab*?[]!-\\", 9);
    const std::string name = text("ab-]", 4);
    // What glibc does with a range that ends before it begins is its own affair.
    if (pattern.find('-') != std::string::npos && pattern.find('[') != std::string::npos) continue;
    CAPTURE(pattern, name);
    const bool expected = ::fnmatch(pattern.c_str(), name.c_str(), FNM_NOESCAPE) == 0;
    CHECK(matches_pattern(pattern, name) == expected);
    if (expected) ++matched;
  }
  CHECK(matched > 200);
}

TEST_CASE("a hostile pattern costs no more than length by length", "[control][name_pattern]") {
  std::string pattern;
  for (int i = 0; i < 1000; ++i) pattern += "*a";
  CHECK_FALSE(matches_pattern(pattern + "b", std::string(2000, 'a')));
}
