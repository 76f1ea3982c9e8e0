#include "unit/glob.h"

#include <fnmatch.h>

#include <catch2/catch.hpp>
#include <string>

namespace onset {
namespace {

TEST_CASE("patterns match as fnmatch has it", "[unit][glob]") {
  const char* patterns[] = {"*",         "a*",    "*a", "a?c",  "[ab]*",   "[!a]*", "[a-c]x",
                            "*.service", "a*b*c", "",   "[",    "[]a]",    "a[",    "\\x2d*",
                            "[^a]",      "**",    "?",  "[a-]", "*[0-9].d"};
  const char* texts[] = {"",      "a", "b", "abc", "axc",      "ax", "cx",  "x.service",
                         "aXbYc", "[", "]", "a[",  "\\x2dfoo", "-",  "9.d", "foo1.d"};
  for (const char* pattern : patterns) {
    for (const char* text : texts) {
      INFO(pattern << " on " << text);
      CHECK(glob_matches(pattern, text) == (fnmatch(pattern, text, FNM_NOESCAPE) == 0));
    }
  }
}

TEST_CASE("a pattern made to take forever does not", "[unit][glob]") {
  std::string pattern;
  for (int i = 0; i < 200; ++i) pattern += "*a";
  CHECK_FALSE(glob_matches(pattern + "b", std::string(5000, 'a')));
}

}  // namespace
}  // namespace onset
