#include "properties/print.h"

#include "unit/words.h"

namespace onset::test {
namespace {

std::string printed_word(std::string_view word) {
  return word == ";" ? "\\;" : doubled_percent(quote_word(word));
}

}  // namespace

std::string doubled_percent(std::string_view text) {
  std::string doubled;
  for (const char c : text) doubled.append(c == '%' ? 2 : 1, c);
  return doubled;
}

std::string printed_command(const ExecCommand& command) {
  std::string path;
  if (command.argv0_given) path += '@';
  if (command.ignore_failure) path += '-';
  if (command.no_env_expand) path += ':';
  if (command.full_privileges) path += '+';
  if (command.no_setuid) path += '!';
  if (command.ambient_magic) path += "!!";
  // As it was written, which the path that is run is a simplified form of.
  path += command.argv0_given ? command.path : command.argv.front();
  std::string text = printed_word(path);
  for (std::size_t i = command.argv0_given ? 0 : 1; i < command.argv.size(); ++i)
    text += ' ' + printed_word(command.argv[i]);
  return text;
}

}  // namespace onset::test
