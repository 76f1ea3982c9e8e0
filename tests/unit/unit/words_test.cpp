#include "unit/words.h"

#include <catch2/catch.hpp>

using namespace onset;
using Words = std::vector<std::string>;

namespace {

/// "!" for an error.
Words words(std::string_view text, WordFlags flags = kUnquoteAndUnescape,
            std::string_view separators = kWhitespace) {
  auto result = split_words(text, flags, separators);
  return result ? *result : Words{"!"};
}

}  // namespace

TEST_CASE("words are parted by whitespace and grouped by quotes", "[unit][words]") {
  CHECK(words("") == Words{});
  CHECK(words("  \t ") == Words{});
  CHECK(words(" a  b\tc ") == Words{"a", "b", "c"});
  CHECK(words("\"a b\" 'c d'") == Words{"a b", "c d"});
  CHECK(words("a\"b c\"d") == Words{"ab cd"});
  CHECK(words("\"\" ''") == Words{"", ""});
  CHECK(words("\"it's\" '\"'") == Words{"it's", "\""});
  CHECK(words("a'b'\"c\"") == Words{"abc"});
}

TEST_CASE("an open quote is an error that says which", "[unit][words]") {
  CHECK(split_words("a \"b").error() == "expected a closing \"");
  CHECK(split_words("'").error() == "expected a closing '");
  CHECK(words("a \"b", WordFlags::Unquote | WordFlags::Relax) == Words{"a", "b"});
}

TEST_CASE("C escapes are those of systemd.syntax", "[unit][words]") {
  CHECK(words("\\a\\b\\f\\n\\r\\t\\v\\\\\\\"\\'\\s") == Words{"\a\b\f\n\r\t\v\\\"' "});
  CHECK(words("\\x41\\101\\u00e4\\U0001f600") == Words{"AA\xc3\xa4\xf0\x9f\x98\x80"});
  CHECK(words("\\xff\\377") == Words{"\xff\xff"});
  for (const char* bad : {"\\q", "\\x4", "\\xzz", "\\x00", "\\000", "\\400", "\\18", "\\u00",
                          "\\u0000", "\\ud800", "\\U00110000", "\\U0000d800", "a\\", "\\ "}) {
    CAPTURE(bad);
    CHECK(words(bad) == Words{"!"});
    std::string out = "kept";
    CHECK(unescape_one(std::string_view(bad).substr(bad[0] == 'a' ? 2 : 1), out) == 0);
    CHECK(out == "kept");
  }
}

TEST_CASE("without a flag about escapes a backslash protects one character", "[unit][words]") {
  CHECK(words("a\\ b \\\"c \\q", WordFlags::Unquote) == Words{"a b", "\"c", "q"});
  CHECK(words("a\\", WordFlags::Unquote) == Words{"!"});
  CHECK(words("a\\", WordFlags::Unquote | WordFlags::Relax) == Words{"a"});
}

TEST_CASE("escapes can be kept, all of them or the unknown ones", "[unit][words]") {
  CHECK(words("a\\ b\\n", WordFlags::RetainEscapes) == Words{"a\\", "b\\n"});
  const WordFlags relaxed = kUnquoteAndUnescape | WordFlags::RelaxEscapes;
  CHECK(words("\\q \\n \\. a\\", relaxed) == Words{"\\q", "\n", "\\.", "a\\"});
  CHECK(words("\\ a", relaxed) == Words{"\\ a"});
  CHECK(words("\"\\q", relaxed) == Words{"!"});
  CHECK(words("\"\\", relaxed) == Words{"!"});
}

TEST_CASE("separators can be others, be escaped and have empty words between them",
          "[unit][words]") {
  CHECK(words("a:b::c:", WordFlags::None, ":") == Words{"a", "b", "c"});
  CHECK(words("a:b::c:", WordFlags::KeepEmpty, ":") == Words{"a", "b", "", "c", ""});
  CHECK(words("", WordFlags::KeepEmpty, ":") == Words{""});
  CHECK(words(":", WordFlags::KeepEmpty, ":") == Words{"", ""});
  CHECK(words("a\\:b:c", WordFlags::UnescapeSeparators, ":") == Words{"a:b", "c"});
  CHECK(words("a\\\\:c", WordFlags::UnescapeSeparators, ":") == Words{"a\\", "c"});
  CHECK(words("a\\nb", WordFlags::UnescapeSeparators, ":") == Words{"!"});
  CHECK(words("a\\nb\\:", WordFlags::UnescapeSeparators | WordFlags::CUnescape, ":") ==
        Words{"a\nb:"});
}

TEST_CASE("quotes can group and yet stay", "[unit][words]") {
  CHECK(words("a\"b c\" 'd'", WordFlags::KeepQuotes) == Words{"a\"b c\"", "'d'"});
  CHECK(words("\"a", WordFlags::KeepQuotes) == Words{"!"});
  CHECK(words("\"a b\"", WordFlags::None) == Words{"\"a", "b\""});
}

TEST_CASE("a reader stands where it stood before a broken word", "[unit][words]") {
  WordReader reader("a \"b", kUnquoteAndUnescape);
  REQUIRE(reader.next());
  CHECK(reader.rest() == "\"b");
  CHECK_FALSE(reader.next());
  CHECK(reader.rest() == "\"b");
}

TEST_CASE("a lenient reader keeps unknown escapes and says so", "[unit][words]") {
  WordReader reader("\\q '\\.' \"x", kUnquoteAndUnescape);
  std::string warning;
  CHECK(**reader.next_lenient(warning) == "\\q");
  CHECK(warning == "unknown escape \"\\q\" kept as it is: \"\\\\q\"");
  CHECK(**reader.next_lenient(warning) == "\\.");
  CHECK_FALSE(reader.next_lenient(warning));
}

TEST_CASE("what is quoted comes back as one word", "[unit][words]") {
  for (const std::string text :
       {"", "a", "a b", "a\"b", "a'b", "a\\b", "\t\n\x01", "\xc3\xa4", "\\x41"}) {
    CAPTURE(text);
    CHECK(words(quote_word(text)) == Words{text});
  }
  CHECK(quote_word("plain-word") == "plain-word");
}

TEST_CASE("words are joined so that their reader finds them again", "[unit][words]") {
  constexpr WordFlags kRetained = WordFlags::Unquote | WordFlags::RetainEscapes;
  CHECK(join_words({"A=b c", "d"}) == "\"A=b c\" d");
  CHECK(join_words({"a\\x2db", "c d"}, kRetained) == "a\\x2db \"c d\"");
  CHECK(join_words({"it's \"so\""}, kRetained) == "\"it's \"'\"so\"'");
  CHECK(join_words({"", "a"}) == "\"\" a");
}
