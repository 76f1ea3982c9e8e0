#include "properties/texts.h"

#include <algorithm>
#include <cstdint>

#include "base/text.h"
#include "properties/within.h"
#include "unit/name.h"

namespace onset::test {
namespace {

using rc::gen::exec;

/// True once in `many`; shrinks to false.
bool seldom(int many) {
  return *within(0, many) == many - 1;
}

std::string one_of(const std::vector<std::string>& words) {
  return words[*within<std::size_t>(0, words.size())];
}

const std::vector<std::string> kBlanks = {"", " ", "  ", "\t"};
const std::vector<std::string> kSpanUnits = {
    "",      "s",    "sec",   "second", "seconds", "m",    "min",   "minute", "minutes",
    "h",     "hr",   "hour",  "hours",  "d",       "day",  "days",  "w",      "week",
    "weeks", "M",    "month", "months", "y",       "year", "years", "ms",     "msec",
    "us",    "usec", "µs",    "μs",     "ns",      "nsec", "S",     "H",      "mins",
    "secs",  "hrs",  "mon",   "mo",     "us.",     "x",    "e3"};
const std::vector<std::string> kSizeUnits = {"",  "B",  "K",  "M",   "G", "T", "P", "E",
                                             "k", "KB", "Ki", "KiB", "m", "g", "Z", "Y"};

std::string near_border() {
  if (seldom(12))
    return *rc::gen::element<std::string>("18446744073709551616", "18446744073709551617");
  const unsigned bits = *rc::gen::element(8U, 15U, 16U, 31U, 32U, 40U, 54U, 60U, 62U, 63U, 64U);
  // The border of 64 bits is the 0 that it wraps to, and so is what lies before it.
  std::uint64_t number = bits == 64 ? 0 : std::uint64_t{1} << bits;
  number += static_cast<std::uint64_t>(*within(0, 4)) - 2;
  // Counted in a greater unit, it is the unit that overflows.
  return std::to_string(number /
                        *rc::gen::element<std::uint64_t>(1, 1000, 1024, 1000000, 60000000));
}

std::string some_digits() {
  if (seldom(4)) return near_border();
  std::string text;
  if (seldom(8)) text += *rc::gen::element<std::string>("0", "00");
  const int length = seldom(10) ? *within(10, 24) : *within(1, 5);
  for (int i = 0; i < length; ++i) text += static_cast<char>('0' + *within(0, 10));
  return text;
}

std::string fraction() {
  if (!seldom(3)) return "";
  std::string text = ".";
  if (!seldom(6)) text += some_digits();
  return text;
}

std::string term(const std::vector<std::string>& units) {
  std::string text;
  if (seldom(10)) text += *rc::gen::element<std::string>("+", "-", "++", ".");
  if (!seldom(20)) text += some_digits();
  text += fraction();
  text += one_of(kBlanks);
  return text + one_of(units);
}

std::string terms(const std::vector<std::string>& units) {
  if (seldom(15)) return *rc::gen::element<std::string>("infinity", "infinit", "Infinity", "0");
  std::string text = seldom(10) ? one_of(kBlanks) : "";
  const int count = *within(1, 4);
  for (int i = 0; i < count; ++i) text += (i > 0 ? one_of(kBlanks) : "") + term(units);
  if (seldom(10)) text += one_of(kBlanks);
  return text;
}

/// The characters that somebody's grammar has a use for.
char special_char() {
  constexpr std::string_view kSpecial = "a \\\"';%$x0-@:./\t=~#[]{}!*?+|&\n\r\x01\x7f";
  return kSpecial[*within<std::size_t>(0, kSpecial.size())];
}

std::string name_part(std::string_view characters, int most) {
  std::string text;
  const int length = *within(1, most + 1);
  for (int i = 0; i < length; ++i) text += characters[*within<std::size_t>(0, characters.size())];
  return text;
}

constexpr std::string_view kNameCharacters = "abcXYZ019:_.-\\";

std::string command_word() {
  const std::vector<std::string> pieces = {
      "a",    "/bin/b", "-",    "\"",          "'",  "\\",  "\\x41", "\\101", "\\u00e4", "\\n",
      "\\s",  "\\;",    ";",    "%n",          "%%", "%",   "%i",    "%Z",    "$A",      "${A}",
      "$$",   "{",      "}",    "ä",           "\t", "\\x", "\\400", "\\q",   "\"a b\"", "'c d'",
      "\\\"", "=",      "\\\\", "\\U0001F600", "#",  "&&",  "\\0",   "\\x00", "\\x7f",   "~"};
  std::string text;
  const int count = *within(1, 5);
  for (int i = 0; i < count; ++i) text += one_of(pieces);
  return text;
}

}  // namespace

TextGen word_of(std::vector<std::string> words) {
  return rc::gen::elementOf(std::move(words));
}

TextGen several(TextGen text, int least, int most, std::string between) {
  return exec([=] {
    std::string all;
    const int count = *within(least, most + 1);
    for (int i = 0; i < count; ++i) all += (i > 0 ? between : "") + *text;
    return all;
  });
}

TextGen digits() {
  return exec(some_digits);
}

TextGen number_text() {
  return exec([] {
    std::string text;
    if (seldom(6)) text += *rc::gen::element<std::string>(" ", "\t", "  ");
    if (seldom(4)) text += *rc::gen::element<std::string>("-", "+", "--", "+-");
    if (seldom(6)) text += *rc::gen::element<std::string>("0x", "0b", "0o", "0X", "0", "0B", "x");
    if (!seldom(20)) text += some_digits();
    if (seldom(10)) text += *rc::gen::element<std::string>("a", " ", ".", ".0", "e1", "_");
    return text;
  });
}

TextGen span_text() {
  return exec([] { return terms(kSpanUnits); });
}

TextGen size_text() {
  return exec([] { return terms(kSizeUnits); });
}

TextGen share_text() {
  return exec([] {
    std::string text = seldom(10) ? *rc::gen::element<std::string>("-", "+", " ") : "";
    text += seldom(2) ? some_digits() : std::to_string(*within(0, 120));
    text += fraction();
    if (seldom(10)) text += ' ';
    return text + *rc::gen::element<std::string>("%", "‰", "‱", "", "%%");
  });
}

TextGen limit_text() {
  return exec([] {
    const auto one = [] {
      switch (*within(0, 5)) {
        case 0:
          return some_digits();
        case 1:
          return terms(kSizeUnits);
        case 2:
          return terms(kSpanUnits);
        case 3:
          return std::string("infinity");
        default:
          return *number_text();
      }
    };
    std::string text = one();
    if (seldom(3)) text += ':' + one();
    if (seldom(30)) text += ':';
    return text;
  });
}

TextGen signal_text() {
  return exec([] {
    if (seldom(3)) return std::to_string(*within(-2, 70));
    std::string text = *rc::gen::element<std::string>("SIG", "", "sig");
    text += *rc::gen::element<std::string>("TERM", "HUP", "KILL", "USR1", "IO", "POLL", "CLD",
                                           "STKFLT", "RTMIN", "RTMAX", "SYS", "UNUSED", "BOGUS");
    if (text.find("RT") != std::string::npos && !seldom(4)) {
      text += *rc::gen::element<std::string>("+", "-");
      text += seldom(4) ? *number_text() : std::to_string(*within(0, 33));
    }
    return text;
  });
}

TextGen status_set_text() {
  const auto word = rc::gen::oneOf(
      signal_text(), rc::gen::map(within(-1, 258), [](int n) { return std::to_string(n); }),
      word_of({"DATAERR", "CHDIR", "SUCCESS", "dataerr", "BOGUS", "\"1\"", "0x10", "NOPERM"}));
  return several(word, 1, 6, " ");
}

TextGen capability_set_text() {
  const auto word =
      rc::gen::oneOf(word_of({"CAP_CHOWN", "cap_kill", "Cap_Net_Admin", "CAP_BPF", "cap_sys_boot",
                              "CAP_CHECKPOINT_RESTORE", "KILL", "CAP_NOPE"}),
                     rc::gen::map(within(-1, 66), [](int n) { return std::to_string(n); }));
  return exec([=] { return std::string(seldom(3) ? "~" : "") + *several(word, 0, 5, " "); });
}

TextGen mode_text() {
  return exec([] {
    std::string text = seldom(6) ? *rc::gen::element<std::string>("0o", "+", "-", " ", "0x") : "";
    const int length = *within(1, 7);
    for (int i = 0; i < length; ++i) text += static_cast<char>('0' + *within(0, 8 + seldom(8)));
    return text;
  });
}

TextGen bool_text() {
  return word_of({"yes", "no", "1", "0", "on", "off", "true", "false", "t", "f", "y", "n", "YES",
                  "oFF", "2", "ja", "yess", ""});
}

TextGen any_text() {
  return exec([] {
    std::string text;
    const int length = *within(0, 12);
    for (int i = 0; i < length; ++i) {
      switch (*within(0, 6)) {
        case 0:
          text += static_cast<char>(*within(1, 256));
          break;
        case 1:
          append_utf8(text, *rc::gen::element<char32_t>(0x80, 0xe4, 0x7ff, 0x800, 0x2028, 0xfffd,
                                                        0xfffe, 0x10000, 0x1f600, 0x10ffff));
          break;
        default:
          text += special_char();
      }
    }
    return text;
  });
}

TextGen line_text() {
  return rc::gen::map(any_text(), [](std::string text) {
    std::erase_if(text, [](char c) { return c == '\n' || c == '\r'; });
    text = std::string(trim(text));
    return is_valid_utf8(text) ? text : c_escape(text);
  });
}

TextGen command_text() {
  return exec([] {
    std::string text;
    const int prefixes = seldom(2) ? *within(1, 4) : 0;
    for (int i = 0; i < prefixes; ++i)
      text += *rc::gen::element<std::string>("-", "@", ":", "+", "!", "!!", "|");
    text += *rc::gen::element<std::string>("/bin/a", "/bin/b", "a", "/bin//c", "/bin/%n", "./a",
                                           "/bin/", "\"/bin/a b\"", "", "/../a", "/bin/./d", "..");
    const int words = *within(0, 6);
    for (int i = 0; i < words; ++i)
      text += *rc::gen::element<std::string>(" ", "  ", "\t", " ; /bin/x ") + command_word();
    return text;
  });
}

TextGen assignments_text() {
  return exec([] {
    std::string text;
    const int count = *within(1, 4);
    for (int i = 0; i < count; ++i) {
      std::string name = *rc::gen::element<std::string>("A", "B", "_x", "a1", "1A", "", "A-B", "Ä");
      std::string word = name + (seldom(10) ? "" : "=") + (seldom(4) ? "" : command_word());
      if (seldom(3)) {
        const std::string quote = *rc::gen::element<std::string>("\"", "'");
        word = quote + word + quote;
      }
      text += (i > 0 ? " " : "") + word;
    }
    return text;
  });
}

TextGen words_text() {
  return several(
      word_of({"A",   "b", "_c",  " ",  " ", "\"A\"", "'b c'", "\\x42", "\\",  "\\\"", "1",
               "a:b", ":", "\\:", "%n", "/", "A=b",   "\"",    "ä",     "\\a", "..",   "15"}),
      1, 5);
}

TextGen path_text() {
  return exec([] {
    std::string text = *rc::gen::element<std::string>("/", "", "//", "./", "../", "/dev/");
    const int parts = *within(0, 5);
    for (int i = 0; i < parts; ++i) {
      if (i > 0) text += *rc::gen::element<std::string>("/", "//", "/./");
      text += seldom(8)   ? *rc::gen::element<std::string>(".", "..", "...", std::string(255, 'x'),
                                                         std::string(256, 'x'))
              : seldom(4) ? *any_text()
                          : name_part("ab-._ \\äx2d", 5);
    }
    if (seldom(4)) text += *rc::gen::element<std::string>("/", "//", "/.");
    return text;
  });
}

TextGen unit_name_text() {
  return exec([] {
    std::string text = name_part(kNameCharacters, 8);
    if (seldom(3)) {
      text += '@';
      if (!seldom(4)) text += seldom(6) ? name_part("ab@/ %", 5) : name_part(kNameCharacters, 6);
    }
    if (seldom(10)) text += *rc::gen::element<std::string>("@", " ", "/", "ä", "*");
    if (seldom(12)) text += std::string(static_cast<std::size_t>(*within(220, 256)), 'x');
    text += *rc::gen::element<std::string>(".service", ".target", ".slice", ".socket", ".mount",
                                           ".device", ".scope", ".automount", ".", "", ".servic",
                                           ".service.service", ".Service");
    return text;
  });
}

TextGen valid_unit_name() {
  return exec([] {
    std::string name = name_part(kNameCharacters, 8);
    if (seldom(2)) name += '@' + (seldom(4) ? "" : name_part("abc:_.-\\@", 6));
    return name + '.' + std::string(to_string(static_cast<UnitType>(*within(0U, kUnitTypes))));
  });
}

TextGen escaped_text() {
  return exec([] {
    const std::vector<std::string> pieces = {
        "a",  "-",     "b.c", "\\x2d", "\\x2f", "\\x5c", "\\xff", "\\x00", "\\x2",      "\\y20",
        "\\", "\\x2D", ".",   "..",    ":",     "@",     "ä",     " ",     "\\xc3\\xa4"};
    std::string text;
    const int count = *within(0, 8);
    for (int i = 0; i < count; ++i) text += one_of(pieces);
    return text;
  });
}

}  // namespace onset::test
