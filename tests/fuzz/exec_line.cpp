// ExecStart= and its kin: a value to commands, commands to argv. The first record is the
// value, the ones after it are the environment.
// Parsers: unit/exec_line.cpp unit/words.cpp

#include "unit/exec_line.h"
#include "base/text.h"
#include "fuzz/fuzz.h"
#include "unit/environment.h"
#include "unit/words.h"

using namespace onset;
using namespace onset::fuzz;

namespace {

constexpr std::size_t kArgumentsMax = std::size_t{64} << 20;

/// With its specifiers protected and nothing to separate.
std::string printed_word(std::string_view word) {
  std::string protected_word;
  for (const char c : word) protected_word.append(c == '%' ? 2 : 1, c);
  if (protected_word == ";") return "\\;";
  return quote_word(protected_word);
}

std::string printed(const ExecCommand& command) {
  std::string text;
  if (command.argv0_given) text += '@';
  if (command.ignore_failure) text += '-';
  if (command.no_env_expand) text += ':';
  if (command.full_privileges) text += '+';
  if (command.no_setuid) text += '!';
  if (command.ambient_magic) text += "!!";
  std::string path = text + command.path;
  text = printed_word(path);
  for (std::size_t i = command.argv0_given ? 0 : 1; i < command.argv.size(); ++i) {
    text += ' ' + printed_word(command.argv[i]);
  }
  return text;
}

void try_command(const ExecCommand& command, const SpecifierScope& scope,
                 const Environment& environment) {
  expect(!command.argv.empty(), "a command has a first argument");
  const bool is_found = path_is_absolute(command.path) ? path_is_valid(command.path)
                                                       : filename_is_valid(command.path);
  expect(is_found, "a command is a path or a name", command.path);
  std::size_t bytes = 0;
  const auto argv = expand_argv(command, environment);
  for (const std::string& argument : argv) bytes += argument.size();
  expect(bytes <= kArgumentsMax, "no expansion is without bounds");
  if (command.no_env_expand) expect(argv == command.argv, "nothing is expanded with \":\"");

  // "/." is taken, as systemd takes it; "/", which it comes down to, is not.
  if (command.path == "/") return;
  // As everywhere, no escape gives NUL; no line of a unit file has one.
  for (const std::string& argument : command.argv) {
    if (argument.find('\0') != std::string::npos) return;
  }
  const auto again = parse_exec_line(printed(command), scope);
  expect(again && again->size() == 1, "a printed command is one", printed(command));
  ExecCommand expected = command;
  // The first argument is the path as it was written, which a simplified path is not.
  if (!command.argv0_given) expected.argv[0] = again->front().argv[0];
  expect(again->front() == expected, "a printed command is read as itself", printed(command));
}

void try_words(std::string_view text) {
  for (const WordFlags flags :
       {kUnquoteAndUnescape, WordFlags::Unquote | WordFlags::RetainEscapes, WordFlags::None}) {
    auto words = split_words(text, flags);
    if (!words || text.find('\0') != std::string_view::npos) continue;
    if (flags == WordFlags::None) std::erase(*words, "");  // which it can't give
    const std::string line = join_words(*words, flags);
    const auto again = split_words(line, flags);
    expect(again && *again == *words, "quoted words are read as themselves", line);
  }
  for (unsigned flags = 0; flags < 256; flags += 7) {
    (void)split_words(text, static_cast<WordFlags>(flags));
    (void)split_words(text, static_cast<WordFlags>(flags), ":");
  }
  WordReader reader(text, kUnquoteAndUnescape);
  for (std::size_t before = reader.rest().size() + 1;;) {
    std::string warning;
    const auto word = reader.next_lenient(warning);
    if (!word || !*word) break;
    expect(reader.rest().size() < before, "each word takes something off");
    before = reader.rest().size();
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest = text_of(data, size);
  const std::string_view value = take(rest);
  std::vector<std::string> assignments{"A=1 2", "B='x y' z", "EMPTY="};
  while (!rest.empty() && assignments.size() < 16) assignments.emplace_back(take(rest));
  const Environment environment(assignments);

  HostFacts host;
  host.hostname = "box";
  const SpecifierScope scope{"a@b.service", "/etc/systemd/system/a@.service", host};
  std::vector<std::string> warnings;
  const auto commands = parse_exec_line(value, scope, &warnings);
  for (const std::string& warning : warnings) expect(!warning.empty(), "a warning says something");
  if (commands) {
    for (const ExecCommand& command : *commands) try_command(command, scope, environment);
    const auto again = parse_exec_line(value, scope);
    expect(again && *again == *commands, "a value is the same again");
  } else {
    expect(!commands.error().empty(), "an error says what is wrong");
  }
  try_words(value);
  return 0;
}
