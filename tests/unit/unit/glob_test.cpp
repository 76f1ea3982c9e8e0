#include "unit/glob.h"

#include <fnmatch.h>

#include <catch2/catch.hpp>
#include <random>
#include <string>

#include "support/memory_files.h"

namespace onset {
namespace {

int flags_of(Backslash backslash) {
  return backslash == Backslash::Plain ? FNM_NOESCAPE : 0;
}

TEST_CASE("patterns match as fnmatch has it", "[unit][glob]") {
  const char* patterns[] = {"*",
                            "a*",
                            "*a",
                            "a?c",
                            "[ab]*",
                            "[!a]*",
                            "[a-c]x",
                            "*.service",
                            "a*b*c",
                            "",
                            "[",
                            "[]a]",
                            "a[",
                            "\\x2d*",
                            "[^a]",
                            "**",
                            "?",
                            "[a-]",
                            "*[0-9].d",
                            "[[:digit:]]*",
                            "[![:alpha:]]",
                            "[[:upper:]x]*",

                            "[\\]]",
                            "\\*",
                            "a\\",
                            "[a\\-c]",
                            "[[:digit:]-]"};
  const char* texts[] = {"",          "a",      "b", "abc", "axc", "ax",       "cx",
                         "x.service", "aXbYc",  "[", "]",   "a[",  "\\x2dfoo", "-",
                         "9.d",       "foo1.d", "*", "\\",  "a\\", ":]",       "X"};
  for (const Backslash backslash : {Backslash::Plain, Backslash::Escapes}) {
    for (const char* pattern : patterns) {
      for (const char* text : texts) {
        INFO(pattern << " on " << text);
        const bool expected = fnmatch(pattern, text, flags_of(backslash)) == 0;
        CHECK(glob_matches(pattern, text, backslash) == expected);
      }
    }
  }
}

TEST_CASE("patterns of any kind agree with fnmatch", "[unit][glob]") {
  std::mt19937 random(3);
  auto text = [&](const char* alphabet, std::size_t size) {
    std::string s;
    for (auto n = random() % 8; n > 0; --n) s.push_back(alphabet[random() % size]);
    return s;
  };
  unsigned matched = 0;
  for (int i = 0; i < 40000; ++i) {
    const std::string pattern = text("ab*?[]!-\\", 9);
    const std::string name = text("ab-]\\", 5);
    // What glibc does with a range that ends before it begins, and with a backslash in a bracket
    // that has no end, is its own affair.
    if (pattern.find('[') != pattern.npos && pattern.find_first_of("-\\") != pattern.npos) continue;
    const Backslash backslash = i % 2 == 0 ? Backslash::Plain : Backslash::Escapes;
    if (pattern.ends_with('\\') && backslash == Backslash::Escapes) continue;
    CAPTURE(pattern, name);
    const bool expected = ::fnmatch(pattern.c_str(), name.c_str(), flags_of(backslash)) == 0;
    CHECK(glob_matches(pattern, name, backslash) == expected);
    if (expected) ++matched;
  }
  CHECK(matched > 400);
}

TEST_CASE("a pattern made to take forever does not", "[unit][glob]") {
  std::string pattern;
  for (int i = 0; i < 200; ++i) pattern += "*a";
  CHECK_FALSE(glob_matches(pattern + "b", std::string(5000, 'a')));
}

TEST_CASE("paths are found level by level", "[unit][glob]") {
  test::MemoryFiles files;
  for (const char* path :
       {"/e/b.conf", "/e/a.conf", "/e/.c.conf", "/e/d/x", "/e/f/x", "/e/f/y", "/e/*"})
    files.add(path, "");
  files.add_link("/e/gone.conf", "/nowhere");
  using Paths = std::vector<std::string>;
  const auto found = [&](std::string_view pattern) { return *glob_paths(pattern, files); };
  CHECK(found("/e/*.conf") == Paths{"/e/a.conf", "/e/b.conf", "/e/gone.conf"});
  CHECK(found("/e/.*.conf") == Paths{"/e/.c.conf"});
  CHECK(found("/e/*/x") == Paths{"/e/d/x", "/e/f/x"});
  CHECK(found("/e/*/y") == Paths{"/e/f/y"});
  CHECK(found("/e/[df]/") == Paths{"/e/d/", "/e/f/"});
  CHECK(found("/*/f/?") == Paths{"/e/f/x", "/e/f/y"});
  CHECK(found("/e/a.conf") == Paths{"/e/a.conf"});
  CHECK(found("/e/\\*") == Paths{"/e/*"});
  CHECK(found("/e/z*").empty());
  CHECK(found("/e/a.conf/*").empty());
  CHECK(found("/nowhere/*").empty());
}

TEST_CASE("braces are a shell's", "[unit][glob]") {
  using Texts = std::vector<std::string>;
  CHECK(expand_braces("/a/{b,c}/d") == Texts{"/a/b/d", "/a/c/d"});
  CHECK(expand_braces("{a,b{c,d}e,}f") == Texts{"af", "bcef", "bdef", "f"});
  CHECK(expand_braces("{a,b}{c,d}") == Texts{"ac", "ad", "bc", "bd"});
  CHECK(expand_braces("{a}{") == Texts{"{a}{"});
  CHECK(expand_braces("{a{b,c}") == Texts{"{ab", "{ac"});
  CHECK(expand_braces("\\{a,b}") == Texts{"\\{a,b}"});
  CHECK(expand_braces("") == Texts{""});
  std::string bomb;
  for (int i = 0; i < 60; ++i) bomb += "{a,b}";
  CHECK(expand_braces(bomb).size() <= kGlobAlternativesMax);
}

}  // namespace
}  // namespace onset
