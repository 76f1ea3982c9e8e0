#include "cli/options.h"

#include <getopt.h>

#include <algorithm>
#include <array>

#include "base/format.h"
#include "base/text.h"
#include "unit/enum_words.h"
#include "unit/name.h"
#include "unit/signals.h"

namespace onset {

namespace {

std::vector<std::string> list_of(std::string_view text) {
  std::vector<std::string> found;
  for (std::string_view part : split(text, ',')) {
    if (!part.empty()) found.emplace_back(part);
  }
  return found;
}

std::string one_of(std::string& to, std::string_view word, std::string_view what,
                   std::initializer_list<std::string_view> known) {
  for (std::string_view choice : known) {
    if (word != choice) continue;
    to = word;
    return {};
  }
  return format("'{}' is no {}", c_escape(word), what);
}

/// -t takes load states too, systemctl(1).
std::string set_types(Options& options, std::string_view text) {
  for (std::string& word : list_of(text)) {
    if (unit_type_from_word(word)) {
      options.types.push_back(std::move(word));
    } else if (from_string<LoadState>(word)) {
      options.states.push_back(std::move(word));
    } else {
      return format("'{}' is no unit type and no load state", c_escape(word));
    }
  }
  return {};
}

std::string set_states(Options& options, std::string_view text) {
  for (std::string& word : list_of(text)) options.states.push_back(std::move(word));
  return {};
}

std::string set_failed(Options& options, std::string_view) {
  options.states.emplace_back("failed");
  return {};
}

std::string set_properties(Options& options, std::string_view text) {
  for (std::string& word : list_of(text)) options.properties.push_back(std::move(word));
  return {};
}

std::string set_properties_and_value(Options& options, std::string_view text) {
  options.value = true;
  return set_properties(options, text);
}

std::string set_json(Options& options, std::string_view word) {
  if (word == "off") {
    options.json = JsonStyle::Off;
  } else if (word == "short" || word.empty()) {
    options.json = JsonStyle::Short;
  } else if (word == "pretty") {
    options.json = JsonStyle::Pretty;
  } else {
    return format("'{}' is not short, pretty or off", c_escape(word));
  }
  return {};
}

std::string set_signal(Options& options, std::string_view word) {
  auto signal = parse_signal(word);
  if (!signal) return signal.error();
  options.signal = *signal;
  return {};
}

std::string set_lines(Options& options, std::string_view word) {
  if (word == "all") return {};
  options.lines = parse_uint<unsigned>(word);
  return options.lines ? std::string() : format("'{}' is no number of lines", c_escape(word));
}

std::string set_legend(Options& options, std::string_view word) {
  options.no_legend = word == "no" || word == "false" || word == "0";
  return {};
}

std::string set_kill_whom(Options& options, std::string_view word) {
  return one_of(options.kill_whom, word, "choice of processes: expected main, control or all",
                {"main", "control", "all"});
}

std::string set_job_mode(Options& options, std::string_view word) {
  return one_of(options.job_mode, word, "job mode",
                {"replace", "fail", "isolate", "flush", "ignore-dependencies",
                 "ignore-requirements", "replace-irreversibly"});
}

std::string set_preset_mode(Options& options, std::string_view word) {
  return one_of(options.preset_mode, word, "preset mode: expected full, enable-only, disable-only",
                {"full", "enable-only", "disable-only"});
}

std::string set_root(Options& options, std::string_view path) {
  if (path.empty() || !path_is_valid(path)) return "expected a folder";
  options.root = path_simplify(path);
  return {};
}

std::string set_system(Options& options, std::string_view) {
  options.user = false;
  return {};
}

std::string set_force(Options& options, std::string_view) {
  ++options.force;
  return {};
}

template <DependencySide side>
std::string set_side(Options& options, std::string_view) {
  options.side = side;
  return {};
}

using enum Takes;
constexpr std::array kTable = {
    OptionRow{"help", 'h', Nothing, &Options::help, nullptr, "", "Show this help"},
    OptionRow{"version", 0, Nothing, &Options::version, nullptr, "", "Show the version"},
    OptionRow{"system", 0, Nothing, nullptr, set_system, "", "Talk to the system manager"},
    OptionRow{"user", 0, Nothing, &Options::user, nullptr, "", "Talk to the user's manager"},
    OptionRow{"type", 't', Value, nullptr, set_types, "TYPE", "List units of these types"},
    OptionRow{"state", 0, Value, nullptr, set_states, "STATE", "List units in these states"},
    OptionRow{"failed", 0, Nothing, nullptr, set_failed, "", "List units that failed"},
    OptionRow{"property", 'p', Value, nullptr, set_properties, "NAME",
              "Show these properties only"},
    OptionRow{nullptr, 'P', Value, nullptr, set_properties_and_value, "NAME",
              "As --value --property=NAME"},
    OptionRow{"all", 'a', Nothing, &Options::all, nullptr, "",
              "Show all units, and properties without a value"},
    OptionRow{"full", 'l', Nothing, &Options::full, nullptr, "", "Do not cut what is too wide"},
    OptionRow{"recursive", 'r', Nothing, nullptr, nullptr, "", nullptr},
    OptionRow{"reverse", 0, Nothing, nullptr, set_side<DependencySide::Reverse>, "",
              "Dependencies the other way round"},
    OptionRow{"after", 0, Nothing, nullptr, set_side<DependencySide::After>, "",
              "Show what a unit is ordered after"},
    OptionRow{"before", 0, Nothing, nullptr, set_side<DependencySide::Before>, "",
              "Show what a unit is ordered before"},
    OptionRow{"job-mode", 0, Value, nullptr, set_job_mode, "MODE",
              "What becomes of jobs that are queued already"},
    OptionRow{"value", 0, Nothing, &Options::value, nullptr, "", "Show values without names"},
    OptionRow{"no-block", 0, Nothing, &Options::no_block, nullptr, "",
              "Do not wait until the job is done"},
    OptionRow{"wait", 0, Nothing, &Options::wait, nullptr, "",
              "Wait until the unit, or the start of the system, has ended"},
    OptionRow{"now", 0, Nothing, &Options::now, nullptr, "",
              "With enable, disable or mask: start or stop as well"},
    OptionRow{"quiet", 'q', Nothing, &Options::quiet, nullptr, "", "Print nothing"},
    OptionRow{"no-warn", 0, Nothing, &Options::no_warn, nullptr, "",
              "No warning about units without [Install]"},
    OptionRow{"kill-whom", 0, Value, nullptr, set_kill_whom, "WHOM",
              "Signal the main, the control or all processes"},
    OptionRow{"kill-who", 0, Value, nullptr, set_kill_whom, "WHOM", nullptr},
    OptionRow{"signal", 's', Value, nullptr, set_signal, "SIGNAL", "Which signal to send"},
    OptionRow{"force", 'f', Nothing, nullptr, set_force, "",
              "Replace links; with poweroff and its kin, do not stop units in order"},
    OptionRow{"runtime", 0, Nothing, &Options::runtime, nullptr, "",
              "Enable, disable or mask until the next boot"},
    OptionRow{"root", 0, Value, nullptr, set_root, "PATH", "Work on the unit files below PATH"},
    OptionRow{"preset-mode", 0, Value, nullptr, set_preset_mode, "MODE",
              "Apply presets: full, enable-only or disable-only"},
    OptionRow{"no-reload", 0, Nothing, &Options::no_reload, nullptr, "",
              "Do not reload the manager after a change"},
    OptionRow{"lines", 'n', Value, nullptr, set_lines, "N", "How many log lines status shows"},
    OptionRow{"output", 'o', Value, nullptr, nullptr, "MODE", nullptr},
    OptionRow{"plain", 0, Nothing, &Options::plain, nullptr, "", "A list in place of a tree"},
    OptionRow{"json", 0, MaybeValue, nullptr, set_json, "MODE", "Print JSON: short, pretty or off"},
    OptionRow{"no-legend", 0, Nothing, &Options::no_legend, nullptr, "", "No header and no hints"},
    OptionRow{"legend", 0, Value, nullptr, set_legend, "BOOL", nullptr},
    OptionRow{"no-pager", 0, Nothing, nullptr, nullptr, "", nullptr},
    OptionRow{"no-wall", 0, Nothing, nullptr, nullptr, "", nullptr},
    OptionRow{"no-ask-password", 0, Nothing, nullptr, nullptr, "", nullptr},
    OptionRow{"check-inhibitors", 0, Value, nullptr, nullptr, "MODE", nullptr},
    OptionRow{nullptr, 'i', Nothing, nullptr, nullptr, "", nullptr},
    OptionRow{"dry-run", 0, Nothing, &Options::dry_run, nullptr, "",
              "With poweroff and its kin: say what would be done"},
};

constexpr int kFirstLong = 0x100;

int getopt_argument(Takes takes) {
  switch (takes) {
    case Nothing:
      return no_argument;
    case Value:
      return required_argument;
    case MaybeValue:
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
    for (const OptionRow& row : kTable) {
      if (row.name != nullptr) {
        longs.push_back({row.name, getopt_argument(row.takes), nullptr, index});
      }
      if (row.letter != 0) {
        shorts += row.letter;
        if (row.takes == Value) shorts += ':';
      }
      ++index;
    }
    longs.push_back({nullptr, 0, nullptr, 0});
  }
};

const OptionRow* row_of(int found) {
  if (found >= kFirstLong) return &kTable[static_cast<std::size_t>(found - kFirstLong)];
  for (const OptionRow& row : kTable) {
    if (row.letter == found) return &row;
  }
  return nullptr;
}

std::string name_of(const OptionRow& row) {
  return row.name != nullptr ? format("--{}", row.name) : format("-{}", row.letter);
}

std::string apply(Options& options, const OptionRow& row, const char* value) {
  if (row.flag != nullptr) options.*row.flag = true;
  if (row.set == nullptr) return {};
  const std::string problem = row.set(options, value == nullptr ? "" : value);
  return problem.empty() ? problem : format("{}: {}", name_of(row), problem);
}

}  // namespace

std::span<const OptionRow> option_table() noexcept {
  return kTable;
}

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
      const char* const word = optopt != 0 && optopt < kFirstLong
                                   ? nullptr
                                   : argv[static_cast<std::size_t>(std::max(1, optind - 1))];
      const std::string shown =
          word == nullptr ? format("-{}", static_cast<char>(optopt)) : c_escape(word);
      return Failure{found == ':' ? format("option '{}' needs a value", shown)
                                  : format("unknown option '{}'", shown)};
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
