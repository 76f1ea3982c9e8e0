#include "cli/options.h"

#include <getopt.h>

#include <algorithm>
#include <array>

#include "base/format.h"
#include "base/text.h"
#include "unit/enum_words.h"
#include "unit/name.h"
#include "unit/signals.h"
#include "unit/values.h"

namespace onset {

namespace {

std::vector<std::string> list_of(std::string_view text) {
  std::vector<std::string> found;
  for (std::string_view part : split(text, ',')) {
    if (!part.empty()) found.emplace_back(part);
  }
  return found;
}

/// What --type=help and its kin print.
std::string listing(std::string_view title, std::initializer_list<std::string_view> words) {
  std::string text = title.empty() ? std::string() : format("{}\n", title);
  for (std::string_view word : words) text += format("{}\n", word);
  return text;
}

constexpr std::string_view kTypes[] = {"service", "mount", "swap", "socket", "target", "device",
                         "automount", "timer", "path", "slice", "scope"};

/// The words that units of the types that onset runs can be in.
std::string state_words() {
  return listing("Available unit load states:",
                 {"stub", "loaded", "not-found", "bad-setting", "error", "merged", "masked"}) +
         listing("\nAvailable unit active states:",
                 {"active", "reloading", "inactive", "failed", "activating", "deactivating",
                  "maintenance"}) +
         listing("\nAvailable unit file states:",
                 {"enabled", "enabled-runtime", "linked", "linked-runtime", "alias", "masked",
                  "masked-runtime", "static", "disabled", "indirect", "generated", "transient",
                  "bad"}) +
         listing("\nAvailable service unit substates:",
                 {"dead", "condition", "start-pre", "start", "start-post", "running", "exited",
                  "reload", "reload-signal", "reload-notify", "stop", "stop-watchdog",
                  "stop-sigterm", "stop-sigkill", "stop-post", "final-watchdog", "final-sigterm",
                  "final-sigkill", "failed", "auto-restart"}) +
         listing("\nAvailable scope unit substates:",
                 {"dead", "running", "abandoned", "stop-sigterm", "stop-sigkill", "failed"}) +
         listing("\nAvailable slice unit substates:", {"dead", "active"}) +
         listing("\nAvailable target unit substates:", {"dead", "active"});
}

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> known) {
  return std::find(known.begin(), known.end(), word) != known.end();
}

/// -t takes load states too, systemctl(1).
std::string set_types(Options& options, std::string_view text) {
  if (text.empty()) return "--type= requires arguments.";
  for (std::string& word : list_of(text)) {
    if (word == "help") {
      options.print = "Available unit types:\n";
      for (std::string_view type : kTypes) options.print += format("{}\n", type);
    } else if (unit_type_from_word(word)) {
      options.types.push_back(std::move(word));
    } else if (from_string<LoadState>(word)) {
      options.states.push_back(std::move(word));
    } else {
      return format("Unknown unit type or load state '{}'.\n"
                    "Use -t help to see a list of allowed values.",
                    c_escape(word));
    }
  }
  return {};
}

std::string set_states(Options& options, std::string_view text) {
  if (text.empty()) return "--state= requires arguments.";
  for (std::string& word : list_of(text)) {
    if (word == "help") options.print = state_words();
    options.states.push_back(std::move(word));
  }
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
    return format("--json=: '{}' is not short, pretty or off", c_escape(word));
  }
  return {};
}

std::string signal_words(bool with_numbers) {
  std::string text = with_numbers ? "SIGNAL NAME\n" : "";
  for (int signal = 1; signal <= kSigRtMax; ++signal) {
    const std::string name = signal_name(signal);
    if (parse_uint<unsigned>(name)) continue;  // it has none
    text += with_numbers ? format("{:<6} SIG{}\n", signal, name) : format("{}\n", name);
  }
  return text;
}

std::string set_signal(Options& options, std::string_view word) {
  if (word == "help" || word == "list") {
    options.print = signal_words(word == "list");
    return {};
  }
  auto signal = parse_signal(word);
  if (!signal) return format("Failed to parse signal string \"{}\".", c_escape(word));
  options.signal = *signal;
  return {};
}

