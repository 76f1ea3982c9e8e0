#include "cli/render.h"

#include <catch2/catch.hpp>

namespace onset {
namespace {

constexpr std::int64_t kSecond = 1'000'000;

TEST_CASE("hostile text can't reach the terminal, other text stays", "[cli][render]") {
  const std::pair<const char*, const char*> rows[] = {{"plain \\x41 text", "plain \\x41 text"},
                                                      {"\x1b[31mred", "\\x1b[31mred"},
                                                      {"a\nb\tc", "a\\x0ab\\x09c"},
                                                      {"\x7f", "\\x7f"},
                                                      {"\xc2\x9b"
                                                       "31m",
                                                       "\\xc2\\x9b31m"},
                                                      {"\xff\xfe", "\\xff\\xfe"},
                                                      {"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"}};
  for (const auto& [text, shown] : rows) CHECK(printable(text) == shown);
}

TEST_CASE("an age has two parts at most, none below a second but the first", "[cli][render]") {
  const std::int64_t now = 1'795'500'782 * kSecond;
  const std::pair<std::int64_t, const char*> rows[] = {
      {0, "now"},
      {5, "5us ago"},
      {340'000, "340ms ago"},
      {kSecond, "1s ago"},
      {59 * kSecond + 999'999, "59s ago"},
      {61 * kSecond, "1min 1s ago"},
      {3600 * kSecond, "1h ago"},
      {3660 * kSecond + 5 * kSecond, "1h 1min ago"},
      {86'400 * kSecond, "1 day ago"},
      {2 * 86'400 * kSecond + 7200 * kSecond, "2 days 2h ago"},
      {7 * 86'400 * kSecond, "1 week ago"},
      {15 * 86'400 * kSecond, "2 weeks 1 day ago"},
      {2'629'800 * kSecond + 3 * 86'400 * kSecond, "1 month 3 days ago"},
      {2 * 31'557'600 * kSecond + 3 * 2'629'800 * kSecond, "2 years 3 months ago"},
      {-10 * kSecond, "10s left"},
  };
  for (const auto& [ago, shown] : rows) CHECK(format_age(now - ago, WallTime{now}) == shown);
}

TEST_CASE("sizes have one digit behind the point", "[cli][render]") {
  const std::pair<std::uint64_t, const char*> rows[] = {{0, "0B"},
                                                        {1023, "1023B"},
                                                        {1024, "1.0K"},
                                                        {1536, "1.5K"},
                                                        {1024 * 1024, "1.0M"},
                                                        {UINT64_MAX, "15.9E"},
                                                        {2'411'725, "2.3M"},
                                                        {1024 * 1024 - 1, "1023.9K"}};
  for (const auto& [bytes, shown] : rows) CHECK(format_bytes(bytes) == shown);
}

TEST_CASE("text is cut by characters and says so", "[cli][render]") {
  CHECK(ellipsize("abcdef", 0) == "abcdef");
  CHECK(ellipsize("abcdef", 6) == "abcdef");
  CHECK(ellipsize("abcdef", 4) == "abc…");
  CHECK(ellipsize("üüüü", 3) == "üü…");
  CHECK(display_width("üß…") == 3);
}

TEST_CASE("a table's columns are as wide as their widest cell, the last is not padded",
          "[cli][render]") {
  Table table({"A", "LONG", "TEXT"});
  table.add({std::string("one"), std::string("x"), std::string("some words")});
  table.add({std::string("1"), Table::Cell("failed", Tone::Bad), std::string("y")});
  CHECK(table.text({}, true, 0, 0) ==
        "A   LONG   TEXT\n"
        "one x      some words\n"
        "1   failed y\n");
  CHECK(table.text({}, false, 19, 0) ==
        "one x      some wo…\n"
        "1   failed y\n");
  CHECK(table.text({true}, false, 0, 0).find("\033[0;1;31mfailed \033[0m") != std::string::npos);
}

TEST_CASE("states have systemctl's dots", "[cli][render]") {
  CHECK(state_dot("active") == "●");
  CHECK(state_dot("inactive") == "○");
  CHECK(state_dot("failed") == "×");
  CHECK(state_dot("reloading") == "↻");
  CHECK(state_tone("active") == Tone::Good);
  CHECK(state_tone("failed") == Tone::Bad);
}

}  // namespace
}  // namespace onset
