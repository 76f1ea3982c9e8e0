#include "base/text.h"

#include <catch2/catch.hpp>
#include <string>

using namespace onset;

TEST_CASE("trimming takes blanks, tabs and line ends off both sides and nothing else",
          "[base][text]") {
  CHECK(trim(" \t\r\n a b \n") == "a b");
  CHECK(trim("") == "");
  CHECK(trim(" \t ") == "");
  CHECK(trim("\v\fa\f") == "\v\fa\f");
}

TEST_CASE("splitting keeps empty parts", "[base][text]") {
  CHECK(split("a::b:", ':') == std::vector<std::string_view>{"a", "", "b", ""});
  CHECK(split("", ':') == std::vector<std::string_view>{""});
  CHECK(split_whitespace("  a\tb \n c") == std::vector<std::string_view>{"a", "b", "c"});
  CHECK(split_whitespace(" \n").empty());
}

TEST_CASE("case is ignored for ASCII letters alone", "[base][text]") {
  CHECK(equals_ignoring_case("True", "tRUE"));
  CHECK_FALSE(equals_ignoring_case("a", "ab"));
  CHECK_FALSE(equals_ignoring_case("\xc3\xa4", "\xc3\x84"));
  CHECK_FALSE(equals_ignoring_case("@", "`"));
}

TEST_CASE("a strict number is digits that fit and nothing else", "[base][text]") {
  CHECK(parse_uint<unsigned>("42") == 42U);
  CHECK(parse_uint<std::uint8_t>("255") == 255);
  CHECK_FALSE(parse_uint<std::uint8_t>("256"));
  CHECK(parse_uint<unsigned>("0755", 8) == 0755U);
  CHECK(parse_uint<unsigned>("fF", 16) == 255U);
  for (const char* bad : {"", " 1", "1 ", "+1", "-1", "-0", "0x1", "1.", "1a"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_uint<unsigned>(bad));
  }
}

TEST_CASE("a lenient number takes signs, leading space and prefixes", "[base][text]") {
  struct {
    const char* text;
    std::optional<std::int64_t> number;
  } const table[] = {
      {"10", 10},
      {" \t10", 10},
      {"+10", 10},
      {"-10", -10},
      {"0x1f", 31},
      {"-0X1F", -31},
      {"010", 8},
      {"0", 0},
      {"00", 0},
      {"0b101", 5},
      {"0o17", 15},
      {"-0b1", {}},
      {"08", {}},
      {"0x", {}},
      {"0b", {}},
      {"", {}},
      {" ", {}},
      {"-", {}},
      {"+-1", {}},
      {"--1", {}},
      {"1 ", {}},
      {"9223372036854775807", INT64_MAX},
      {"-9223372036854775808", INT64_MIN},
      {"9223372036854775808", {}},
      {"-9223372036854775809", {}},
  };
  for (const auto& row : table) {
    CAPTURE(row.text);
    CHECK(parse_number_i64(row.text) == row.number);
  }
  CHECK(parse_number_u64("18446744073709551615") == UINT64_MAX);
  CHECK_FALSE(parse_number_u64("18446744073709551616"));
  CHECK_FALSE(parse_number_u64("-1"));
  CHECK(parse_number_u64("-0") == 0U);
}

TEST_CASE("UTF-8 is checked byte by byte", "[base][text]") {
  for (const char* good : {"", "a", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80",
                           "\xf4\x8f\xbf\xbf", "\xed\x9f\xbf", "\xee\x80\x80", "\xc2\x80"}) {
    CAPTURE(good);
    CHECK(is_valid_utf8(good));
  }
  for (const char* bad :
       {"\x80", "\xc0\x80", "\xc1\xbf", "\xc3", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
        "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xe2\x82", "a\xe2\x28\xa1"}) {
    CAPTURE(bad);
    CHECK_FALSE(is_valid_utf8(bad));
  }
  CHECK_FALSE(is_valid_utf8(std::string_view("a\0b", 3)));
}

TEST_CASE("every code point that is encoded is valid UTF-8 of the right length", "[base][text]") {
  for (char32_t c = 1; c <= 0x10ffff; c += (c < 0x1000 ? 1 : 977)) {
    if (c >= 0xd800 && c <= 0xdfff) continue;
    std::string out;
    append_utf8(out, c);
    if (utf8_length(out) != out.size()) FAIL("U+" << std::hex << static_cast<unsigned>(c));
  }
}

TEST_CASE("S11: what a terminal would act on is escaped", "[base][text][S11]") {
  CHECK(c_escape("a\x1b[31mb") == "a\\x1b[31mb");
  CHECK(c_escape("\n\t\r\a\\") == "\\n\\t\\r\\a\\\\");
  CHECK(c_escape("\x7f") == "\\x7f");
  CHECK(c_escape("\xc2\x9b") == "\\xc2\\x9b");  // U+009B is CSI in one character
  CHECK(c_escape("\xc2\xa0\xc3\xa4") == "\xc2\xa0\xc3\xa4");
  CHECK(c_escape("\xff\xc3") == "\\xff\\xc3");
  CHECK(c_escape(std::string_view("\0", 1)) == "\\x00");
}

TEST_CASE("a path loses what does not matter", "[base][text]") {
  struct {
    const char* path;
    const char* simple;
  } const table[] = {
      {"", ""},
      {"/", "/"},
      {"//", "/"},
      {"/.", "/"},
      {".", "."},
      {"./", "."},
      {"///a//./b/.", "/a/b"},
      {".//./a//./b/.", "a/b"},
      {"/a/../b", "/a/../b"},
      {"/a/...", "/a/..."},
  };
  for (const auto& row : table) {
    CAPTURE(row.path);
    CHECK(path_simplify(row.path) == row.simple);
  }
}

TEST_CASE("a path is normalised, merely valid, or neither", "[base][text]") {
  for (const char* good : {"/", "/a", "a/b", "/a/", "/a/..b", "/.a"}) {
    CAPTURE(good);
    CHECK(path_is_normalized(good));
  }
  for (const char* bad : {"", "/..", "../a", "/a/../b", "/a/.", "./a", "/a/./b", "//a", "/a//b"}) {
    CAPTURE(bad);
    CHECK_FALSE(path_is_normalized(bad));
  }
  CHECK(path_is_valid("/a/../b"));
  CHECK(path_is_valid("/" + std::string(255, 'x')));
  CHECK_FALSE(path_is_valid("/" + std::string(256, 'x')));
  std::string deep;
  while (deep.size() < 4094) deep += "/x";
  CHECK(path_is_valid(deep));
  CHECK_FALSE(path_is_valid(deep + "/x"));
  CHECK_FALSE(path_is_valid(std::string_view("/a\0b", 4)));
  CHECK(filename_is_valid("a b"));
  for (const char* bad : {"", ".", "..", "a/b"}) CHECK_FALSE(filename_is_valid(bad));
}