std::string set_lines(Options& options, std::string_view word) {
  if (word == "all") return {};
  options.lines = parse_uint<unsigned>(word);
  return options.lines ? std::string() : format("Failed to parse lines '{}'", c_escape(word));
}

std::string set_output(Options&, std::string_view word) {
  const bool known = is_one_of(
      word, {"short", "short-full", "short-iso", "short-iso-precise", "short-precise",
             "short-monotonic", "short-delta", "short-unix", "verbose", "export", "json",
             "json-pretty", "json-sse", "json-seq", "cat", "with-unit"});
  return known ? std::string() : format("Unknown output '{}'.", c_escape(word));
}

std::string set_legend(Options& options, std::string_view word) {
  const auto value = parse_bool(word);
  if (!value) return format("Failed to parse boolean argument to --legend: {}.", c_escape(word));
  options.no_legend = !*value;
  return {};
}

/// The manager judges it, as with systemctl.
std::string set_kill_whom(Options& options, std::string_view word) {
  options.kill_whom = word;
  return {};
}

std::string set_job_mode(Options& options, std::string_view word) {
  if (word == "help") {
    options.print = listing("", {"fail", "replace", "replace-irreversibly", "isolate", "flush",
                                 "ignore-dependencies", "ignore-requirements"});
  }
  options.job_mode = word;
  return {};
}

std::string set_fail(Options& options, std::string_view) {
  options.job_mode = "fail";
  return {};
}

std::string set_irreversible(Options& options, std::string_view) {
  return set_job_mode(options, "replace-irreversibly");
}

std::string set_ignore_dependencies(Options& options, std::string_view) {
  return set_job_mode(options, "ignore-dependencies");
}

std::string set_preset_mode(Options& options, std::string_view word) {
  options.preset_mode = word;
  const bool known = is_one_of(word, {"full", "enable-only", "disable-only"});
  return known ? std::string() : format("Failed to parse preset mode: {}.", c_escape(word));
}

std::string set_what(Options& options, std::string_view text) {
  if (text.empty()) return "--what= requires arguments.";
  for (std::string& word : list_of(text)) {
    if (word == "help") {
      options.print = listing("", {"runtime", "state", "cache", "logs", "configuration"});
    }
    options.what.push_back(std::move(word));
  }
  return {};
}

std::string set_timestamp(Options& options, std::string_view word) {
  if (word == "pretty") {
    options.time_style = TimeStyle::Pretty;
  } else if (word == "unix") {
    options.time_style = TimeStyle::Unix;
  } else if (word == "us" || word == "µs" || word == "μs") {
    options.time_style = TimeStyle::Us;
  } else if (word == "utc") {
    options.time_style = TimeStyle::Utc;
  } else if (word == "us+utc" || word == "µs+utc" || word == "μs+utc") {
    options.time_style = TimeStyle::UsUtc;
  } else {
    return format("Invalid value: {}.", c_escape(word));
  }
  return {};
}

std::string set_drop_in(Options& options, std::string_view word) {
  if (word.empty() || word.find('/') != std::string_view::npos) return "--drop-in=: expected a name";
  options.drop_in = word;
  if (!word.ends_with(".conf")) options.drop_in += ".conf";
  return {};
}

std::string refuse_transaction(Options&, std::string_view) {
  return "-T/--show-transaction is not supported yet.";
}

std::string refuse_global(Options&, std::string_view) {
  return "--global is not supported yet: use --user as each user.";
}

std::string refuse_marked(Options&, std::string_view) {
  return "--marked is not supported yet: name the units.";
}

/// Remote managers and images are nothing that onset reaches.
std::string refuse_host(Options&, std::string_view) {
  return "-H/--host= is not supported: onset is asked where it runs.";
}

std::string refuse_machine(Options&, std::string_view) {
  return "-M/--machine= is not supported: enter the container and ask there.";
}

std::string refuse_image(Options&, std::string_view) {
  return "--image= is not supported: mount the image and use --root=.";
}

