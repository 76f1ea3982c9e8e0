// Words, quoting, commands and environments: what is printed is read as itself.
#include "base/text.h"
#include "properties/print.h"
#include "properties/property.h"
#include "properties/texts.h"
#include "unit/environment.h"
#include "unit/exec_line.h"
#include "unit/words.h"

using namespace onset;
using namespace onset::test;

namespace {

using Texts = std::vector<std::string>;

rc::Gen<Texts> texts(TextGen text) {
  return rc::gen::container<Texts>(std::move(text));
}

std::string quoted(const Texts& words) {
  std::string line;
  for (const std::string& word : words) line += quote_word(word) + ' ';
  return line;
}

}  // namespace

TEST_CASE("quoted words are read as themselves", "[properties][words]") {
  holds([] {
    const Texts words = *texts(any_text());
    const auto again = split_words(quoted(words));
    RC_ASSERT(again);
    RC_ASSERT(*again == words);
  });
}

TEST_CASE("joined words are read as themselves by every kind of reader", "[properties][words]") {
  holds([] {
    const Texts words = *texts(any_text());
    const WordFlags flags =
        WordFlags::Unquote |
        *rc::gen::element(WordFlags::None, WordFlags::CUnescape, WordFlags::RetainEscapes);
    const std::string line = join_words(words, flags);
    RC_LOG() << line;
    const auto again = split_words(line, flags);
    RC_ASSERT(again);
    RC_ASSERT(*again == words);
  });
}

TEST_CASE("words that are read one by one are those that are read at once", "[properties][words]") {
  holds([] {
    const std::string text = *command_text();
    WordReader reader(text, kUnquoteAndUnescape);
    Texts words;
    auto word = reader.next();
    for (; word && *word; word = reader.next()) words.push_back(**word);
    const auto all = split_words(text);
    RC_ASSERT(all.ok() == word.ok());
    if (all) RC_ASSERT(*all == words);
  });
}

TEST_CASE("an escaped text of a terminal is UTF-8 without controls, and reads as itself",
          "[properties][words]") {
  holds([] {
    const std::string text = *any_text();
    const std::string escaped = c_escape(text);
    RC_ASSERT(is_valid_utf8(escaped));
    RC_ASSERT(std::none_of(escaped.begin(), escaped.end(), is_control));
    std::string again;
    for (std::size_t at = 0; at < escaped.size(); ++at) {
      if (escaped[at] != '\\') {
        again += escaped[at];
        continue;
      }
      const std::size_t taken = unescape_one(std::string_view(escaped).substr(at + 1), again);
      RC_ASSERT(taken > 0U);
      at += taken;
    }
    RC_ASSERT(again == text);
  });
}

TEST_CASE("a printed command is read as itself", "[properties][exec_line]") {
  HostFacts host;
  const SpecifierScope scope{"a@b.service", "/etc/systemd/system/a@.service", host};
  holds([&scope] {
    ExecCommand command;
    command.path = *rc::gen::element<std::string>("/bin/a", "a", "/bin/a b", "/bin/ä", "/%n", "-a");
    command.ignore_failure = *rc::gen::arbitrary<bool>();
    command.no_env_expand = *rc::gen::arbitrary<bool>();
    command.argv0_given = *rc::gen::arbitrary<bool>();
    const int privileges = *within(0, 4);
    command.full_privileges = privileges == 1;
    command.no_setuid = privileges == 2;
    command.ambient_magic = privileges == 3;
    command.argv = *texts(any_text());
    if (!command.argv0_given) command.argv.insert(command.argv.begin(), command.path);
    if (command.argv.empty()) command.argv.emplace_back("zero");
    RC_PRE((!command.path.starts_with('-') || command.ignore_failure));  // "-" is taken once
    const std::string line = printed_command(command);
    RC_LOG() << line;
    std::vector<std::string> warnings;
    const auto again = parse_exec_line(line, scope, &warnings);
    RC_ASSERT(again);
    RC_ASSERT(warnings.empty());
    RC_ASSERT(again->size() == 1U);
    RC_ASSERT(again->front() == command);
  });
}

TEST_CASE("what was read of a command line is printed and read as itself",
          "[properties][exec_line]") {
  HostFacts host;
  const SpecifierScope scope{"a@b.service", "/etc/systemd/system/a@.service", host};
  holds([&scope] {
    const auto commands = parse_exec_line(*command_text(), scope);
    if (!commands) return;
    std::string line;
    for (const ExecCommand& command : *commands)
      line += (line.empty() ? "" : " ; ") + printed_command(command);
    RC_LOG() << line;
    const auto again = parse_exec_line(line, scope);
    RC_ASSERT(again);
    RC_ASSERT(*again == *commands);
  });
}

TEST_CASE("dollars that are doubled stay what they were", "[properties][exec_line]") {
  holds([] {
    const Texts words = *texts(any_text());
    ExecCommand command{.path = "/bin/a", .argv = {"/bin/a"}};
    for (const std::string& word : words) {
      std::string doubled;
      for (const char c : word) doubled.append(c == '$' ? 2 : 1, c);
      command.argv.push_back(doubled);
    }
    Texts argv = expand_argv(command, Environment({"A=b", "x=y z"}));
    argv.erase(argv.begin());
    RC_ASSERT(argv == words);
  });
}

TEST_CASE("assignments that are quoted are read as themselves", "[properties][environment]") {
  HostFacts host;
  const SpecifierScope scope{"a.service", "", host};
  holds([&scope] {
    Texts assignments;
    const auto names = *texts(word_of({"A", "B", "_", "a_1", "LONG_NAME"}));
    for (const std::string& name : names) assignments.push_back(name + "=" + *line_text());
    const auto again = parse_environment_assignments(doubled_percent(quoted(assignments)), scope);
    RC_ASSERT(again.problems.empty());
    RC_ASSERT(again.assignments == assignments);
  });
}

TEST_CASE("of an environment the last assignment of a name counts", "[properties][environment]") {
  holds([] {
    std::map<std::string, std::string> expected;
    Environment environment;
    Environment other;
    const auto names = *texts(word_of({"A", "B", "AB", "a", "_"}));
    for (const std::string& name : names) {
      expected[name] = *any_text();
      (*rc::gen::arbitrary<bool>() ? other : environment).set(name, "");
      other.set(name, expected[name]);
    }
    environment.merge(other);
    RC_ASSERT(environment.size() == expected.size());
    for (const auto& [name, value] : expected) RC_ASSERT(environment.get(name) == value);
    RC_ASSERT(Environment(environment.assignments()).assignments() == environment.assignments());
  });
}

TEST_CASE("a printed environment file is read as itself", "[properties][environment]") {
  holds([] {
    Texts assignments;
    std::string file;
    const auto names = *texts(word_of({"A", "B", "_", "a_1", "LONG_NAME"}));
    for (const std::string& name : names) {
      const std::string value = *rc::gen::map(
          any_text(), [](std::string text) { return is_valid_utf8(text) ? text : c_escape(text); });
      assignments.push_back(name + "=" + value);
      std::string escaped;
      for (const char c : value) {
        if (c == '"' || c == '\\' || c == '`' || c == '$') escaped += '\\';
        escaped += c;
      }
      file += name + "=\"" + escaped + "\"\n";
    }
    const auto again = parse_environment_file(file);
    RC_LOG() << c_escape(file);
    RC_ASSERT(again.problems.empty());
    RC_ASSERT(Environment(again.assignments).assignments() ==
              Environment(assignments).assignments());
  });
}
