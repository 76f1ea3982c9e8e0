#include "unit/reader.h"

#include <catch2/catch.hpp>

using namespace onset;

namespace {

/// "LINE [SECTION] KEY=VALUE" for each assignment.
std::vector<std::string> assignments(std::string_view text) {
  std::vector<std::string> lines;
  for (const Assignment& a : read_unit_text(text, "f").assignments)
    lines.push_back(std::to_string(a.line) + " [" + a.section + "] " + a.key + "=" + a.value);
  return lines;
}

/// "LINE: MESSAGE", with "!" before it for an error.
std::vector<std::string> complaints(std::string_view text) {
  std::vector<std::string> lines;
  for (const Diagnostic& d : read_unit_text(text, "f").diagnostics) {
    CHECK(d.file == "f");
    lines.push_back((d.severity == Severity::Error ? "!" : "") + std::to_string(d.line) + ": " +
                    d.message);
  }
  return lines;
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("a file is sections of assignments", "[unit][reader]") {
  const std::string_view text =
      "# comment\n; another\n\n[Unit]\nDescription = a = b\n  After=x  \nEmpty=\n"
      "\t[Service]\t\nExecStart=/bin/true\nX-Own=1\nlast=no newline";
  CHECK(assignments(text) == Lines{"5 [Unit] Description=a = b", "6 [Unit] After=x",
                                   "7 [Unit] Empty=", "9 [Service] ExecStart=/bin/true",
                                   "10 [Service] X-Own=1", "11 [Service] last=no newline"});
  CHECK(complaints(text).empty());
  CHECK(assignments("").empty());
  CHECK(complaints("\n\n").empty());
}

TEST_CASE("a value keeps what other formats would take for a comment", "[unit][reader]") {
  CHECK(assignments("[S]\nA=/bin/sh -c 'a ; b' # c\nB=x;y\nC=\"q\" : r\n") ==
        Lines{"2 [S] A=/bin/sh -c 'a ; b' # c", "3 [S] B=x;y", "4 [S] C=\"q\" : r"});
}

TEST_CASE("an indented line is a line of its own", "[unit][reader]") {
  CHECK(assignments("[S]\nA=1\n  B=2\n\tC=3\n") == Lines{"2 [S] A=1", "3 [S] B=2", "4 [S] C=3"});
}

TEST_CASE("a backslash at the end joins lines with a space", "[unit][reader]") {
  CHECK(assignments("[S]\nA=a\\\nb\\\n  c\nB=d\n") == Lines{"2 [S] A=a b   c", "5 [S] B=d"});
  CHECK(assignments("[S]\nA=a\\\\\nB=b\n") == Lines{"2 [S] A=a\\\\", "3 [S] B=b"});
  CHECK(assignments("[S]\nA=a\\\\\\\nB=b\n") == Lines{"2 [S] A=a\\\\ B=b"});
  CHECK(assignments("[S]\nA=a \\") == Lines{"2 [S] A=a"});
  CHECK(assignments("[S]\nA=a \\\n\nB=b\n") == Lines{"2 [S] A=a", "4 [S] B=b"});
  CHECK(assignments("[S]\nA\\\n=\\\nb\n") == Lines{"2 [S] A=b"});
}

TEST_CASE("comments between joined lines vanish, and are never joined themselves",
          "[unit][reader]") {
  CHECK(assignments("[S]\nA=a\\\n# x\n  ; y \\\n  b\nB=c\n") ==
        Lines{"2 [S] A=a   b", "6 [S] B=c"});
  CHECK(assignments("# x \\\n[S]\nA=a\n") == Lines{"3 [S] A=a"});
}

TEST_CASE("lines that say nothing are told and left out", "[unit][reader]") {
  const std::string_view text = "A=1\n[S]\nfoo\n=x\nB:c=2\nB: 3\nD=4\n";
  CHECK(assignments(text) == Lines{"7 [S] D=4"});
  CHECK(complaints(text) == Lines{"1: an assignment outside of any section, left out",
                                  "3: expected KEY=VALUE, not \"foo\"",
                                  "4: expected KEY=VALUE, not \"=x\"",
                                  "5: unknown key \"B:c\" in section [S], left out",
                                  "6: expected KEY=VALUE, not \"B: 3\""});
}

TEST_CASE("sections are told in order, and those of other programs are skipped", "[unit][reader]") {
  const ReadResult result =
      read_unit_text("[Unit]\n[X-Foo]\nA=1\nnonsense\n[Foo]\nB=2\n[Unit]\nC=3\n[Unit]]\n", "f");
  REQUIRE(result.sections.size() == 4);
  CHECK(result.sections[1].name == "Foo");
  CHECK(result.sections[1].line == 5);
  CHECK(result.sections[3].name == "Unit]");
  CHECK(result.assignments.size() == 2);
  CHECK(result.diagnostics.empty());
}

TEST_CASE("a section name may be longer than inih's own limit", "[unit][reader]") {
  const std::string name(300, 'x');
  const ReadResult result = read_unit_text("[" + name + "]\nA=1\n", "f");
  REQUIRE(result.assignments.size() == 1);
  CHECK(result.assignments[0].section == name);
}

TEST_CASE("a broken header refuses the file from there on", "[unit][reader]") {
  for (const char* header : {"[Foo", "[Foo] bar", "[", "[Foo]#", "[a\"b]", "[a\\b]", "[a\x01]"}) {
    CAPTURE(header);
    const std::string text = std::string("[S]\nA=1\n") + header + "\nB=2\n";
    CHECK(assignments(text) == Lines{"2 [S] A=1"});
    const ReadResult result = read_unit_text(text, "f");
    CHECK(result.refused());
    REQUIRE(result.diagnostics.size() == 1);
    CHECK(result.diagnostics[0].line == 3);
  }
  CHECK(complaints("[]\nA=1\n") == Lines{"1: a section without a name, left out"});
}

TEST_CASE("NUL and bad UTF-8 refuse the file, with the line", "[unit][reader]") {
  CHECK(complaints(std::string_view("[S]\nA=a\0b\nB=2\n", 14)) ==
        Lines{"!2: a NUL byte in a text file"});
  CHECK(complaints("[S]\n\nA=\xff\nB=2\n") == Lines{"!3: not valid UTF-8"});
  CHECK(complaints("[S]\nA=\xc3\\\n\xa4\n") == Lines{"!2: not valid UTF-8"});
  CHECK(complaints("[S]\n# \xff\nA=1\n").empty());
}

TEST_CASE("a byte order mark and carriage returns are read as systemd reads them, and told",
          "[unit][reader]") {
  const std::string_view text = "\xef\xbb\xbf[S]\r\nA=1\\\r\n 2\r\nB=3\rC=4\r\n";
  CHECK(assignments(text) == Lines{"2 [S] A=1  2", "4 [S] B=3", "5 [S] C=4"});
  CHECK(complaints(text) == Lines{"1: begins with a byte order mark, which is left out",
                                  "1: ends in a carriage return, read as the end of a line"});
}

TEST_CASE("lines far beyond inih's own limits come through whole", "[unit][reader]") {
  for (const std::size_t length : {150UL, 199UL, 200UL, 201UL, 1000UL, 65536UL, kLineMax - 2}) {
    const std::string value(length, 'v');
    const ReadResult result = read_unit_text("[S]\nA=" + value + "\nB=2\n", "f");
    CAPTURE(length);
    REQUIRE(result.assignments.size() == 2);
    CHECK((result.assignments[0].value == value));
    CHECK(result.assignments[1].value == "2");
  }
  const std::string key(5000, 'k');
  CHECK((read_unit_text("[S]\n" + key + "=1\n", "f").assignments.at(0).key == key));
}

TEST_CASE("what is too long is refused with its line", "[unit][reader]") {
  CHECK(complaints("[S]\nA=" + std::string(kLineMax, 'v') + "\nB=2\n") ==
        Lines{"!2: longer than 1048576 bytes"});
  std::string text = "[S]\nA=";
  for (int i = 0; i < 3; ++i) text += std::string(kLineMax / 2, 'v') + "\\\n";
  CHECK(complaints(text) == Lines{"!2: longer than 1048576 bytes with its continuations"});
}

TEST_CASE("a file of many short continuations is read in linear time", "[unit][reader]") {
  std::string text = "[S]\nA=";
  for (int i = 0; i < 300'000; ++i) text += "a\\\n";
  const ReadResult result = read_unit_text(text, "f");
  REQUIRE(result.assignments.size() == 1);
  CHECK(result.assignments[0].value.size() == 599'999);
}

TEST_CASE("any bytes are survived", "[unit][reader]") {
  std::uint32_t state = 1;
  constexpr std::string_view kAlphabet("[]=\\\n\r#; :\"'aX-\xff\0\t", 19);
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    for (unsigned length = round % 40U; length > 0; --length) {
      state = state * 1664525U + 1013904223U;
      text += kAlphabet[(state >> 16) % kAlphabet.size()];
    }
    for (const Assignment& a : read_unit_text(text, "f").assignments) {
      if (a.line == 0 || a.key.empty()) FAIL(text);
    }
  }
}

TEST_CASE("a vertical tab and a form feed are no space around a value", "[unit][reader]") {
  const auto read = read_unit_text("[Unit]\nDescription= \fa \v \nA=\v\n", "a.service");
  REQUIRE(read.assignments.size() == 2);
  CHECK(read.assignments[0].value == "\fa \v");
  CHECK(read.assignments[1].value == "\v");
}
