// getopt_long goes through the words, the table says what each option does.
#include "cli/options.h"

#include <getopt.h>

#include <algorithm>

#include "base/format.h"
#include "base/text.h"

namespace onset {

namespace {

constexpr int kFirstLong = 0x100;

int getopt_argument(Takes takes) {
  switch (takes) {
    case Takes::Nothing:
      return no_argument;
    case Takes::Value:
      return required_argument;
    case Takes::MaybeValue:
      return optional_argument;
  }
  return no_argument;
}

/// What getopt_long wants: a row is known by its index, or by its letter.
struct Grammar {
  std::vector<option> longs;
  std::string shorts = ":";

  Grammar() {
    int index = kFirstLong;
    for (const OptionRow& row : option_table()) {
      if (row.name != nullptr) {
        longs.push_back({row.name, getopt_argument(row.takes), nullptr, index});
      }
      if (row.letter != 0) {
        shorts += row.letter;
        if (row.takes == Takes::Value) shorts += ':';
      }
      ++index;
    }
    longs.push_back({nullptr, 0, nullptr, 0});
  }
};

const OptionRow* row_of(int found) {
  if (found >= kFirstLong) return &option_table()[static_cast<std::size_t>(found - kFirstLong)];
  for (const OptionRow& row : option_table()) {
    if (row.letter == found) return &row;
  }
  return nullptr;
}

std::string apply(Options& options, const OptionRow& row, const char* value) {
  if (row.refusal != nullptr) return row.refusal;
  if (row.flag != nullptr) options.*row.flag = true;
  if (row.set == nullptr) return {};
  return row.set(options, value == nullptr ? "" : value);
}

/// glibc's words for what is wrong with an option.
std::string misuse(int found, int letter, std::string_view word) {
  const bool is_short = letter != 0 && letter < kFirstLong;
  if (found == ':') {
    return is_short ? format("option requires an argument -- '{}'", static_cast<char>(letter))
                    : format("option '{}' requires an argument", c_escape(word));
  }
  if (is_short) return format("invalid option -- '{}'", static_cast<char>(letter));
  if (letter != 0)
    return format("option '{}' doesn't allow an argument",
                  c_escape(word.substr(0, word.find('='))));
  std::string possible;
  for (const OptionRow& row : option_table()) {
    if (row.name == nullptr || !word.starts_with("--")) continue;
    if (std::string_view(row.name).starts_with(word.substr(2, word.find('=') - 2))) {
      possible += format(" '--{}'", row.name);
    }
  }
  if (possible.empty()) return format("unrecognized option '{}'", c_escape(word));
  return format("option '{}' is ambiguous; possibilities:{}", c_escape(word), possible);
}

}  // namespace

Result<Options, std::string> parse_options(std::span<const std::string> arguments) {
  std::vector<std::string> words(arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const int argc = static_cast<int>(words.size());

  const Grammar grammar;
  Options options;
  optind = 0;  // a fresh scan
  opterr = 0;
  for (;;) {
    const int found =
        ::getopt_long(argc, argv.data(), grammar.shorts.c_str(), grammar.longs.data(), nullptr);
    if (found == -1) break;
    if (found == '?' || found == ':') {
      const char* const last = argv[static_cast<std::size_t>(std::max(1, optind - 1))];
      return Failure{
          format("{}: {}", words.front(), misuse(found, optopt, last == nullptr ? "" : last))};
    }
    const OptionRow* const row = row_of(found);
    if (row == nullptr) continue;
    if (std::string problem = apply(options, *row, optarg); !problem.empty()) {
      return Failure{std::move(problem)};
    }
  }
  for (int i = optind; i < argc; ++i) {
    options.arguments.emplace_back(argv[static_cast<std::size_t>(i)]);
  }
  return options;
}

}  // namespace onset