std::string set_root(Options& options, std::string_view path) {
  if (path.empty() || !path_is_valid(path)) return "--root=: expected a folder";
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
    OptionRow{"version", 0, Nothing, &Options::version, nullptr, "", "Show package version"},
    OptionRow{"system", 0, Nothing, nullptr, set_system, "", "Connect to system manager"},
    OptionRow{"user", 0, Nothing, &Options::user, nullptr, "", "Connect to user service manager"},
    OptionRow{"host", 'H', Value, nullptr, refuse_host, "[USER@]HOST", nullptr},
    OptionRow{"machine", 'M', Value, nullptr, refuse_machine, "CONTAINER", nullptr},
    OptionRow{"type", 't', Value, nullptr, set_types, "TYPE", "List units of a particular type"},
    OptionRow{"state", 0, Value, nullptr, set_states, "STATE",
              "List units with particular LOAD or SUB or ACTIVE state"},
    OptionRow{"failed", 0, Nothing, nullptr, set_failed, "", "Shortcut for --state=failed"},
    OptionRow{"property", 'p', Value, nullptr, set_properties, "NAME",
              "Show only properties by this name"},
    OptionRow{nullptr, 'P', Value, nullptr, set_properties_and_value, "NAME",
              "Equivalent to --value --property=NAME"},
    OptionRow{"all", 'a', Nothing, &Options::all, nullptr, "",
              "Show all properties/all units currently in memory, including dead/empty ones"},
    OptionRow{"full", 'l', Nothing, &Options::full, nullptr, "",
              "Don't ellipsize unit names on output"},
    OptionRow{"recursive", 'r', Nothing, nullptr, nullptr, "", nullptr},
    OptionRow{"reverse", 0, Nothing, nullptr, set_side<DependencySide::Reverse>, "",
              "Show reverse dependencies with 'list-dependencies'"},
    OptionRow{"after", 0, Nothing, nullptr, set_side<DependencySide::After>, "",
              "Show units ordered before, with 'list-dependencies'"},
    OptionRow{"before", 0, Nothing, nullptr, set_side<DependencySide::Before>, "",
              "Show units ordered after, with 'list-dependencies'"},
    OptionRow{"with-dependencies", 0, Nothing, &Options::with_dependencies, nullptr, "",
              "Show unit dependencies with 'status', 'cat' and 'list-units'"},
    OptionRow{"job-mode", 0, Value, nullptr, set_job_mode, "MODE",
              "Specify how to deal with already queued jobs, when queueing a new job"},
    OptionRow{"fail", 0, Nothing, nullptr, set_fail, "", nullptr},
    OptionRow{"irreversible", 0, Nothing, nullptr, set_irreversible, "", nullptr},
    OptionRow{"ignore-dependencies", 0, Nothing, nullptr, set_ignore_dependencies, "", nullptr},
    OptionRow{"show-transaction", 'T', Nothing, nullptr, refuse_transaction, "", nullptr},
    OptionRow{"show-types", 0, Nothing, nullptr, nullptr, "", nullptr},
    OptionRow{"global", 0, Nothing, nullptr, refuse_global, "", nullptr},
    OptionRow{"marked", 0, Nothing, nullptr, refuse_marked, "", nullptr},
    OptionRow{"value", 0, Nothing, &Options::value, nullptr, "",
              "When showing properties, only print the value"},
    OptionRow{"check-inhibitors", 0, Value, nullptr, nullptr, "MODE", nullptr},
    OptionRow{nullptr, 'i', Nothing, nullptr, nullptr, "", nullptr},
    OptionRow{"kill-whom", 0, Value, nullptr, set_kill_whom, "WHOM", "Whom to send signal to"},
    OptionRow{"kill-who", 0, Value, nullptr, set_kill_whom, "WHOM", nullptr},
    OptionRow{"signal", 's', Value, nullptr, set_signal, "SIGNAL", "Which signal to send"},
    OptionRow{"what", 0, Value, nullptr, set_what, "RESOURCES", nullptr},
    OptionRow{"now", 0, Nothing, &Options::now, nullptr, "",
              "Start or stop unit after enabling or disabling it"},
    OptionRow{"dry-run", 0, Nothing, &Options::dry_run, nullptr, "",
              "Only print what would be done, with the verbs of the system's end"},
    OptionRow{"quiet", 'q', Nothing, &Options::quiet, nullptr, "", "Suppress output"},
    OptionRow{"wait", 0, Nothing, &Options::wait, nullptr, "",
              "For (re)start, wait until service stopped again; for is-system-running, wait until "
              "startup is completed"},
    OptionRow{"no-block", 0, Nothing, &Options::no_block, nullptr, "",
              "Do not wait until operation finished"},
    OptionRow{"no-wall", 0, Nothing, nullptr, nullptr, "", nullptr},
    OptionRow{"message", 0, Value, nullptr, nullptr, "TEXT", nullptr},
    OptionRow{"no-reload", 0, Nothing, &Options::no_reload, nullptr, "",
              "Don't reload daemon after en-/dis-abling unit files"},
    OptionRow{"legend", 0, Value, nullptr, set_legend, "BOOL",
              "Enable/disable the legend (column headers and hints)"},
    OptionRow{"no-legend", 0, Nothing, &Options::no_legend, nullptr, "", nullptr},
    OptionRow{"no-pager", 0, Nothing, nullptr, nullptr, "", nullptr},
    OptionRow{"no-ask-password", 0, Nothing, nullptr, nullptr, "", nullptr},
    OptionRow{"no-warn", 0, Nothing, &Options::no_warn, nullptr, "",
              "No warning about units without [Install]"},
    OptionRow{"runtime", 0, Nothing, &Options::runtime, nullptr, "",
              "Edit/enable/disable/mask unit files temporarily until next reboot"},
    OptionRow{"force", 'f', Nothing, nullptr, set_force, "",
              "When enabling unit files, override existing symlinks; when shutting down, execute "
              "action immediately"},
    OptionRow{"preset-mode", 0, Value, nullptr, set_preset_mode, "MODE",
              "Apply only enable, only disable, or all presets"},
    OptionRow{"root", 0, Value, nullptr, set_root, "PATH",
              "Edit/enable/disable/mask unit files in the specified root directory"},
    OptionRow{"image", 0, Value, nullptr, refuse_image, "PATH", nullptr},
    OptionRow{"lines", 'n', Value, nullptr, set_lines, "INTEGER", nullptr},
    OptionRow{"output", 'o', Value, nullptr, set_output, "STRING", nullptr},
    OptionRow{"plain", 0, Nothing, &Options::plain, nullptr, "",
              "Print unit dependencies as a list instead of a tree"},
    OptionRow{"timestamp", 0, Value, nullptr, set_timestamp, "FORMAT",
              "Change format of printed timestamps (pretty, unix, us, utc, us+utc)"},
    OptionRow{"json", 0, MaybeValue, nullptr, set_json, "MODE", "Print JSON: short, pretty or off"},
    OptionRow{"stdin", 0, Nothing, &Options::use_stdin, nullptr, "",
              "Read new contents of edited file from stdin"},
    OptionRow{"drop-in", 0, Value, nullptr, set_drop_in, "NAME",
              "Edit unit files using the specified drop-in file name"},
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

std::string apply(Options& options, const OptionRow& row, const char* value) {
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
  if (letter != 0) return format("option '{}' doesn't allow an argument", c_escape(word.substr(0, word.find('='))));
  std::string possible;
  for (const OptionRow& row : kTable) {
    if (row.name == nullptr || !word.starts_with("--")) continue;
    if (std::string_view(row.name).starts_with(word.substr(2, word.find('=') - 2))) {
      possible += format(" '--{}'", row.name);
    }
  }
  if (possible.empty()) return format("unrecognized option '{}'", c_escape(word));
  return format("option '{}' is ambiguous; possibilities:{}", c_escape(word), possible);
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
      const char* const last = argv[static_cast<std::size_t>(std::max(1, optind - 1))];
      return Failure{format("{}: {}", words.front(), misuse(found, optopt, last == nullptr ? "" : last))};
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
