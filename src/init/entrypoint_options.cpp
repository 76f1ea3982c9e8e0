// One walk over the words before `--`. The first fault is kept and the walk goes
// on, because only a `--` at its end makes the command line an entrypoint's.

#include "init/entrypoint_options.h"

#include <csignal>
#include <cstring>
#include <optional>
#include <string_view>

#include "unit/signals.h"

namespace onset {
namespace {

struct Option {
  char letter;
  std::string_view name;
  bool takes_argument;
};
constexpr Option kOptions[] = {
    {'e', "", true},
    {'g', "", false},
    {'p', "", true},
    {'r', "rewrite", true},
    {'s', "", false},
    {'v', "verbose", false},
    {'w', "wait-descendants", false},
};

std::optional<int> decimal(std::string_view digits, int max) noexcept {
  if (digits.empty() || digits.size() > 3) return std::nullopt;
  int value = 0;
  for (const char c : digits) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  if (value > max) return std::nullopt;
  return value;
}

/// Allocates only for a word that is no signal.
int signal_number(std::string_view word) noexcept {
  return parse_signal(word).value_or(0);
}

/// A signal that reaches the entrypoint and is passed on, so that rewriting it has a meaning.
bool is_forwarded(int sig) noexcept {
  switch (sig) {
    case SIGCHLD:
    case SIGKILL:
    case SIGSTOP:
    case SIGFPE:
    case SIGILL:
    case SIGSEGV:
    case SIGBUS:
    case SIGABRT:
    case SIGTRAP:
    case SIGSYS:
      return false;
    default:
      return sig > 0 && sig <= kSigRtMax;
  }
}

void refuse(EntrypointCall& call, const char* at, const char* expected) noexcept {
  if (call.verdict == EntrypointVerdict::Refused) return;
  call.verdict = EntrypointVerdict::Refused;
  call.at = at;
  call.expected = expected;
}

void apply_rewrite(EntrypointCall& call, const char* word) noexcept {
  const std::string_view text(word);
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) {
    return refuse(call, word, "-r expects OLD:NEW, two signals");
  }
  const std::string_view replacement = text.substr(colon + 1);
  const int from = signal_number(text.substr(0, colon));
  const int to = signal_number(replacement);
  if (from == 0) return refuse(call, word, "-r expects OLD:NEW, and OLD is not a signal");
  if (!is_forwarded(from)) return refuse(call, word, "-r: OLD is a signal that is never forwarded");
  if (to == 0 && replacement != "0") {
    return refuse(call, word, "-r expects OLD:NEW, and NEW is not a signal (0 ignores OLD)");
  }
  call.options.rewrite[static_cast<std::size_t>(from)] = static_cast<std::uint8_t>(to);
}

void apply(EntrypointCall& call, char letter, const char* argument) noexcept {
  EntrypointOptions& options = call.options;
  switch (letter) {
    case 'g':
      options.to_group = true;
      break;
    case 'w':
      options.wait_descendants = true;
      break;
    case 'v':
      if (options.verbosity < 2) ++options.verbosity;
      break;
    case 's':
      break;  // the subreaper is the rule where onset is not PID 1
    case 'r':
      apply_rewrite(call, argument);
      break;
    case 'e':
      if (const auto code = decimal(argument, 255)) {
        options.is_success[static_cast<std::size_t>(*code)] = true;
      } else {
        refuse(call, argument, "-e expects an exit code, 0 to 255");
      }
      break;
    case 'p':
      options.parent_death_signal = signal_number(argument);
      if (options.parent_death_signal == 0) refuse(call, argument, "-p expects a signal");
      break;
    default:
      break;  // a letter of kOptions without a case: the tests try each
  }
}

bool is_separator(const char* word) noexcept {
  return std::strcmp(word, "--") == 0;
}

/// The argument of an option whose word leaves `rest`; steps to the next word
/// if that is empty. Null when there is none.
const char* argument_of(const char* rest, char* const*& word) noexcept {
  if (*rest != '\0') return rest;
  if (word[1] == nullptr || is_separator(word[1])) return nullptr;
  return *++word;
}

void take(EntrypointCall& call, const Option& option, const char* rest,
          char* const*& word) noexcept {
  const char* at = *word;
  const char* argument = argument_of(rest, word);
  if (argument == nullptr) return refuse(call, at, "this option expects an argument");
  apply(call, option.letter, argument);
}

void walk_cluster(EntrypointCall& call, char* const*& word) noexcept {
  for (const char* letter = *word + 1; *letter != '\0'; ++letter) {
    const Option* found = nullptr;
    for (const Option& option : kOptions) {
      if (option.letter == *letter) found = &option;
    }
    if (found == nullptr) return refuse(call, *word, "no such option");
    if (found->takes_argument) return take(call, *found, letter + 1, word);
    apply(call, *letter, nullptr);
  }
}

/// False for a long option of another applet.
bool walk_long(EntrypointCall& call, char* const*& word) noexcept {
  const std::string_view text(*word + 2);
  const auto equals = text.find('=');
  const bool has_value = equals != std::string_view::npos;
  for (const Option& option : kOptions) {
    if (option.name.empty() || option.name != text.substr(0, equals)) continue;
    if (option.takes_argument) {
      take(call, option, has_value ? *word + 2 + equals + 1 : "", word);
    } else if (has_value) {
      refuse(call, *word, "this option expects no argument");
    } else {
      apply(call, option.letter, nullptr);
    }
    return true;
  }
  return false;
}

}  // namespace

int entrypoint_signal(const char* word) noexcept {
  return signal_number(word);
}

EntrypointCall parse_entrypoint(char* const* argv, bool is_pid1) noexcept {
  EntrypointCall call;
  for (std::size_t i = 0; i < call.options.rewrite.size(); ++i) {
    call.options.rewrite[i] = static_cast<std::uint8_t>(i);
  }
  char* const* word = argv[0] == nullptr ? argv : argv + 1;
  for (; *word != nullptr && !is_separator(*word); ++word) {
    const bool is_long = std::strncmp(*word, "--", 2) == 0;
    const bool is_option = (*word)[0] == '-' && (*word)[1] != '\0';
    if (!is_option) return EntrypointCall{};
    if (!is_long) {
      walk_cluster(call, word);
    } else if (!walk_long(call, word)) {
      if (!is_pid1) return EntrypointCall{};
      refuse(call, *word, "no such option");
    }
  }
  if (*word == nullptr) return EntrypointCall{};
  call.options.command = word + 1;
  if (word[1] == nullptr) refuse(call, "--", "a command is expected after it");
  if (call.verdict != EntrypointVerdict::Refused) call.verdict = EntrypointVerdict::Accepted;
  return call;
}

}  // namespace onset
