// A unit file that is printed is read as the same assignments, however its lines are laid out.
#include "base/text.h"
#include "properties/property.h"
#include "properties/texts.h"
#include "unit/reader.h"

using namespace onset;
using namespace onset::test;

namespace {

struct Line {
  std::string section;
  std::string key;
  std::string value;
  bool operator==(const Line&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Line& line) {
  return out << "[" << line.section << "] " << line.key << "=" << line.value;
}

/// A value ends in no backslash: that would join the next line. It is of one line, and what
/// begins with "#" or ";" is no comment behind "=".
rc::Gen<Line> line() {
  return rc::gen::exec([] {
    Line line;
    line.section = *rc::gen::element<std::string>("Unit", "Service", "Install", "Anything");
    line.key = *rc::gen::element<std::string>("After", "ExecStart", "X-Key", "key", "Environment");
    const std::string text = *line_text();
    std::string_view value = text;
    while (value.ends_with('\\')) value = trim(value.substr(0, value.size() - 1));
    line.value = value;
    return line;
  });
}

std::vector<Line> read(const std::string& text) {
  std::vector<Line> lines;
  const ReadResult result = read_unit_text(text, "a.service");
  for (const Assignment& a : result.assignments) lines.push_back({a.section, a.key, a.value});
  return lines;
}

/// What may stand between lines without being one.
std::string filling() {
  return *rc::gen::element<std::string>("", "", "\n", "# comment\n", "  ; comment = x\n", "\t\n",
                                        "#\\\n");
}

}  // namespace

TEST_CASE("assignments that are printed are read as themselves", "[properties][reader]") {
  holds([] {
    const auto lines = *rc::gen::container<std::vector<Line>>(line());
    std::string text;
    for (const Line& l : lines) {
      text += filling() + "[" + l.section + "]\n" + filling();
      text += *rc::gen::element<std::string>("", " ", "\t") + l.key;
      text += *rc::gen::element<std::string>("", " ", "\t ") + "=";
      text += *rc::gen::element<std::string>("", " ", "\t") + l.value;
      text += *rc::gen::element<std::string>("\n", " \n", "\r\n");
    }
    RC_LOG() << c_escape(text);
    RC_ASSERT(!read_unit_text(text, "a.service").refused());
    RC_ASSERT(read(text) == lines);
  });
}

TEST_CASE("a line that is continued is one line with blanks for what joined it",
          "[properties][reader]") {
  holds([] {
    const auto words = *rc::gen::nonEmpty(rc::gen::container<std::vector<std::string>>(
        rc::gen::nonEmpty(word_of({"a", "b=c", "\"d", "[e]", "x#y", "z;"}))));
    std::string text = "[Unit]\nkey=";
    std::string expected;
    for (const std::string& word : words) {
      const bool first = expected.empty();
      if (!first) text += " \\\n" + *rc::gen::element<std::string>("", "# comment\n", "; \\\n");
      text += word;
      // The blank before the backslash, and the backslash itself.
      expected += (first ? "" : "  ") + word;
    }
    RC_LOG() << c_escape(text);
    const auto lines = read(text + "\n");
    RC_ASSERT(lines.size() == 1U);
    RC_ASSERT(lines.front() == (Line{"Unit", "key", expected}));
  });
}

TEST_CASE("what stands in a section that begins with X- is not there", "[properties][reader]") {
  holds([] {
    const auto lines = *rc::gen::container<std::vector<Line>>(line());
    std::string text;
    std::vector<Line> expected;
    for (Line l : lines) {
      if (*rc::gen::arbitrary<bool>()) {
        l.section = "X-" + l.section;
      } else {
        expected.push_back(l);
      }
      text += "[" + l.section + "]\n" + l.key + "=" + l.value + "\n";
    }
    RC_ASSERT(read(text) == expected);
  });
}

TEST_CASE("the line number of an assignment is that of its line", "[properties][reader]") {
  holds([] {
    std::string text = "[Unit]\n";
    std::vector<unsigned> expected;
    const int count = *within(0, 6);
    for (int i = 0; i < count; ++i) {
      text += filling();
      expected.push_back(static_cast<unsigned>(std::count(text.begin(), text.end(), '\n')) + 1);
      text += *rc::gen::element<std::string>("a=b\n", "a=b \\\n  c\n", "a=\\\n\\\nb\n");
    }
    std::vector<unsigned> lines;
    for (const Assignment& a : read_unit_text(text, "a.service").assignments)
      lines.push_back(a.line);
    RC_LOG() << c_escape(text);
    RC_ASSERT(lines == expected);
  });
}

TEST_CASE("any bytes are survived, and what is read of them is trimmed", "[properties][reader]") {
  holds([] {
    const std::string text = *several(
        rc::gen::oneOf(any_text(), word_of({"\n", "[Unit]\n", "[", "]", "=", "a=b\n", "\\\n"})), 0,
        12);
    for (const Line& l : read(text)) {
      RC_ASSERT(!l.key.empty());
      RC_ASSERT(trim(l.key) == l.key);
      RC_ASSERT(trim(l.value) == l.value);
      RC_ASSERT(is_valid_utf8(l.value));
    }
  });
}
