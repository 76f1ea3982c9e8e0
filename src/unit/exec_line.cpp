// A command line is read word by word: prefixes come off the first word, which
// becomes the path; every further word is an argument, with its specifiers
// replaced after quotes and escapes are undone, so that what a specifier gives
// is never cut or unquoted. A ";" of its own, unquoted, begins the next command.
#include "unit/exec_line.h"

#include <algorithm>
#include <optional>

#include "base/format.h"
#include "base/text.h"
#include "unit/words.h"

namespace onset {

namespace {

/// Takes the prefix characters off, each at most once and "+", "!", "!!" only
/// instead of each other.
void take_prefixes(std::string_view& word, ExecCommand& command) {
  for (; !word.empty(); word.remove_prefix(1)) {
    const bool privileged = command.full_privileges || command.ambient_magic;
    if (word[0] == '-' && !command.ignore_failure) {
      command.ignore_failure = true;
    } else if (word[0] == '@' && !command.argv0_given) {
      command.argv0_given = true;
    } else if (word[0] == ':' && !command.no_env_expand) {
      command.no_env_expand = true;
    } else if (word[0] == '+' && !privileged && !command.no_setuid) {
      command.full_privileges = true;
    } else if (word[0] == '!' && !privileged) {
      command.ambient_magic = command.no_setuid;
      command.no_setuid = !command.no_setuid;
    } else {
      return;
    }
  }
}

/// Empty: fit to be executed. Otherwise what is wrong.
std::string path_problem(std::string_view path) {
  const auto special = [](char c) { return is_control(c) || c == '"' || c == '\'' || c == '\\'; };
  if (path.empty()) return "expected a command";
  if (std::any_of(path.begin(), path.end(), special))
    return format("quotes, backslashes and control characters can't be part of the path \"{}\"",
                  c_escape(path));
  if (path.ends_with('/')) return format("\"{}\" is a directory, not a command", path);
  if (path_is_absolute(path) ? !path_is_valid(path) : !filename_is_valid(path))
    return format("expected an absolute path or a bare name, not \"{}\"", path);
  return {};
}

/// True, and taken off, if the text goes on with `token` as a word of its own.
bool take_token(WordReader& words, std::string_view token) {
  std::string_view rest = words.rest();
  if (!rest.starts_with(token)) return false;
  rest.remove_prefix(token.size());
  if (!rest.empty() && !is_space(rest[0])) return false;
  rest.remove_prefix(std::min(rest.find_first_not_of(kWhitespace), rest.size()));
  words.set_rest(rest);
  return true;
}

class LineParser {
 public:
  LineParser(std::string_view value, const SpecifierScope& scope,
             std::vector<std::string>* warnings)
      : words_(value, kUnquoteAndUnescape), scope_(scope), warnings_(warnings) {}

  Result<std::vector<ExecCommand>, std::string> parse() {
    std::vector<ExecCommand> commands;
    do {
      auto first = next_word();
      if (!first) {
        // systemd says so, leaves the rest out and goes on.
        warn(std::move(first).error());
        return commands;
      }
      if (!*first) return commands;
      if (**first == ";") {
        another_ = true;
        continue;
      }
      ExecCommand command;
      if (std::string problem = parse_command(**first, command); !problem.empty()) {
        if (!command.ignore_failure) return Failure{std::move(problem)};
        warn(std::move(problem));
        return commands;
      }
      commands.push_back(std::move(command));
    } while (another_);
    return commands;
  }

 private:
  Result<std::optional<std::string>, std::string> next_word() {
    std::string warning;
    auto word = words_.next_lenient(warning);
    if (!warning.empty()) warn(std::move(warning));
    return word;
  }

  /// Empty: done, and another_ says whether a ";" followed.
  std::string parse_command(std::string_view first, ExecCommand& command) {
    take_prefixes(first, command);
    auto path = expand_specifiers(first, scope_, kPathMax);
    if (!path) return std::move(path).error();
    if (std::string problem = path_problem(*path); !problem.empty()) return problem;
    command.path = path_simplify(*path);
    if (!command.argv0_given) command.argv.push_back(std::move(*path));

    another_ = false;
    while (!words_.rest().empty()) {
      if (take_token(words_, ";")) {
        another_ = true;
        break;
      }
      // Looked for before escapes are undone: "\;" in quotes is something else.
      if (take_token(words_, "\\;")) {
        command.argv.emplace_back(";");
        continue;
      }
      auto word = next_word();
      if (!word) return std::move(word).error();
      if (!*word) break;
      auto argument = expand_specifiers(**word, scope_);
      if (!argument) return std::move(argument).error();
      command.argv.push_back(std::move(*argument));
    }
    if (command.argv.empty()) return "expected argv[0] after a command with \"@\"";
    return {};
  }

  void warn(std::string text) {
    if (warnings_ != nullptr) warnings_->push_back(std::move(text));
  }

  WordReader words_;
  const SpecifierScope& scope_;
  std::vector<std::string>* warnings_;
  bool another_ = false;
};

/// ${NAME} and $$ replaced; any other "$" stays.
std::string replace_variables(std::string_view word, const Environment& environment) {
  std::string out;
  while (!word.empty()) {
    const std::size_t dollar = word.find('$');
    out += word.substr(0, dollar);
    word.remove_prefix(std::min(dollar, word.size()));
    if (word.empty()) break;
    const std::size_t end = word.starts_with("${") ? word.find('}') : std::string_view::npos;
    if (end != std::string_view::npos) {
      out += environment.get(word.substr(2, end - 2)).value_or(std::string_view{});
      word.remove_prefix(end + 1);
    } else if (word.starts_with("${")) {
      out += word;  // never closed: all of it is literal
      break;
    } else {
      out += '$';
      // What follows a lone "$" is no start of its own unless it doubles it.
      const bool doubled = word.starts_with("$$");
      word.remove_prefix(1);
      if (doubled) {
        word.remove_prefix(1);
      } else if (!word.empty()) {
        out += word[0];
        word.remove_prefix(1);
      }
    }
  }
  return out;
}

bool is_lone_variable(std::string_view word) {
  return word.starts_with('$') && !word.starts_with("${") && !word.starts_with("$$");
}

}  // namespace

Result<std::vector<ExecCommand>, std::string> parse_exec_line(std::string_view value,
                                                              const SpecifierScope& scope,
                                                              std::vector<std::string>* warnings) {
  return LineParser(value, scope, warnings).parse();
}

std::vector<std::string> expand_argv(const ExecCommand& command, const Environment& environment) {
  if (command.no_env_expand) return command.argv;
  std::vector<std::string> argv;
  argv.reserve(command.argv.size());
  for (const std::string& word : command.argv) {
    if (!is_lone_variable(word)) {
      argv.push_back(replace_variables(word, environment));
      continue;
    }
    const auto value = environment.get(std::string_view(word).substr(1));
    if (!value) continue;
    // Relaxed: an open quote ends with the value, so that this can't fail.
    auto words = split_words(*value, WordFlags::Unquote | WordFlags::Relax);
    if (words)
      for (std::string& w : *words) argv.push_back(std::move(w));
  }
  return argv;
}

}  // namespace onset
